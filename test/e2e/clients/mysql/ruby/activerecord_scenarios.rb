# frozen_string_literal: true

# ActiveRecord over mysql2 through Sluice: scenario by scenario.

require 'active_record'
require_relative 'crowd'
require_relative '../../ruby/play'

ActiveRecord::Base.logger = nil

# A pool of more connections than there are at the database, all of which have been made.
def pool_of(**more)
  ActiveRecord::Base.establish_connection(adapter: 'mysql2', **ADDRESS, pool: ZONES.size, checkout_timeout: 30, **more)
  yield ActiveRecord::Base
ensure
  ActiveRecord::Base.remove_connection
end

# Everybody at the same time, on a connection of the pool's each.
def with_connections
  all_at_once do |n|
    ActiveRecord::Base.connection_pool.with_connection { |connection| yield connection, n }
  end
end

class Author < ActiveRecord::Base
  has_many :books
end

class Book < ActiveRecord::Base
  belongs_to :author
end

def define_tables
  ActiveRecord::Schema.verbose = false
  ActiveRecord::Schema.define do
    create_table(:authors, force: true) { |t| t.string :name, index: { unique: true } }
    create_table(:books, force: true) { |t| t.string :title; t.integer :author_id, index: true; t.timestamps }
  end
  [Author, Book].each(&:reset_column_information)
end

def drop_tables
  %i[authors books schema_migrations ar_internal_metadata].each { |name| ActiveRecord::Base.connection.drop_table(name, if_exists: true) }
end

SCENARIOS = {
  'version' => lambda do
    pool_of { |base| same('app', base.connection.select_value('SELECT CURRENT_USER()').split('@').first) }
    puts ActiveRecord.version
  end,

  # SET of sql_mode, wait_timeout, sql_auto_is_null and of `variables` on each connection (trap GX-01).
  'connecting' => lambda do
    variables = { time_zone: '+05:45', sql_mode: 'TRADITIONAL', lock_wait_timeout: 44 }
    pool_of(variables: variables, collation: 'utf8mb4_unicode_ci', encoding: 'utf8mb4') do
      ROUNDS.times do
        with_connections do |connection, n|
          seen = connection.select_rows("SELECT @@time_zone, @@sql_mode LIKE '%TRADITIONAL%', @@lock_wait_timeout, @@collation_connection, #{n}")
          same([['+05:45', 1, 44, 'utf8mb4_unicode_ci', n]], seen)
        end
      end
    end
  end,

  # With prepared statements and without; transactions in transactions, isolation levels, reset!.
  'models' => lambda do
    [true, false].each do |prepared|
      pool_of(prepared_statements: prepared, statement_limit: 3) do |base|
        define_tables
        with_connections do |connection, n|
          ROUNDS.times do |round|
            author = Author.create!(name: "#{n} in #{round}")
            3.times { |k| author.books.create!(title: "Book #{k}") }
            failing(ActiveRecord::RecordNotUnique) { Author.create!(name: "#{n} in #{round}") }
            base.transaction(isolation: :read_committed) do
              author.update!(name: "#{n}'s in #{round}")
              base.transaction(requires_new: true) do
                author.books.destroy_all
                raise ActiveRecord::Rollback
              end
            end
            same(3, Author.find_by!(name: "#{n}'s in #{round}").books.where('title LIKE ?', 'Book%').count)
            connection.reset! if round == 1
          end
        end
        same(ZONES.size * ROUNDS * 3, Author.joins(:books).count)
        drop_tables
      end
    end
  end,

  # Migrations hold a lock by name (trap MY-47).
  'migration_lock' => lambda do
    pool_of do
      with_connections do |connection, n|
        same(true, connection.get_advisory_lock("migration #{n}", 10))
        same(n, connection.select_value("SELECT #{n}"))
        same(true, connection.release_advisory_lock("migration #{n}"))
      end
    end
  end
}.freeze

play { |name| SCENARIOS.fetch(name).call }
