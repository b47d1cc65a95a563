import { describe, expect, test } from 'bun:test';
import type { Peer } from '../../../test/support/rehearse.ts';
import { everySplit, rehearse } from '../../../test/support/rehearse.ts';
import type { Answerer, ServerScript } from '../../../test/transcripts/mysql-server.ts';
import {
  entering,
  mysqlServer,
  okay,
  principal,
  refusal,
  resultSet,
} from '../../../test/transcripts/mysql-server.ts';
import { freshMemory, greetingFor } from '../../../test/transcripts/mysql-visit.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { FaultError } from '../../core/fault.ts';
import { PeerClosed } from '../../core/network.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { acquaint, isAcquainted } from './acquaint.ts';
import { ask } from './ask.ts';
import { cancel } from './cancel.ts';
import { mysqlEngine } from './engine.ts';
import type { MysqlMemory } from './memory.ts';
import { overhear } from './overhear.ts';
import { initialise, measure, ping, reset } from './reset.ts';
import { SessionState } from './state.ts';
import { productOf, Target } from './target.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

/** A connection on which we have logged in. */
async function connection(script: ServerScript = {}, who = principal()) {
  const target = new Target();
  const server = mysqlServer(script);
  const { result: memory } = await rehearse(entering({ who }, target), server.peer);
  server.asked.length = 0;
  return {
    memory,
    target,
    asked: server.asked,
    talk: async <Result>(conversation: Conversation<Result>): Promise<Result> =>
      (await rehearse(conversation, server.peer)).result,
  };
}

/** Answers what begins so. */
const answering =
  (beginning: string, ...payloads: readonly Uint8Array[]): Answerer =>
  (asked) =>
    asked.startsWith(beginning) ? payloads : undefined;

function resetOf(memory: MysqlMemory, target: Target): Conversation<void> {
  const conversation = reset(memory, target, new Set());
  if (conversation === undefined) throw new Error('it cannot be reset');
  return conversation;
}

describe('a reset', () => {
  test("brings the handshake's character set back, and the reports (MY-25)", async () => {
    const { memory, target, asked, talk } = await connection({}, principal({ schema: 'shop' }));
    memory.state = memory.state.with([['sql_mode', "''"]]);
    memory.mayOweReports = true;
    await talk(resetOf(memory, target));
    expect(asked).toHaveLength(3);
    expect(asked[0]).toBe('31');
    expect(asked[1]).toStartWith(
      "3 SET @@session.`character_set_results` = NULL, @@session.`character_set_client` = 'latin1', " +
        "@@session.`character_set_connection` = 'latin1', " +
        "@@session.`collation_connection` = 'latin1_swedish_ci', @@session.`wait_timeout` = 28800, " +
        "@@session.session_track_system_variables = 'sql_mode,time_zone'",
    );
    expect(asked[2]).toStartWith('3 SELECT @@session.character_set_results');
    expect(memory.state).toBe(SessionState.fresh('shop'));
    expect(memory.mayOweReports).toBe(false);
  });

  test('is none where the server cannot', () => {
    for (const [serverVersion, can] of [
      ['5.7.2', false],
      ['5.7.3', true],
      ['5.5.5-10.2.3-MariaDB', false],
      ['5.5.5-10.2.4-MariaDB', true],
    ] as const) {
      const target = new Target();
      const greeting = target.meet({ ...greetingFor(false), serverVersion });
      expect(
        reset(freshMemory(greeting.isMariaDb, greeting), target, new Set()) !== undefined,
      ).toBe(can);
    }
  });

  test('after which a transaction is still open, or which is refused, has failed', async () => {
    const open: Answerer = (asked, flags) =>
      asked === '31'
        ? [okay({ status: serverStatus.inTransaction })]
        : asked.startsWith('3 SET')
          ? [okay({ status: serverStatus.inTransaction })]
          : resultSet(['a'], [], flags, serverStatus.inTransaction);
    const { memory, target } = await connection();
    const reseting = (answers: Answerer) =>
      rehearse(resetOf(memory, target), opened(answers, memory));
    expect(await outcomeOf(reseting(open))).toThrow(Violation);
    expect(await outcomeOf(reseting(answering('31', refusal(1047, 'Unknown command'))))).toThrow(
      'Unknown command (1047)',
    );
  });
});

