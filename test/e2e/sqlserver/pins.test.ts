import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { TYPES } from 'tedious';
import type { PinReason } from '../../../src/core/pin.ts';
import { eventually } from '../clients/stage.ts';
import { openSqlServerStage } from './stage.ts';
import type { SqlServerStage } from './stage.ts';
import { expectNothingLeft } from './twins.ts';
import type { Parameter } from './visitor.ts';
import { Visitor } from './visitor.ts';

const PINNED = 'sluice_database_connections_currently_session_pinned';

interface Case {
  readonly reason: PinReason;
  /** Each of these, one after the other, leaves the session pinned. */
  readonly holding: readonly ((one: Visitor) => Promise<void>)[];
  /** Behind this it is not. */
  readonly letsGo: (one: Visitor) => Promise<void>;
  /** What the session has; nobody else has anything. */
  readonly has: (one: Visitor) => Promise<string | undefined>;
  readonly had: string;
  readonly nothing: string;
  /** Other sessions may try to get the same in vain, and must not be pinned by that. */
  readonly tries?: (one: Visitor) => Promise<void>;
  /** What the log shows of the text. */
  readonly digest: string;
  /** Babelfish has none of this. */
  readonly isOfSqlServerOnly?: boolean;
}

const output = { output: true };
const int = (name: string, value: number): Parameter => [name, TYPES.Int, value];
const text = (name: string, value: string | null): Parameter => [name, TYPES.NVarChar, value];
const rowOf = (one: Visitor): string => one.lines.findLast((line) => line.startsWith('ROW')) ?? '';
const returned = (one: Visitor, name: string): string => {
  const lines = one.lines.filter((line) => line.includes(`"paramName":"${name}"`));
  return /"value":(-?\d+)/.exec(lines.at(-1) ?? '')?.[1] ?? '';
};

const lock =
  "EXEC sp_getapplock @Resource = 'job', @LockMode = 'Exclusive', @LockOwner = 'Session'";
const release = "EXEC sp_releaseapplock @Resource = 'job', @LockOwner = 'Session'";
const lockMode = (one: Visitor): Promise<string | undefined> =>
  one.value("SELECT APPLOCK_MODE('public', 'job', 'Session')");

/** What the server gave this session for its cursor. */
const handles = new WeakMap<Visitor, number>();
const keepHandle = (one: Visitor, name: string): void => {
  handles.set(one, Number(returned(one, name)));
};
async function fetched(one: Visitor): Promise<string> {
  const { length } = one.lines;
  const cursor = int('cursor', handles.get(one) ?? 180_150_003);
  await one.call('sp_cursorfetch', cursor, int('fetchtype', 2), int('rownum', 0), int('nrows', 1));
  return one.lines.slice(length).some((line) => line.startsWith('ROW')) ? 'a row' : 'no cursor';
}
const rows = 'SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4';
/** How a cursor of the protocol is opened on these rows. */
const scrolling: readonly Parameter[] = [
  text('stmt', rows),
  ['scrollopt', TYPES.Int, 2, output],
  ['ccopt', TYPES.Int, 1, output],
  ['rowcount', TYPES.Int, 0, output],
];

