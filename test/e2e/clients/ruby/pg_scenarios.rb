# frozen_string_literal: true

# ruby-pg through Sluice: scenario by scenario, found by libpq's environment.

require 'pg'
require_relative 'crowd'
require_relative 'play'

def connect
  PG.connect
end

# More clients than there are database connections, all at once.
def crowd
  clients = ZONES.map { connect }
  yield clients
ensure
  clients&.each(&:close)
end

def version
  same 'app', connect.exec('SELECT current_user').getvalue(0, 0)
  puts PG::VERSION
end

# Each client sees its own; an encoding is a SET, and so is `internal_encoding=` (PG-52, GX-01).
def settings
  crowd do |clients|
    clients.each_with_index do |conn, n|
      conn.exec("SET TIME ZONE '#{ZONES[n]}'; SET search_path = app, \"own #{n}\"")
      conn.internal_encoding = n.even? ? 'UTF-8' : 'ISO-8859-1'
      conn.exec_params("SELECT set_config('app.name', $1, false)", ["it's #{n}"])
    end
    ROUNDS.times do
      clients.each_with_index do |conn, n|
        row = conn.exec("SELECT current_setting('TimeZone'), current_setting('search_path'),
          current_setting('app.name'), current_setting('client_encoding'), chr(233)").values.first
        encoding = n.even? ? 'UTF8' : 'LATIN1'
        same [ZONES[n], "app, \"own #{n}\"", "it's #{n}", encoding], row.take(4)
        same 'é', row.last.encode('UTF-8')
        same ZONES[n], conn.parameter_status('TimeZone')
      end
    end
  end
end

# Statements of one name and different texts; DISCARD ALL forgets them and the settings (PG-65, PG-84).
def prepared
  crowd do |clients|
    clients.each_with_index do |conn, n|
      conn.prepare('same', "SELECT #{n} + $1::int")
      conn.exec("SET TIME ZONE '#{ZONES[n]}'")
    end
    ROUNDS.times do |round|
      clients.each_with_index do |conn, n|
        same (n + round).to_s, conn.exec_prepared('same', [round]).getvalue(0, 0)
        same 23, conn.describe_prepared('same').paramtype(0)
      end
    end
    clients.each_with_index do |conn, n|
      conn.exec('DISCARD ALL')
      failing(PG::InvalidSqlStatementName) { conn.exec_prepared('same', [1]) }
      zone = conn.exec("SELECT setting, reset_val FROM pg_settings WHERE name = 'TimeZone'").values.first
      same zone[1], zone[0]
      raise "still #{zone[0]}" if zone[0] == ZONES[n]
    end
  end
end

# Pipelines, one of which fails in the middle (PG-01, PG-06).
def pipelines
  crowd do |clients|
    ROUNDS.times do |round|
      clients.each_with_index do |conn, n|
        conn.enter_pipeline_mode
        5.times { |k| conn.send_query_params("SELECT #{n} + $1::int", [k.to_s]) }
        conn.pipeline_sync
        5.times do |k|
          same (n + k).to_s, conn.get_result.getvalue(0, 0)
          same nil, conn.get_result
        end
        same PG::PGRES_PIPELINE_SYNC, conn.get_result.result_status
        conn.send_query_params('SELECT 1 / $1::int', [round.zero? ? '0' : '1'])
        conn.send_query_params('SELECT 2', [])
        conn.pipeline_sync
        states = Array.new(2) { conn.get_result.tap { conn.get_result }.result_status }
        expected = round.zero? ? [PG::PGRES_FATAL_ERROR, PG::PGRES_PIPELINE_ABORTED] : [PG::PGRES_TUPLES_OK] * 2
        same expected, states
        same PG::PGRES_PIPELINE_SYNC, conn.get_result.result_status
        conn.exit_pipeline_mode
      end
    end
  end
end

# COPY both ways, a transaction that fails, a large result row by row (PG-07, PG-09).
def copies
  crowd do |clients|
    clients[0].exec('SET client_min_messages = warning; DROP TABLE IF EXISTS app.copied; CREATE TABLE app.copied (n int)')
    all_at_once do |n|
      conn = clients[n]
      conn.copy_data('COPY app.copied FROM STDIN') { 1000.times { |k| conn.put_copy_data("#{n * 1000 + k}\n") } }
      failing(PG::InvalidTextRepresentation) do
        conn.copy_data('COPY app.copied FROM STDIN') { conn.put_copy_data("x\n") }
      end
      failing(ZeroDivisionError) do
        conn.transaction do
          conn.exec('DELETE FROM app.copied')
          raise ZeroDivisionError
        end
      end
      conn.send_query("SELECT n FROM app.copied WHERE n / 1000 = #{n} ORDER BY n")
      conn.set_single_row_mode
      seen = conn.get_result.stream_each_row.map { |(value)| value.to_i }
      same (n * 1000...(n + 1) * 1000).to_a, seen
    end
    clients[0].exec('DROP TABLE app.copied')
  end
end

# A statement is cancelled by a request of its own (PG-40).
def cancel
  crowd do |clients|
    clients[0].send_query('SELECT pg_sleep(59)')
    Thread.pass until clients[1].exec("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(59)'").ntuples > 0
    same nil, clients[0].cancel
    failing(PG::QueryCanceled) { clients[0].get_last_result }
    clients.each_with_index { |conn, n| same n.to_s, conn.exec("SELECT #{n}").getvalue(0, 0) }
  end
end

# LISTEN pins until UNLISTEN (PG-69).
def listen
  crowd do |clients|
    clients.each_with_index do |conn, n|
      conn.exec('LISTEN news')
      clients[n - 1].exec("NOTIFY news, '#{n}'")
      heard = nil
      conn.wait_for_notify(10) { |channel, _, payload| heard = [channel, payload] }
      same ['news', n.to_s], heard
      conn.exec('UNLISTEN *')
    end
  end
end

play { |name| send(name) }
