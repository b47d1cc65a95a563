CREATE TABLE q (id int PRIMARY KEY, grp char(1), v int);
INSERT INTO q VALUES (1, 'a', 10), (2, 'a', 20), (3, 'b', 30), (4, 'b', NULL), (5, 'c', 50);
SELECT grp, SUM(v), GROUP_CONCAT(id ORDER BY id DESC SEPARATOR '-') FROM q GROUP BY grp WITH ROLLUP;
SELECT id, ROW_NUMBER() OVER (PARTITION BY grp ORDER BY id), SUM(v) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), LAG(v) OVER w FROM q WINDOW w AS (ORDER BY id);
SELECT RANK() OVER (ORDER BY grp), DENSE_RANK() OVER (ORDER BY grp), NTILE(2) OVER (ORDER BY id), FIRST_VALUE(v) OVER (ORDER BY id) FROM q ORDER BY id;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n;
WITH a AS (SELECT grp, COUNT(*) AS c FROM q GROUP BY grp), b AS (SELECT * FROM a WHERE c > 1) SELECT * FROM b ORDER BY grp;
SELECT a.id, b.id FROM q a LEFT JOIN q b ON a.v < b.v AND a.grp = b.grp ORDER BY 1, 2;
SELECT * FROM q NATURAL JOIN (SELECT 1 AS id) AS one;
SELECT * FROM q CROSS JOIN (SELECT 1 AS x UNION SELECT 2) AS two WHERE id = 1;
SELECT id FROM q WHERE v IN (SELECT v FROM q WHERE grp = 'a') AND EXISTS (SELECT 1);
SELECT id FROM q UNION ALL SELECT v FROM q ORDER BY 1 LIMIT 3;
(SELECT 1) UNION DISTINCT (SELECT 1);
SELECT 1 INTERSECT SELECT 1;
SELECT 1 EXCEPT SELECT 2;
VALUES (1, 'a'), (2, 'b');
-- only mysql
VALUES ROW(1, 'a'), ROW(2, 'b');
-- only mysql
TABLE q ORDER BY id LIMIT 1;
SELECT CASE WHEN v > 15 THEN 'big' ELSE 'small' END, IFNULL(v, 0), COALESCE(v, id), NULLIF(id, 1), IF(v, 1, 0) FROM q;
SELECT COUNT(*), COUNT(v), COUNT(DISTINCT grp), AVG(v), MIN(id), MAX(id), BIT_OR(id), VAR_POP(v) FROM q;
SELECT id FROM q WHERE grp REGEXP '^[ab]$' AND grp NOT LIKE 'b' ESCAPE '|' AND v BETWEEN 5 AND 25 AND v IS NOT NULL;
SELECT SLEEP(0), BENCHMARK(1, 1), CONNECTION_ID() > 0, USER() = CURRENT_USER(), VERSION() IS NOT NULL;
SELECT * FROM q PROCEDURE ANALYSE();
SELECT id INTO @into_way FROM q WHERE id = 3;
SELECT @into_way;
SELECT id, v INTO @i_way, @v_way FROM q WHERE id = 99;
SHOW WARNINGS;
SELECT id FROM q FOR UPDATE SKIP LOCKED;
SELECT id FROM q WHERE id = 1 FOR UPDATE NOWAIT;
SELECT 0 AS `a column whose name is long enough to be interesting to those who count`, 1 AS `日本`, 2 AS ``;
SELECT * FROM q WHERE 0;
SELECT REPEAT('row', 1000) FROM q;
SELECT a.id FROM q a, q b, q c, q d ORDER BY a.id, b.id, c.id, d.id;
SELECT 'it''s', "double", 'tab\tnewline\n', 'back\\slash', 'per\%cent', N'x', 'nul\0byte';
SELECT 1 AS one, 2 two, 3 'three', q.* FROM q LIMIT 1;
SELECT /* comment ; */ 1 -- another ; one
, 2 # and one more ;
;
SELECT 1;;
;
DO 1, 2;
DO SLEEP(0);
SELECT 1 FROM;
SELECT * FROM q WHERE id = ?;
EXPLAIN SELECT COUNT(*) FROM q;
-- only mariadb
ANALYZE SELECT id FROM q WHERE id = 77;
SHOW ENGINES;
SHOW CHARACTER SET LIKE 'latin1';
SHOW COLLATION LIKE 'latin1_b%';
SHOW DATABASES LIKE 'home%';
SHOW GRANTS;
SHOW PRIVILEGES;
SHOW PLUGINS;
SHOW OPEN TABLES LIKE 'never';
SHOW TRIGGERS;
SHOW EVENTS;
SHOW PROCEDURE STATUS WHERE Db = 'never';
-- MySQL reads its dictionary by plans that depend on the dictionary's own statistics, which the status flags show.
-- only mariadb
SHOW TABLE STATUS LIKE 'never';
-- only mysql
SHOW TABLE STATUS FROM never;
SHOW STATUS LIKE 'Com_nothing';
SHOW GLOBAL VARIABLES LIKE 'version_compile_machine';
HELP 'SELECT';
DROP TABLE q;
