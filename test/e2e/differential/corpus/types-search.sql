SELECT 'a fat cat sat'::tsvector, 'a:1A b:2B,3C c'::tsvector, $$'it''s' 'two words'$$::tsvector, ''::tsvector;
SELECT 'fat & (rat | cat) & !dog'::tsquery, 'fat <-> cat'::tsquery, 'super:*A'::tsquery, 'a <3> b'::tsquery, ''::tsquery;
SELECT to_tsvector('simple', 'The Fat Cats'), to_tsvector('english', 'The Fat Cats ran'), to_tsquery('english', 'cats & running'), plainto_tsquery('english', 'fat cats'), phraseto_tsquery('english', 'fat cats'), websearch_to_tsquery('english', '"fat cats" -dogs or mice');
SELECT to_tsvector('english', 'fat cats') @@ to_tsquery('english', 'cat'), 'a b'::tsvector || 'c:1'::tsvector, setweight('a:1 b:2'::tsvector, 'B', '{a}'), strip('a:1'::tsvector), length('a b'::tsvector), ts_delete('a b'::tsvector, 'a'), ts_filter('a:1A b:2B'::tsvector, '{a}'), numnode('a & b'::tsquery), querytree('a & !b'), 'a'::tsquery && 'b', 'a'::tsquery || 'b', !! 'a'::tsquery, 'a'::tsquery <-> 'b', ts_rewrite('a & b', 'a', 'c');
SELECT ts_rank('a:1 b:2', 'a & b'), ts_rank_cd('a:1 b:2', 'a & b'), ts_headline('english', 'The fat cats ran', 'cat'::tsquery), get_current_ts_config();
SELECT * FROM ts_debug('english', 'a-b@c.de 12.5 http://x.org/p');
SELECT * FROM ts_parse('default', 'foo 12');
SELECT lexeme, positions FROM unnest('a:1,2 b'::tsvector);

SELECT 'a &'::tsquery;

SELECT $$'open$$::tsvector;

SELECT to_tsquery('simple', 'two words');

CREATE TABLE texts (body text, search tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED);
CREATE INDEX ON texts USING gin (search);
INSERT INTO texts (body) VALUES ('Cats and dogs'), ('A dog'), (NULL) RETURNING search;
SELECT body FROM texts WHERE search @@ 'dog' ORDER BY body;
SELECT * FROM ts_stat('SELECT search FROM texts') ORDER BY word;

INSERT INTO texts (search) VALUES ('a');

SET default_text_search_config = 'pg_catalog.simple';
SELECT to_tsvector('The Cats');
RESET default_text_search_config;

SET default_text_search_config = 'klingon';
