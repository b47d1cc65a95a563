SELECT '192.168.0.1/24'::inet, '10.0.0.0/8'::cidr, '::1'::inet, '2001:db8::/32'::cidr, '08:00:2b:01:02:03'::macaddr, '08-00-2b-01-02-03'::macaddr8, '0.0.0.0/0'::inet, '::ffff:1.2.3.4'::inet;
SELECT host('192.168.0.1/24'), netmask('192.168.0.1/24'), network('192.168.0.1/24'), broadcast('192.168.0.1/24'), masklen('10.0.0.0/8'::cidr), family('::1'), abbrev('10.1.0.0/16'::cidr), set_masklen('10.0.0.1'::inet, 16), inet_merge('10.0.0.1', '10.0.1.1'), '10.0.0.1'::inet + 300, '10.0.0.9'::inet - '10.0.0.1', ~'10.0.0.1'::inet, '10.0.0.1'::inet << '10.0.0.0/8', '10.0.0.0/8'::inet && '10.1.0.0/16', macaddr8_set7bit('08:00:2b:01:02:03'), trunc('08:00:2b:01:02:03'::macaddr);

SELECT '256.0.0.1'::inet;

SELECT '10.0.0.1/8'::cidr;

SELECT '08:00:2b:01:02'::macaddr;

SELECT '(1,2)'::point, '{1,-1,0}'::line, '[(0,0),(1,1)]'::lseg, '(2,2),(0,0)'::box, '((0,0),(1,1),(2,0))'::path, '[(0,0),(1,1)]'::path, '((0,0),(1,1),(1,0))'::polygon, '<(0,0),2>'::circle, '(Infinity,NaN)'::point, '(1e300,-0)'::point;
SELECT area('<(0,0),2>'::circle), center('(2,2),(0,0)'::box), diameter('<(0,0),2>'::circle), height('(2,3),(0,0)'::box), isclosed('((0,0),(1,1))'::path), length('[(0,0),(3,4)]'::path), npoints('((0,0),(1,1),(1,0))'::polygon), popen('((0,0),(1,1))'), slope('(0,0)', '(1,2)'), bound_box('(1,1),(0,0)', '(3,3),(2,2)');
SELECT point '(1,1)' + point '(2,3)', point '(1,1)' <-> point '(4,5)', box '(2,2),(0,0)' && box '(1,1),(3,3)', box '(2,2),(0,0)' # box '(1,1),(3,3)', lseg '[(0,0),(2,2)]' # lseg '[(0,2),(2,0)]', circle '<(0,0),2>' @> point '(1,1)', ?| lseg '[(0,0),(0,1)]', polygon(4, '<(0,0),1>'::circle) IS NOT NULL, point '(1,2)' * point '(0,1)', @-@ path '[(0,0),(1,0)]', (point '(3,4)')[1];

SELECT '(1,'::point;

SELECT '{0,0,1}'::line;

CREATE TABLE places (spot point, area box, host inet, EXCLUDE USING gist (area WITH &&));
INSERT INTO places VALUES ('(0,0)', '(1,1),(0,0)', '10.0.0.1'), ('(5,5)', '(6,6),(5,5)', '::1') RETURNING *;
SELECT spot FROM places ORDER BY spot <-> '(4,4)';

INSERT INTO places VALUES ('(0,0)', '(2,2),(0.5,0.5)', NULL);
