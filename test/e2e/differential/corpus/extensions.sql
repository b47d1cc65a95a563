-- user: chief
-- Extensions belong to the database, so that two clients have to take turns: each does everything in one transaction.
BEGIN;
CREATE EXTENSION hstore SCHEMA home_mine VERSION '1.6' CASCADE;
CREATE EXTENSION IF NOT EXISTS hstore;
SELECT 'a=>1, "b c"=>NULL'::hstore, 'a=>1'::hstore -> 'a', hstore('k', 'v');
COMMENT ON EXTENSION hstore IS 'keys and values';
ALTER EXTENSION hstore UPDATE TO '1.7';
ALTER EXTENSION hstore UPDATE;
CREATE TABLE added_to_it (a int);
ALTER EXTENSION hstore ADD TABLE added_to_it;
ALTER EXTENSION hstore DROP TABLE added_to_it;
SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension WHERE extname = 'hstore';
CREATE EXTENSION file_fdw;
CREATE SERVER files_mine FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE lines (n int, s text) SERVER files_mine OPTIONS (program 'printf "1,a\n2,b\n"', format 'csv');
SELECT * FROM lines;
EXPLAIN (COSTS OFF) SELECT * FROM lines;
SAVEPOINT s;
INSERT INTO lines VALUES (3, 'c');
ROLLBACK TO s;
IMPORT FOREIGN SCHEMA anything FROM SERVER files_mine INTO home_mine;
ROLLBACK TO s;
DROP EXTENSION file_fdw;
ROLLBACK TO s;
DROP EXTENSION file_fdw CASCADE;
DROP EXTENSION IF EXISTS hstore, never;
ROLLBACK;

CREATE EXTENSION no_such_extension;

DROP EXTENSION no_such_extension;

ALTER EXTENSION no_such_extension UPDATE;

CREATE EXTENSION hstore VERSION '99';

SELECT count(*) FROM pg_extension WHERE extname IN ('hstore', 'file_fdw');

LOAD 'plpgsql';

LOAD 'no_such_library';

BEGIN;
CREATE LANGUAGE slang_mine HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
CREATE OR REPLACE TRUSTED PROCEDURAL LANGUAGE slang_mine HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler;
DO LANGUAGE slang_mine 'BEGIN RAISE NOTICE ''in slang''; END';
CREATE FUNCTION slangy() RETURNS int LANGUAGE slang_mine AS 'BEGIN RETURN 1; END';
SELECT slangy();
ALTER LANGUAGE slang_mine OWNER TO CURRENT_USER;
COMMENT ON LANGUAGE slang_mine IS 'slang';
GRANT USAGE ON LANGUAGE slang_mine TO app;
CREATE TYPE marked AS (n int);
CREATE TRANSFORM FOR marked LANGUAGE slang_mine (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION slangy());
ROLLBACK;

BEGIN;
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE OR REPLACE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
COMMENT ON TRANSFORM FOR int LANGUAGE sql IS 'never used';
DROP TRANSFORM FOR int LANGUAGE sql;
ROLLBACK;

DROP TRANSFORM IF EXISTS FOR int LANGUAGE sql;
CREATE LANGUAGE worded_mine HANDLER plpgsql_call_handler;
ALTER LANGUAGE worded_mine RENAME TO dialect_mine;
DROP LANGUAGE dialect_mine;
DROP LANGUAGE IF EXISTS dialect_mine;

DROP LANGUAGE plpgsql;

CREATE LANGUAGE plpgsql;
