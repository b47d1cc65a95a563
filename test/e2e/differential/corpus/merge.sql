-- MERGE came with PostgreSQL 15; an older one has no word for it.
CREATE TABLE stock (item text PRIMARY KEY, n int NOT NULL CHECK (n >= 0));
CREATE TABLE deliveries (item text, n int);
INSERT INTO stock VALUES ('pen', 5), ('ink', 1), ('old', 0);
INSERT INTO deliveries VALUES ('pen', 3), ('ink', -1), ('new', 7);

MERGE INTO stock AS s USING deliveries AS d ON s.item = d.item
WHEN MATCHED AND s.n + d.n = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET n = s.n + d.n
WHEN NOT MATCHED AND d.n > 0 THEN INSERT (item, n) VALUES (d.item, d.n)
WHEN NOT MATCHED THEN DO NOTHING;

SELECT * FROM stock ORDER BY item;
-- since 17
MERGE INTO stock AS s USING deliveries AS d ON s.item = d.item
WHEN MATCHED THEN UPDATE SET n = d.n + 10
WHEN NOT MATCHED BY SOURCE THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT VALUES (d.item, 0)
RETURNING merge_action(), s.*, d.n;

-- since 18
MERGE INTO stock AS s USING deliveries AS d ON s.item = d.item
WHEN MATCHED THEN UPDATE SET n = 1 RETURNING OLD.n, NEW.n;

-- since 17
WITH m AS (MERGE INTO stock AS s USING (VALUES ('pen')) AS v (item) ON s.item = v.item WHEN MATCHED THEN DELETE RETURNING s.item) SELECT * FROM m;

DELETE FROM deliveries WHERE item = 'ink';
INSERT INTO deliveries VALUES ('new', 1), ('new', 2);

MERGE INTO stock AS s USING deliveries AS d ON s.item = d.item
WHEN MATCHED THEN UPDATE SET n = d.n;

MERGE INTO stock AS s USING (VALUES ('new', -5)) AS d (item, n) ON s.item = d.item
WHEN MATCHED THEN UPDATE SET n = d.n
WHEN NOT MATCHED THEN INSERT VALUES (d.item, d.n);

MERGE INTO nowhere USING deliveries AS d ON true WHEN MATCHED THEN DELETE;

MERGE INTO stock USING deliveries AS d ON true;
