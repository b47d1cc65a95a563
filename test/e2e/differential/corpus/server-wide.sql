-- user: chief
CREATE DATABASE base_mine TEMPLATE template0 CONNECTION LIMIT 5;

ALTER DATABASE base_mine SET work_mem = '5MB';
ALTER DATABASE base_mine CONNECTION LIMIT 7;
ALTER DATABASE base_mine RESET ALL;
SET search_path TO home_mine;
ALTER DATABASE base_mine OWNER TO app;
COMMENT ON DATABASE base_mine IS 'for a while';
GRANT CONNECT ON DATABASE base_mine TO PUBLIC;
SELECT datname, datconnlimit, datdba::regrole FROM pg_database WHERE datname ~ '_mine$';

ALTER DATABASE base_mine RENAME TO ground_mine;

ALTER DATABASE base_mine RENAME TO nothing_mine;

DROP DATABASE ground_mine WITH (FORCE);

DROP DATABASE IF EXISTS ground_mine;

DROP DATABASE ground_mine;

DROP DATABASE corpus;

CREATE DATABASE corpus;

CREATE DATABASE wrong_mine ENCODING 'martian';

SET allow_in_place_tablespaces = on;

CREATE TABLESPACE space_mine LOCATION '';

ALTER TABLESPACE space_mine SET (random_page_cost = 1.5);
ALTER TABLESPACE space_mine RESET (random_page_cost);
ALTER TABLESPACE space_mine OWNER TO CURRENT_USER;
COMMENT ON TABLESPACE space_mine IS 'inside';
GRANT CREATE ON TABLESPACE space_mine TO app;
CREATE TABLE placed (a int) TABLESPACE space_mine;
INSERT INTO placed VALUES (1) RETURNING a;
SELECT spcname, spcoptions FROM pg_tablespace WHERE spcname = 'space_mine';
SET default_tablespace = space_mine;
SHOW default_tablespace;
CREATE TABLE placed_too AS SELECT 1 AS a;
RESET default_tablespace;

DROP TABLESPACE space_mine;

DROP TABLE placed, placed_too;

ALTER TABLESPACE space_mine RENAME TO room_mine;

DROP TABLESPACE room_mine;

DROP TABLESPACE IF EXISTS room_mine;

DROP TABLESPACE room_mine;

CREATE TABLESPACE wrong_mine LOCATION 'relative';

CREATE TABLESPACE pg_wrong LOCATION '';

RESET allow_in_place_tablespaces;
CHECKPOINT;
ALTER SYSTEM SET work_mem = '5MB';

ALTER SYSTEM RESET work_mem;

ALTER SYSTEM SET no_such_setting = 1;

ALTER SYSTEM SET work_mem = 'much';

SET log_statement = 'none';
SET session_replication_role = replica;
SHOW session_replication_role;
SET lc_messages = 'C';
SET zero_damaged_pages = off;
RESET ALL;
SET search_path TO home_mine;

VACUUM pg_class, pg_authid;

ANALYZE pg_class;
REINDEX TABLE pg_amop;
CREATE SCHEMA extra_mine AUTHORIZATION app CREATE TABLE inside (a int) CREATE VIEW seen AS SELECT a FROM inside CREATE INDEX ON inside (a) GRANT SELECT ON seen TO app;
CREATE SCHEMA IF NOT EXISTS extra_mine;

CREATE SCHEMA extra_mine;

ALTER SCHEMA extra_mine RENAME TO more_mine;
ALTER SCHEMA more_mine OWNER TO CURRENT_USER;
COMMENT ON SCHEMA more_mine IS 'more';
GRANT USAGE ON SCHEMA more_mine TO PUBLIC;
INSERT INTO more_mine.inside VALUES (1);
SELECT * FROM more_mine.seen;

DROP SCHEMA more_mine;

DROP SCHEMA more_mine CASCADE;
DROP SCHEMA IF EXISTS more_mine;

DROP SCHEMA pg_catalog;

COPY (SELECT 1) TO PROGRAM 'cat > /dev/null';

COPY (SELECT 1) TO '/nowhere/at/all';

CREATE TABLE lines (s text);
COPY lines FROM PROGRAM 'printf "a\nb\n"';
COPY lines FROM '/dev/null' WITH (FORMAT csv);
SELECT * FROM lines;

COPY lines FROM PROGRAM 'exit 3';

SELECT pg_reload_conf();
SELECT pg_cancel_backend(0), pg_terminate_backend(0);
