# frozen_string_literal: true

# ActiveRecord, Rails' ORM, through Sluice: scenario by scenario, found by libpq's environment.

require 'active_record'
require_relative 'crowd'
require_relative 'play'

ActiveRecord::Migration.verbose = false

# As config/database.yml has it; what is not said here, libpq finds in the environment.
def establish(**more)
  ActiveRecord::Base.establish_connection(adapter: 'postgresql', pool: ZONES.size + 1, checkout_timeout: 20, **more)
end

class Person < ActiveRecord::Base
  self.table_name = 'app.people'
end

# Each thread has a connection of its own from Rails' pool until it is done.
def requests
  all_at_once do |n|
    ActiveRecord::Base.connection_pool.with_connection { |connection| yield n, connection }
  end
end

def with_people
  connection = ActiveRecord::Base.connection
  connection.create_table('app.people', force: true) do |t|
    t.string :name, index: { unique: true }
    t.integer :visits, default: 0
    t.timestamps
  end
  yield
ensure
  connection.drop_table('app.people')
end

def ask(connection, query)
  connection.select_rows(query).first
end

def version
  establish
  same ['app'], ask(ActiveRecord::Base.connection, 'SELECT current_user')
  puts ActiveRecord.version
end

# On each connection: client_min_messages, standard_conforming_strings, intervalstyle, timezone, and what the
# configuration adds, all by SET (PG-59, GX-01).
def connecting
  establish(min_messages: 'warning', schema_search_path: 'app, public', variables: { statement_timeout: 9000 })
  requests do |n, connection|
    connection.execute("SET app.name = 'person #{n}'")
    ROUNDS.times do
      seen = ask(connection, "SELECT current_setting('client_min_messages'), current_setting('intervalstyle'),
        current_setting('TimeZone'), current_setting('search_path'), current_setting('statement_timeout'),
        current_setting('app.name')")
      same ['warning', 'iso_8601', 'UTC', 'app, public', '9s', "person #{n}"], seen
    end
    connection.reset!
    same ['iso_8601', nil], ask(connection, "SELECT current_setting('intervalstyle'), nullif(current_setting('app.name', true), '')")
  end
end

# Models: `a1`, `a2`, … are the prepared statements of everybody; writes return their ids (PG-84, PG-92).
def models
  establish
  with_people do
    requests do |n, connection|
      people = Array.new(20) { |k| Person.create!(name: "#{n}.#{k}") }
      same 20, people.map(&:id).uniq.size
      ROUNDS.times { |round| same "#{n}.#{round}", Person.find_by(name: "#{n}.#{round}").name }
      failing(ActiveRecord::RecordNotUnique) do
        Person.transaction do
          people[0].lock!
          Person.transaction(requires_new: true) { raise ActiveRecord::Rollback if people[0].increment!(:visits) }
          Person.create!(name: "#{n}.0")
        end
      end
      same 0, people[0].reload.visits
      Person.transaction(isolation: :serializable) { same ['serializable'], ask(connection, 'SHOW transaction_isolation') }
      same 20, Person.where('name LIKE ?', "#{n}.%").find_each(batch_size: 7).count
    end
  end
end

# A pool of statements that is too small gives them up by DEALLOCATE (PG-85).
def statement_limit
  establish(statement_limit: 2)
  with_people do
    Person.create!(name: 'somebody')
    requests do |n, _|
      ROUNDS.times do |round|
        same 1, Person.where(name: 'somebody').count
        same 0, Person.where(visits: n + 1 + round).count
        same 1, Person.where(visits: 0, name: 'somebody').pluck(:id).size
        same nil, Person.find_by(id: -1)
      end
    end
  end
end

# A column more: the statements of `SELECT *` are prepared again (PG-83).
def migration
  establish
  with_people do
    Person.create!(name: 'early')
    same 'early', Person.find_by(name: 'early').name
    requests { same 'early', Person.find_by(name: 'early').name }
    Person.connection.add_column('app.people', :age, :integer)
    Person.reset_column_information
    requests do
      2.times { same 'early', Person.find_by(name: 'early').name }
    end
  end
end

# Migrations take a lock of the session, and give it back; `prepared_statements: false` is what poolers ask for (PG-67).
def migration_lock
  establish(prepared_statements: false)
  requests do |n, connection|
    same true, connection.get_advisory_lock(n)
    same [n], ask(connection, "SELECT #{n}")
    same true, connection.release_advisory_lock(n)
    ROUNDS.times { same [n], ask(connection, "SELECT #{n}") }
  end
end

play { |name| send(name) }
