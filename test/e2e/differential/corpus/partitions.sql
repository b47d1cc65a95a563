CREATE TABLE measured (city int NOT NULL, day date NOT NULL, peak int) PARTITION BY RANGE (day);
CREATE TABLE y2020 PARTITION OF measured FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE y2021 PARTITION OF measured FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY HASH (city);
CREATE TABLE y2021_a PARTITION OF y2021 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE y2021_b PARTITION OF y2021 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO measured VALUES (1, '2020-05-05', 20), (1, '2021-05-05', 21), (2, '2021-06-06', 22), (3, '2021-07-07', NULL) RETURNING tableoid::regclass, *;
SELECT tableoid::regclass, count(*) FROM measured GROUP BY 1 ORDER BY 1;

INSERT INTO measured VALUES (1, '1999-01-01', 1);

INSERT INTO y2020 VALUES (1, '2021-01-01', 1);

CREATE TABLE overlapping PARTITION OF measured FOR VALUES FROM ('2020-06-01') TO ('2020-07-01');

CREATE TABLE others PARTITION OF measured DEFAULT;
INSERT INTO measured VALUES (1, '1999-01-01', 1);
UPDATE measured SET day = '2020-12-31' WHERE day = '1999-01-01' RETURNING tableoid::regclass;
UPDATE measured SET day = day + 365 WHERE city = 1;
CREATE INDEX ON measured (city);
CREATE INDEX only_parent ON ONLY measured (peak);
ALTER INDEX only_parent RENAME TO peaks;
CREATE INDEX peak_2020 ON y2020 (peak);
ALTER INDEX peaks ATTACH PARTITION peak_2020;
ALTER TABLE measured ADD PRIMARY KEY (city, day);
EXPLAIN (COSTS OFF) SELECT * FROM measured WHERE day = '2020-05-05';
EXPLAIN (COSTS OFF) SELECT count(*) FROM measured WHERE city = 2 AND day BETWEEN '2021-01-01' AND '2021-12-31';
SELECT relid::regclass, level, isleaf FROM pg_partition_tree('measured') ORDER BY relid::regclass::text;

ALTER TABLE measured DETACH PARTITION y2020;
INSERT INTO y2020 VALUES (9, '1990-01-01', 0);

ALTER TABLE measured ATTACH PARTITION y2020 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');

DELETE FROM y2020 WHERE city = 9;
ALTER TABLE measured ATTACH PARTITION y2020 FOR VALUES FROM ('2019-01-01') TO ('2021-01-01');

ALTER TABLE measured DETACH PARTITION others;

ALTER TABLE measured DETACH PARTITION y2021_a;

CREATE TABLE by_letter (letter text, n int) PARTITION BY LIST (lower(letter));
CREATE TABLE a_to_b PARTITION OF by_letter FOR VALUES IN ('a', 'b');
CREATE TABLE missing PARTITION OF by_letter FOR VALUES IN (NULL);
INSERT INTO by_letter VALUES ('A', 1), ('b', 2), (NULL, 3);
SELECT tableoid::regclass, * FROM by_letter ORDER BY n;

INSERT INTO by_letter VALUES ('z', 9);

ALTER TABLE by_letter ADD PRIMARY KEY (n);

SELECT measured.*, b.letter FROM measured JOIN by_letter AS b ON b.n = measured.city ORDER BY day;
TRUNCATE measured;
DROP TABLE measured, by_letter;
