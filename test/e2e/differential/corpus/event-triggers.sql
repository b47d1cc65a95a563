-- user: chief
-- They hear everybody's statements, so that each client makes and drops its own in one transaction.
BEGIN;
CREATE FUNCTION heard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'heard % %', TG_EVENT, TG_TAG; END $$;
CREATE FUNCTION listed() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  FOR r IN SELECT object_type, object_identity FROM pg_event_trigger_dropped_objects() WHERE original LOOP
    RAISE NOTICE 'dropped % %', r.object_type, r.object_identity;
  END LOOP;
END $$;
CREATE EVENT TRIGGER start_mine ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION heard();
CREATE EVENT TRIGGER end_mine ON ddl_command_end EXECUTE FUNCTION heard();
CREATE EVENT TRIGGER dropped_mine ON sql_drop EXECUTE PROCEDURE listed();
CREATE EVENT TRIGGER rewrite_mine ON table_rewrite EXECUTE FUNCTION heard();
CREATE TABLE overheard (a int);
ALTER TABLE overheard ALTER COLUMN a TYPE bigint;
ALTER EVENT TRIGGER end_mine DISABLE;
COMMENT ON TABLE overheard IS 'not heard';
DROP TABLE overheard;
ALTER EVENT TRIGGER end_mine ENABLE ALWAYS;
ALTER EVENT TRIGGER end_mine RENAME TO ending_mine;
ALTER EVENT TRIGGER ending_mine OWNER TO CURRENT_USER;
COMMENT ON EVENT TRIGGER ending_mine IS 'at the end';
SELECT evtname, evtevent, evtenabled, evttags FROM pg_event_trigger WHERE evtname ~ '_mine$' ORDER BY 1;
DROP EVENT TRIGGER start_mine;
DROP EVENT TRIGGER IF EXISTS start_mine;
SAVEPOINT s;
DROP EVENT TRIGGER start_mine;
ROLLBACK TO s;
CREATE EVENT TRIGGER wrong_mine ON martian_event EXECUTE FUNCTION heard();
ROLLBACK;

CREATE TABLE quiet (a int);
