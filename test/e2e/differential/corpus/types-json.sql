SELECT '{"a": [1, null, "x"],  "a": {}}'::json, '{"b": 1, "a": {"c": [true, 1.50, "é"]}}'::jsonb, 'null'::jsonb, '"\u00fc"'::jsonb, '[]'::json, '1e2'::jsonb, NULL::jsonb;
SELECT '{"a": {"b": [10, 20]}}'::jsonb -> 'a', '{"a": {"b": [10, 20]}}'::jsonb #> '{a,b,1}', '{"a": "t"}'::json ->> 'a', '[1,2,3]'::jsonb -> -1, '{"a": 1}'::jsonb ? 'a', '{"a":1,"b":2}'::jsonb @> '{"a":1}', '[1,2]'::jsonb || '3', '{"a":1}'::jsonb - 'a', '[1,2,3]'::jsonb #- '{0}';
SELECT ('{"a": {"b": 1}}'::jsonb)['a']['b'];
SELECT to_jsonb(ROW(1, 'a', NULL)), row_to_json(ROW(1, 'two')), array_to_json('{{1,2},{3,4}}'::int[]), json_build_object('a', 1, 'b', ARRAY[1, 2]), jsonb_build_array(1, 'x', NULL, true), json_object('{a,1,b,2}');
SELECT jsonb_set('{"a":1}', '{b}', '2'), jsonb_insert('[1,2]', '{0}', '0'), jsonb_strip_nulls('{"a":null,"b":1}'), jsonb_pretty('{"a":[1,2]}'), jsonb_typeof('1'), json_array_length('[1,2]'), jsonb_set_lax('{"a":1}', '{a}', NULL, true, 'delete_key');

SELECT '{"a":'::json;

SELECT '{"a": "\ud800"}'::jsonb;

SELECT '[1, 2'::jsonb;

SELECT '"\u0000"'::jsonb;

SELECT key, value FROM jsonb_each('{"a": 1, "b": [2]}') ORDER BY key;
SELECT * FROM json_array_elements_text('["a", null, 1]') WITH ORDINALITY;
SELECT * FROM jsonb_to_recordset('[{"a":1,"b":"x"},{"a":2}]') AS r (a int, b text);
SELECT * FROM json_populate_record(NULL::pg_catalog.pg_attrdef, '{"adnum": 1}') AS r;
SELECT json_agg(x), jsonb_object_agg(x, x * 2) FROM generate_series(1, 3) AS x;

SELECT jsonb_object_agg(NULL, 1);

SELECT '$.a[*] ? (@.b > 1)'::jsonpath, 'strict $."key" like_regex "^a" flag "i"'::jsonpath, '$[last - 1 to last].**{2 to 3}'::jsonpath, '$.a.type()'::jsonpath;
SELECT jsonb_path_query('[{"b": 1}, {"b": 2}, {"b": 3}]', '$[*].b ? (@ > $min)', '{"min": 1}');
SELECT jsonb_path_query_array('{"a": [1, "2", null]}', '$.a[*].type()'), jsonb_path_exists('{"a": 1}', '$.b'), jsonb_path_match('{"a": 1}', '$.a == 1'), '{"a": [1, 2]}'::jsonb @? '$.a[*] ? (@ > 1)', '{"a": 1}'::jsonb @@ '$.a > 0', jsonb_path_query_first('["2020-02-29"]', '$[0].datetime()');

SELECT jsonb_path_query('{"a": 1}', 'strict $.b');

SELECT '$.a['::jsonpath;

CREATE TABLE documents (body jsonb, note json);
CREATE INDEX ON documents USING gin (body jsonb_path_ops);
INSERT INTO documents VALUES ('{"name": "a", "tags": ["x", "y"]}', '{"z" :1}'), ('[]', NULL), (NULL, '"t"') RETURNING *;
UPDATE documents SET body['size'] = '3' WHERE body ->> 'name' = 'a' RETURNING body;
SELECT body ->> 'name' AS name FROM documents WHERE body @> '{"tags": ["y"]}';

UPDATE documents SET body['size']['deep'] = '3' WHERE body ->> 'name' = 'a';

-- since 16
SELECT JSON_OBJECT('a': 1, 'b' VALUE NULL ABSENT ON NULL), JSON_ARRAY(1, 'x', NULL NULL ON NULL), JSON_ARRAYAGG(x ORDER BY x DESC), JSON_OBJECTAGG('k' || x: x) FROM generate_series(1, 3) AS x;
-- since 16
SELECT '{}' IS JSON, '[1]' IS JSON ARRAY, '{"a":1,"a":2}' IS JSON OBJECT WITH UNIQUE KEYS, 'x' IS NOT JSON, '1' IS JSON SCALAR;

-- since 17
SELECT JSON_VALUE('{"a": "7"}', '$.a' RETURNING int), JSON_QUERY('{"a": [1]}', '$.a'), JSON_EXISTS('{"a": 1}', '$.b'), JSON_SCALAR('x'), JSON_SERIALIZE('{"a":1}' RETURNING bytea), JSON('[1]');
-- since 17
SELECT JSON_VALUE('{"a": "x"}', '$.a' RETURNING int DEFAULT -1 ON ERROR), JSON_VALUE('{}', '$.a' DEFAULT 'none' ON EMPTY), JSON_QUERY('[1,2]', '$[*]' WITH WRAPPER), JSON_QUERY('["q"]', '$[0]' OMIT QUOTES);

-- since 17
SELECT JSON_VALUE('{"a": "x"}', '$.a' RETURNING int ERROR ON ERROR);

-- since 17
SELECT * FROM JSON_TABLE('[{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": []}]', '$[*]' AS item
  COLUMNS (line FOR ORDINALITY, id int PATH '$.id', has bool EXISTS PATH '$.none',
    raw jsonb FORMAT JSON PATH '$.tags', other text PATH '$.other' DEFAULT 'd' ON EMPTY,
    NESTED PATH '$.tags[*]' AS each_tag COLUMNS (tag text PATH '$'))) AS t;

-- since 17
SELECT * FROM JSON_TABLE('[{"id": "x"}]', '$[*]' COLUMNS (id int PATH '$.id' ERROR ON ERROR)) AS t;
