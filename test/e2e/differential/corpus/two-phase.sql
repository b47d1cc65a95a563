CREATE TABLE agreed (n int);

BEGIN;
INSERT INTO agreed VALUES (1);
PREPARE TRANSACTION 'first_mine';

SELECT gid, owner, database FROM pg_prepared_xacts WHERE gid = 'first_mine';
TABLE agreed;

COMMIT PREPARED 'first_mine';

TABLE agreed;

BEGIN;
INSERT INTO agreed VALUES (2);
PREPARE TRANSACTION 'second_mine';

ROLLBACK PREPARED 'second_mine';

TABLE agreed;

COMMIT PREPARED 'second_mine';

ROLLBACK PREPARED 'never_mine';

PREPARE TRANSACTION 'outside_mine';

BEGIN;
SELECT 1 / 0;
PREPARE TRANSACTION 'failed_mine';

SELECT count(*) FROM pg_prepared_xacts WHERE gid = 'failed_mine';

BEGIN;
INSERT INTO agreed VALUES (3);
PREPARE TRANSACTION 'third_mine';

BEGIN;
PREPARE TRANSACTION 'third_mine';

BEGIN;
COMMIT PREPARED 'third_mine';
ROLLBACK;

COMMIT PREPARED 'third_mine';

BEGIN;
CREATE TEMP TABLE passing (a int);
PREPARE TRANSACTION 'temporary_mine';

BEGIN;
LISTEN something;
PREPARE TRANSACTION 'listening_mine';

BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT 1;
PREPARE TRANSACTION 'holding_mine';

BEGIN;
SET work_mem = '1MB';
PREPARE TRANSACTION 'setting_mine';

ROLLBACK PREPARED 'setting_mine';

SHOW work_mem;
RESET work_mem;
TABLE agreed;
