import type { Exchange } from '../../support/differential.ts';
import { cstring, frontend, i16, i32, message } from '../../support/messages.ts';
import { bindBinary, call, run, runBinary, say, sayFor } from './messages.ts';

const { parse, bind, describe, execute, close, flush, sync, query, copyData, copyDone, copyFail } =
  frontend;

const bad = [parse('', 'SELECT 1/0'), bind('', ''), execute()] as const;
const good = (n: number): readonly Uint8Array[] => [
  parse('', `SELECT ${n}`),
  bind('', ''),
  describe('P'),
  execute(),
];
/** Functions of the catalogue, whose numbers never change. */
const INT4_PLUS = 177;
const INT4_DIVIDE = 154;
const LO_CREATE = 715;
const LO_OPEN = 952;
const LO_CLOSE = 953;
const LO_READ = 954;
const LO_WRITE = 955;
const LO_UNLINK = 964;
const OBJECT = 424_242;
const READ_WRITE = 0x60000;

/** Scripts of messages. */
export const protocolScripts: Readonly<Record<string, readonly Exchange[]>> = {
  'three Syncs in one write (PG-01)': [
    say(...good(1), sync(), ...good(2), sync(), ...good(3), sync()),
    say(...good(4), sync(), query('SELECT 5'), ...good(6), sync(), query('SELECT 7')),
    say(sync(), sync(), sync()),
  ],
  'an error skips to Sync, a Query among it (PG-02, PG-06)': [
    sayFor(1, ...bad, query('SELECT 8'), sync()),
    sayFor(1, ...bad, query('SELECT 1/0'), query('BEGIN'), ...good(1), sync()),
    say(parse('', 'SELEC'), bind('', ''), describe('P'), execute(), sync(), ...good(2), sync()),
    say(...good(1), ...bad, ...good(2), sync(), ...good(3), sync()),
    sayFor(1, ...bad, call(INT4_PLUS, i32(1), i32(2)), sync()),
    say(query('SELECT 1/0'), query('SELECT 9')),
    say(parse('', 'SELECT 1'), bind('', '', ['too many']), execute(), sync()),
    say(parse('', 'SELECT $1::int'), bind('', '', ['x']), execute(), sync()),
    sayFor(1, ...bad, flush(), flush(), ...good(1), flush(), sync()),
  ],
  'statements and portals by name': [
    say(parse('s', 'SELECT $1::int + 1 AS n'), describe('S', 's'), sync()),
    say(bind('p', 's', ['41']), describe('P', 'p'), execute('p'), close('P', 'p'), sync()),
    say(parse('s', 'SELECT 2'), sync()),
    say(bind('', 's', ['1']), execute(), sync()),
    say(close('S', 's'), sync()),
    say(bind('', 's', ['1']), execute(), sync()),
    say(parse('s', 'SELECT 3'), bind('', 's'), execute(), sync()),
    say(parse('', 'SELECT 4', [23]), describe('S'), sync()),
    say(bind('', ''), execute(), sync()),
    say(parse('typed', 'SELECT $1, $2', [23, 1043]), describe('S', 'typed'), sync()),
  ],
  'unknown names (PG-86, PG-87)': [
    say(close('S', 'nobody'), close('P', 'nobody'), sync()),
    say(describe('S', 'nobody'), sync()),
    say(describe('P', 'nobody'), sync()),
    say(execute('nobody'), sync()),
    say(parse('x', 'SELECT 1'), close('P', 'x'), bind('', 'x'), execute(), sync()),
    say(parse('', ''), bind('', ''), describe('P'), execute(), sync()),
    say(close('S', ''), bind('', ''), execute(), sync()),
  ],
  'portals with row limits (PG-04)': [
    say(
      parse('', 'SELECT generate_series(1, 10)'),
      bind('', ''),
      ...[3, 3, 0].map((n) => execute('', n)),
      sync(),
    ),
    say(query('BEGIN')),
    say(parse('', 'SELECT generate_series(1, 10)'), bind('c', ''), execute('c', 4), sync()),
    say(execute('c', 4), sync()),
    say(query('SELECT 1')),
    say(execute('c', 4), sync()),
    say(execute('c', 4), close('P', 'c'), sync()),
    say(query('COMMIT')),
    say(parse('', 'SELECT generate_series(1, 10)'), bind('c', ''), execute('c', 4), sync()),
    say(execute('c', 4), sync()),
    say(
      parse('', 'CREATE TABLE IF NOT EXISTS x ()'),
      bind('', ''),
      execute('', 1),
      execute('', 1),
      sync(),
    ),
    say(query('DROP TABLE x')),
  ],
  'transactions by messages (PG-22)': [
    run('BEGIN'),
    run('SELECT 1'),
    run('SELECT 1/0'),
    run('SELECT 1'),
    run('ROLLBACK'),
    say(...good(1), parse('', 'BEGIN'), bind('', ''), execute(), ...good(2), sync()),
    say(parse('', 'COMMIT'), bind('', ''), execute(), sync()),
    say(parse('', 'VACUUM'), bind('', ''), execute(), sync()),
    say(...good(1), parse('', 'VACUUM'), bind('', ''), execute(), sync()),
  ],
  'several statements cannot be one Parse': [
    say(parse('', 'SELECT 1; SELECT 2'), sync()),
    run('SELECT 3;'),
  ],
  'parameters as text and in binary': [
    run('SELECT $1::int4, $2::text, $3::text', ['1', '', null]),
    runBinary('SELECT $1::int4 + 1', [i32(41)]),
    runBinary('SELECT $1::int8', [i32(41)]),
    runBinary('SELECT $1::text', [null]),
    say(
      parse('b', 'SELECT $1::bytea'),
      bindBinary('b', [new Uint8Array(70_000).fill(0xff)]),
      execute(),
      sync(),
    ),
    say(
      message(
        'B',
        cstring(''),
        cstring('b'),
        i16(3),
        i16(0),
        i16(1),
        i16(0),
        i16(1),
        i32(-1),
        i16(0),
      ),
      sync(),
    ),
  ],
  'function calls (PG-11)': [
    say(call(INT4_PLUS, i32(20), i32(22))),
    say(call(INT4_DIVIDE, i32(1), i32(0))),
    say(call(999_999)),
    say(call(INT4_PLUS, i32(1))),
    say(call(INT4_PLUS, i32(1), i32(2)), query('SELECT 1'), call(INT4_PLUS, i32(3), i32(4))),
    say(query('BEGIN'), call(LO_CREATE, i32(OBJECT)), call(LO_OPEN, i32(OBJECT), i32(READ_WRITE))),
    say(call(LO_WRITE, i32(0), new Uint8Array(100_000).fill(7)), call(LO_CLOSE, i32(0))),
    say(call(LO_OPEN, i32(OBJECT), i32(READ_WRITE)), call(LO_READ, i32(0), i32(100_000))),
    say(
      call(LO_UNLINK, i32(OBJECT)),
      query('SELECT 1/0'),
      call(INT4_PLUS, i32(1), i32(2)),
      query('ROLLBACK'),
    ),
  ],
  'COPY by the extended protocol (PG-09)': [
    'CREATE TABLE k (a int)',
    sayFor(
      1,
      parse('', 'COPY k FROM STDIN'),
      bind('', ''),
      execute(),
      copyData('1\n'),
      copyDone(),
      sync(),
    ),
    sayFor(
      1,
      parse('', 'COPY k FROM STDIN'),
      bind('', ''),
      execute(),
      sync(),
      copyData('2\n'),
      copyDone(),
      sync(),
    ),
    sayFor(
      1,
      parse('', 'COPY k FROM STDIN'),
      bind('', ''),
      execute(),
      flush(),
      copyData('3\n'),
      flush(),
      copyFail('no'),
      sync(),
    ),
    sayFor(
      1,
      parse('', 'COPY k FROM STDIN'),
      bind('', ''),
      execute(),
      copyData('x\n'),
      copyData('4\n'),
      copyDone(),
      sync(),
    ),
    sayFor(
      1,
      parse('', 'COPY k FROM STDIN'),
      bind('', ''),
      execute(),
      sync(),
      copyData('x\n'),
      copyDone(),
      sync(),
    ),
    sayFor(
      2,
      parse('', 'COPY k FROM STDIN'),
      bind('', ''),
      execute(),
      copyData('x\n'),
      sync(),
      copyDone(),
      sync(),
    ),
    sayFor(
      1,
      parse('', 'COPY k FROM STDIN'),
      bind('', ''),
      execute(),
      copyData('5\n'),
      copyDone(),
      ...good(1),
      sync(),
    ),
    'SELECT a FROM k ORDER BY a',
    sayFor(
      2,
      parse('', 'COPY k TO STDOUT'),
      bind('', ''),
      describe('P'),
      execute(),
      sync(),
      ...good(2),
      sync(),
    ),
    'DROP TABLE k',
  ],
  'a query during a copy ends it': [
    'CREATE TABLE k (a int)',
    sayFor(1, query('COPY k FROM STDIN'), copyData('1\n'), query('SELECT 1')),
  ],
  'many in flight': [
    say(...Array.from({ length: 500 }, (_, n) => [...good(n), sync()]).flat()),
    say(...Array.from({ length: 500 }, (_, n) => query(`SELECT ${n}`))),
  ],
  'the same statement again after the table changed, in a transaction (PG-83)': [
    'CREATE TABLE t (a int)',
    say(parse('all', 'SELECT * FROM t'), sync()),
    say(bind('', 'all'), execute(), sync()),
    'ALTER TABLE t ADD b int',
    say(query('BEGIN'), bind('', 'all'), execute(), sync(), query('ROLLBACK')),
    'DROP TABLE t',
  ],
};
