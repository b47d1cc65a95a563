SELECT '2020-02-29'::date, '0044-03-15 BC'::date, 'infinity'::date, '-infinity'::date, 'epoch'::date, '5874897-12-31'::date, date '2020-03-01' - date '2020-02-01';
SELECT '12:34:56.789'::time, '24:00'::time, '04:05 PM'::time, '12:34:56.7894'::time(2), '12:34:56+02'::timetz, '04:05:06-08:30'::timetz(0);
SELECT '2020-02-29 12:34:56.789012'::timestamp, '2020-02-29 12:34:56.7'::timestamp(0), 'infinity'::timestamp, '4713-01-01 BC'::timestamp, '294276-12-31 23:59:59.999999'::timestamp;
SELECT '2020-02-29 12:34:56+05:30'::timestamptz, '2020-07-01 Europe/Berlin'::timestamptz, '-infinity'::timestamptz, 'epoch'::timestamptz, '2020-01-01 PST'::timestamptz;

SELECT '2021-02-29'::date;

SELECT '25:00'::time;

SELECT 'someday'::timestamptz;

SELECT '2020-01-01 Mars/Base'::timestamptz;

SELECT '300000-01-01'::timestamp;

SET DateStyle = 'ISO, DMY';
SELECT '01/02/2020'::date, '2020-02-01 10:00'::timestamp, '2020-02-01 10:00+00'::timestamptz, '10:00+01'::timetz, '{2020-01-02}'::date[];
SET DateStyle = 'SQL, DMY';
SELECT '01/02/2020'::date, '2020-02-01 10:00'::timestamp, '2020-02-01 10:00+00'::timestamptz, '10:00+01'::timetz, '{2020-01-02}'::date[];
SET DateStyle = 'SQL, MDY';
SELECT '01/02/2020'::date, '2020-02-01 10:00'::timestamp, '2020-02-01 10:00+00'::timestamptz;
SET DateStyle = 'Postgres, DMY';
SELECT '01/02/2020'::date, '2020-02-01 10:00'::timestamp, '2020-02-01 10:00+00'::timestamptz, '0044-03-15 BC'::date;
SET DateStyle = 'Postgres, MDY';
SELECT '01/02/2020'::date, '2020-02-01 10:00'::timestamp, '2020-02-01 10:00+00'::timestamptz;
SET DateStyle = 'German';
SELECT '01.02.2020'::date, '2020-02-01 10:00'::timestamp, '2020-02-01 10:00+00'::timestamptz;
SET DateStyle = 'YMD';
SHOW DateStyle;
SET DateStyle TO DEFAULT;
SHOW DateStyle;

SET DateStyle = 'Martian';

SET TIME ZONE 'Europe/Berlin';
SELECT '2020-07-01 12:00+00'::timestamptz, '2020-01-01 12:00'::timestamptz, '2020-03-29 02:30'::timestamptz, '2020-10-25 02:30'::timestamptz;
SET TIME ZONE INTERVAL '-05:30' HOUR TO MINUTE;
SELECT '2020-07-01 12:00+00'::timestamptz, current_setting('TimeZone');
SET TimeZone = 'America/New_York';
SELECT '2020-07-01 12:00+00'::timestamptz AT TIME ZONE 'UTC', timestamp '2020-07-01 12:00' AT TIME ZONE 'Asia/Tokyo', timezone('UTC', '2020-07-01'::timestamptz);
SET TIME ZONE LOCAL;
SHOW TIME ZONE;

SET TIME ZONE 'Nowhere/Atall';

SELECT '1 year 2 mons 3 days 04:05:06.789'::interval, '-1 day +02:03'::interval, 'P1Y2M3DT4H5M6S'::interval, '1-2'::interval, '1.5 months'::interval, '3 weeks ago'::interval, INTERVAL '1' YEAR, INTERVAL '1 02:03' DAY TO MINUTE, '1.23456 s'::interval(2);
SET IntervalStyle = 'postgres_verbose';
SELECT '1 year 2 mons 3 days 04:05:06.789'::interval, '-1 day +02:03'::interval, '0'::interval, ARRAY['1 day'::interval];
SET IntervalStyle = 'sql_standard';
SELECT '1 year 2 mons 3 days 04:05:06.789'::interval, '-1 day +02:03'::interval, '1 year'::interval, '-4 days'::interval;
SET IntervalStyle = 'iso_8601';
SELECT '1 year 2 mons 3 days 04:05:06.789'::interval, '-1 day +02:03'::interval, '0'::interval;
RESET IntervalStyle;
SELECT '1 year 2 mons 3 days 04:05:06.789'::interval;

SELECT 'long ago'::interval;

-- since 17
SELECT 'infinity'::interval, '-infinity'::interval, 'infinity'::interval - '1 day';

SELECT age('2020-03-01', '1999-12-31'::timestamp), date_trunc('week', '2020-02-29 12:34'::timestamp), date_part('dow', date '2020-02-29'), extract(epoch FROM '2020-02-29 00:00+00'::timestamptz), extract(week FROM date '2021-01-03');
SELECT date_bin('15 minutes', '2020-02-29 12:34'::timestamp, '2020-01-01'), make_date(2020, 2, 29), make_interval(days => 3, secs => 1.5), make_timestamptz(2020, 2, 29, 1, 2, 3.5, 'UTC'), justify_interval('35 days 25 hours'), to_timestamp(0);
SELECT to_char('2020-02-29 15:04:05.678'::timestamp, 'YYYY-MM-DD HH24:MI:SS.MS Day Mon Q IW TMMonth'), to_char('26:15:00'::interval, 'HH24:MI'), to_date('29 Feb 2020', 'DD Mon YYYY'), to_timestamp('2020-02-29 3 PM', 'YYYY-MM-DD HH AM');
SELECT ('2020-01-01'::date, '2020-02-01'::date) OVERLAPS ('2020-01-15'::date, '10 days'::interval), date '2020-01-31' + interval '1 month', timestamp '2020-03-01' - timestamp '2020-02-01', isfinite(date 'infinity');
SELECT generate_series('2020-01-01'::timestamp, '2020-01-02', '12 hours');

SELECT to_date('2020-13-01', 'YYYY-MM-DD');

SELECT extract(century FROM '1 day'::interval), extract(fortnight FROM now());

BEGIN;
SELECT now() = transaction_timestamp(), now() <= clock_timestamp(), current_date = now()::date, localtimestamp = now()::timestamp, now() = current_timestamp;
COMMIT;
