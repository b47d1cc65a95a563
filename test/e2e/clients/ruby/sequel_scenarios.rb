# frozen_string_literal: true

# Sequel through Sluice: scenario by scenario, found by libpq's environment.

require 'sequel'
require_relative 'crowd'
require_relative 'play'

def database(**more)
  Sequel.connect(adapter: 'postgres', max_connections: ZONES.size, **more)
end

# Everybody has a connection of Sequel's pool for as long as the block runs.
def requests(db)
  all_at_once { |n| db.synchronize { yield n } }
end

def version
  db = database
  same 'app', db.get(Sequel.lit('current_user'))
  puts Sequel::VERSION
end

# Its own SETs on each connection, and those that one gives it (PG-59).
def connecting
  db = database(after_connect: ->(conn) { conn.exec("SET statement_timeout = '9s'") }, search_path: %w[app public])
  requests(db) do |n|
    db.run("SET TIME ZONE '#{ZONES[n]}'")
    ROUNDS.times do
      seen = db.get(%w[standard_conforming_strings client_min_messages search_path statement_timeout TimeZone]
        .map.with_index { |name, at| Sequel.function(:current_setting, name).as("c#{at}") })
      same ['on', 'warning', 'app, public', '9s', ZONES[n]], seen
    end
  end
end

# Datasets, prepared ones among them, whose names are everybody's; a cursor in a transaction (PG-04, PG-84).
def datasets
  db = database
  db.create_table!(Sequel[:app][:things]) do
    primary_key :id
    String :name, unique: true
  end
  things = db[Sequel[:app][:things]]
  requests(db) do |n|
    ids = Array.new(20) { |k| things.insert(name: "#{n}.#{k}") }
    same 20, ids.uniq.size
    find = things.where(name: :$name).prepare(:first, :find)
    20.times { |k| same ids[k], find.call(name: "#{n}.#{k}")[:id] }
    same ids, things.where(id: ids).order(:id).use_cursor(rows_per_fetch: 7).map(:id)
    failing(Sequel::UniqueConstraintViolation) do
      db.transaction(isolation: :serializable) do
        db.transaction(savepoint: true, rollback: :always) { things.delete }
        things.insert(name: "#{n}.0")
      end
    end
  end
  same 20 * ZONES.size, things.count
  db.drop_table(Sequel[:app][:things])
end

play { |name| send(name) }
