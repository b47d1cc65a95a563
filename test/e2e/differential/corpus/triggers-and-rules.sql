CREATE TABLE watched (id int PRIMARY KEY, s text, changed int DEFAULT 0);
CREATE TABLE journal (at int GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO journal (what) VALUES (concat_ws(' ', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP, TG_TABLE_NAME, TG_ARGV[0]));
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  IF TG_LEVEL = 'ROW' AND TG_WHEN = 'BEFORE' THEN NEW.changed := NEW.changed + 1; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION noted('argument');
CREATE TRIGGER after_statement AFTER INSERT OR TRUNCATE ON watched FOR EACH STATEMENT EXECUTE PROCEDURE noted();
CREATE TRIGGER only_s BEFORE UPDATE OF s ON watched FOR EACH ROW WHEN (OLD.s IS DISTINCT FROM NEW.s) EXECUTE FUNCTION noted();
CREATE CONSTRAINT TRIGGER at_the_end AFTER INSERT ON watched DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION noted('late');
INSERT INTO watched VALUES (1, 'a'), (2, 'b') RETURNING *;
UPDATE watched SET s = 'c' WHERE id = 1 RETURNING *;
UPDATE watched SET id = 3 WHERE id = 2;
DELETE FROM watched WHERE id = 3 RETURNING *;
TRUNCATE watched;
SELECT what FROM journal ORDER BY at;

SELECT what FROM journal ORDER BY at;
CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '% rows', (SELECT count(*) FROM fresh);
  RETURN NULL;
END $$;
CREATE TRIGGER transition AFTER INSERT ON watched REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION counted();
INSERT INTO watched VALUES (10, 'x'), (11, 'y');
ALTER TRIGGER transition ON watched RENAME TO moved;
ALTER TABLE watched DISABLE TRIGGER moved;
INSERT INTO watched VALUES (12, 'z');
ALTER TABLE watched ENABLE ALWAYS TRIGGER moved;
COMMENT ON TRIGGER moved ON watched IS 'counts';
DROP TRIGGER moved ON watched;
DROP TRIGGER IF EXISTS moved ON watched;

DROP TRIGGER moved ON watched;

CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'no % of %', lower(TG_OP), OLD.id USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER refused BEFORE DELETE ON watched FOR EACH ROW WHEN (OLD.id > 10) EXECUTE FUNCTION refused();
DELETE FROM watched WHERE id = 10;

DELETE FROM watched;

CREATE FUNCTION skipped() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE TRIGGER refused BEFORE DELETE ON watched FOR EACH ROW EXECUTE FUNCTION skipped();
DELETE FROM watched;
SELECT count(*) FROM watched;

CREATE VIEW window_on AS SELECT id, s FROM watched;
CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'instead of % %', TG_OP, coalesce(NEW, OLD);
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER instead INSTEAD OF INSERT OR UPDATE OR DELETE ON window_on FOR EACH ROW EXECUTE FUNCTION instead();
INSERT INTO window_on VALUES (50, 'view') RETURNING *;
UPDATE window_on SET s = 'w' WHERE id = 10;
DELETE FROM window_on WHERE id = 10;
COPY window_on FROM STDIN;
60	copied
\.

CREATE TABLE ruled (id int, s text);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO journal (what) VALUES ('also ' || NEW.s);
CREATE RULE never AS ON DELETE TO ruled DO INSTEAD NOTHING;
CREATE RULE two AS ON UPDATE TO ruled WHERE NEW.id > 5 DO INSTEAD (DELETE FROM journal; SELECT 'from a rule' AS told);
INSERT INTO ruled VALUES (1, 'r'), (2, 'q');
DELETE FROM ruled;
UPDATE ruled SET id = 7;

UPDATE ruled SET id = 3 WHERE id = 1 RETURNING *;

CREATE VIEW changeable AS SELECT id FROM ruled;
CREATE OR REPLACE RULE onto AS ON INSERT TO changeable DO INSTEAD INSERT INTO ruled VALUES (NEW.id, 'by rule') RETURNING id;
INSERT INTO changeable VALUES (9) RETURNING *;
SELECT definition FROM pg_rules WHERE rulename = 'never' AND schemaname = 'home_mine';
ALTER RULE also ON ruled RENAME TO too;
COMMENT ON RULE too ON ruled IS 'writes it down';
ALTER TABLE ruled DISABLE RULE too;
DROP RULE too ON ruled;
DROP RULE never ON ruled CASCADE;
DELETE FROM ruled;

DROP RULE never ON ruled;

SET session_replication_role = replica;
