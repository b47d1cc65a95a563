/**
 * Everything that a session can leave on a connection and that the database tells about, without a word that would pin
 * the asker. Statements are not looked for here, but by running them: how they are called inside the database is Sluice's
 * own affair. Settings with a dot are looked for by their values (docs/differences.md: their names may stay).
 */
export const PRISTINE = `SELECT jsonb_build_object(
  'settings', (SELECT jsonb_object_agg(name, setting) FROM pg_settings
    WHERE context IN ('user', 'superuser') AND setting IS DISTINCT FROM boot_val AND name NOT LIKE '%.%'),
  'own', (SELECT jsonb_agg(coalesce(current_setting(name, true), '')) FROM unnest('{my.x,my.y,other.x}'::text[]) name),
  'listening', (SELECT jsonb_agg(channel) FROM pg_listening_channels() AS channel),
  'cursors', (SELECT count(*) FROM pg_cursors WHERE is_holdable),
  'locks', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
  'objects', (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
  'user', current_user, 'login', session_user, 'role', current_setting('role'),
  'schema', current_schema, 'isolation', current_setting('transaction_isolation'))`;
