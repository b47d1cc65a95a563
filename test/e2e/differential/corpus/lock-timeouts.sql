-- user: chief
-- A session cannot wait for itself; a prepared transaction holds the lock instead.
CREATE TABLE doors (n int PRIMARY KEY);
INSERT INTO doors VALUES (1);

BEGIN;
LOCK TABLE doors;
PREPARE TRANSACTION 'holder_mine';

SELECT count(*) FROM pg_locks WHERE relation = 'doors'::regclass AND pid IS NULL;
SET lock_timeout = '10ms';

SELECT * FROM doors;

BEGIN;
LOCK TABLE doors IN ACCESS SHARE MODE NOWAIT;
ROLLBACK;

BEGIN;
LOCK TABLE doors IN ACCESS EXCLUSIVE MODE;
ROLLBACK;

SELECT * FROM doors FOR UPDATE NOWAIT;

SELECT * FROM doors FOR UPDATE SKIP LOCKED;

RESET lock_timeout;

SET statement_timeout = '10ms';

ALTER TABLE doors ADD COLUMN s text;

RESET statement_timeout;

COMMIT PREPARED 'holder_mine';

SELECT * FROM doors;
