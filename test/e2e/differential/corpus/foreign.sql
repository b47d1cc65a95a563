-- user: chief
CREATE FOREIGN DATA WRAPPER bare_mine;

CREATE FOREIGN DATA WRAPPER bare_mine;

ALTER FOREIGN DATA WRAPPER bare_mine OPTIONS (ADD debug 'true');
ALTER FOREIGN DATA WRAPPER bare_mine OPTIONS (SET debug 'false', DROP debug);

ALTER FOREIGN DATA WRAPPER bare_mine OPTIONS (DROP debug);

ALTER FOREIGN DATA WRAPPER bare_mine OWNER TO CURRENT_USER;
CREATE SERVER nearby_mine TYPE 'kind' VERSION '1' FOREIGN DATA WRAPPER bare_mine OPTIONS (host 'a');
ALTER SERVER nearby_mine VERSION '2' OPTIONS (SET host 'b');
ALTER SERVER nearby_mine RENAME TO near_mine;
COMMENT ON SERVER near_mine IS 'near';
CREATE USER MAPPING FOR CURRENT_USER SERVER near_mine OPTIONS (user 'u', password 'p');
ALTER USER MAPPING FOR CURRENT_USER SERVER near_mine OPTIONS (SET password 'q');
CREATE USER MAPPING FOR PUBLIC SERVER near_mine;
GRANT USAGE ON FOREIGN SERVER near_mine TO app;
GRANT USAGE ON FOREIGN DATA WRAPPER bare_mine TO app;
CREATE FOREIGN TABLE far_away (a int OPTIONS (column_name 'x'), b text NOT NULL) SERVER near_mine OPTIONS (table 't');
ALTER FOREIGN TABLE far_away ADD COLUMN c int, ALTER COLUMN a OPTIONS (SET column_name 'y'), OPTIONS (ADD more '1');
ALTER FOREIGN TABLE far_away RENAME COLUMN c TO d;
ALTER FOREIGN TABLE far_away RENAME TO farther;
COMMENT ON FOREIGN TABLE farther IS 'far';
SELECT foreign_table_name, foreign_server_name FROM information_schema.foreign_tables WHERE foreign_table_schema = 'home_mine';
SELECT srvname, srvversion, srvoptions FROM pg_foreign_server WHERE srvname = 'near_mine';

SELECT * FROM farther;

INSERT INTO farther VALUES (1, 'b');

IMPORT FOREIGN SCHEMA public LIMIT TO (t) FROM SERVER near_mine INTO home_mine;

DROP SERVER near_mine;

DROP USER MAPPING FOR PUBLIC SERVER near_mine;
DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER near_mine;

DROP USER MAPPING FOR PUBLIC SERVER near_mine;

DROP FOREIGN TABLE farther;
DROP FOREIGN TABLE IF EXISTS farther;
DROP SERVER near_mine CASCADE;
DROP SERVER IF EXISTS near_mine;
DROP FOREIGN DATA WRAPPER bare_mine;
DROP FOREIGN DATA WRAPPER IF EXISTS bare_mine;

DROP FOREIGN DATA WRAPPER bare_mine;
