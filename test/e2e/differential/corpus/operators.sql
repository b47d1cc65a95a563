-- user: chief
CREATE FUNCTION backwards(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT b - a';
CREATE FUNCTION before(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a > b';
CREATE OPERATOR <# (LEFTARG = int, RIGHTARG = int, FUNCTION = before, COMMUTATOR = >#, RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
ALTER OPERATOR <# (int, int) SET (RESTRICT = NONE);
CREATE OPERATOR FAMILY backward_family USING btree;
CREATE OPERATOR CLASS backward_class FOR TYPE int USING btree FAMILY backward_family AS
  OPERATOR 1 > (int, int), OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 backwards(int, int);
CREATE TABLE sorted (n int);
CREATE INDEX ON sorted (n backward_class);
INSERT INTO sorted VALUES (1), (3), (2);
SELECT n FROM sorted ORDER BY n USING <;
SELECT 1 <# 2;
ALTER OPERATOR FAMILY backward_family USING btree ADD OPERATOR 1 < (int, bigint);
ALTER OPERATOR FAMILY backward_family USING btree DROP OPERATOR 1 (int, bigint);
ALTER OPERATOR FAMILY backward_family USING btree RENAME TO reverse_family;
ALTER OPERATOR CLASS backward_class USING btree RENAME TO reverse_class;
ALTER OPERATOR CLASS reverse_class USING btree OWNER TO CURRENT_USER;
COMMENT ON OPERATOR CLASS reverse_class USING btree IS 'backwards';

DROP OPERATOR CLASS reverse_class USING btree;

DROP OPERATOR CLASS reverse_class USING btree CASCADE;
DROP OPERATOR FAMILY IF EXISTS reverse_family USING btree;

DROP OPERATOR FAMILY reverse_family USING btree;

CREATE OPERATOR CLASS wrong FOR TYPE int USING martian AS STORAGE int;

CREATE TYPE letters;
CREATE FUNCTION letters_in(cstring) RETURNS letters LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION letters_out(letters) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION letters_recv(internal) RETURNS letters LANGUAGE internal STABLE STRICT AS 'textrecv';
CREATE FUNCTION letters_send(letters) RETURNS bytea LANGUAGE internal STABLE STRICT AS 'textsend';
CREATE TYPE letters (INPUT = letters_in, OUTPUT = letters_out, RECEIVE = letters_recv, SEND = letters_send, INTERNALLENGTH = variable, STORAGE = extended, CATEGORY = 'S', DEFAULT = 'none', COLLATABLE = true);
ALTER TYPE letters SET (STORAGE = external);
CREATE CAST (letters AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (int AS letters) WITH INOUT AS ASSIGNMENT;
CREATE TABLE written (w letters, n int);
INSERT INTO written (n) VALUES (1), (2) RETURNING *;
INSERT INTO written VALUES ('abc', 3) RETURNING w, w || '!', upper(w);
SELECT 42::letters, '{a,b}'::letters[], ROW('x'::letters, 1);
DROP CAST (int AS letters);
DROP CAST IF EXISTS (int AS letters);

DROP CAST (int AS letters);

CREATE ACCESS METHOD pile_mine TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD tree_mine TYPE INDEX HANDLER bthandler;
CREATE TABLE piled (a int) USING pile_mine;
INSERT INTO piled VALUES (1) RETURNING *;
COMMENT ON ACCESS METHOD pile_mine IS 'a heap';

DROP ACCESS METHOD pile_mine;

DROP ACCESS METHOD pile_mine CASCADE;
DROP ACCESS METHOD IF EXISTS tree_mine, pile_mine;

CREATE ACCESS METHOD wrong_mine TYPE TABLE HANDLER bthandler;

CREATE COLLATION plain FROM "C";
CREATE COLLATION IF NOT EXISTS plain FROM "POSIX";
CREATE COLLATION numeric_first (PROVIDER = icu, LOCALE = 'en-u-kn-true', DETERMINISTIC = false);
SELECT 'a' < 'B' COLLATE plain;
SELECT 'item 10' < 'item 9' COLLATE numeric_first;
ALTER COLLATION plain RENAME TO plainer;
ALTER COLLATION plainer OWNER TO CURRENT_USER;
COMMENT ON COLLATION plainer IS 'bytes';
DROP COLLATION plainer;

ALTER COLLATION plainer RENAME TO again;

CREATE COLLATION wrong (LOCALE = 'martian');

CREATE CONVERSION from_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION also_from_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
ALTER CONVERSION from_latin RENAME TO latin;
ALTER CONVERSION latin OWNER TO CURRENT_USER;
COMMENT ON CONVERSION latin IS 'of old';
DROP CONVERSION latin;
DROP CONVERSION IF EXISTS also_from_latin;

DROP CONVERSION also_from_latin;
