-- user: chief
CREATE TEXT SEARCH PARSER own_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE own_template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY own_words (TEMPLATE = own_template, ACCEPT = false);
CREATE TEXT SEARCH DICTIONARY own_stems (TEMPLATE = snowball, LANGUAGE = english, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION own (PARSER = own_parser);
CREATE TEXT SEARCH CONFIGURATION copied (COPY = english);
ALTER TEXT SEARCH CONFIGURATION own ADD MAPPING FOR asciiword, word WITH own_words, own_stems;
ALTER TEXT SEARCH CONFIGURATION own ALTER MAPPING FOR word REPLACE own_stems WITH simple;
ALTER TEXT SEARCH CONFIGURATION own ALTER MAPPING FOR asciiword WITH own_stems;
SELECT to_tsvector('own', 'The fat cats ran'), ts_lexize('own_stems', 'running'), ts_lexize('own_words', 'Word');
ALTER TEXT SEARCH CONFIGURATION own DROP MAPPING IF EXISTS FOR email, word;
ALTER TEXT SEARCH DICTIONARY own_words (ACCEPT = true);
SELECT ts_lexize('own_words', 'Word');
SELECT alias, dictionaries FROM ts_debug('own', 'cats 12');
ALTER TEXT SEARCH PARSER own_parser RENAME TO parser;
ALTER TEXT SEARCH TEMPLATE own_template RENAME TO template;
ALTER TEXT SEARCH DICTIONARY own_words OWNER TO CURRENT_USER;
ALTER TEXT SEARCH CONFIGURATION copied RENAME TO copy;
COMMENT ON TEXT SEARCH CONFIGURATION own IS 'our own';
COMMENT ON TEXT SEARCH DICTIONARY own_words IS 'words';
COMMENT ON TEXT SEARCH PARSER parser IS 'reads';
COMMENT ON TEXT SEARCH TEMPLATE template IS 'simple';
SET default_text_search_config = 'home_mine.own';
SELECT to_tsvector('The fat cats ran'), get_current_ts_config();
SHOW default_text_search_config;
RESET default_text_search_config;
DROP TEXT SEARCH CONFIGURATION copy;
DROP TEXT SEARCH CONFIGURATION IF EXISTS copy;

DROP TEXT SEARCH TEMPLATE template;

DROP TEXT SEARCH CONFIGURATION own;
DROP TEXT SEARCH DICTIONARY own_stems;
DROP TEXT SEARCH DICTIONARY own_words;
DROP TEXT SEARCH TEMPLATE template;
DROP TEXT SEARCH PARSER parser;

DROP TEXT SEARCH PARSER parser;

ALTER TEXT SEARCH DICTIONARY simple (martian = 1);

CREATE TEXT SEARCH CONFIGURATION wrong (PARSER = nothing);
