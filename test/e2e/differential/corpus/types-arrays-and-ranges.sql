SELECT '{1,2,NULL,4}'::int[], ARRAY[[1, 2], [3, 4]], '[0:1]={a,b}'::text[], '{}'::int[], '{"a,b","c\"d","NULL",NULL,"",\\}'::text[], ARRAY[]::text[], '{{{1}}}'::int[][][], ARRAY['2020-01-01'::date], '{t,f}'::bool[], '{1.5,NaN}'::numeric[], ARRAY[B'1'], ARRAY['$1.00'::money], ARRAY['(1,2)'::point], '{(2,2),(1,1);(1,1),(0,0)}'::box[];
SELECT (ARRAY[1, 2, 3])[2], (ARRAY[1, 2, 3])[2:], ('{{1,2},{3,4}}'::int[])[2][1:1], (ARRAY[1])[9], array_length('{{1,2}}'::int[], 2), array_dims('[2:3]={1,2}'::int[]), cardinality('{{1,2},{3,4}}'::int[]), array_ndims('{1}'::int[]), array_lower('[-1:0]={1,2}'::int[], 1);
SELECT array_append(ARRAY[1], 2), array_prepend(0, ARRAY[1]), ARRAY[1] || ARRAY[2, 3], array_cat('{1}', '{2}'::int[]), array_remove('{1,2,1}'::int[], 1), array_replace('{1,2}'::int[], 2, 9), array_position('{a,b}'::text[], 'b'), array_positions('{1,2,1}'::int[], 1), array_to_string('{1,NULL,3}'::int[], ',', '*'), string_to_array('a,b,', ','), array_fill(7, '{2,2}'), trim_array('{1,2,3}'::int[], 1);
SELECT 1 = ANY ('{1,2}'::int[]), 3 > ALL ('{1,2}'::int[]), '{1,2}'::int[] @> '{2}', '{1,2}'::int[] && '{3}', '{1}'::int[] < '{2}', array_agg(x ORDER BY x DESC), array_agg(ARRAY[x, x]) FROM generate_series(1, 3) AS x;
SELECT * FROM unnest('{1,2}'::int[], '{a,b,c}'::text[]) WITH ORDINALITY AS t (n, s, at);
SELECT generate_subscripts('{{1,2},{3,4}}'::int[], 1);

SELECT '{1,2'::int[];

SELECT '{{1},{2,3}}'::int[];

SELECT ARRAY[1, 'x'];

SELECT array_fill(1, NULL);

SELECT '[1,5)'::int4range, '(1,5]'::int8range, '[1.5,)'::numrange, '[2020-01-01,2020-02-01]'::daterange, '["2020-01-01 00:00","2020-01-02 12:00")'::tsrange, '[2020-01-01 00:00+02,infinity)'::tstzrange, 'empty'::int4range, '(,)'::int4range, '[3,3)'::int4range, '{"[1,3)","[5,7)"}'::int4range[];
SELECT int4range(1, 5) @> 3, int4range(1, 5) && int4range(4, 9), int4range(1, 5) + int4range(5, 9), int4range(1, 9) * int4range(5, 12), int4range(1, 9) - int4range(5, 12), int4range(1, 2) << int4range(5, 6), int4range(1, 5) -|- int4range(5, 6), lower(int4range(1, 5)), upper_inf('[1,)'::int4range), isempty('empty'::numrange), range_merge('[1,2)'::int4range, '[5,6)'), numrange(1, 2, '()');
SELECT '{[1,3),[5,7)}'::int4multirange, '{}'::nummultirange, '{[2020-01-01,2020-02-01)}'::datemultirange, int4multirange(int4range(1, 3), int4range(2, 5)), '{[1,3),[5,7)}'::int4multirange @> 6, '{[1,9)}'::int4multirange - '{[2,3)}'::int4multirange, '{(,1),[5,)}'::int8multirange, '{[2020-01-01,2020-01-02)}'::tsmultirange, range_agg(int4range(x, x + 1)) FROM generate_series(1, 5, 2) AS x;
SELECT unnest('{[1,3),[5,7)}'::int4multirange);

SELECT '[5,1)'::int4range;

SELECT int4range(1, 9) - int4range(3, 5);

SELECT '[1,2'::int4range;

SELECT '{[1,2),}'::int4multirange;

CREATE TYPE heights AS RANGE (subtype = float8, subtype_diff = float8mi);
SELECT '[1.5,2.5)'::heights, heights(1, NULL), '{[1,2)}'::heights_multirange, ARRAY['[1,2)'::heights], pg_typeof('{}'::heights_multirange);
CREATE TABLE bookings (room int4range, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO bookings VALUES ('[1,1]', '[2020-01-01,2020-01-03)'), ('[1,1]', '[2020-01-03,2020-01-04)') RETURNING *;

INSERT INTO bookings VALUES ('[1,1]', '[2020-01-02,2020-01-05)');

CREATE TABLE grids (cells int[3][3], tags text[] DEFAULT '{}');
INSERT INTO grids (cells) VALUES ('{{1,2},{3,4}}') RETURNING *;
UPDATE grids SET cells[1][2] = 9, tags[3] = 'third' RETURNING *;

UPDATE grids SET cells[5][5] = 1;
