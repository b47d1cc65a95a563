-- only mariadb
CREATE SEQUENCE seq START WITH 5 INCREMENT BY 5;
-- only mariadb
SELECT NEXT VALUE FOR seq, NEXTVAL(seq);
-- only mariadb
SELECT PREVIOUS VALUE FOR seq, LASTVAL(seq);
-- only mariadb
SELECT SETVAL(seq, 100);
-- only mariadb
ALTER SEQUENCE seq RESTART 3;
-- only mariadb
SHOW CREATE SEQUENCE seq;
-- only mariadb
DROP SEQUENCE seq;
CREATE TABLE r (id int AUTO_INCREMENT PRIMARY KEY, a varchar(10));
-- only mariadb
INSERT INTO r (a) VALUES ('x'), ('y') RETURNING id, a;
SELECT LAST_INSERT_ID();
-- only mariadb
REPLACE INTO r VALUES (1, 'z') RETURNING *;
-- only mariadb
DELETE FROM r WHERE id = 1 RETURNING a;
-- only mariadb
CREATE OR REPLACE TABLE r (id int);
-- only mariadb
CREATE TABLE versioned (a int) WITH SYSTEM VERSIONING;
-- only mariadb
INSERT INTO versioned VALUES (1);
-- only mariadb
SELECT a FROM versioned FOR SYSTEM_TIME ALL;
-- only mariadb
DROP TABLE versioned;
-- only mariadb
SELECT 1 FROM DUAL FETCH FIRST 1 ROW ONLY;
-- only mariadb
SET STATEMENT lock_wait_timeout = 1 FOR INSERT INTO r VALUES (5);
-- only mariadb
SHOW EXPLAIN FOR 2000000000;
-- only mariadb
SELECT JSON_DETAILED('{"a": 1}'), JSON_COMPACT('{"a": 1}');
-- only mariadb
SHOW AUTHORS;
-- only mariadb
SET sql_mode = 'ORACLE';
SELECT @@sql_mode;
SET sql_mode = DEFAULT;
-- only mariadb
CREATE TEMPORARY SEQUENCE ts;
-- only mariadb
SELECT NEXTVAL(ts);
-- only mariadb
DROP TEMPORARY SEQUENCE ts;
SELECT @@in_transaction;
DROP TABLE r;
