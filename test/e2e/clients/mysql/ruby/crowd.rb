# frozen_string_literal: true

# What the scripts share: more clients than there are connections, and settings that tell them apart.

# One time zone for each client of a crowd: no two alike.
ZONES = %w[+00:00 +09:00 -05:00 +01:30 +05:45 +10:00].freeze
ROUNDS = 4

HOST, USER, PASSWORD, NAME = ENV.values_at('DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME')
PORT = ENV.fetch('DB_PORT').to_i
TLS = ENV['DB_TLS'] == 'verify-full' ? { sslca: ENV.fetch('DB_CA'), sslverify: true } : {}
ADDRESS = { host: HOST, port: PORT, username: USER, password: PASSWORD, database: NAME, **TLS }.freeze
ISOLATION = ENV['DB_FLAVOUR'] == 'mariadb' ? 'tx_isolation' : 'transaction_isolation'

def same(expected, seen)
  raise "expected #{expected.inspect}, not #{seen.inspect}" unless expected == seen
end

def failing(error)
  yield
rescue error => e
  e
else
  raise 'no error'
end

# All at the same time, each with its number; whatever one of them raises is raised.
def all_at_once
  ZONES.each_index.map { |n| Thread.new { yield n } }.each(&:join)
end

Thread.report_on_exception = false
