import { describe, expect, test } from 'bun:test';
import { rehearse } from '../../../test/support/rehearse.ts';
import type { DatabaseScript } from '../../../test/transcripts/tds-database.ts';
import {
  database,
  end,
  errorOf,
  gateOf,
  refusal,
  rowOf,
  welcome,
} from '../../../test/transcripts/tds-database.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import type { Conversation } from '../../core/conversation.ts';
import { FaultError } from '../../core/fault.ts';
import type { PinReason } from '../../core/pin.ts';
import { feature } from '../../wire/tds/features.ts';
import { message, packetType } from '../../wire/tds/packets.ts';
import { doneStatus, envChange, envChangeBytes, error } from '../../wire/tds/tokens.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';
import { sqlServerEngine } from './engine.ts';
import { enter, takeStock } from './enter.ts';
import type { SqlServerMemory } from './memory.ts';
import { overhear } from './overhear.ts';
import { initialise, measure, ping, reset } from './reset.ts';
import { SessionState } from './state.ts';
import { Target } from './target.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

async function connection(script: DatabaseScript = {}): Promise<SqlServerMemory> {
  return (await rehearse(enter(gateOf(), new Target()), database(script).peer)).result;
}

/** What a conversation on the connection comes to, and what the database has heard. */
async function talk<Result>(
  conversation: Conversation<Result>,
  script: DatabaseScript = {},
): Promise<{ readonly result: Result; readonly heard: readonly string[] }> {
  const { peer, heard } = database(script);
  const { result } = await rehearse(conversation, peer);
  return { result, heard };
}

async function faultOf(conversation: Conversation<unknown>, script: DatabaseScript) {
  try {
    await talk(conversation, script);
  } catch (problem) {
    if (problem instanceof FaultError) return problem.fault;
    throw problem;
  }
  throw new Error('it went well');
}

const BEGUN = envChangeBytes(
  envChange.beginTransaction,
  Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  EMPTY,
);

describe('ping', () => {
  test('asks for something', async () => {
    const memory = await connection();
    expect((await talk(ping(memory))).heard).toEqual(['SELECT 1']);
  });

  test('fails where the answer is an error, or none', async () => {
    const memory = await connection();
    const answer = () => refusal([[6_005, 'SHUTDOWN is in progress.']]);
    expect(await faultOf(ping(memory), { answer })).toMatchObject({
      detail: 'SHUTDOWN is in progress. (6005)',
    });
    const nothing = message(packetType.prelogin, EMPTY, 4_096);
    expect(await outcomeOf(rehearse(ping(memory), [nothing]))).toThrow(Violation);
  });

  test('reads answers with encrypted columns', async () => {
    const login = welcome({ features: [{ id: feature.columnEncryption, data: Uint8Array.of(1) }] });
    const target = new Target();
    target.tellsTransactions = true;
    const { peer } = database({ login, answer: () => end() });
    const { result: memory } = await rehearse(enter(gateOf(), target), peer);
    expect((await talk(ping(memory))).heard).toEqual(['SELECT 1']);
  });
});

describe('measure', () => {
  test.each([
    ['32767', 32_767],
    ['200', 200],
    ['0', 32_767],
  ])('%s', async (said, connections) => {
    const memory = await connection();
    const { result } = await talk(measure(memory), { answer: () => rowOf(said) });
    expect(result).toEqual({ connections, product: 'Microsoft SQL Server 2019 15.0.4261.1' });
  });

  test.each([
    ['nothing', end()],
    ['a word', rowOf('many')],
    ['less than none', rowOf('-1')],
  ])('takes no %s', async (_, said) => {
    const memory = await connection();
    expect(await outcomeOf(talk(measure(memory), { answer: () => said }))).toThrow(Violation);
  });
});

