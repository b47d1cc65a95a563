import { concat, utf16 } from '../../../../src/base/bytes.ts';
import { byte, int16, int32, int64, shortText } from '../../../../src/wire/tds/build.ts';
import { packetType } from '../../../../src/wire/tds/packets.ts';
import { isWide } from '../../../../src/wire/tds/versions.ts';
import { batch, rpc, executeSql, resetting, say } from '../steps.ts';
import type { Command, Step } from '../steps.ts';
import { LEVEL_AFTER_RESET, literal } from '../scope.ts';
import type { Maker, Scope } from '../scope.ts';
import { look } from './settings.ts';
import { failure } from './transactions.ts';

function change(scope: Scope): string {
  const { chance } = scope;
  return scope.fill(
    chance.weighted<() => string>([
      [4, () => `INSERT INTO $n_auto (v) VALUES ('v${scope.next()}')`],
      [2, () => `INSERT INTO $n_auto (v) VALUES ('v${scope.next()}'), ('v${scope.next()}')`],
      [1, () => `INSERT INTO $n_auto (v) OUTPUT inserted.v VALUES ('v${scope.next()}')`],
      [2, () => `UPDATE $n_t SET b = $token WHERE a = ${chance.between(1, 4)}`],
      [1, () => `UPDATE $n_w SET a = a + 1`],
      [2, () => 'DELETE FROM $n_w WHERE a > 8'],
      [1, () => `INSERT INTO $n_t VALUES (${scope.next()}, NULL, 'no date')`],
      [1, () => `INSERT INTO other_$side.dbo.$n_w VALUES (${chance.below(9)})`],
    ])(),
  );
}

/** Asks for what the statement before has left behind. */
function askForRemnant(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const first = chance.weighted<string>([
    [4, change(scope)],
    [1, failure(scope)],
    [1, look(scope)],
  ]);
  // Behind an INSERT into a table without one, SCOPE_IDENTITY() is anybody's.
  const isOwn = !first.startsWith('INSERT') || first.includes('_auto');
  const ask = chance.pick([
    'SELECT @@IDENTITY',
    isOwn ? 'SELECT SCOPE_IDENTITY(), @@IDENTITY' : 'SELECT @@IDENTITY',
    'SELECT @@ROWCOUNT',
    'SELECT @@ERROR',
  ]);
  return [scope.batch(first), { ...scope.batch(ask), exception: 'remnant' }];
}

/** The number comes with the row, as careful clients ask for it. */
function identityAtOnce(scope: Scope): readonly Step[] {
  const { chance } = scope;
  const sql = scope.fill(`INSERT INTO $n_auto (v) VALUES ('v${scope.next()}')`);
  return [say(chance, rpc(executeSql(`${sql}; SELECT SCOPE_IDENTITY(), @@ROWCOUNT`)))];
}

/** Answers of many rows, or long ones. */
function large(scope: Scope): string {
  return scope.fill(
    scope.chance.pick([
      'SELECT x.a, $token FROM many x, many y, many z',
      'SELECT REPLICATE(CAST($token AS nvarchar(max)), 3000)',
      "SELECT x.a, REPLICATE('y', 900) FROM many x, many y",
    ]),
  );
}

/** Requests of several packets, if not of one that is full to the brim. */
function long(scope: Scope): Command {
  const { chance } = scope;
  const length = chance.pick([230, 240, 245, 500, 2_000, 2_030, 5_000, 40_000]);
  const text = `SELECT ${literal(scope.token)}, LEN(${literal('x'.repeat(length + chance.below(9)))})`;
  return chance.percent(60)
    ? batch(text)
    : rpc(executeSql('SELECT LEN(@p0), @p1', ['y'.repeat(Math.min(3_900, length)), scope.token]));
}

