CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, price numeric(8, 2), kind text DEFAULT 'plain');
INSERT INTO goods VALUES (1, 'pen', 1.20, 'office'), (2, 'ink', 3.00, 'office'), (3, 'tea', 2.50, 'plain');

CREATE VIEW cheap AS SELECT id, name, price FROM goods WHERE price < 3 WITH LOCAL CHECK OPTION;
CREATE VIEW cheaper WITH (security_barrier) AS SELECT * FROM cheap WHERE price < 2 WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 4;
CREATE OR REPLACE TEMP VIEW passing AS SELECT count(*) AS goods FROM goods;
CREATE VIEW named (a, "B c") AS SELECT id, upper(name) FROM goods;
SELECT * FROM cheap ORDER BY id;
SELECT * FROM counting;
SELECT * FROM passing;
SELECT * FROM named ORDER BY a;
INSERT INTO cheap VALUES (4, 'clip', 0.10) RETURNING *;
UPDATE cheaper SET price = 1.50 WHERE id = 4;
DELETE FROM cheap WHERE id = 4;
SELECT pg_get_viewdef('cheap'), is_updatable, is_insertable_into FROM information_schema.views WHERE table_name = 'cheap' AND table_schema = 'home_mine';

INSERT INTO cheap VALUES (5, 'gold', 1000);

UPDATE cheaper SET price = 2.50 WHERE id = 1;

INSERT INTO named VALUES (9, 'X');

INSERT INTO counting VALUES (9);

CREATE OR REPLACE VIEW cheap AS SELECT id, name FROM goods;

CREATE OR REPLACE VIEW cheap AS SELECT id, name, price, kind FROM goods WHERE price < 3;
ALTER VIEW cheap RENAME COLUMN kind TO sort;
ALTER VIEW cheap ALTER COLUMN price SET DEFAULT 1;
ALTER VIEW cheap SET (check_option = cascaded);
ALTER VIEW cheap RESET (check_option);
ALTER VIEW cheap OWNER TO CURRENT_USER;
ALTER VIEW named RENAME TO renamed;
-- since 15
ALTER VIEW renamed SET (security_invoker = true);
COMMENT ON VIEW renamed IS 'other names';
INSERT INTO cheap (id, name) VALUES (6, 'nail') RETURNING *;
DROP VIEW passing, renamed;

DROP VIEW cheap;

DROP VIEW goods;

DROP TABLE goods;

CREATE MATERIALIZED VIEW totals AS SELECT kind, sum(price) AS total FROM goods GROUP BY kind WITH NO DATA;

SELECT * FROM totals;

REFRESH MATERIALIZED VIEW totals;
SELECT * FROM totals ORDER BY kind;
CREATE UNIQUE INDEX ON totals (kind);
INSERT INTO goods VALUES (7, 'tape', 4.00, 'office');
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
SELECT * FROM totals ORDER BY kind;
REFRESH MATERIALIZED VIEW totals WITH NO DATA;
ALTER MATERIALIZED VIEW totals RENAME COLUMN total TO sum;
ALTER MATERIALIZED VIEW totals ALTER COLUMN sum SET STATISTICS 10;
ALTER MATERIALIZED VIEW totals SET (fillfactor = 50);
ALTER MATERIALIZED VIEW totals RENAME TO sums;
COMMENT ON MATERIALIZED VIEW sums IS 'kept';
SELECT matviewname, ispopulated FROM pg_matviews WHERE schemaname = 'home_mine';

UPDATE sums SET sum = 1;

REFRESH MATERIALIZED VIEW CONCURRENTLY sums;

DROP MATERIALIZED VIEW sums;

CREATE MATERIALIZED VIEW IF NOT EXISTS fails AS SELECT 1 / (id - 1) FROM goods;

CREATE TABLE cheap_copy AS SELECT id, name FROM goods WHERE price < 2;
CREATE TABLE empty_copy (number, label) AS TABLE cheap_copy WITH NO DATA;
CREATE UNLOGGED TABLE IF NOT EXISTS cheap_copy AS SELECT 1;
CREATE TEMP TABLE for_now ON COMMIT PRESERVE ROWS AS VALUES (1, 'a');
SELECT * INTO office FROM goods WHERE kind = 'office';
SELECT 1 AS one INTO TEMPORARY TABLE passing;
SELECT * FROM office ORDER BY id;
SELECT * FROM empty_copy;
SELECT * FROM for_now, passing;