describe('reset', () => {
  const pinned = (...reasons: PinReason[]): ReadonlySet<PinReason> => new Set(reasons);
  const now = pinned('temporaryObject');

  async function resetNow(memory: SqlServerMemory, script: DatabaseScript = {}) {
    const conversation = reset(memory, now);
    if (conversation === undefined) throw new Error('it cannot be reset');
    return talk(conversation, script);
  }

  test('TD-04: goes along with the next request where nobody is in the way', async () => {
    const memory = await connection();
    memory.state = memory.state.with([['nocount', 'ON']]);
    const conversation = reset(memory, pinned('setting'));
    if (conversation === undefined) throw new Error('it cannot be reset');
    expect((await talk(conversation)).heard).toEqual([]);
    expect([memory.resetDue, memory.state.values.size]).toEqual([true, 0]);
    const { heard } = await talk(ping(memory));
    expect(heard).toEqual(['SELECT 1 [8]']);
    expect((await talk(ping(memory))).heard).toEqual(['SELECT 1']);
  });

  test('TD-03: brings the isolation level back in so many words', async () => {
    const memory = await connection();
    memory.state = memory.state.with([['isolation level', 'SERIALIZABLE']]);
    const { heard } = await resetNow(memory);
    expect(heard).toEqual([expect.stringMatching(/^SET TRANSACTION ISOLATION LEVEL .*; \[8\]$/)]);
    expect(memory.state).toBe(SessionState.fresh('app'));
  });

  test('ends a transaction, and makes sure of that', async () => {
    const memory = await connection();
    memory.inTransaction = true;
    memory.transaction = 7n;
    const answer = () => concat([envChangeBytes(envChange.resetDone, EMPTY, EMPTY), end()]);
    await resetNow(memory, { answer });
    expect([memory.inTransaction, memory.transaction]).toEqual([false, 0n]);
    const still = () => concat([BEGUN, end(tdsVersion.v74, doneStatus.inTransaction)]);
    expect(await outcomeOf(resetNow(memory, { answer: still }))).toThrow('after a reset');
  });

  test('fails where the database says so', async () => {
    const memory = await connection();
    const conversation = reset(memory, now);
    if (conversation === undefined) throw new Error('it cannot be reset');
    const answer = () => refusal([[18_056, 'The client was unable to reuse a session.']]);
    expect(await faultOf(conversation, { answer })).toMatchObject({ refusal: 'later' });
  });

  test.each(['hiddenState', 'globalTransaction'] as const)(
    'TD-31: cannot undo %s',
    async (reason) => {
      expect(reset(await connection(), pinned(reason))).toBeUndefined();
    },
  );
});

describe('a reset of Babelfish', () => {
  async function babelfish(): Promise<SqlServerMemory> {
    const memory = await connection();
    memory.target.tellsTransactions = false;
    await talk(takeStock(memory));
    return memory;
  }

  test('does not undo the context of the session', async () => {
    const memory = await babelfish();
    expect(reset(memory, new Set<PinReason>(['sessionContext']))).toBeUndefined();
    expect(reset(await connection(), new Set<PinReason>(['sessionContext']))).toBeDefined();
  });

  test('leaves CONTEXT_INFO, which is made empty in so many words', async () => {
    const memory = await babelfish();
    const fresh = memory.state;
    memory.state = fresh.with([['context_info', '0x01']]);
    expect(fresh.wayFrom(memory.state, memory.beginning)).toBe('SET CONTEXT_INFO 0x;');
    memory.reset();
    expect(memory.state).not.toBe(fresh);
    expect(fresh.wayFrom(memory.state, memory.beginning)).toBe('SET CONTEXT_INFO 0x;');
  });

  test('leaves CONTEXT_INFO of which is not known what it is, too', async () => {
    const memory = await babelfish();
    const fresh = memory.state;
    memory.doubted.add('context_info');
    memory.reset();
    expect(fresh.wayFrom(memory.state, memory.beginning)).toBe('SET CONTEXT_INFO 0x;');
  });
});