/** A server that has let us in already. */
function opened(answers: Answerer, { capabilities }: MysqlMemory): Peer {
  const { peer } = mysqlServer({ answers, auth: [], flags: capabilities.flags });
  if (typeof peer === 'function') peer(EMPTY);
  return peer;
}

describe('a ping', () => {
  test('is answered', async () => {
    const { memory, asked, talk } = await connection();
    await talk(ping(memory));
    expect(asked).toEqual(['14']);
  });

  test('or not', async () => {
    const { memory } = await connection();
    const killed = opened(answering('14', refusal(1927, 'Connection was killed')), memory);
    expect(await outcomeOf(rehearse(ping(memory), killed))).toThrow('Connection was killed (1927)');
    expect(await outcomeOf(rehearse(ping(memory), [packet(0, okay())]))).toThrow(Violation);
  });
});

describe('how many connections there are', () => {
  const asked = '3 SELECT @@global.max_connections, @@session.max_user_connections';
  const told = async (all: string | null, mine: string) => {
    const { memory } = await connection();
    const answers: Answerer = (said, flags) =>
      said === asked ? resultSet(['a', 'b'], [[all, mine]], flags) : undefined;
    return (await rehearse(measure(memory), opened(answers, memory))).result;
  };

  test('is what the server grants, or the user', async () => {
    expect(await told('151', '0')).toEqual({ connections: 151, product: 'MySQL 9.7.4' });
    expect((await told('151', '20')).connections).toBe(20);
    expect((await told('10', '20')).connections).toBe(10);
  });

  test('must be told', async () => {
    for (const nonsense of ['0', 'many', '-1', null])
      expect(await outcomeOf(told(nonsense, '0'))).toThrow(Violation);
  });

  test('beside what the server is', () => {
    const product = (serverVersion: string, isMariaDb = false) =>
      productOf(new Target().meet({ ...greetingFor(isMariaDb), serverVersion }));
    expect(product('8.4.3-commercial')).toBe('MySQL 8.4.3');
    expect(product('11.8.9-MariaDB-4 from Debian', true)).toBe('MariaDB 11.8.9');
    expect(product('5.5.5-10.11.18-MariaDB-0+deb12u1', true)).toBe('MariaDB 10.11.18');
    expect(product('5.5.5')).toBe('MySQL 5.5.5');
  });
});

