CREATE TABLE copied (id int, s text, d date);
COPY copied FROM STDIN;
1	one	2020-02-29
2	\N	\N
3	a\tb\\c\nd	0044-03-15 BC
4		infinity
5	ü \x41\101 €	\N
\.
COPY copied TO STDOUT;
SELECT count(*), max(s) FROM copied;

COPY copied (id) FROM STDIN;
6
7
\.
COPY (SELECT id, s FROM copied WHERE id < 4 ORDER BY id DESC) TO STDOUT (DELIMITER '|', NULL 'none');
COPY copied (s, id) TO STDOUT WITH (FORMAT text);

COPY copied FROM STDIN (DELIMITER ',', NULL '');
8,eight,
9,,2020-01-01
\.
SELECT * FROM copied WHERE id > 7 ORDER BY id;

COPY copied FROM STDIN WHERE id % 2 = 0;
10	even	\N
11	odd	\N
\.

-- since 15
COPY copied FROM STDIN (HEADER);
any	names	here
12	twelve	\N
\.
-- since 15
COPY copied (id, s) FROM STDIN (HEADER match);
id	s
13	thirteen
\.
-- since 15
COPY (SELECT 1 AS a, 2 AS "b c") TO STDOUT (HEADER);

-- since 16
ALTER TABLE copied ALTER COLUMN s SET DEFAULT 'given';
-- since 16
COPY copied FROM STDIN (DEFAULT '\D');
14	\D	2020-01-01
\.

-- since 17
COPY copied FROM STDIN (ON_ERROR ignore, LOG_VERBOSITY verbose);
15	good	\N
bad	row	\N
16	good	someday
\.

-- since 18
COPY copied FROM STDIN (ON_ERROR ignore, REJECT_LIMIT 1);
bad	row	\N
bad	again	\N
\.

COPY copied FROM STDIN;
\.
COPY (SELECT 1 WHERE false) TO STDOUT;
COPY (VALUES (1, 'a'), (2, NULL)) TO STDOUT;
COPY (SELECT repeat('x', 100000)) TO STDOUT;
COPY (WITH w AS (INSERT INTO copied VALUES (20, 'twenty', NULL) RETURNING id) SELECT * FROM w) TO STDOUT;
COPY (UPDATE copied SET s = 'new' WHERE id = 20 RETURNING *) TO STDOUT;

COPY copied FROM STDIN (FREEZE);
21	frozen	\N
\.

BEGIN;
TRUNCATE copied;
COPY copied FROM STDIN (FREEZE);
1	frozen	\N
\.
COPY copied TO STDOUT;
SAVEPOINT s;
COPY copied FROM STDIN;
x	wrong	\N
\.
ROLLBACK TO s;
COPY copied FROM STDIN;
2	right	\N
\.
COMMIT;

TABLE copied;
COPY copied FROM STDIN (ENCODING 'LATIN1');
3	Ã¼	\N
\.
COPY copied TO STDOUT (ENCODING 'LATIN1');
SET client_encoding = 'LATIN1';
SELECT 'ü';
RESET client_encoding;
COPY copied TO STDOUT DELIMITER ';' NULL AS '-';

CREATE TABLE escapes (a text, b bytea, c text[], d jsonb);

COPY escapes FROM STDIN;
\b\f\n\r\t\v\0	\\x00ff	{"a b",NULL}	{"k": "line\\nbreak"}
\.

COPY escapes FROM STDIN;
\b\f\r\v\\N	\\x00ff	{"a b",NULL}	{"k": "line\\nbreak"}
\.
COPY escapes TO STDOUT;
