# frozen_string_literal: true

# What the scripts share: more clients than there are connections, and settings that tell them apart.

# One time zone for each client of a crowd: no two alike.
ZONES = %w[
  Asia/Tokyo America/New_York Europe/Berlin Pacific/Auckland Africa/Cairo Asia/Kolkata America/Sao_Paulo Australia/Perth
].freeze
ROUNDS = 4

def same(expected, seen)
  raise "expected #{expected.inspect}, not #{seen.inspect}" unless expected == seen
end

def failing(error)
  yield
rescue error
  nil
else
  raise 'no error'
end

# All at the same time, each with its number; whatever one of them raises is raised.
def all_at_once
  ZONES.each_index.map { |n| Thread.new { yield n } }.each(&:join)
end

Thread.report_on_exception = false
