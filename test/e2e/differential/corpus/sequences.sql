CREATE SEQUENCE counter;
CREATE SEQUENCE IF NOT EXISTS counter;
CREATE SEQUENCE steps AS smallint INCREMENT BY -2 MINVALUE -6 MAXVALUE 10 START 4 CACHE 1 CYCLE;
CREATE TEMP SEQUENCE passing;
SELECT nextval('counter'), nextval('counter'), currval('counter'), lastval();
SELECT nextval('steps') FROM generate_series(1, 7);
SELECT setval('counter', 40), nextval('counter'), setval('counter', 50, false), nextval('counter');
SELECT last_value, is_called FROM counter;
SELECT nextval('passing'), lastval();

SELECT currval('counter'), lastval();

SELECT nextval('nothing');

CREATE SEQUENCE fresh;

SELECT currval('fresh');

BEGIN;
SELECT nextval('counter');
ROLLBACK;
SELECT nextval('counter');

ALTER SEQUENCE counter INCREMENT 10 MAXVALUE 100 RESTART WITH 90;
SELECT nextval('counter');
SELECT nextval('counter');

SELECT nextval('counter');

ALTER SEQUENCE counter NO MAXVALUE OWNED BY NONE CACHE 3;
SELECT nextval('counter');
ALTER SEQUENCE counter RENAME TO renamed;
ALTER SEQUENCE renamed OWNER TO CURRENT_USER;
-- since 15
ALTER SEQUENCE renamed SET UNLOGGED;
SELECT nextval('renamed');
SELECT sequencename, start_value, increment_by, cycle, data_type FROM pg_sequences WHERE schemaname = 'home_mine' ORDER BY 1;
COMMENT ON SEQUENCE renamed IS 'counts';

CREATE TABLE numbered (id serial, also bigint DEFAULT nextval('renamed'), name text);
INSERT INTO numbered (name) VALUES ('a'), ('b') RETURNING id;
SELECT currval(pg_get_serial_sequence('numbered', 'id')), lastval() > 0;
INSERT INTO numbered (name) VALUES ('c') RETURNING id, lastval() > 0;
SELECT setval('numbered_id_seq', (SELECT max(id) FROM numbered) + 10);
INSERT INTO numbered (name) VALUES ('d') RETURNING id;

DROP SEQUENCE numbered_id_seq;

ALTER SEQUENCE numbered_id_seq OWNED BY nothing.id;

CREATE SEQUENCE wrong INCREMENT 0;

DISCARD SEQUENCES;

SELECT lastval();

SELECT currval('renamed');

DROP SEQUENCE passing;
DROP SEQUENCE IF EXISTS passing, fresh;