const cases: Readonly<Record<string, Case>> = {
  'a lock of the session, by batches': {
    reason: 'sessionLock',
    digest: 'sp_getapplock',
    holding: [
      (one) => one.batch(lock),
      (one) => one.batch(lock), // it is counted
      (one) => one.batch(release),
      (one) => one.batches('SELECT 1 AS a', 'BEGIN TRANSACTION', 'COMMIT'),
    ],
    letsGo: (one) => one.batch(release),
    has: lockMode,
    had: 'Exclusive',
    nothing: 'NoLock',
    async tries(one) {
      await one.batch(
        `DECLARE @r int; ${lock.replace('EXEC', 'EXEC @r =')}, @LockTimeout = 0; SELECT @r AS r`,
      );
      expect(rowOf(one)).toMatch(/^ROW \[-\d+\]$/);
    },
  },
  'a lock of the session, by calls': {
    reason: 'sessionLock',
    digest: 'sp_getapplock',
    holding: [
      (one) =>
        one.call(
          'sp_getapplock',
          text('Resource', 'job'),
          text('LockMode', 'Exclusive'),
          text('LockOwner', 'Session'),
        ),
      (one) =>
        one.call('sp_releaseapplock', text('Resource', 'another'), text('LockOwner', 'Session')),
    ],
    letsGo: (one) =>
      one.call('sp_releaseapplock', text('Resource', 'job'), text('LockOwner', 'Session')),
    has: lockMode,
    had: 'Exclusive',
    nothing: 'NoLock',
  },
  'the context of the session, by batches': {
    reason: 'sessionContext',
    digest: 'sp_set_session_context',
    holding: [
      (one) => one.batch("EXEC sp_set_session_context N'tenant', N'mine'"),
      (one) => one.batch("EXEC sp_set_session_context N'other', 5"),
      (one) => one.batch("EXEC sp_set_session_context N'other', NULL"),
      (one) => one.batch('SELECT 1 AS a'),
    ],
    letsGo: (one) => one.batch("EXEC sp_set_session_context N'tenant', NULL"),
    has: (one) => one.value("SELECT CAST(SESSION_CONTEXT(N'tenant') AS nvarchar(20))"),
    had: 'mine',
    nothing: 'null',
  },
  'the context of the session, by calls': {
    reason: 'sessionContext',
    digest: 'sp_set_session_context',
    holding: [
      (one) => one.call('sp_set_session_context', text('key', 'tenant'), text('value', 'mine')),
      (one) => one.sql('SELECT @a AS a', int('a', 1)),
    ],
    letsGo: (one) => one.call('sp_set_session_context', text('key', 'tenant'), text('value', null)),
    has: (one) => one.value("SELECT CAST(SESSION_CONTEXT(N'tenant') AS nvarchar(20))"),
    had: 'mine',
    nothing: 'null',
  },
  'a cursor of the protocol': {
    reason: 'cursor',
    digest: 'select ? as a union all',
    holding: [
      async (one) => {
        await one.call('sp_cursoropen', ['cursor', TYPES.Int, undefined, output], ...scrolling);
        keepHandle(one, 'cursor');
      },
      (one) => one.batch('SELECT 1 AS a'),
    ],
    async letsGo(one) {
      await one.call('sp_cursorclose', int('cursor', handles.get(one) ?? 0));
    },
    has: fetched,
    had: 'a row',
    nothing: 'no cursor',
  },
  'a prepared cursor of the protocol': {
    reason: 'cursor',
    digest: 'select ? as a union all',
    isOfSqlServerOnly: true,
    holding: [
      async (one) => {
        await one.call(
          'sp_cursorprepexec',
          ['prepared', TYPES.Int, undefined, output],
          ['cursor', TYPES.Int, undefined, output],
          text('params', ''),
          ...scrolling,
        );
        keepHandle(one, 'cursor');
      },
      (one) => one.batch('SELECT 1 AS a'),
    ],
    async letsGo(one) {
      await one.call('sp_cursorclose', int('cursor', handles.get(one) ?? 0));
      // The statement is still there.
      await one.call('sp_cursorunprepare', int('handle', Number(returned(one, 'prepared'))));
    },
    has: fetched,
    had: 'a row',
    nothing: 'no cursor',
  },
  'a global cursor of T-SQL': {
    reason: 'cursor',
    digest: 'declare mine cursor global',
    isOfSqlServerOnly: true,
    holding: [
      (one) => one.batch(`DECLARE mine CURSOR GLOBAL SCROLL FOR ${rows}`),
      (one) => one.batches('OPEN mine', 'FETCH NEXT FROM mine'),
      (one) => one.batches('CLOSE mine', 'SELECT 1 AS a', 'OPEN mine'),
      (one) => one.batch(`DECLARE @c CURSOR; DECLARE own CURSOR LOCAL FOR ${rows}; OPEN own`),
    ],
    letsGo: (one) => one.batches('CLOSE mine', 'DEALLOCATE mine'),
    has: (one) =>
      one.value("SELECT CASE CURSOR_STATUS('global', 'mine') WHEN -3 THEN 'none' ELSE 'one' END"),
    had: 'one',
    nothing: 'none',
  },
};

