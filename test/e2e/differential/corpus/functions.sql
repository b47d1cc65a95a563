CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT a + b';
CREATE FUNCTION standard(a int) RETURNS int RETURN a * 2;
CREATE FUNCTION atomic(a int) RETURNS text BEGIN ATOMIC SELECT 'unused'; SELECT CASE WHEN a > 0 THEN 'positive' ELSE 'not' END; END;
CREATE FUNCTION both_out(a int, OUT double int, OUT half numeric) LANGUAGE sql AS 'SELECT a * 2, a / 2.0';
CREATE FUNCTION many(VARIADIC list int[]) RETURNS bigint LANGUAGE sql AS 'SELECT sum(x) FROM unnest(list) AS x';
CREATE FUNCTION rows_of(n int) RETURNS TABLE (i int, s text) LANGUAGE plpgsql ROWS 10 AS $$
BEGIN
  RETURN QUERY SELECT x, 'row ' || x FROM generate_series(1, n) AS x;
  i := 0; s := 'last';
  RETURN NEXT;
END $$;
CREATE FUNCTION any_of(a anyelement, b anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT coalesce(a, b[1])';
CREATE FUNCTION records() RETURNS SETOF record LANGUAGE sql AS $$ VALUES (1, 'a'), (2, 'b') $$;
CREATE FUNCTION nothing() RETURNS void LANGUAGE sql AS '';
SELECT add(1), add(1, 2), add(b => 5, a => 1), add(NULL), standard(4), atomic(1), atomic(-1), many(1, 2, 3), many(VARIADIC '{4,5}'), any_of(NULL, '{x,y}'::text[]), nothing();
SELECT both_out(3), (both_out(5)).half;
SELECT * FROM both_out(7);
SELECT * FROM rows_of(2);
SELECT rows_of(1);
SELECT * FROM records() AS r (n int, s text);
SELECT i, add FROM rows_of(2) WITH ORDINALITY AS t (i, s, at), LATERAL add(i, 10);

SELECT add();

SELECT add('x');

SELECT * FROM records();

SELECT * FROM records() AS r (n int, s int);

SELECT any_of(1, '{x}'::text[]);

ALTER FUNCTION add(int, int) RENAME TO plus;

ALTER FUNCTION plus(int, int) COST 5 LEAKPROOF;

ALTER FUNCTION plus(int, int) COST 5 NOT LEAKPROOF CALLED ON NULL INPUT;
SELECT plus(NULL);
ALTER FUNCTION plus SET search_path = pg_catalog;
ALTER FUNCTION plus RESET ALL;
ALTER FUNCTION plus(int, int) OWNER TO CURRENT_USER;
COMMENT ON FUNCTION plus(int, int) IS 'adds';
SELECT pg_get_function_arguments('plus'::regproc), pg_get_function_result('both_out'::regproc), prosrc FROM pg_proc WHERE oid = 'plus'::regproc;
SELECT pg_get_functiondef('atomic'::regproc) = '' AS empty;
GRANT EXECUTE ON FUNCTION plus(int, int) TO PUBLIC;
REVOKE ALL ON FUNCTION plus(int, int) FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA home_mine TO PUBLIC;
CREATE OR REPLACE FUNCTION plus(a int, b int DEFAULT 100) RETURNS int LANGUAGE sql AS 'SELECT a + b + 0';
SELECT plus(1);

CREATE OR REPLACE FUNCTION plus(a int, b int) RETURNS text LANGUAGE sql AS 'SELECT ''text''';

CREATE AGGREGATE longest(text) (SFUNC = longer, STYPE = text);

CREATE FUNCTION longer(a text, b text) RETURNS text LANGUAGE sql AS 'SELECT CASE WHEN length(b) > coalesce(length(a), 0) THEN b ELSE a END';
CREATE AGGREGATE longest(text) (SFUNC = longer, STYPE = text, INITCOND = '');

CREATE AGGREGATE collected(ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final);

SELECT longest(s) FROM (VALUES ('a'), ('abc'), ('ab')) AS t (s);
SELECT longest(s) OVER (ORDER BY s), longest(s) FILTER (WHERE s < 'ab') OVER () FROM (VALUES ('a'), ('abc'), ('ab')) AS t (s);
ALTER AGGREGATE longest(text) RENAME TO the_longest;
COMMENT ON AGGREGATE the_longest(text) IS 'of all';
DROP AGGREGATE the_longest(text);

CREATE FUNCTION power_of(a int, b int) RETURNS float8 LANGUAGE sql AS 'SELECT a ^ b';
CREATE OPERATOR *** (LEFTARG = int, RIGHTARG = int, FUNCTION = power_of);
SELECT 2 *** 10, 2 OPERATOR(home_mine.***) 3;
ALTER OPERATOR *** (int, int) OWNER TO CURRENT_USER;
COMMENT ON OPERATOR *** (int, int) IS 'power';
DROP OPERATOR *** (int, int);

SELECT 2 *** 3;

CREATE TYPE degrees AS (value float8);
CREATE FUNCTION degrees_of(a float8) RETURNS degrees LANGUAGE sql AS 'SELECT ROW(a)::degrees';
CREATE CAST (float8 AS degrees) WITH FUNCTION degrees_of(float8) AS ASSIGNMENT;
SELECT 36.6::float8::degrees, CAST(1.5::float8 AS degrees);
COMMENT ON CAST (float8 AS degrees) IS 'warm';
DROP CAST (float8 AS degrees);

SELECT 36.6::float8::degrees;

CREATE FUNCTION dynamic(name text) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT length(%L) UNION ALL SELECT %s', name, 2);
END $$;
SELECT * FROM dynamic('it''s');

CREATE FUNCTION hidden_setting() RETURNS text LANGUAGE sql SET "my.setting" = 'inside' SET work_mem FROM CURRENT AS $$ SELECT current_setting('my.setting') $$;

SELECT hidden_setting();

DROP FUNCTION dynamic, records();

DROP FUNCTION nothing(int);

DROP FUNCTION IF EXISTS nothing(int), no_such_thing;
