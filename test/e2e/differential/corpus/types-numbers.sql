SELECT 1::smallint, 2::int, 3::bigint, (-32768)::int2, 2147483647, 9223372036854775807, '-0'::int;
SELECT 0x1F, 0b101, 0o17, 1_000_000;

SELECT '32768'::smallint;

SELECT 2147483647 + 1;

SELECT 1.5, .5, 5., 1e10, 12345.6789::numeric(20, 6), 1e-20::numeric, -0.000, 123456789012345678901234567890.123456789;
SELECT 'NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric, 'Infinity'::numeric - 'Infinity', 'NaN'::numeric = 'NaN';

SELECT 999.995::numeric(5, 2);

-- since 15
SELECT 1234.5::numeric(3, -2), 0.00012345::numeric(2, 5);

SELECT '1.5'::real, '1e-45'::real, '3.4028235e38'::real, '-0'::real, 'NaN'::real, 'Infinity'::real, '-Infinity'::real;
SELECT 0.1::float8 + 0.2, 1e308::float8, 5e-324::float8, 'NaN'::float8, 'inf'::float8, '-0'::float8, pi(), 1::float8 / 3;

SELECT '1e400'::float8;

SELECT 'abc'::float8;

BEGIN;
SET LOCAL extra_float_digits = 0;
SELECT 0.1::float4 + 0.2::float4, 0.1::float8 + 0.2, 1::float8 / 3, 1::float4 / 3;
SET LOCAL extra_float_digits = -15;
SELECT 0.1::float8 + 0.2, 1::float8 / 3, 1::float4 / 3;
SET LOCAL extra_float_digits = 3;
SELECT 0.1::float8 + 0.2, 1::float8 / 3, 1::float4 / 3;
COMMIT;

SET extra_float_digits = -10;
SELECT 0.1::float8 + 0.2, pi(), '{0.1,0.3}'::float8[], '(0.1,0.2)'::point;
RESET extra_float_digits;
SELECT pi();

SELECT '$1,234.56'::money, '-$0.01'::money, '12'::money * 3, '$10'::money / '$4'::money, '$92233720368547758.07'::money;

SELECT 'a lot'::money;

SELECT 7 / 2, -7 / 2, 7 % -3, 7.0 / 2, div(7, 2), round(2.5), round(2.5::float8), round(-2.567, 2), trunc(2.567, 1);
SELECT 2 ^ 10, |/ 2, ||/ 27, @ -5, 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 256 >> 4, gcd(12, 18), lcm(4, 6), factorial(20);
SELECT sqrt(2), exp(1.0), ln(10), log(100), log(2, 64), sin(1), atan2(1, 2), degrees(pi()), width_bucket(5, 0, 10, 5);

SELECT 1 / 0;

SELECT 1.0 / 0;

SELECT 1::float8 / 0;

SELECT sqrt(-1);

SELECT to_char(1234.5, '9,999.99'), to_char(-12, 'S999'), to_char(12, 'RN'), to_number('1,234.5', '9,999.9'), to_hex(255);
SELECT true, false, 't'::bool, 'off'::bool, NULL::bool, NOT true, true AND NULL, 1::bool;

SELECT 'perhaps'::bool;

SELECT 1::oid, 4294967295::oid, 'pg_class'::regclass, 'int4'::regtype, 'now'::regproc, 'abs(int)'::regprocedure, '+(int,int)'::regoperator;
SELECT 'simple'::regconfig, 'simple'::regdictionary, 'pg_catalog'::regnamespace, '0/16B3748'::pg_lsn, '10:20:10,14,15'::pg_snapshot;
SELECT '(1,2)'::tid, '12'::xid, '12'::xid8, '13'::cid, '10:20:10'::txid_snapshot, '1 2'::oidvector, '1 2 3'::int2vector;

SELECT 'no_such_class'::regclass;
