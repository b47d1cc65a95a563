CREATE TABLE steps (n int);
CREATE PROCEDURE halves(upto int) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..upto LOOP
    INSERT INTO steps VALUES (i);
    IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
  END LOOP;
END $$;
CREATE PROCEDURE doubled(INOUT n int, OUT text_too text, step int DEFAULT 1) LANGUAGE plpgsql AS $$
BEGIN
  n := n * 2 + step;
  text_too := 'was ' || n;
END $$;
CREATE PROCEDURE plain(a int) LANGUAGE sql AS 'INSERT INTO steps VALUES (a); INSERT INTO steps VALUES (a + 1)';

CALL halves(5);

TABLE steps;

CALL doubled(4, NULL);

CALL doubled(4, NULL, step => 10);

CALL plain(100);

CALL plain('x');

CALL plain(1, 2);

BEGIN;
CALL halves(2);
ROLLBACK;

SELECT halves(1);

CREATE FUNCTION no_procedure() RETURNS int LANGUAGE sql AS 'SELECT 1';

CALL no_procedure();

CREATE PROCEDURE atomic(a int) BEGIN ATOMIC INSERT INTO steps VALUES (a); DELETE FROM steps WHERE n = a - 1; END;
CALL atomic(201);

SELECT n FROM steps ORDER BY n;
ALTER PROCEDURE plain(int) RENAME TO simple;
ALTER PROCEDURE simple(int) SECURITY DEFINER SET work_mem = '1MB';
ALTER ROUTINE simple(int) OWNER TO CURRENT_USER;
COMMENT ON PROCEDURE simple(int) IS 'a simple one';
CALL simple(300);

CREATE OR REPLACE PROCEDURE fails_late() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO steps VALUES (1000);
  COMMIT;
  INSERT INTO steps VALUES (1001);
  RAISE EXCEPTION 'too late' USING HINT = 'the first is there';
END $$;

CALL fails_late();

SELECT n FROM steps WHERE n >= 1000;

CREATE PROCEDURE notices() LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'one';
  COMMIT AND CHAIN;
  RAISE NOTICE 'two';
  ROLLBACK AND CHAIN;
  RAISE WARNING 'three';
  COMMIT;
END $$;
CALL notices();

DO $$
BEGIN
  INSERT INTO steps VALUES (2000);
  COMMIT;
  INSERT INTO steps VALUES (2001);
  ROLLBACK;
END $$;

SELECT n FROM steps WHERE n >= 2000;

BEGIN;
DO $$ BEGIN COMMIT; END $$;
ROLLBACK;

DO $$ BEGIN BEGIN COMMIT; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END; END $$;

DO LANGUAGE plpgsql $$ DECLARE r record; BEGIN FOR r IN SELECT n FROM steps ORDER BY n LIMIT 2 LOOP COMMIT; RAISE NOTICE '%', r; END LOOP; END $$;

DROP ROUTINE simple(int);
DROP PROCEDURE atomic, doubled(int, int);

DROP PROCEDURE IF EXISTS never();

DROP PROCEDURE never();
