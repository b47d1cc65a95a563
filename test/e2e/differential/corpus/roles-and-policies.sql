-- user: chief
CREATE ROLE reader_mine NOLOGIN;
CREATE USER writer_mine PASSWORD 'secret' CONNECTION LIMIT 3 VALID UNTIL '2100-01-01';
CREATE GROUP both_mine WITH ROLE reader_mine, writer_mine;

CREATE ROLE reader_mine;

ALTER ROLE reader_mine CREATEDB INHERIT;
ALTER ROLE reader_mine SET work_mem = '5MB';
ALTER ROLE reader_mine IN DATABASE corpus SET statement_timeout = '1h';
ALTER ROLE reader_mine RESET ALL;
ALTER ROLE reader_mine IN DATABASE corpus RESET statement_timeout;
ALTER USER writer_mine CREATEROLE;
ALTER GROUP both_mine DROP USER writer_mine;
ALTER GROUP both_mine ADD USER writer_mine;
ALTER ROLE writer_mine RENAME TO author_mine;
COMMENT ON ROLE author_mine IS 'writes';
SELECT rolname, rolcreatedb, rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname ~ '_mine$' ORDER BY 1;
SELECT member::regrole, roleid::regrole FROM pg_auth_members WHERE roleid = 'both_mine'::regrole ORDER BY 1;

CREATE TABLE letters (id int, owner name DEFAULT current_user, body text);
INSERT INTO letters VALUES (1, 'reader_mine', 'to the reader'), (2, 'author_mine', 'to the author'), (3, 'chief', 'to the chief');
GRANT USAGE, CREATE ON SCHEMA home_mine TO reader_mine, author_mine;
GRANT SELECT, INSERT (id, owner, body), UPDATE (body) ON letters TO reader_mine WITH GRANT OPTION;
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA home_mine TO author_mine;
GRANT both_mine TO author_mine WITH ADMIN OPTION;
ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON letters USING (owner = current_user) WITH CHECK (owner = current_user);
CREATE POLICY all_seen ON letters AS PERMISSIVE FOR SELECT TO author_mine USING (true);
CREATE POLICY strict ON letters AS RESTRICTIVE FOR INSERT TO reader_mine WITH CHECK (id > 0);
SELECT policyname, permissive, roles, cmd FROM pg_policies WHERE schemaname = 'home_mine' ORDER BY 1;

SET ROLE reader_mine;
SELECT current_user, session_user;
SELECT * FROM letters ORDER BY id;
INSERT INTO letters VALUES (4, DEFAULT, 'mine') RETURNING id;
UPDATE letters SET body = body || '!' RETURNING id, body;
SHOW is_superuser;

INSERT INTO letters VALUES (5, 'chief', 'forged');

INSERT INTO letters VALUES (-1, DEFAULT, 'negative');

DELETE FROM letters;

UPDATE letters SET id = 9;

DROP TABLE letters;

ALTER TABLE letters DISABLE ROW LEVEL SECURITY;

CREATE TABLE readers_own (a int);

SELECT * FROM pg_authid;

GRANT SELECT ON letters TO author_mine;
SET row_security = off;

SELECT * FROM letters;

RESET row_security;
RESET ROLE;
SELECT count(*) FROM letters;

BEGIN;
SET LOCAL ROLE author_mine;
SELECT id FROM letters ORDER BY id;
SELECT current_user;
COMMIT;

SELECT current_user;

SET SESSION AUTHORIZATION reader_mine;
SELECT current_user, session_user;

SET ROLE author_mine;

SET ROLE both_mine;

SELECT * FROM letters;

RESET SESSION AUTHORIZATION;
SELECT current_user, session_user;
SET LOCAL SESSION AUTHORIZATION reader_mine;
SELECT session_user;

SET ROLE nobody_at_all;

SET SESSION AUTHORIZATION nobody_at_all;

ALTER TABLE letters FORCE ROW LEVEL SECURITY;
ALTER POLICY own ON letters TO PUBLIC USING (owner IS NOT NULL);
ALTER POLICY own ON letters RENAME TO renamed;
COMMENT ON POLICY renamed ON letters IS 'for everybody';
DROP POLICY renamed ON letters;
DROP POLICY IF EXISTS renamed ON letters;

DROP POLICY renamed ON letters;

REVOKE GRANT OPTION FOR SELECT ON letters FROM reader_mine CASCADE;
REVOKE INSERT ON letters FROM reader_mine;
REVOKE both_mine FROM author_mine;
SELECT has_table_privilege('reader_mine', 'letters', 'SELECT'), has_column_privilege('reader_mine', 'letters', 'body', 'UPDATE'), has_schema_privilege('author_mine', 'home_mine', 'USAGE'), pg_has_role('reader_mine', 'both_mine', 'MEMBER');
SELECT grantee, privilege_type FROM information_schema.table_privileges WHERE table_schema = 'home_mine' AND grantee <> 'chief' ORDER BY 1, 2;
ALTER DEFAULT PRIVILEGES IN SCHEMA home_mine GRANT SELECT ON TABLES TO reader_mine;
ALTER DEFAULT PRIVILEGES FOR ROLE author_mine REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE TABLE granted (a int);
SELECT relname, relacl FROM pg_class WHERE relname = 'granted' AND relnamespace = 'home_mine'::regnamespace;
ALTER DEFAULT PRIVILEGES IN SCHEMA home_mine REVOKE SELECT ON TABLES FROM reader_mine;
ALTER DEFAULT PRIVILEGES FOR ROLE author_mine GRANT EXECUTE ON FUNCTIONS TO PUBLIC;

SECURITY LABEL ON TABLE letters IS 'secret';

SECURITY LABEL FOR martian ON TABLE letters IS NULL;

DROP ROLE reader_mine;

REASSIGN OWNED BY reader_mine TO CURRENT_USER;
DROP OWNED BY reader_mine, author_mine;
DROP GROUP both_mine;
DROP USER author_mine;
DROP ROLE reader_mine;
DROP ROLE IF EXISTS reader_mine;
DROP USER IF EXISTS writer_mine;

DROP ROLE reader_mine;
