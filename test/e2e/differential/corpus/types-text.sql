SELECT 'text', 'it''s', E'a\tb\\c\'d', U&'\00fc \+01F600', U&'d!0061t' UESCAPE '!', $$dollars$$, $q$a $$ b$q$, 'two '
  'lines';
SELECT 'ä ü ß €'::text, '日本語', '😀', E'\u00e9\U0001F600', length('😀é'), octet_length('😀é'), char_length('日本');
SELECT 'padded'::char(10), 'abc'::char, 'cut off'::varchar(3), 'x'::"char", ''::"char", 'a name'::name, repeat('n', 70)::name, 'c'::bpchar;
SELECT ''::text, NULL::text, ' '::char(3) = '', 'a'::char(5) || 'b', quote_literal('o''k'), quote_ident('Two words'), quote_nullable(NULL);

CREATE TABLE words (fixed char(4), short varchar(3), long text COLLATE "C");
INSERT INTO words VALUES ('ab', 'abc', 'long'), ('abcd  ', 'abc   ', NULL), (NULL, NULL, '') RETURNING *;
SELECT fixed || '.', short || '.', length(fixed) FROM words;

INSERT INTO words (short) VALUES ('too long');

INSERT INTO words (fixed) VALUES ('too long');

SELECT upper('abc'), lower('ABC'), initcap('two words'), reverse('abc'), left('abcdef', 2), right('abcdef', -4), lpad('x', 3, '-');
SELECT substring('abcdef' FROM 2 FOR 3), substring('abc' FROM 'b.'), overlay('abcd' PLACING 'XX' FROM 2), position('c' IN 'abc'), trim(BOTH 'x' FROM 'xax');
SELECT format('%s %I %L %%', 'a', 'B c', NULL), concat_ws(',', 1, NULL, 'b'), split_part('a,b,c', ',', 2), translate('abc', 'ab', 'xy'), ascii('a'), chr(8364);
SELECT regexp_replace('a1b22', '\d+', '#', 'g'), regexp_matches('foobar', '(o+)(b)'), regexp_split_to_array('a b  c', '\s+'), 'abc' ~ '^a', 'ABC' ~* 'b', 'abc' LIKE 'a%', 'a%' LIKE 'a\%', 'abc' SIMILAR TO '(a|b)%';
SELECT string_agg(x, ',' ORDER BY x DESC) FROM unnest(ARRAY['a', 'b', NULL, 'c']) AS x;
SELECT regexp_split_to_table('one two', ' ');

SELECT 'a' ~ '(';

-- since 15
SELECT regexp_count('abcabc', 'b'), regexp_like('abc', 'B', 'i'), regexp_substr('abc', '.c');

SELECT '\xdeadbeef'::bytea, ''::bytea, 'abc\000\\'::bytea, decode('AAEC', 'base64'), encode('\x0001ff', 'escape'), encode('\x00ff', 'hex'), md5('a'), sha256('a');
SELECT get_byte('\x0102', 1), set_byte('\x0000', 1, 7), get_bit('\x80'::bytea, 7), length('\x010203'::bytea), '\x01'::bytea || '\x02', substring('\x010203'::bytea FROM 2);
SET bytea_output = 'escape';
SELECT '\xdeadbeef00'::bytea, '\x5c'::bytea, ARRAY['\x00ff'::bytea], 'text'::bytea;
RESET bytea_output;
SELECT '\xdeadbeef00'::bytea, ARRAY['\x00ff'::bytea];

SELECT '\xabc'::bytea;

SELECT convert_to('é', 'LATIN1'), convert_from('\xe9', 'LATIN1'), convert('\xc3a9', 'UTF8', 'LATIN1');

SELECT convert_from('\xff', 'UTF8');

SELECT B'1011', X'1F', B'', '101'::bit(3), '10'::bit(4), '10101'::varbit(5), '101'::bit varying, B'1100' & B'1010', B'1100' | B'1010', B'1100' # B'1010', ~B'10', B'1' || B'0';
SELECT 5::bit(4), B'101'::int, length(B'10101'), B'1001' << 1, get_bit(B'101', 1), position(B'1' IN B'001'), substring(B'11010' FROM 2 FOR 3);

SELECT '101'::bit(3) & '10'::bit(2);

SELECT '102'::bit(3);

SET standard_conforming_strings = off;
SET escape_string_warning = on;
SELECT 'a\tb\\c', E'a\tb', '\'';
SET backslash_quote = off;
SELECT '\'';
RESET ALL;
SELECT 'a\tb';

SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'::uuid, gen_random_uuid() IS NOT NULL;

SELECT 'no-uuid'::uuid;

SELECT 'b' < 'a' COLLATE "C", 'B' < 'a' COLLATE "POSIX", 'a' COLLATE "nonsense";

SELECT E'\xff';

SELECT chr(0);

