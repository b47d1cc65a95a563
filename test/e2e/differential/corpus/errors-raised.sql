DO $$ BEGIN
  RAISE EXCEPTION 'all fields of %', 'it' USING ERRCODE = 'AB123', DETAIL = 'a detail', HINT = 'a hint',
    COLUMN = 'c', CONSTRAINT = 'k', DATATYPE = 'd', TABLE = 't', SCHEMA = 's';
END $$;

DO $$ BEGIN RAISE unique_violation; END $$;

DO $$ BEGIN RAISE SQLSTATE '22012'; END $$;

DO $$ BEGIN RAISE 'of % and %', 1; END $$;

DO $$ BEGIN RAISE; END $$;

DO $$ BEGIN ASSERT 1 = 2, 'one is not two'; END $$;

DO $$ BEGIN
  RAISE DEBUG 'not shown';
  RAISE LOG 'not shown either';
  RAISE INFO 'always shown';
  RAISE NOTICE 'a notice of % things', 3 USING HINT = 'none', DETAIL = 'some';
  RAISE WARNING 'a warning' USING ERRCODE = '01ABC', TABLE = 't';
END $$;

SET client_min_messages = debug1;
DO $$ BEGIN RAISE DEBUG 'shown now'; RAISE LOG 'and this'; RAISE NOTICE 'this as well'; END $$;
SET client_min_messages = error;
DO $$ BEGIN RAISE WARNING 'not shown'; RAISE INFO 'shown'; END $$;
RESET client_min_messages;

CREATE FUNCTION inner_fails(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN 10 / n;
END $$;
CREATE FUNCTION outer_fails(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  x int;
BEGIN
  x := inner_fails(n) + 1;
  EXECUTE 'SELECT inner_fails($1)' INTO x USING n;
  RETURN x;
END $$;
CREATE FUNCTION in_sql(n int) RETURNS int LANGUAGE sql AS 'SELECT outer_fails(n) FROM pg_class LIMIT 1';
SELECT outer_fails(2);

SELECT in_sql(0);

CREATE FUNCTION told(n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text; message text; context text; detail text; hint text;
BEGIN
  PERFORM outer_fails(n);
  RETURN 'no error';
EXCEPTION
  WHEN division_by_zero THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT,
      detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE WARNING 'caught %: %', SQLSTATE, SQLERRM;
    RETURN concat_ws('|', state, message, context, detail, hint);
  WHEN OTHERS THEN
    RAISE;
END $$;
SELECT told(0), told(1);

CREATE FUNCTION raised(code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = 'class ' || code, ERRCODE = code;
END $$;

SELECT raised('02000');

SELECT raised('08006');

SELECT raised('0A000');

SELECT raised('21000');

SELECT raised('25006');

SELECT raised('28000');

SELECT raised('40001');

SELECT raised('40P01');

SELECT raised('42501');

SELECT raised('53300');

SELECT raised('55P03');

SELECT raised('57014');

SELECT raised('57P01');

SELECT raised('58030');

SELECT raised('P0001');

SELECT raised('XX000');

SELECT raised('too long a code');

CREATE FUNCTION strictly(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE x int;
BEGIN
  SELECT i INTO STRICT x FROM generate_series(1, n) AS i;
  RETURN x;
END $$;
SELECT strictly(1);

SELECT strictly(0);

SELECT strictly(2);

CREATE FUNCTION endless(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN END $$;

SELECT endless(1);

DO $$ DECLARE c refcursor := 'named'; BEGIN OPEN c FOR SELECT 1; OPEN c FOR SELECT 2; END $$;

DO $$ BEGIN SELECT 1; END $$;

DO $$ BEGIN CASE 5 WHEN 1 THEN NULL; END CASE; END $$;

DO LANGUAGE sql 'SELECT 1';

BEGIN;
DO $$ BEGIN
  PERFORM 1 / 0;
EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'went on';
END $$;
SELECT 'still in it';
COMMIT;

SET statement_timeout = '20ms';

SELECT pg_sleep(30);

SELECT count(*) FROM generate_series(1, 100000000000);

RESET statement_timeout;
SELECT 'over';

-- since 17
BEGIN;
-- since 17
SET LOCAL transaction_timeout = '1h';
-- since 17
COMMIT;
