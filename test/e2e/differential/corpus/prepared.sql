CREATE TABLE people (id int, name text);
INSERT INTO people VALUES (1, 'a'), (2, 'b');
PREPARE one (int) AS SELECT * FROM people WHERE id = $1;
PREPARE "Two Words" AS SELECT name FROM people ORDER BY id;
PREPARE inserted (int, text) AS INSERT INTO people VALUES ($1, $2) RETURNING *;
PREPARE guessed AS SELECT $1::text || $2, $3 + 1;
EXECUTE one (1);
EXECUTE "Two Words";
EXECUTE inserted (3, 'c');
EXECUTE guessed ('x', 'y', 4);
EXECUTE one (1 + 1);

EXECUTE one;

EXECUTE one ('x');

EXECUTE one (1, 2);

EXECUTE one ((SELECT 1));

PREPARE one AS SELECT 1;

CREATE TABLE from_it AS EXECUTE one (2);
TABLE from_it;
EXECUTE one (2);
DEALLOCATE one;
DEALLOCATE PREPARE "Two Words";

EXECUTE one (1);

PREPARE typed (int, unknown, numeric(4, 1), text[]) AS VALUES ($1, $2, $3, $4);
EXECUTE typed (1, 'x', 2.55, '{a}');

PREPARE star AS SELECT * FROM people;
EXECUTE star;
ALTER TABLE people ADD COLUMN age int;

EXECUTE star;

DEALLOCATE star;
DROP TABLE people;

BEGIN;
PREPARE in_it AS SELECT 'survives a rollback';
ROLLBACK;
EXECUTE in_it;

BEGIN;
SELECT 1 / 0;
EXECUTE in_it;
DEALLOCATE in_it;
ROLLBACK;

EXECUTE in_it;
DEALLOCATE ALL;
SELECT count(*) FROM pg_prepared_statements WHERE from_sql;
PREPARE as_values AS VALUES (1), (2);
PREPARE as_delete AS DELETE FROM from_it;
EXECUTE as_delete;
EXECUTE as_values;
DEALLOCATE PREPARE ALL;

PREPARE wrong AS CREATE TABLE t (a int);

PREPARE wrong (int) AS SELECT $2;

PREPARE wrong AS SELECT $1;

DISCARD PLANS;
PREPARE again AS SELECT 1 AS one;
DISCARD PLANS;
EXECUTE again;
DISCARD ALL;

EXECUTE again;
