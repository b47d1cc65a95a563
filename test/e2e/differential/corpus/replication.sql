-- user: chief
CREATE TABLE published (id int PRIMARY KEY, s text);
CREATE TABLE also_published (id int PRIMARY KEY);
CREATE PUBLICATION news_mine FOR TABLE published WITH (publish = 'insert, update');
CREATE PUBLICATION empty_mine;
ALTER PUBLICATION news_mine ADD TABLE also_published;
ALTER PUBLICATION news_mine SET (publish = 'insert');
ALTER PUBLICATION news_mine DROP TABLE also_published;
-- since 15
ALTER PUBLICATION news_mine SET TABLE published (id) WHERE (id > 5);
-- since 15
ALTER PUBLICATION empty_mine ADD TABLES IN SCHEMA home_mine;
ALTER PUBLICATION empty_mine OWNER TO CURRENT_USER;
ALTER PUBLICATION empty_mine RENAME TO blank_mine;
COMMENT ON PUBLICATION blank_mine IS 'nothing';
SELECT pubname, puballtables, pubinsert, pubupdate FROM pg_publication WHERE pubname ~ '_mine$' ORDER BY 1;
SELECT pubname, tablename FROM pg_publication_tables WHERE pubname ~ '_mine$' ORDER BY 1, 2;
INSERT INTO published VALUES (1, 'a');
UPDATE published SET s = 'b';
ALTER TABLE published REPLICA IDENTITY NOTHING;
DROP PUBLICATION news_mine;
DROP PUBLICATION blank_mine;
DROP PUBLICATION IF EXISTS news_mine, blank_mine;

DROP PUBLICATION news_mine;

CREATE PUBLICATION wrong_mine FOR TABLE nowhere;

CREATE PUBLICATION wrong_mine WITH (publish = 'everything');

CREATE SUBSCRIPTION paper_mine CONNECTION 'dbname=nowhere' PUBLICATION news_mine WITH (connect = false, slot_name = NONE, enabled = false);

ALTER SUBSCRIPTION paper_mine SET (synchronous_commit = local);
ALTER SUBSCRIPTION paper_mine CONNECTION 'dbname=elsewhere';
ALTER SUBSCRIPTION paper_mine DISABLE;
ALTER SUBSCRIPTION paper_mine RENAME TO journal_mine;
ALTER SUBSCRIPTION journal_mine SET PUBLICATION other_mine WITH (refresh = false);
COMMENT ON SUBSCRIPTION journal_mine IS 'by post';
SELECT subname, subenabled, subpublications FROM pg_subscription WHERE subname = 'journal_mine';

ALTER SUBSCRIPTION journal_mine ENABLE;

ALTER SUBSCRIPTION journal_mine REFRESH PUBLICATION;

DROP SUBSCRIPTION journal_mine;

DROP SUBSCRIPTION IF EXISTS journal_mine;

DROP SUBSCRIPTION journal_mine;

CREATE SUBSCRIPTION paper_mine CONNECTION 'martian=1' PUBLICATION p WITH (connect = false);

SELECT slot_name FROM pg_create_physical_replication_slot('slot_mine', false, false);

SELECT slot_name, slot_type, temporary FROM pg_replication_slots WHERE slot_name = 'slot_mine';

SELECT pg_drop_replication_slot('slot_mine');

SELECT pg_drop_replication_slot('slot_mine');

SELECT slot_name FROM pg_create_logical_replication_slot('slot_mine', 'no_such_plugin');

SELECT pg_switch_wal() > '0/0', pg_current_wal_lsn() > '0/0', pg_wal_lsn_diff('0/10', '0/1');