describe('the init query', () => {
  test('is run, and what it sets is what sessions begin with', async () => {
    const memory = await connection();
    const { heard } = await talk(initialise(memory, 'SET LOCK_TIMEOUT 5'), {
      answer: (sql) => (sql.startsWith('SET') ? end() : rowsOfOnes(sql)),
    });
    expect(heard[0]).toBe('SET LOCK_TIMEOUT 5');
    expect(memory.beginning.get('nocount')).toBe('ON');
    expect(memory.state.isFresh).toBe(true);
    // A reset does not run it again: what it has undone is no session's doing.
    memory.reset();
    expect(memory.state.values.get('nocount')).toBe('OFF');
  });

  test('must not fail, return rows, or begin a transaction', async () => {
    const memory = await connection();
    const failing = { answer: () => refusal([[208, "Invalid object name 'nope'."]]) };
    expect(await faultOf(initialise(memory, 'x'), failing)).toMatchObject({
      detail: "Invalid object name 'nope'. (208)",
    });
    expect(await faultOf(initialise(memory, 'x'), { answer: () => rowOf('1') })).toEqual({
      name: 'databaseRefused',
      refusal: 'later',
      detail: 'the init query returns rows',
    });
    const begun = { answer: () => concat([BEGUN, end()]) };
    expect(await faultOf(initialise(memory, 'x'), begun)).toMatchObject({
      detail: 'the init query leaves a transaction open',
    });
  });

  test('must not begin one that the server keeps to itself', async () => {
    const memory = await connection();
    memory.target.tellsTransactions = false;
    const answer = (sql: string) => (sql.includes('@@TRANCOUNT') ? rowOf('1') : end());
    expect(await faultOf(initialise(memory, 'x'), { answer })).toMatchObject({
      detail: 'the init query leaves a transaction open',
    });
  });
});

/** Everything is 1, as many as there are questions. */
function rowsOfOnes(sql: string): Uint8Array {
  const parts = sql.replace(/\([^()]*\)/g, '').split(', ');
  return rowOf(...parts.map((part) => (part.includes('DB_NAME') ? 'app' : '1')));
}

describe('TD-30: an idle connection', () => {
  const shutdown = error(errorOf(6_005, 'SHUTDOWN is in progress.', 14), tdsVersion.v74);
  const packet = message(
    packetType.result,
    concat([shutdown, end(tdsVersion.v74, doneStatus.error)]),
    4_096,
  );

  test('that says why it closes', async () => {
    const memory = await connection();
    expect(overhear(memory, packet)).toBe('SHUTDOWN is in progress. (6005)');
  });

  test('may say it in pieces, in whose midst nobody gets it', async () => {
    for (let cut = 1; cut < packet.length; cut += 1) {
      const memory = await connection();
      expect(overhear(memory, packet.slice(0, cut))).toBeUndefined();
      expect(sqlServerEngine().inMessage?.(memory)).toBe(true);
      expect(overhear(memory, packet.slice(cut))).toBe('SHUTDOWN is in progress. (6005)');
    }
  });

  test.each([
    ['no error', message(packetType.result, end(), 4_096)],
    ['a request', message(packetType.sqlBatch, end(), 4_096)],
  ])('that says %s is of no use either', async (_, bytes) => {
    expect(overhear(await connection(), bytes)).toBe('a message on an idle connection');
  });

  test('that says what is nothing', async () => {
    const memory = await connection();
    expect(() => overhear(memory, Uint8Array.of(4, 1, 0, 3, 0, 0, 0, 0))).toThrow(Violation);
  });
});

test('what is there for the core is enough of an engine', async () => {
  const engine = sqlServerEngine();
  const memory = await connection();
  const who = engine.watcher('app', 'master');
  expect([engine.family, engine.defaultPort, engine.cancel]).toEqual([
    'SQLSERVER',
    1433,
    undefined,
  ]);
  expect(engine.isAcquainted(memory, who)).toBe(true);
  expect((await talk(engine.acquaint(memory, who))).result).toBeUndefined();
  expect(engine.goodbye()).toEqual(EMPTY);
});
