# frozen_string_literal: true

# mysql2 for Ruby through Sluice: scenario by scenario.

require 'mysql2'
require_relative 'crowd'
require_relative '../../ruby/play'

def connect(**more)
  Mysql2::Client.new(**ADDRESS, as: :array, **more)
end

# More clients than there are database connections, all at once.
def crowd(**more)
  clients = ZONES.map { connect(**more) }
  yield clients
ensure
  clients&.each(&:close)
end

def ask(client, query)
  client.query(query).to_a.first
end

SCENARIOS = {
  # What Rails says on each connection, but for the driver's own SET NAMES (traps GX-01, MY-45, MY-57).
  'set_storm' => lambda do
    crowd(reconnect: false, init_command: 'SET @@SESSION.wait_timeout = 2147483') do |clients|
      clients.each_with_index do |client, n|
        client.query("SET  @@SESSION.sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'), " \
                     "@@SESSION.sql_auto_is_null = 0, @@SESSION.time_zone = '#{ZONES[n]}', @@SESSION.lock_wait_timeout = #{40 + n}")
      end
      ROUNDS.times do
        clients.each_with_index do |client, n|
          seen = ask(client, 'SELECT @@sql_mode LIKE "%NO_AUTO_VALUE_ON_ZERO%", @@time_zone, @@lock_wait_timeout, @@wait_timeout')
          same([1, ZONES[n], 40 + n, 2_147_483], seen)
        end
      end
    end
  end,

  'prepared' => lambda do
    crowd do |clients|
      kept = clients.each_with_index.map { |client, n| client.prepare("SELECT #{n}, ? + 0, CONCAT(?)") }
      ROUNDS.times do |round|
        clients.each_with_index do |client, n|
          same([n, round, "é #{n}"], kept[n].execute(round, "é #{n}").first.then { |a, b, c| [a, b.to_i, c] })
          3.times { |k| same([n * 10 + k], client.prepare("SELECT #{n} * 10 + #{k}").execute.first) }
          same(1054, failing(Mysql2::Error) { client.prepare('SELECT nothing') }.error_number)
        end
      end
    end
  end,

  # Everybody at the same time, with last_id and affected_rows (traps MY-44, MY-48).
  'transactions' => lambda do
    connect.query('CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t INT)')
    crowd do |clients|
      all_at_once do |n|
        ROUNDS.times do |round|
          client = clients[n]
          client.query('BEGIN')
          client.query("INSERT INTO numbered (n) VALUES (#{n})")
          id = client.last_id
          same([id], ask(client, 'SELECT LAST_INSERT_ID()'))
          client.query('SAVEPOINT active_record_1')
          failing(Mysql2::Error) { client.query("INSERT INTO numbered VALUES (#{id}, 1, 1)") }
          client.query('ROLLBACK TO SAVEPOINT active_record_1')
          client.query("UPDATE numbered SET t = 1 WHERE id = #{id}")
          same(1, client.affected_rows)
          client.query(round.even? ? 'COMMIT' : 'ROLLBACK')
          same([(round / 2) + 1], ask(client, "SELECT COUNT(*) FROM numbered WHERE n = #{n}"))
        end
      end
    end
    connect.query('DROP TABLE numbered')
  end,

  # Several statements in one text, rows as they come (trap MY-08).
  'results' => lambda do
    crowd(flags: Mysql2::Client::MULTI_STATEMENTS) do |clients|
      ROUNDS.times do
        clients.each_with_index do |client, n|
          same([n], client.query("SELECT #{n}; SELECT #{n} + 1").first)
          same(true, client.next_result)
          same([n + 1], client.store_result.first)
          text = 'WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 900) SELECT g FROM s'
          same(405_450, client.query(text, stream: true, cache_rows: false).sum { |(g)| g })
        end
      end
    end
  end,

  # Migrations hold a lock by name (trap MY-47).
  'migration_lock' => lambda do
    crowd do |clients|
      clients.each_with_index do |client, n|
        same([1], ask(client, "SELECT GET_LOCK('8061231230', 10)"))
        same([n], ask(client, "SELECT #{n}"))
        same([1], ask(client, "SELECT RELEASE_LOCK('8061231230')"))
      end
    end
  end,
  'version' => lambda do
    same('app', ask(connect, 'SELECT CURRENT_USER()').first.split('@').first)
    puts Mysql2::VERSION
  end
}.freeze

play { |name| SCENARIOS.fetch(name).call }
