SELECT '<a b="1">t &amp; u<c/></a>'::xml, XMLPARSE(CONTENT 'x <y/>'), XMLPARSE(DOCUMENT '<?xml version="1.0"?><d/>'), XMLSERIALIZE(CONTENT '<a/>'::xml AS text), '<a/>'::xml IS DOCUMENT, 'x'::xml IS NOT DOCUMENT;
SELECT XMLELEMENT(NAME item, XMLATTRIBUTES(1 AS id, 'a<b' AS note), 'text', XMLELEMENT(NAME "sub item")), XMLFOREST(1 AS one, NULL AS two, 'x' AS three), XMLCOMMENT('c'), XMLPI(NAME php, 'x'), XMLCONCAT('<a/>', NULL, '<b/>'), XMLROOT('<a/>'::xml, VERSION '1.0', STANDALONE YES);
SELECT XMLAGG(XMLELEMENT(NAME n, x) ORDER BY x DESC) FROM generate_series(1, 3) AS x;
SELECT xpath('/a/b/text()', '<a><b>1</b><b>2</b></a>'), xpath_exists('/a/c', '<a/>'), xml_is_well_formed('<a'), xpath('//n:b/@k', '<a xmlns="urn:x"><b k="v"/></a>', '{{n,urn:x}}');
SELECT * FROM XMLTABLE('/r/i' PASSING ('<r><i id="1"><n>a</n></i><i id="2"/></r>'::xml) COLUMNS at FOR ORDINALITY, id int PATH '@id', n text PATH 'n' DEFAULT 'none');

SELECT '<a><b></a>'::xml;

SELECT xpath('//[', '<a/>');

SELECT XMLCOMMENT('a--b');

SET xmloption = document;

SELECT 'no document'::xml;

SHOW xmloption;
RESET xmloption;
SELECT 'content'::xml;
SET xmlbinary = hex;
SELECT XMLELEMENT(NAME bin, '\x00ff'::bytea);
RESET xmlbinary;
SELECT XMLELEMENT(NAME bin, '\x00ff'::bytea);

CREATE TABLE papers (id int, content xml);
INSERT INTO papers VALUES (1, '<p>one</p>'), (2, NULL) RETURNING content;
SELECT table_to_xml('papers', true, false, ''), query_to_xml('SELECT 1 AS a', false, true, 'urn:q');

SELECT content FROM papers ORDER BY content;
