CREATE TABLE doors (n int PRIMARY KEY, s text);
INSERT INTO doors VALUES (1, 'a'), (2, 'b');

BEGIN;
LOCK TABLE doors;
LOCK doors IN ACCESS SHARE MODE;
LOCK TABLE ONLY doors IN SHARE ROW EXCLUSIVE MODE NOWAIT;
SELECT mode FROM pg_locks WHERE relation = 'doors'::regclass AND pid = pg_backend_pid() ORDER BY mode;
SELECT * FROM doors ORDER BY n FOR UPDATE;
SELECT * FROM doors WHERE n = 1 FOR NO KEY UPDATE OF doors;
SELECT * FROM doors WHERE n = 1 FOR SHARE SKIP LOCKED;
SELECT * FROM doors WHERE n = 1 FOR KEY SHARE NOWAIT;
COMMIT;

LOCK TABLE doors;

SELECT count(*) FROM doors FOR UPDATE;

SELECT DISTINCT s FROM doors FOR SHARE;

BEGIN;
LOCK TABLE doors IN MARTIAN MODE;
ROLLBACK;

SELECT pg_advisory_lock(hashtext('home_mine')), pg_advisory_lock_shared(1, hashtext('home_mine'));
SELECT pg_try_advisory_lock(hashtext('home_mine')), pg_try_advisory_lock_shared(2, hashtext('home_mine'));
SELECT objsubid, mode, granted FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() ORDER BY 1, 2;
SELECT pg_advisory_unlock(hashtext('home_mine')), pg_advisory_unlock(hashtext('home_mine')), pg_advisory_unlock(hashtext('home_mine'));
SELECT pg_advisory_unlock_shared(1, hashtext('home_mine'));
SELECT pg_advisory_unlock_all();
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();

BEGIN;
SELECT pg_advisory_xact_lock(3, hashtext('home_mine')), pg_try_advisory_xact_lock_shared(4, hashtext('home_mine'));
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
ROLLBACK;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();

SELECT pg_advisory_lock(5, hashtext('home_mine'));
DISCARD ALL;

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();

SET lock_timeout = '1h';

SET deadlock_timeout = '1s';

SET idle_in_transaction_session_timeout = '1h';
RESET idle_in_transaction_session_timeout;
RESET lock_timeout;
