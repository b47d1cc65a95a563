CREATE TABLE numbers (t tinyint, tu tinyint unsigned, s smallint, m mediumint, i int, iz int(8) zerofill, b bigint, bu bigint unsigned,
  f float, d double, n decimal(20, 5), bo bool, bi bit(10), y year);
INSERT INTO numbers VALUES (-128, 255, -32768, 8388607, -2147483648, 42, -9223372036854775808, 18446744073709551615,
  1.5, -1e300, 12345.67891, true, b'1010101010', 2026);
INSERT INTO numbers VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO numbers VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
SELECT * FROM numbers;
SELECT t + 1, b DIV 3, f * 2, n / 7, bi + 0, -d FROM numbers;
SELECT SUM(n), AVG(i), MIN(d), MAX(bu), COUNT(y), STD(f) FROM numbers;
INSERT INTO numbers (t) VALUES (1000);
INSERT IGNORE INTO numbers (t, tu) VALUES (1000, -1);
SHOW WARNINGS;
UPDATE numbers SET i = i + 1 WHERE i IS NOT NULL;
UPDATE numbers SET i = i;
DELETE FROM numbers WHERE t IS NULL;
DROP TABLE numbers;

CREATE TABLE words (c char(10), v varchar(50), tt tinytext, te text, mt mediumtext, lt longtext, bi binary(4), vb varbinary(9),
  tb tinyblob, bl blob, mb mediumblob, lb longblob, e enum('a', 'b'), s set('x', 'y', 'z'))
  CHARACTER SET utf8mb4;
INSERT INTO words VALUES ('c', 'värchar', 'tiny', 'text', 'medium', REPEAT('long', 100), X'01', X'00FF00', 'a', 'b', 'c',
  REPEAT(X'FE', 300), 'b', 'x,z');
INSERT INTO words VALUES ('', '', '', '', '', '', '', '', '', '', '', '', 'a', '');
INSERT INTO words (c) VALUES (NULL);
SELECT * FROM words;
SELECT LENGTH(lt), HEX(vb), e + 0, s + 0 FROM words;
SELECT 'a' = 'A', 'a' = _utf8mb4 'A' COLLATE utf8mb4_bin, _latin1 X'E4', N'national', X'4D', 0x4D + 0, b'1', 'con' 'cat';
SELECT REPEAT('x', 250), REPEAT('y', 251), REPEAT('z', 300), REPEAT('w', 70000);
SELECT v FROM words WHERE v LIKE 'v_rch%' COLLATE utf8mb4_general_ci;
SELECT c FROM words WHERE c = _latin1 'c' COLLATE latin1_bin;
INSERT INTO words (e) VALUES ('never');
ALTER TABLE words CONVERT TO CHARACTER SET latin1;
SELECT c, v FROM words;
DROP TABLE words;

CREATE TABLE times (d date, t time, t6 time(6), dt datetime, dt3 datetime(3), ts timestamp NULL, ts6 timestamp(6) NULL);
INSERT INTO times VALUES ('2026-11-26', '-838:59:59', '12:34:56.123456', '2026-11-26 01:02:03', '2026-11-26 01:02:03.004', '2026-11-26 01:02:03', '2026-11-26 01:02:03.000001');
INSERT INTO times VALUES ('0001-01-01', '00:00:00', '100:00:00', '1000-01-01', '1000-01-01 00:00:00', NULL, NULL);
SELECT * FROM times;
SELECT d + INTERVAL 1 MONTH, TIMEDIFF(dt, '2026-11-25 23:00:00'), EXTRACT(YEAR_MONTH FROM d), DATE_FORMAT(dt, '%W %M %Y') FROM times;
SET time_zone = '-08:00';
SELECT ts FROM times;
SET time_zone = DEFAULT;
INSERT INTO times (d) VALUES ('2026-02-30');
SELECT CAST('nonsense' AS date), DATE('2026-13-01');
SHOW WARNINGS;
SELECT MAKEDATE(2026, 60), SEC_TO_TIME(100000), TIME '10:00', DATE '2026-01-01', TIMESTAMP '2026-01-01 00:00:00';
DROP TABLE times;

CREATE TABLE docs (j json, id int AUTO_INCREMENT PRIMARY KEY);
INSERT INTO docs (j) VALUES ('{"a": [1, 2, {"b": null}], "c": "ü"}'), ('[]'), ('1.5'), (NULL);
SELECT * FROM docs;
SELECT JSON_EXTRACT(j, '$.a[1]'), JSON_UNQUOTE(JSON_EXTRACT(j, '$.c')), JSON_VALID(j), JSON_TYPE(j) FROM docs;
-- only mysql
SELECT j->'$.a', j->>'$.c' FROM docs;
SELECT JSON_OBJECT('k', 1, 'n', NULL), JSON_ARRAY(1, 'x', TRUE), JSON_SET('{"a": 1}', '$.b', 2);
INSERT INTO docs (j) VALUES ('{broken');
SELECT t.* FROM JSON_TABLE('[{"x": 1}, {"x": 2}]', '$[*]' COLUMNS (n FOR ORDINALITY, x int PATH '$.x')) AS t;
SELECT JSON_ARRAYAGG(id), JSON_OBJECTAGG(id, j) FROM docs WHERE id < 3;
DROP TABLE docs;

CREATE TABLE places (p point NOT NULL, g geometry, SPATIAL KEY (p));
INSERT INTO places VALUES (POINT(1, 2), ST_GeomFromText('LINESTRING(0 0, 1 1)'));
SELECT ST_AsText(p), p, ST_AsText(g), ST_X(p) FROM places;
DROP TABLE places;
-- only mariadb
CREATE TABLE nets (a inet6, u uuid, i4 inet4);
-- only mariadb
INSERT INTO nets VALUES ('2001:db8::1', '123e4567-e89b-12d3-a456-426614174000', '127.0.0.1');
-- only mariadb
SELECT * FROM nets;
-- only mariadb
DROP TABLE nets;
-- only mysql
SELECT CAST('[1,2,3]' AS JSON), STRING_TO_VECTOR('[1,2]'), BIN_TO_UUID(X'123e4567e89b12d3a456426614174000');
-- only mariadb-11.8
SELECT HEX(VEC_FromText('[1,2]'));
SELECT NULL, TRUE, 1 = 2, 1 <=> NULL, 5 / 2, 5 DIV 2, 5 % 2, 2 | 4, ~0, POW(2, 10), PI();
SELECT UUID() IS NOT NULL, LENGTH(UUID()), RAND(1), RAND(1), MD5('x'), SHA2('x', 256), CRC32('x'), INET_ATON('1.2.3.4');
SELECT CAST(1 AS char), CAST('1' AS signed), CAST(-1 AS unsigned), CAST('1.5' AS decimal(5, 2)), CONVERT('x' USING latin1);
