CREATE TABLE kept (id int PRIMARY KEY, s text);
INSERT INTO kept SELECT i, repeat('x', i) FROM generate_series(1, 50) AS i;
DELETE FROM kept WHERE id % 2 = 0;

VACUUM kept;

VACUUM (ANALYZE, FREEZE, SKIP_LOCKED, INDEX_CLEANUP on, TRUNCATE false, PARALLEL 0) kept;

VACUUM FULL kept;

VACUUM (FULL, DISABLE_PAGE_SKIPPING) kept;

VACUUM FULL FREEZE ANALYZE kept (id);

VACUUM nowhere;

VACUUM (MARTIAN) kept;

VACUUM (PARALLEL -1) kept;

VACUUM pg_authid;

ANALYZE kept;
ANALYZE (VERBOSE false) kept (id);
ANALYZE (SKIP_LOCKED) kept (id, s);

ANALYZE kept (nothing);

ANALYZE nowhere;

BEGIN;
ANALYZE kept;
VACUUM kept;
ROLLBACK;

CLUSTER kept USING kept_pkey;

CLUSTER (VERBOSE off) kept;

CLUSTER kept USING nothing;

REINDEX TABLE kept;

REINDEX (CONCURRENTLY) INDEX kept_pkey;

REINDEX INDEX nothing;

REINDEX DATABASE other;

REINDEX SYSTEM corpus;

BEGIN;
REINDEX TABLE CONCURRENTLY kept;
ROLLBACK;

CHECKPOINT;

SELECT reltuples FROM pg_class WHERE oid = 'kept'::regclass;
SELECT pg_relation_size('kept') > 0, pg_size_pretty(10240::bigint), pg_total_relation_size('kept') > pg_table_size('kept'), pg_column_size(1), pg_database_size(current_database()) > 0;
SELECT relation::regclass, mode FROM pg_locks WHERE relation = 'kept'::regclass;
