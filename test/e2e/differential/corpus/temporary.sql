CREATE TEMP TABLE kept (a int);
CREATE TEMPORARY TABLE emptied (a int) ON COMMIT DELETE ROWS;
CREATE LOCAL TEMP TABLE IF NOT EXISTS kept (b text);
INSERT INTO kept VALUES (1), (2);
INSERT INTO emptied VALUES (1);
SELECT count(*) FROM emptied;

SELECT * FROM kept ORDER BY a;

BEGIN;
CREATE TEMP TABLE dropped ON COMMIT DROP AS SELECT 1 AS a;
INSERT INTO emptied VALUES (5);
SELECT * FROM dropped, emptied;
COMMIT;

SELECT * FROM emptied;

SELECT * FROM dropped;

CREATE TABLE shadow (a text);
CREATE TEMP TABLE shadow (a int);
INSERT INTO shadow VALUES (7);
SELECT a, pg_typeof(a) FROM shadow;
SELECT count(*) FROM home_mine.shadow;
SELECT a FROM pg_temp.shadow;

DROP TABLE shadow;
SELECT count(*), min(a) FROM shadow;

CREATE TEMP VIEW seen AS SELECT a * 2 AS twice FROM kept;
CREATE VIEW also_seen AS SELECT a FROM kept;
CREATE TEMP SEQUENCE numbers;
CREATE FUNCTION pg_temp.helper() RETURNS int LANGUAGE sql AS 'SELECT 42';
CREATE TYPE pg_temp.short_lived AS ENUM ('x', 'y');
SELECT pg_temp.helper(), 'x'::pg_temp.short_lived, twice FROM seen ORDER BY twice;
CREATE INDEX ON kept (a);
ALTER TABLE kept ADD COLUMN b text DEFAULT 'new';
SELECT * FROM kept ORDER BY a;

CREATE TABLE home_mine.half (a int REFERENCES kept);

CREATE TEMP TABLE home_mine.odd (a int);

SET search_path TO pg_temp, home_mine;
SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' ORDER BY 1;
RESET search_path;

DO $$ BEGIN CREATE TEMP TABLE by_block (a int); INSERT INTO by_block VALUES (3); END $$;
SELECT * FROM by_block;

DISCARD TEMP;

SELECT * FROM kept;

CREATE TEMP TABLE again (a int);
DISCARD TEMPORARY;

SELECT * FROM again;

PREPARE p AS SELECT 1;
CREATE TEMP TABLE last (a int);
SET work_mem = '1MB';
DISCARD ALL;

EXECUTE p;

SELECT * FROM last;

SHOW work_mem;

BEGIN;
DISCARD ALL;
ROLLBACK;