describe('an init query', () => {
  /** Variables before it, and after it. */
  const changing = (...payloads: readonly Uint8Array[]): Answerer => {
    let times = 0;
    return (asked, flags) => {
      if (asked === '3 set it; use other') return payloads;
      if (asked !== '3 SHOW SESSION VARIABLES') return undefined;
      times += 1;
      const rows = [
        ['lock_wait_timeout', times === 1 ? '50' : '7'],
        ['timestamp', String(times)],
        ['session_track_schema', String(times)],
        ['sql_mode', ''],
      ];
      return resultSet(['Variable_name', 'Value'], rows, flags);
    };
  };
  const initialised = async (
    payloads: readonly Uint8Array[],
    who = principal({ schema: 'shop' }),
  ) => {
    const { memory, target, asked, talk } = await connection(
      { answers: changing(...payloads) },
      who,
    );
    await talk(initialise(memory, target, 'set it; use other'));
    return { memory, asked };
  };

  test('may be several statements; what it has set is what sessions begin with', async () => {
    const changes = [{ kind: 'schema', name: 'other' }] as const;
    const { memory, asked } = await initialised([okay({ status: 10 }), okay({ changes })]);
    expect(asked.slice(0, 4)).toEqual([
      '3 SHOW SESSION VARIABLES',
      '27 0000',
      '3 set it; use other',
      '27 0100',
    ]);
    expect(memory.beginning.get('lock_wait_timeout')).toBe('7');
    expect([...memory.beginning.keys()]).not.toContain('timestamp');
    // Whatever it has made of these, we go on hearing of everything.
    expect(memory.beginning.get('session_track_schema')).toBe('1');
    expect(memory.state).toBe(SessionState.fresh('other'));
    const flags = capability.multiStatements | capability.deprecateEof;
    const free = principal({ capabilities: { flags, extensions: 0 } });
    expect((await initialised([okay()], free)).asked).not.toContain('27 0100');
  });

  test('MY-53: must not return rows, fail, or leave a transaction open', async () => {
    const rows = resultSet(['a'], [['1']], capability.deprecateEof);
    expect(await outcomeOf(initialised(rows))).toThrow('the init query returns rows');
    expect(await outcomeOf(initialised([refusal(1064, 'no SQL')]))).toThrow('no SQL (1064)');
    const half = [okay({ status: 10 }), refusal(1064, 'no SQL')];
    expect(await outcomeOf(initialised(half))).toThrow('no SQL (1064)');
    const file = [Uint8Array.of(0xfb, 0x78)];
    expect(await outcomeOf(initialised(file))).toThrow('asks us for a file');
  });

  test('MY-53: nor may it leave a transaction open', async () => {
    const { memory, target } = await connection();
    const begin: Answerer = (asked, flags) =>
      asked.startsWith('3 SHOW')
        ? resultSet(['a', 'b'], [], flags)
        : [okay({ status: serverStatus.inTransaction })];
    const server = opened(begin, memory);
    expect(await outcomeOf(rehearse(initialise(memory, target, 'begin'), server))).toThrow(
      'leaves a transaction open',
    );
  });
});

describe('a schema', () => {
  test("is asked about once for each user, and its error is the database's", async () => {
    const { memory, target, asked, talk } = await connection();
    const shop = principal({ schema: 'Shop' });
    expect(isAcquainted(target, principal())).toBe(true);
    expect(isAcquainted(target, shop)).toBe(false);
    expect(await talk(acquaint(memory, target, shop))).toBeUndefined();
    expect(asked).toEqual(['2 Shop']);
    expect(isAcquainted(target, shop)).toBe(true);
    expect(isAcquainted(target, principal({ schema: 'Shop', user: 'bob' }))).toBe(false);
    expect(memory.state.schema).toBe('shop');
    const nope = principal({ schema: 'nope' });
    expect(await talk(acquaint(memory, target, nope))).toMatchObject({
      name: 'databaseRefused',
      refusal: 'final',
      detail: "Unknown database 'nope' (1049)",
    });
    expect(memory.state.schema).toBe('shop');
    target.forgetSchema('alice', 'Shop');
    expect(isAcquainted(target, shop)).toBe(false);
  });

  test('of another server may be another', async () => {
    const { memory, target, talk } = await connection();
    await talk(acquaint(memory, target, principal({ schema: 'shop' })));
    target.meet({ ...greetingFor(false), serverVersion: '9.8.0' });
    expect(isAcquainted(target, principal({ schema: 'shop' }))).toBe(false);
  });
});

describe('a cancel request', () => {
  test('comes on a connection of its own, as the same user', async () => {
    const { memory, target } = await connection();
    const server = mysqlServer();
    const { sent, steps } = await rehearse(cancel(memory, target, 'require'), server.peer);
    expect(server.asked).toEqual(['3 KILL QUERY 4711']);
    expect(sent.at(-1)).toEqual(packet(0, Uint8Array.of(1)));
    expect(steps).toContain('startTls client');
  });

  test('may come too late, or not be let in', async () => {
    const { memory, target } = await connection();
    const gone = answering('3 KILL', refusal(1094, 'Unknown thread id: 4711'));
    await rehearse(cancel(memory, target, 'disable'), mysqlServer({ answers: gone }).peer);
    const forbidden = mysqlServer({ answers: answering('3 KILL', refusal(1095, 'not owner')) });
    expect(await outcomeOf(rehearse(cancel(memory, target, 'disable'), forbidden.peer))).toThrow(
      FaultError,
    );
    const full = mysqlServer({ auth: [() => refusal(1040, 'Too many connections')] });
    expect(await outcomeOf(rehearse(cancel(memory, target, 'disable'), full.peer))).toThrow('1040');
  });
});

