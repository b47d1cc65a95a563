-- The numbers of large objects differ; the script keeps its own in a table.
CREATE TABLE held (name text, lo oid);
INSERT INTO held VALUES ('made', lo_from_bytea(0, '\x0102030405')), ('empty', lo_create(0));
SELECT length(lo_get(lo)), lo_get(lo), lo_get(lo, 1, 2) FROM held WHERE name = 'made';
SELECT lo_put(lo, 3, '\xffff') FROM held WHERE name = 'made';
SELECT lo_get(lo) FROM held WHERE name = 'made';

BEGIN;
SELECT lo_open(lo, x'60000'::int) FROM held WHERE name = 'empty';
SELECT lowrite(0, 'written to it'), lo_tell(0), lo_lseek(0, 2, 0), loread(0, 5), lo_lseek64(0, -2, 2), loread(0, 9);
SELECT lo_truncate(0, 7), lo_tell64(0), lo_close(0);
COMMIT;

SELECT lo_get(lo) FROM held WHERE name = 'empty';
SELECT lo_open(lo, 131072) FROM held WHERE name = 'made';

SELECT loread(0, 1);

SELECT lo_get(1);

SELECT lo_unlink(1);

SELECT lo_import('/nowhere/at/all');

BEGIN;
SELECT lo_open(lo, 262144) FROM held WHERE name = 'made';
SELECT lowrite(0, '\x00');
SELECT lowrite(7, '\x00');
ROLLBACK;

DO $$ DECLARE it oid := (SELECT lo FROM held WHERE name = 'made'); BEGIN
  EXECUTE format('ALTER LARGE OBJECT %s OWNER TO CURRENT_USER', it);
  EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', it, 'large');
  EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO PUBLIC', it);
END $$;

ALTER LARGE OBJECT 1 OWNER TO CURRENT_USER;

GRANT SELECT ON LARGE OBJECT 1 TO PUBLIC;

SELECT obj_description(lo, 'pg_largeobject') FROM held WHERE name = 'made';
SELECT lo_unlink(lo) FROM held;