const results: readonly [string, ...string[]] = [
  'SELECT 1; SELECT $token; SELECT 3',
  'SELECT 1; SELECT 1/0; SELECT 3',
  'EXEC p_rows',
  'SELECT $token; EXEC p_rows; PRINT $token',
  'INSERT INTO $n_w VALUES (1); SELECT COUNT(*) FROM $n_w; DELETE FROM $n_w WHERE a = 1',
  'DECLARE @t TABLE (a int); INSERT @t VALUES (1), (2); SELECT * FROM @t',
  'SELECT a, b, d FROM $n_t ORDER BY a DESC; RAISERROR($token, 10, 1) WITH NOWAIT',
];

/** Rows in a message of their own, behind a batch that announces them. */
function bulkLoad(scope: Scope): Step {
  const { chance, token } = scope;
  const table = scope.fill(chance.percent(90) ? '$n_bulk' : 'no_such_table');
  const count = chance.pick([0, 1, 3, 200]);
  const announce = batch(`INSERT BULK ${table} (a int, b nvarchar(100))`);
  const rows: Command = {
    about: `${count} rows of a bulk load`,
    type: packetType.bulkLoad,
    payload: ({ version }) => bulkRows(version, count, token),
    isSequel: true,
  };
  const counted = scope.fill('SELECT COUNT(*) FROM $n_bulk');
  if (chance.percent(90)) return say(chance, announce, rows, batch(counted));
  scope.begin();
  return say(chance, resetting(announce), rows, batch(`${LEVEL_AFTER_RESET}; ${counted}`));
}

const COLLATION = Uint8Array.of(9, 4, 208, 0, 52);

function bulkRows(version: number, count: number, token: string): Uint8Array {
  const userType = isWide(version) ? int32(0) : int16(0);
  const value = utf16(token);
  const columns = [
    ...[byte(0x81), int16(2), userType, int16(9), byte(0x26), byte(4), shortText('a')],
    ...[userType, int16(9), byte(0xe7), int16(200), COLLATION, shortText('b')],
  ];
  const row = (n: number): readonly Uint8Array[] => [
    ...[byte(0xd1), byte(4), int32(n), int16(value.length), value],
  ];
  const rows = Array.from({ length: count }, (_, n) => row(n)).flat();
  const wide = isWide(version) ? int64(0n) : int32(0);
  return concat([...columns, ...rows, byte(0xfd), int16(0), int16(0), wide]);
}

export const dataMakers: Readonly<Record<string, Maker>> = {
  change: {
    weight: { plain: 20, statements: 4, settings: 4, objects: 6, everything: 8 },
    make: (scope) => scope.run(change(scope)),
  },
  'last numbers': { weight: { plain: 6, settings: 1, everything: 3 }, make: identityAtOnce },
  remnants: { weight: { plain: 8, settings: 2, everything: 4 }, make: askForRemnant },
  large: { weight: { plain: 4, everything: 2 }, make: (scope) => scope.run(large(scope)) },
  long: {
    weight: { plain: 5, statements: 2, everything: 3 },
    make: (scope) => [say(scope.chance, long(scope))],
  },
  'several results': {
    weight: { plain: 6, everything: 3 },
    make: (scope) => scope.run(scope.fill(scope.chance.pick(results))),
  },
  'bulk load': {
    weight: { plain: 5, objects: 2, everything: 3 },
    make: (scope) => [bulkLoad(scope)],
  },
  stop: {
    weight: { plain: 3, settings: 1, statements: 1, objects: 1, everything: 2 },
    make: ({ chance }) => [
      { kind: 'stop', turns: chance.below(60), way: chance.pick(['batch', 'rpc']) },
    ],
  },
  'an attention': {
    weight: { plain: 1, objects: 1, everything: 1 },
    make: () => [{ kind: 'attention' }],
  },
  'call off': {
    weight: { plain: 1, statements: 1, everything: 1 },
    make: () => [{ kind: 'call off', command: batch(`SELECT ${literal('z'.repeat(20_000))}`) }],
  },
  turnstile: {
    weight: { objects: 2, plain: 3, everything: 2 },
    make: ({ chance }) => [{ kind: 'turnstile', requests: chance.between(1, 4) }],
  },
};
