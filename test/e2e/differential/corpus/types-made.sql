CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nested AS (p pair, list pair[], m mood);
CREATE DOMAIN positive AS int CHECK (VALUE > 0) NOT NULL;
CREATE DOMAIN code AS varchar(4) DEFAULT 'NONE' CONSTRAINT upper_case CHECK (VALUE = upper(VALUE));
CREATE DOMAIN pairs AS pair[] CHECK (array_length(VALUE, 1) < 3);
SELECT 'ok'::mood, '{sad,happy}'::mood[], enum_range(NULL::mood), enum_first(NULL::mood), 'sad'::mood < 'happy', '{ok}'::mood[] @> '{ok}';
SELECT ROW(1, 'a')::pair, '(2,"b c")'::pair, '(,)'::pair, ROW(ROW(1, 'x'), ARRAY[ROW(2, 'y')::pair], 'sad')::nested, ARRAY[ROW(1, NULL)::pair, NULL], (ROW(1, 'a')::pair).b, (ROW(ROW(5, 'x'), NULL, NULL)::nested).p.a;
SELECT 3::positive, 'AB'::code, '{"(1,a)"}'::pairs, NULL::code;
SELECT ROW(1, 2.5, 'three', NULL), ROW(), (1, 2) = (1, 2), ROW(1, NULL) IS NULL, ROW(NULL, NULL) IS NULL, (1, 2) < (1, 3), ARRAY[ROW(1, 'a'), ROW(2, 'b')];

SELECT 'angry'::mood;

SELECT (-1)::positive;

SELECT NULL::positive;

SELECT 'abc'::code;

SELECT 'TOO LONG'::code;

SELECT '(1,2,3)'::pair;

SELECT '(x,y)'::pair;

SELECT (ROW(1, 'a')::pair).c;

CREATE TABLE made (id positive, m mood DEFAULT 'ok', p pair, c code, list pairs);
INSERT INTO made VALUES (1, 'sad', '(1,a)', 'X', ARRAY[ROW(1, 'z')::pair]), (2, DEFAULT, NULL, DEFAULT, NULL) RETURNING *;
SELECT made, (p).a, made.*::text FROM made ORDER BY m;
UPDATE made SET p.b = 'changed', list[2] = ROW(9, 'nine') WHERE id = 1 RETURNING p, list;

INSERT INTO made (id) VALUES (NULL);

INSERT INTO made (id, c) VALUES (1, 'low');

ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok';

ALTER TYPE mood ADD VALUE 'furious' BEFORE 'sad';

ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';
SELECT m, enum_range(NULL::mood) FROM made ORDER BY id;

ALTER TYPE pair ADD ATTRIBUTE c date, ALTER ATTRIBUTE b TYPE varchar CASCADE;

ALTER TYPE nested RENAME ATTRIBUTE m TO state;
ALTER TYPE nested OWNER TO CURRENT_USER;
ALTER TYPE nested RENAME TO nest;
ALTER DOMAIN code DROP CONSTRAINT upper_case;
ALTER DOMAIN code SET DEFAULT 'so';
ALTER DOMAIN code ADD CONSTRAINT short CHECK (length(VALUE) < 3) NOT VALID;
ALTER DOMAIN positive DROP NOT NULL;
INSERT INTO made (id) VALUES (NULL) RETURNING c;

ALTER DOMAIN code VALIDATE CONSTRAINT short;

COMMENT ON TYPE mood IS 'how one feels';
SELECT obj_description('mood'::regtype, 'pg_type');
DROP DOMAIN IF EXISTS pairs CASCADE;

DROP TYPE pair;

DROP TYPE mood, pair CASCADE;
SELECT * FROM made;

CREATE TYPE shell;

SELECT NULL::shell;

DROP TYPE shell;

DROP TYPE IF EXISTS shell, nest;
