CREATE TABLE sales (region text, product text, day int, amount numeric);
INSERT INTO sales VALUES ('north', 'pen', 1, 10), ('north', 'ink', 1, 5), ('north', 'pen', 2, 7.5), ('south', 'pen', 1, 3), ('south', 'ink', 3, NULL), (NULL, 'tea', 2, 1);

SELECT region, sum(amount), count(*), count(amount), avg(amount), min(day), max(day), bool_and(day > 0), stddev(amount) FROM sales GROUP BY region HAVING count(*) > 1 ORDER BY region;
SELECT region, product, sum(amount), grouping(region, product) FROM sales GROUP BY ROLLUP (region, product) ORDER BY 4, 1, 2;
SELECT region, product, sum(amount) FROM sales GROUP BY CUBE (region, product) ORDER BY 1, 2;
SELECT region, day, count(*) FROM sales GROUP BY GROUPING SETS ((region), (day), ()) ORDER BY 1, 2, 3;
SELECT region, count(*) FROM sales GROUP BY DISTINCT ROLLUP (region), region ORDER BY 1;
SELECT sum(amount) FILTER (WHERE day = 1), string_agg(product, '/' ORDER BY amount DESC NULLS LAST), percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY product), rank(7) WITHIN GROUP (ORDER BY amount), array_agg(DISTINCT product ORDER BY product), every(day < 9), corr(day, amount), regr_count(day, amount), bit_or(day) FROM sales;
SELECT region, amount, rank() OVER w, dense_rank() OVER w, row_number() OVER w, percent_rank() OVER w, cume_dist() OVER w, ntile(2) OVER w, lag(amount, 1, 0.0) OVER w, lead(amount) OVER w, first_value(amount) OVER w, nth_value(amount, 2) OVER w FROM sales WHERE amount IS NOT NULL WINDOW w AS (PARTITION BY region ORDER BY amount) ORDER BY region, amount;
SELECT day, sum(amount) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES), count(*) OVER (ORDER BY day RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING), count(*) OVER (ORDER BY day GROUPS 1 PRECEDING) FROM sales ORDER BY day, amount;

SELECT DISTINCT product FROM sales ORDER BY product;
SELECT DISTINCT ON (region) region, product, amount FROM sales ORDER BY region, amount DESC NULLS LAST, product;
SELECT product FROM sales ORDER BY amount DESC NULLS LAST OFFSET 1 ROW FETCH NEXT 2 ROWS ONLY;
SELECT amount FROM sales ORDER BY amount FETCH FIRST ROW WITH TIES;
SELECT product FROM sales ORDER BY day, product LIMIT ALL OFFSET 4;
SELECT product FROM sales LIMIT 0;
SELECT;
SELECT FROM sales;
VALUES (1, 'a'), (2, NULL) ORDER BY 1 DESC LIMIT 1;
TABLE sales ORDER BY day LIMIT 1;

SELECT 1 UNION SELECT 2 UNION ALL SELECT 1 ORDER BY 1;
(SELECT product FROM sales INTERSECT SELECT 'pen') EXCEPT ALL SELECT 'ink';
SELECT a.region, b.product FROM sales AS a LEFT JOIN sales AS b ON a.region = b.region AND b.day > a.day ORDER BY 1, 2;
SELECT * FROM (VALUES (1, 'x'), (2, 'y')) AS a (id, s) NATURAL FULL JOIN (VALUES (2, 3.5), (3, 4.5)) AS b (id, n) ORDER BY id;
SELECT j.* FROM (VALUES (1)) AS a (id) JOIN (VALUES (1)) AS b (id) USING (id) AS j;
SELECT count(*) FROM sales CROSS JOIN sales AS other, generate_series(1, 2);
SELECT s.product, l.* FROM sales AS s, LATERAL (SELECT s.day * n AS times FROM generate_series(1, 2) AS n) AS l WHERE s.region = 'south' ORDER BY 1, 2;
SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS t (n, s, at);
SELECT * FROM sales TABLESAMPLE BERNOULLI (100) REPEATABLE (1) WHERE region IS NULL;
SELECT * FROM sales TABLESAMPLE SYSTEM (0);

WITH RECURSIVE tree (id, parent, path) AS (
  SELECT 1, NULL::int, ARRAY[1] UNION ALL SELECT tree.id * 2 + side, tree.id, path || (tree.id * 2 + side) FROM tree, (VALUES (0), (1)) AS v (side) WHERE tree.id < 4
) SEARCH DEPTH FIRST BY id SET ordering CYCLE id SET is_cycle USING cycle_path SELECT id, parent, path, is_cycle FROM tree ORDER BY ordering;
WITH a AS MATERIALIZED (SELECT 1 AS n), b AS NOT MATERIALIZED (SELECT n + 1 AS n FROM a) SELECT a.n, b.n FROM a, b;
WITH gone AS (DELETE FROM sales WHERE product = 'tea' RETURNING *), added AS (INSERT INTO sales SELECT 'west', 'tea', 9, 9 RETURNING region) SELECT gone.product, added.region FROM gone, added;
SELECT (SELECT max(amount) FROM sales), EXISTS (SELECT 1 FROM sales WHERE day = 3), 'pen' IN (SELECT product FROM sales), 5 < ALL (SELECT day FROM sales), ARRAY(SELECT DISTINCT day FROM sales ORDER BY 1), (SELECT region FROM sales WHERE false);
SELECT CASE WHEN amount > 5 THEN 'much' WHEN amount IS NULL THEN 'unknown' ELSE 'little' END, CASE product WHEN 'pen' THEN 1 END, coalesce(amount, -1), nullif(product, 'ink'), greatest(day, 2), least(1, NULL), num_nulls(region, amount) FROM sales ORDER BY product, amount, region;
SELECT 1 BETWEEN 0 AND 2, 5 BETWEEN SYMMETRIC 9 AND 1, NULL IS DISTINCT FROM 1, true IS UNKNOWN, 'a' IN ('a', 'b'), 1 NOT IN (2, NULL), NULL = NULL, ROW(1, 2) = ROW(1, 2), 'abc' COLLATE "C" > 'ABC', 1 IS NOT NULL, 'x' ISNULL;
SELECT current_user, session_user, current_database(), current_schema, current_catalog, pg_typeof(1.5), version() LIKE 'PostgreSQL%', "current_user"(), user;
SELECT generate_series(1, 3) AS n, unnest(ARRAY['a', 'b']) AS s;
SELECT 1 AS "a column", 2 AS "a column", 3 AS "SELECT", 4 four, 5 AS "ü", 6 AS "?column?", sales AS whole FROM sales WHERE day = 3;
SELECT count(*), repeat('x', 200000) FROM generate_series(1, 1000);
SELECT i, repeat(chr(65 + i % 26), 200) FROM generate_series(1, 500) AS i;
SELECT 1;;; SELECT 2;
-- a comment alone
/* and /* a nested */ one */ SELECT /* within */ 3 -- and at the end
;

INSERT INTO sales SELECT * FROM sales RETURNING count(*) OVER ();

INSERT INTO sales SELECT * FROM sales;
UPDATE sales SET amount = 0 WHERE amount IS NULL;
UPDATE sales SET amount = 0 WHERE false;
DELETE FROM sales WHERE region = 'south' RETURNING product, amount;
DELETE FROM sales;