describe('what an idle connection says', () => {
  const killed = packet(0, refusal(4031, 'because of inactivity'));

  test('is why it closes, however that arrives', () => {
    for (const split of everySplit([killed])) {
      const memory = freshMemory();
      const heard = split.map((bytes) => overhear(memory, bytes));
      expect(heard.at(-1)).toBe('because of inactivity (4031)');
      expect(heard.slice(0, -1).every((one) => one === undefined)).toBe(true);
      expect(memory.inMessage).toBe(false);
    }
    const memory = freshMemory();
    overhear(memory, killed.subarray(0, 5));
    expect(memory.inMessage).toBe(true);
  });

  test('or nobody knows', () => {
    for (const odd of [packet(0, okay()), packet(3, EMPTY), concat([packet(1, okay()), killed])])
      expect(overhear(freshMemory(), odd)).toBe('a packet on an idle connection');
    const huge = packet(0, new Uint8Array(limits.inspectedMessageBytes.value + 1));
    expect(overhear(freshMemory(), huge.subarray(0, 10))).toBe('a packet on an idle connection');
  });
});

describe('an answer to our own command', () => {
  test('is the same however it arrives, with EOF packets and without', async () => {
    for (const flags of [0, capability.deprecateEof]) {
      const who = principal({ capabilities: { flags, extensions: 0 } });
      const { memory } = await connection({}, who);
      const payloads = resultSet(['a', 'b'], [['1', null]], memory.capabilities.flags);
      const bytes = concat(payloads.map((one, at) => packet(at + 1, one)));
      for (const split of everySplit([bytes])) {
        const { result } = await rehearse(ask(memory, utf8('?')), split);
        expect(result).toMatchObject([
          { rows: [['1', null]], numeric: [true, false], resultSets: 1, error: undefined },
        ]);
      }
    }
  });

  test('may be a report of progress first, or break off among rows', async () => {
    const { memory } = await connection();
    const progress = Uint8Array.of(0xff, 0xff, 0xff, 1, 1, 2, 0, 0, 0, 1, 0x78);
    const [count = EMPTY, column = EMPTY, row = EMPTY] = resultSet(
      ['a'],
      [['1']],
      memory.capabilities.flags,
    );
    const payloads = [progress, count, column, row, progress, refusal(1317, 'interrupted')];
    const bytes = concat(payloads.map((one, at) => packet(at + 1, one)));
    const { result } = await rehearse(ask(memory, utf8('?')), [bytes]);
    expect(result[0]?.rows).toEqual([['1']]);
    expect(result[0]?.error).toEqual(refusal(1317, 'interrupted'));
  });

  test('of too many rows, or an empty packet, is a violation', async () => {
    const { memory } = await connection();
    const rows = Array.from({ length: limits.ownAnswerRows.value + 1 }, () => ['1']);
    const many = resultSet(['a'], rows, memory.capabilities.flags);
    const bytes = concat(many.map((one, at) => packet((at + 1) & 0xff, one)));
    expect(await outcomeOf(rehearse(ask(memory, utf8('?')), [bytes]))).toThrow('too many rows');
    expect(await outcomeOf(rehearse(ask(memory, utf8('?')), [packet(1, EMPTY)]))).toThrow(
      Violation,
    );
    expect(await outcomeOf(rehearse(ask(memory, utf8('?')), []))).toThrow(PeerClosed);
  });
});

test('the engine says goodbye, and watches in the plainest way', () => {
  const engine = mysqlEngine();
  expect(engine.goodbye()).toEqual(packet(0, Uint8Array.of(1)));
  expect(engine.watcher('app', undefined)).toMatchObject({
    user: 'app',
    schema: undefined,
    serverCapabilities: { flags: 0, extensions: 0 },
  });
  expect([engine.family, engine.defaultPort]).toEqual(['MYSQL', 3306]);
});