describe('what ties a session to its connection', () => {
  let here: SqlServerStage;
  let others: readonly Visitor[];
  beforeAll(async () => {
    here = await openSqlServerStage({ connections: 2 });
    others = await Promise.all(
      Array.from({ length: 3 }, () => Visitor.arrive({ server: here.proxied })),
    );
  });
  afterAll(async () => {
    await Promise.all(others.map((one) => one.end()));
    await here.stage.close();
  });

  /** What the log says of pins since this many lines. */
  const said = (from: number): readonly string[] =>
    here.stage.sluice
      .logs()
      .slice(from)
      .filter(({ event }) => event === 'pinned' || event === 'unpinned')
      .map((line) => `${String(line.event)} ${String(line['reason'])}`);
  /** Whether something is there the database is asked behind the client's answer. */
  const untilPinned = (count: number) =>
    eventually(
      () => here.stage.metric(PINNED),
      (found) => found === count,
    );
  /** These, and no others. */
  const untilSaid = async (from: number, ...expected: readonly string[]): Promise<void> => {
    const found = await eventually(
      async () => said(from),
      ({ length }) => length >= expected.length,
    );
    expect(found).toEqual(expected);
  };
  const lines = (): number => here.stage.sluice.logs().length;

  test.each(Object.entries(cases))('%s, and nobody else sees it', async (_, one) => {
    if (one.isOfSqlServerOnly === true && here.server.abilities.product === 'Babelfish') return;
    const { reason } = one;
    const nobodyHas = async (): Promise<void> => {
      for (const other of others) expect(await one.has(other)).toBe(one.nothing);
    };
    const from = lines();
    const holder = await Visitor.arrive({ server: here.proxied });
    await nobodyHas();
    for (const step of one.holding) {
      await step(holder);
      await untilPinned(1);
      await nobodyHas();
      expect(await one.has(holder)).toBe(one.had);
    }
    for (const other of others) await one.tries?.(other);
    await untilPinned(1);
    await untilSaid(from, `pinned ${reason}`);
    const [line] = here.stage.sluice.logs('pinned').slice(-1);
    expect(String(line?.['digest']).toLowerCase()).toContain(one.digest);
    await one.letsGo(holder);
    await untilPinned(0);
    await untilSaid(from, `pinned ${reason}`, `unpinned ${reason}`);
    await nobodyHas();
    expect(await one.has(holder)).toBe(one.nothing);
    await holder.end();
  });

  test.each(Object.entries(cases))('%s goes with its session', async (_, one) => {
    if (one.isOfSqlServerOnly === true && here.server.abilities.product === 'Babelfish') return;
    const [take] = one.holding;
    for (const leave of ['end', 'reset'] as const) {
      const holder = await Visitor.arrive({ server: here.proxied });
      await take?.(holder);
      await untilPinned(1);
      await holder[leave]();
      for (const other of others) expect(await one.has(other)).toBe(one.nothing);
      const isBabelfish = here.server.abilities.product === 'Babelfish';
      // Its resets leave that: it stays with its session, and goes with the connection.
      const stays = isBabelfish && one.reason === 'sessionContext' && leave === 'reset';
      await untilPinned(stays ? 1 : 0);
      if (leave === 'reset') await holder.end();
      await untilPinned(0);
      for (const other of others) expect(await one.has(other)).toBe(one.nothing);
    }
  });

  test('CONTEXT_INFO, which pins nobody, is its session’s alone', async () => {
    const from = lines();
    const sql = 'SELECT CAST(ISNULL(SUBSTRING(CONTEXT_INFO(), 1, 1), 0x00) AS int)';
    const holders = await Promise.all(
      Array.from({ length: 4 }, () => Visitor.arrive({ server: here.proxied })),
    );
    for (const [n, one] of holders.entries()) await one.batch(`SET CONTEXT_INFO 0x0${n + 1}`);
    for (const [n, one] of holders.entries()) {
      expect(await one.value(sql)).toBe(String(n + 1));
      for (const other of others) expect(await other.value(sql)).toBe('0');
      if (n % 2 === 0) await one.reset();
      await one.end();
      for (const other of others) expect(await other.value(sql)).toBe('0');
    }
    expect(said(from)).toEqual([]);
  });

  test('a lock of the transaction, a local cursor and a lock that is not granted pin nobody', async () => {
    const from = lines();
    const one = await Visitor.arrive({ server: here.proxied });
    await one.batches(
      `BEGIN TRANSACTION; ${lock.replace("'Session'", "'Transaction'")}; SELECT 1 AS a; COMMIT`,
      `DECLARE c CURSOR LOCAL FOR ${rows}; OPEN c; FETCH NEXT FROM c`,
    );
    await one.end();
    expect(said(from)).toEqual([]);
  });

  test('nothing is left behind', async () => {
    const left = (here.server.own?.sessions() ?? []).map(
      ({ cursors, applicationLocks }) => cursors + applicationLocks,
    );
    expect(left.filter((count) => count > 0)).toEqual([]);
    for (const other of others) await other.end();
    await expectNothingLeft(here);
  });
});
