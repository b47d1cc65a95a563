CREATE TABLE found (id int, s text, tags int[], spot point, body jsonb, n numeric);
INSERT INTO found SELECT i, 'row ' || i, ARRAY[i % 5, i % 7], point(i, -i), jsonb_build_object('i', i), i / 3.0 FROM generate_series(1, 200) AS i;
CREATE INDEX by_id ON found USING btree (id DESC NULLS LAST) INCLUDE (s) WITH (fillfactor = 70);
CREATE UNIQUE INDEX unique_s ON found (s COLLATE "C" text_pattern_ops) WHERE id > 0;
CREATE INDEX by_hash ON found USING hash (n);
CREATE INDEX by_tags ON found USING gin (tags) WITH (fastupdate = off);
CREATE INDEX by_spot ON found USING gist (spot);
CREATE INDEX by_point ON found USING spgist (spot);
CREATE INDEX by_block ON found USING brin (id) WITH (pages_per_range = 1);
CREATE INDEX ON found ((lower(s)), (id + 1));
CREATE INDEX IF NOT EXISTS by_id ON found (n);
-- since 15
CREATE UNIQUE INDEX ON found (id, n) NULLS NOT DISTINCT;
ANALYZE found;
EXPLAIN (COSTS OFF) SELECT s FROM found WHERE id = 5;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM found WHERE tags @> '{3}';
EXPLAIN (COSTS OFF) SELECT * FROM found WHERE n = 5;
EXPLAIN (COSTS OFF) SELECT id FROM found WHERE lower(s) = 'row 7';
SELECT count(*) FROM found WHERE tags @> '{3}';
SELECT id FROM found ORDER BY spot <-> '(10,-10)' LIMIT 3;
RESET enable_seqscan;
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'home_mine' ORDER BY 1;

CREATE INDEX CONCURRENTLY later ON found (n);

CREATE UNIQUE INDEX CONCURRENTLY not_unique ON found ((id % 2));

SELECT indisvalid FROM pg_index WHERE indexrelid = 'not_unique'::regclass;
DROP INDEX CONCURRENTLY not_unique;

CREATE UNIQUE INDEX twice ON found ((id % 2));

CREATE INDEX wrong ON found USING gin (s);

CREATE INDEX wrong ON found USING martian (s);

CREATE INDEX wrong ON found (random());

ALTER INDEX by_id RENAME TO by_number;
ALTER INDEX by_number SET (fillfactor = 80);
ALTER INDEX by_number RESET (fillfactor);
ALTER INDEX IF EXISTS nothing RENAME TO something;
ALTER INDEX found_lower_expr_idx ALTER COLUMN 1 SET STATISTICS 20;
COMMENT ON INDEX by_number IS 'by its number';
REINDEX INDEX by_number;
REINDEX TABLE found;
REINDEX (VERBOSE false) INDEX by_hash;

REINDEX SCHEMA home_mine;

REINDEX TABLE CONCURRENTLY found;

CLUSTER found USING by_number;
CLUSTER found;

ALTER TABLE found CLUSTER ON unique_s;

ALTER TABLE found SET WITHOUT CLUSTER;
DROP INDEX by_hash, by_block;
DROP INDEX IF EXISTS by_hash;

DROP INDEX by_hash;

CREATE STATISTICS together (dependencies, ndistinct, mcv) ON id, n FROM found;
CREATE STATISTICS expression ON (id % 10), (lower(s)) FROM found;
ANALYZE found;
SELECT statistics_name, attnames, kinds FROM pg_stats_ext WHERE schemaname = 'home_mine' ORDER BY 1;
SELECT stxname, stxkind FROM pg_statistic_ext WHERE stxnamespace = 'home_mine'::regnamespace ORDER BY 1;
ALTER STATISTICS together SET STATISTICS 50;
ALTER STATISTICS together RENAME TO jointly;
COMMENT ON STATISTICS jointly IS 'of two';
DROP STATISTICS jointly;
DROP STATISTICS IF EXISTS jointly;

CREATE STATISTICS wrong ON id FROM found;
