-- user: chief
CREATE USER 'visitor_mine'@'localhost' IDENTIFIED BY 'a password';
CREATE USER IF NOT EXISTS 'visitor_mine'@'localhost';
ALTER USER 'visitor_mine'@'localhost' ACCOUNT LOCK;
GRANT SELECT, INSERT ON home_mine.* TO 'visitor_mine'@'localhost';
SHOW GRANTS FOR 'visitor_mine'@'localhost';
REVOKE INSERT ON home_mine.* FROM 'visitor_mine'@'localhost';
RENAME USER 'visitor_mine'@'localhost' TO 'guest_mine'@'localhost';
CREATE ROLE 'role_mine';
GRANT 'role_mine' TO 'guest_mine'@'localhost';
GRANT 'role_mine' TO CURRENT_USER;
SET ROLE 'role_mine';
SELECT CURRENT_ROLE();
SET ROLE NONE;
SELECT CURRENT_ROLE();
DROP ROLE 'role_mine';
DROP USER 'guest_mine'@'localhost';
DROP USER 'guest_mine'@'localhost';
FLUSH PRIVILEGES;
FLUSH STATUS;
FLUSH LOGS;
FLUSH TABLES WITH READ LOCK;
UNLOCK TABLES;
SHOW GLOBAL VARIABLES LIKE 'long_query_time';
SET GLOBAL long_query_time = 7;
SELECT @@global.long_query_time;
SET GLOBAL long_query_time = DEFAULT;
-- only mysql
SET PERSIST long_query_time = 8;
-- only mysql
RESET PERSIST long_query_time;
SET GLOBAL long_query_time = 10;
SHOW BINARY LOGS;
-- only mysql
SHOW REPLICA STATUS;
-- only mariadb
SHOW SLAVE STATUS;
PURGE BINARY LOGS TO 'never';
-- only mysql
CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'nowhere' FOR CHANNEL 'never';
-- only mysql
RESET REPLICA ALL FOR CHANNEL 'never';
UNINSTALL PLUGIN never;
CREATE SERVER server_mine FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1');
ALTER SERVER server_mine OPTIONS (USER 'u');
DROP SERVER server_mine;
KILL 2000000000;
KILL QUERY 2000000000;
SHOW FUNCTION STATUS WHERE Db = 'never';
-- only mysql
CREATE TABLESPACE never ADD DATAFILE '/never/there.ibd';
-- only mysql
CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x' DEFINITION 'y';
-- only mysql
CREATE RESOURCE GROUP never TYPE = USER THREAD_PRIORITY = 77;
-- only mysql
LOCK INSTANCE FOR BACKUP;
-- only mysql
UNLOCK INSTANCE;
-- only mariadb
BACKUP STAGE START;
-- only mariadb
BACKUP STAGE END;
BINLOG 'bm90aGluZw==';
CACHE INDEX never IN nowhere;
LOAD INDEX INTO CACHE never;
