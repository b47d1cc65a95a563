CREATE TABLE filled (id int PRIMARY KEY, s varchar(5) NOT NULL, n int CHECK (n > 0));
COPY filled FROM STDIN;
1	one	1
2	two	2
\.

COPY filled FROM STDIN;
3	three	3
x	wrong	4
5	never	5
\.

COPY filled FROM STDIN;
3	three	3
1	twice	4
\.

COPY filled FROM STDIN;
3	three	0
\.

COPY filled FROM STDIN;
3	\N	1
\.

COPY filled FROM STDIN;
3	too long a text	1
\.

COPY filled FROM STDIN;
3	few
\.

COPY filled FROM STDIN;
3	three	3	more
\.

COPY filled FROM STDIN CSV;
3,"never closed,3
\.

COPY filled FROM STDIN CSV;
3,"a"b,3
4,"a" b,3
\.

COPY filled FROM STDIN CSV QUOTE 'qq';
\.

COPY filled FROM STDIN (FORMAT martian);
\.

COPY filled FROM STDIN (DELIMITER 'ab');
\.

COPY filled FROM STDIN (NULL E'\n');
\.

COPY filled FROM STDIN (no_such_option);
\.

COPY nowhere FROM STDIN;
\.

COPY filled (nothing) FROM STDIN;
\.

COPY nowhere TO STDOUT;

COPY (SELECT nothing) TO STDOUT;

COPY (SELECT 6 / (3 - n) FROM generate_series(1, 5) AS n) TO STDOUT;

COPY (SELECT 1 INTO more) TO STDOUT;

COPY filled TO '/nowhere/at/all';

COPY filled FROM PROGRAM 'true';

-- since 15
COPY filled (id, s) FROM STDIN (HEADER match);
id	t
3	three
\.

BEGIN;
COPY filled FROM STDIN;
3	three	3
\.
COPY filled FROM STDIN;
3	twice	3
\.
COPY filled FROM STDIN;
\.
SELECT 1;
COMMIT;

BEGIN READ ONLY;
COPY filled TO STDOUT;
COPY filled FROM STDIN;
\.
ROLLBACK;

SET statement_timeout = '1h';
COPY filled TO STDOUT;
RESET statement_timeout;
TABLE filled;
