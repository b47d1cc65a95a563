CREATE TABLE cells (id int, s text, n numeric DEFAULT 1.5);
COPY cells FROM STDIN (FORMAT csv);
1,one,1.0
2,"two, with ""quotes""",NaN
3,"a line
and another",
4,,0
5,"",
\.
COPY cells TO STDOUT (FORMAT csv);
COPY cells TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *);
COPY cells TO STDOUT (FORMAT csv, HEADER true, DELIMITER ';', QUOTE '''', ESCAPE '\', NULL 'nil', FORCE_QUOTE (s));
COPY cells TO STDOUT CSV HEADER;

COPY cells FROM STDIN (FORMAT csv, HEADER, DELIMITER ';', QUOTE '''', NULL 'nil');
id;s;n
6;'six''s';nil
7;nil;7
\.
COPY cells (id, s) FROM STDIN WITH CSV FORCE NOT NULL s;
8,
9,"x"
\.
COPY cells FROM STDIN (FORMAT csv, FORCE_NULL (s));
10,"",1
\.
SELECT * FROM cells WHERE id > 5 ORDER BY id;

-- since 16
COPY cells FROM STDIN (FORMAT csv, DEFAULT 'standard');
11,s,standard
\.
-- since 17
COPY cells FROM STDIN (FORMAT csv, FORCE_NOT_NULL *, ON_ERROR ignore);
12,a,1
twelve,b,1
\.

CREATE VIEW seen AS SELECT * FROM cells;
COPY (SELECT * FROM seen ORDER BY id LIMIT 1) TO STDOUT CSV;

COPY seen TO STDOUT;

COPY seen FROM STDIN;
1	a	1
\.

CREATE TABLE slices (k int, v text) PARTITION BY LIST (k);
CREATE TABLE slice_one PARTITION OF slices FOR VALUES IN (1);
CREATE TABLE slice_two PARTITION OF slices FOR VALUES IN (2);
COPY slices FROM STDIN CSV;
1,a
2,b
1,c
\.
SELECT tableoid::regclass, * FROM slices ORDER BY v;

COPY slices FROM STDIN CSV;
1,fine
3,nowhere to go
\.

COPY slices TO STDOUT;

CREATE FUNCTION louder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'row %', NEW;
  NEW.s := upper(NEW.s);
  RETURN NEW;
END $$;
CREATE TRIGGER louder BEFORE INSERT ON cells FOR EACH ROW EXECUTE FUNCTION louder();
COPY cells FROM STDIN CSV;
30,quiet,1
31,still,2
\.
SELECT * FROM cells WHERE id >= 30;
