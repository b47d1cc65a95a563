SET application_name = 'a client';
SET application_name TO 'another ü name';
SHOW application_name;
SET SESSION work_mem = '8MB';
SET LOCAL work_mem = '9MB';
SHOW work_mem;

BEGIN;
SET LOCAL work_mem = '10MB';
SHOW work_mem;
COMMIT;

SHOW work_mem;
BEGIN;
SET work_mem = '11MB';
ROLLBACK;
SHOW work_mem;
RESET work_mem;
SHOW work_mem;

SET work_mem TO DEFAULT;
SET client_min_messages = warning;
SET NAMES 'LATIN1';
SELECT 'ü'::text, convert_to('ü', 'UTF8');
SHOW client_encoding;
SET NAMES DEFAULT;
SET client_encoding TO 'SQL_ASCII';
SELECT 'ascii';
RESET client_encoding;
SELECT 'ü';

SET client_encoding = 'LATIN1';
SELECT '€', 'never';

SELECT chr(8364);

RESET client_encoding;
SHOW client_encoding;

SET standard_conforming_strings = off;
SET intervalstyle = 'iso_8601';
SET TimeZone = 'Asia/Tokyo';
SET datestyle = 'German';
SET extra_float_digits = 0;
SET default_transaction_read_only = on;
SELECT name, setting, source FROM pg_settings WHERE source = 'session' AND name NOT IN ('search_path', 'client_encoding') ORDER BY name;
RESET ALL;
SELECT count(*) FROM pg_settings WHERE source = 'session';

SET my.setting = 'made up';
SHOW my.setting;
SELECT current_setting('my.setting'), current_setting('my.other', true), set_config('my.setting', 'new', false), current_setting('my.setting');
SELECT set_config('my.local', 'only here', true);
SELECT current_setting('my.local', true) = 'only here';
RESET my.setting;

SELECT set_config('work_mem', '1MB', false);

SELECT set_config('no_such_setting', '1', false);

SHOW work_mem;
SELECT set_config('work_mem', NULL, false);
SHOW work_mem;

SET search_path = home_mine, public;
SET search_path TO "$user", 'quoted schema', pg_temp;
SHOW search_path;
SET SCHEMA 'home_mine';
SELECT current_schema, current_schemas(false);
SET SEED TO 0.5;
SELECT random() = random();

SET XML OPTION DOCUMENT;
SHOW xmloption;
SET SESSION AUTHORIZATION DEFAULT;

SET SESSION AUTHORIZATION CURRENT_USER;

RESET SESSION AUTHORIZATION;
SET ROLE NONE;
SHOW role;
SHOW session_authorization;
SHOW is_superuser;
SHOW TRANSACTION ISOLATION LEVEL;
SHOW TIME ZONE;
SHOW server_encoding;
SHOW integer_datetimes;
SHOW max_identifier_length;

SHOW lc_collate;

SHOW server_version_num;
SHOW block_size;
SHOW in_hot_standby;
-- since 18
SHOW search_path;

SELECT name, setting, unit, min_val, max_val FROM pg_settings WHERE name IN ('work_mem', 'statement_timeout', 'DateStyle') ORDER BY name;
SET enable_hashjoin TO off;
SET enable_hashjoin = true;
SET enable_hashjoin = 1;
SET random_page_cost = 1.5;
SET random_page_cost TO 2;
SET cursor_tuple_fraction = 0.25;
SET temp_buffers = 200;
SET vacuum_cost_delay = '1.5ms';
SET statement_timeout = '2min';
SET backslash_quote = safe_encoding;
SET constraint_exclusion = partition;
SET default_tablespace = '';
SET local_preload_libraries = '';

SHOW random_page_cost;
SHOW statement_timeout;
RESET ALL;
SHOW random_page_cost;

SET work_mem = '1MB', '2MB';

SET work_mem;

SET log_statement = 'all';

SET server_version = '99';

SET is_superuser = on;

RESET no_such_setting;

SET my = 1;

SET "a b".c = 1;

BEGIN;
SET work_mem = '3MB';
SELECT 1 / 0;
ROLLBACK;

SHOW work_mem;
SET search_path TO home_mine;
DISCARD PLANS;
DISCARD ALL;

SHOW search_path;
