import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { must } from '../../../src/base/assert.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { systemRandom } from '../../../src/base/random.ts';
import { SecretText } from '../../../src/base/secret-text.ts';
import type { EmbeddedMysql } from '../../../src/cli/embedded-mysql.ts';
import type { Conversation } from '../../../src/core/conversation.ts';
import type { Link } from '../../../src/core/link.ts';
import { ask, query } from '../../../src/engine/mysql/ask.ts';
import { mysqlEngine } from '../../../src/engine/mysql/engine.ts';
import type { MysqlMemory } from '../../../src/engine/mysql/memory.ts';
import { Principals } from '../../../src/engine/mysql/principal.ts';
import { SocketNetwork } from '../../../src/server/network.ts';
import { capability, extension } from '../../../src/wire/mysql/capabilities.ts';
import { readError } from '../../../src/wire/mysql/err.ts';
import { mysqlReleasesHere, withMysql } from '../../support/mysql.ts';
import { passwordOf } from '../../support/sluice.ts';
import { outcomeOf } from '../../support/outcome.ts';

const TIMEOUT = { timeoutMs: 10_000 };
/** latin1_swedish_ci, which is no server's default. */
const LATIN1 = 8;

const here = await mysqlReleasesHere();

/** What the engine makes of connections to real servers, by itself. */
describe.each([...here])('a connection to %s', (release) => {
  const engine = mysqlEngine();
  const principals = new Principals();
  let server: EmbeddedMysql;
  let network: SocketNetwork;
  let link: Link;
  let memory: MysqlMemory;
  const talk = async <Result>(conversation: Conversation<Result>, on = link): Promise<Result> =>
    (await network.talk(on, conversation, TIMEOUT)).result;

  const whoWants = (schema: string | undefined) => {
    const flags = capability.deprecateEof | capability.foundRows | capability.multiResults;
    const extensions = release === 'mysql' ? 0 : extension.extendedMetadata;
    const capabilities = { flags, extensions };
    return principals.of({
      user: 'app',
      schema,
      capabilities,
      collation: LATIN1,
      zstdLevel: undefined,
    });
  };

  async function values(...expressions: readonly string[]): Promise<readonly (string | null)[]> {
    const [answer] = await talk(
      ask(memory, query(`SELECT ${expressions.join(', ')}`, memory.capabilities)),
    );
    return answer?.rows[0] ?? [];
  }

  async function run(statement: string) {
    const [answer] = await talk(ask(memory, query(statement, memory.capabilities)));
    if (answer?.error !== undefined) throw new Error(readError(answer.error).message);
    return (answer?.changes ?? []).map((change) => {
      if (change.kind === 'systemVariable') return `${change.name}=${change.value}`;
      return change.kind === 'schema' ? `schema ${change.name}` : change.kind;
    });
  }

  function resetting(): Conversation<void> {
    const conversation = engine.reset(memory, new Set());
    if (conversation === undefined) throw new Error('it cannot be reset');
    return conversation;
  }

  const CHARSETS = ['client', 'results', 'connection'].map((name) => `@@character_set_${name}`);

  beforeAll(async () => {
    server = await withMysql(release);
    network = new SocketNetwork(systemClock, server);
    link = await network.dial(TIMEOUT.timeoutMs);
    memory = await talk(
      engine.enter({
        who: whoWants('app'),
        password: new SecretText(passwordOf('app')),
        tlsMode: 'disable',
        channelBinding: 'disable',
        lessons: new Set(),
        allowCleartext: false,
        random: (count) => systemRandom.bytes(count),
      }),
    );
  });
  afterAll(() => link.destroy());

  test('begins as the client has asked for', async () => {
    expect(await values('CONNECTION_ID()', 'DATABASE()', ...CHARSETS)).toEqual([
      String(memory.threadId),
      'app',
      ...CHARSETS.map(() => 'latin1'),
    ]);
    expect(memory.state.schema).toBe('app');
    expect(memory.reports.variables.split(',')).toContain('time_zone');
    expect(memory.reports.schema).toBe(true);
    expect(memory.beginning.get('autocommit')).toBe('1');
  });

  test('reports what changes, and nothing of its own accord', async () => {
    expect(await run("SET SESSION sql_mode = '', time_zone = '+01:00'")).toEqual(
      expect.arrayContaining(['sql_mode=', 'time_zone=+01:00']),
    );
    expect(await run('SET lock_wait_timeout = 77')).toEqual(['lock_wait_timeout=77']);
    expect(await run('USE information_schema')).toEqual(['schema information_schema']);
    for (const quiet of ['SELECT 1', 'DO 1', 'SET @mine = 1']) expect(await run(quiet)).toEqual([]);
  });

  test('a reset takes all back but the schema (MY-25)', async () => {
    await run("SET NAMES utf8mb4, time_zone = '+02:00', @mine = 1");
    await run('CREATE TEMPORARY TABLE app.passing (a int)');
    await talk(resetting());
    expect(await values(...CHARSETS, '@@time_zone', '@mine', 'DATABASE()')).toEqual([
      ...['latin1', 'latin1', 'latin1', 'SYSTEM', null],
      'information_schema',
    ]);
    expect(await outcomeOf(run('SELECT * FROM app.passing'))).toThrow("doesn't exist");
    expect(await run('SET lock_wait_timeout = 78')).toEqual(['lock_wait_timeout=78']);
  });

  test('knows which schemas its user may go into', async () => {
    expect(engine.isAcquainted(memory, whoWants('mysql'))).toBe(false);
    const fault = await talk(engine.acquaint(memory, whoWants('nowhere')));
    expect(fault).toMatchObject({ name: 'databaseRefused', refusal: 'final' });
    expect(await talk(engine.acquaint(memory, whoWants('APP'.toLowerCase())))).toBeUndefined();
    expect(engine.isAcquainted(memory, whoWants('app'))).toBe(true);
    expect(await values('DATABASE()')).toEqual(['app']);
  });

  test('begins with what an init query has set, however it was said (MY-53)', async () => {
    const statements = "SET @@lock_wait_timeout = 9; SET time_zone = '+03:00', autocommit = 0;";
    await talk(engine.initialise(memory, statements));
    const { beginning, firstStatus } = memory;
    const names = ['lock_wait_timeout', 'time_zone', 'autocommit'];
    expect(names.map((name) => beginning.get(name))).toEqual(['9', "'+03:00'", '0']);
    expect(firstStatus & 2).toBe(0);
    for (const [statement, why] of [
      ['SELECT 1', 'returns rows'],
      ['SET autocommit = 1; START TRANSACTION', 'leaves a transaction open'],
      ['SET nonsense = 1', 'nonsense'],
    ] as const)
      expect(await outcomeOf(talk(engine.initialise(memory, statement)))).toThrow(why);
    await talk(resetting());
  });

  test('is alive, and tells how many there may be', async () => {
    await talk(engine.ping(memory));
    const { connections, product } = await talk(engine.measure(memory));
    expect(connections).toBe(100);
    expect(product).toMatch(release === 'mysql' ? /^MySQL \d/ : /^MariaDB 1\d\./);
  });

  test('stops what it does when it is asked to', async () => {
    const sleeping = talk(
      ask(memory, query('SELECT SLEEP(30) FROM (SELECT 1) AS one', memory.capabilities)),
    );
    let isAsleep = false;
    while (!isAsleep) {
      const rows = await server.query(
        `SELECT state FROM information_schema.processlist WHERE id = ${memory.threadId}`,
      );
      isAsleep = rows.some((row) => String(row['state'] ?? row['STATE']) === 'User sleep');
    }
    const other = await network.dial(TIMEOUT.timeoutMs);
    await talk(must(engine.cancel, 'no way to cancel')(memory, { tlsMode: 'disable' }), other);
    other.destroy();
    const [answer] = await sleeping;
    // MySQL's function tells that it was interrupted, MariaDB's fails.
    if (release === 'mysql') expect(answer?.rows).toEqual([['1']]);
    else expect(readError(answer?.error ?? new Uint8Array(3)).code).toBe(1317);
    await talk(engine.ping(memory));
  });

  test('that is idle for too long says why it closes, or just does', async () => {
    await run('SET SESSION wait_timeout = 1');
    const closed = Promise.withResolvers<string | undefined>();
    let heard: string | undefined;
    link.handler = {
      data: (bytes) => (heard = engine.overhear(memory, bytes)),
      drained: () => {},
      closed: () => closed.resolve(heard),
    };
    const why = await closed.promise;
    // MariaDB just goes.
    if (release === 'mysql') expect(why).toMatch(/because of inactivity\. .*\(4031\)$/);
    else expect(why).toBeUndefined();
  });
});
