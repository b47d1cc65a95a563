LISTEN one_mine;
LISTEN "Two Words mine";
NOTIFY one_mine;
NOTIFY one_mine, 'with a payload';

SELECT pg_notify('Two Words mine', 'ü'), pg_notify('nobody', 'listens');

SELECT * FROM pg_listening_channels() AS channel ORDER BY channel;

BEGIN;
NOTIFY one_mine, 'at the end';
NOTIFY one_mine, 'at the end';
NOTIFY one_mine, 'another';
SELECT 'nothing yet';
COMMIT;

BEGIN;
NOTIFY one_mine, 'never';
ROLLBACK;

BEGIN;
LISTEN late_mine;
NOTIFY late_mine, 'heard at once';
COMMIT;

BEGIN;
NOTIFY one_mine, 'kept';
SAVEPOINT s;
NOTIFY one_mine, 'dropped';
ROLLBACK TO s;
COMMIT;

UNLISTEN one_mine;
NOTIFY one_mine, 'to nobody';
UNLISTEN never_mine;
UNLISTEN *;
SELECT count(*) FROM pg_listening_channels();

SELECT pg_notify('', 'no channel');

SELECT pg_notify('c', repeat('x', 8000));

LISTEN reset_mine;
DISCARD ALL;

NOTIFY reset_mine;
SELECT count(*) FROM pg_listening_channels();
