import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, frontend, i32, message } from '../../../test/support/messages.ts';
import { everySplit, rehearse } from '../../../test/support/rehearse.ts';
import type { Peer, Rehearsal } from '../../../test/support/rehearse.ts';
import { failure, query } from '../../../test/transcripts/conversations.ts';
import { freshMemory, usualParameters } from '../../../test/transcripts/rig.ts';
import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { FaultError } from '../../core/fault.ts';
import { PeerClosed } from '../../core/network.ts';
import type { PinReason } from '../../core/pin.ts';
import { ask } from './ask.ts';
import { cancel } from './cancel.ts';
import { intern, PostgresMemory } from './memory.ts';
import { overhear } from './overhear.ts';
import { makePrincipal } from './principal.ts';
import { Realms } from './realm.ts';
import { initialise, measure, ping, reset } from './reset.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const { complete, dataRow, parameterStatus, ready, rowDescription } = backend;
const notice = backend.notice({ S: 'NOTICE', V: 'NOTICE', M: 'psst' });
const notification = message('A', i32(1), 'news\0hello\0');

describe('a question of our own', () => {
  test('rows come by name, as text', async () => {
    const rows = bytesOf(rowDescription('a', 'b'), dataRow('1', null), dataRow('2', 'x'));
    const { result } = await rehearse(ask(freshMemory(), 'select 1'), [
      bytesOf(rows, complete('SELECT 2'), ready()),
    ]);
    expect(result.map((row) => ['a', 'b'].map((name) => [name, row.get(name)]))).toEqual([
      [
        ['a', '1'],
        ['b', null],
      ],
      [
        ['a', '2'],
        ['b', 'x'],
      ],
    ]);
  });

  test('several go in one write, and all their answers are read (PG-12, PG-18)', async () => {
    const said = bytesOf(
      ...[notice, complete('ROLLBACK'), ready(), notification],
      ...[parameterStatus('TimeZone', 'Asia/Tokyo'), complete('DISCARD ALL'), ready()],
    );
    for (const split of everySplit([said])) {
      const memory = freshMemory();
      const { sent, leftover } = await rehearse(ask(memory, 'rollback', 'discard all'), split);
      expect(sent).toEqual([bytesOf(query('rollback'), query('discard all'))]);
      expect([memory.parameters.get('TimeZone'), leftover.length]).toEqual(['Asia/Tokyo', 0]);
    }
  });

  test('the first error is thrown, once all has been answered', async () => {
    const said = bytesOf(failure('42601'), ready(), failure('42P01'), ready('E'));
    const memory = freshMemory();
    const talk = rehearse(ask(memory, 'a', 'b'), [said]);
    expect(await outcomeOf(talk)).toThrow('it did not work (42601)');
    expect(memory.status).toBe('E');
    expect(await outcomeOf(rehearse(ask(freshMemory(), 'a', 'b'), [said.subarray(0, -6)]))).toThrow(
      PeerClosed,
    );
  });

  test('what answers no query is a violation', async () => {
    for (const wrong of [
      message('1'),
      message('G', 0, 0, 0),
      message('K'),
      message('D'),
      message('T'),
    ]) {
      expect(await outcomeOf(rehearse(ask(freshMemory(), ''), [wrong]))).toThrow(Violation);
    }
  });
});

describe('a reset', () => {
  const none = new Set<PinReason>();
  const back = (memory: PostgresMemory, peer: Peer): Promise<Rehearsal<void>> => {
    const talk = reset(memory, none);
    if (talk === undefined) throw new Error('there is no reset');
    return rehearse(talk, peer);
  };

  test('forgets all, and what comes of it is what the connection is from then on', async () => {
    const memory = freshMemory();
    memory.report('TimeZone', 'Asia/Tokyo');
    const { sent } = await back(memory, [
      bytesOf(parameterStatus('TimeZone', 'UTC'), complete('DISCARD ALL'), ready()),
    ]);
    expect(sent).toEqual([query('DISCARD ALL')]);
    expect(memory.parameters).toBe(memory.initial);
    expect(memory.initial).toBe(freshMemory().initial);
  });

  test('PG-116: rolls back first, in a statement of its own', async () => {
    for (const status of ['T', 'E'] as const) {
      const memory = freshMemory();
      memory.status = status;
      const said = bytesOf(complete('ROLLBACK'), ready(), complete('DISCARD ALL'), ready());
      const { sent } = await back(memory, [said]);
      expect(sent).toEqual([bytesOf(query('ROLLBACK'), query('DISCARD ALL'))]);
      expect<string>(memory.status).toBe('I');
    }
  });

  test('that fails or leaves a transaction open is none', async () => {
    expect(await outcomeOf(back(freshMemory(), [bytesOf(failure(), ready())]))).toThrow(FaultError);
    expect(await outcomeOf(back(freshMemory(), [bytesOf(complete('X'), ready('T'))]))).toThrow(
      'a transaction is open',
    );
  });

  test('cannot undo a library or what nobody sees', () => {
    const reasons: readonly PinReason[] = ['library', 'hiddenState'];
    for (const reason of reasons) {
      expect(reset(freshMemory(), new Set<PinReason>(['setting', reason]))).toBeUndefined();
    }
    const others: readonly PinReason[] = [
      ...(['setting', 'preparedStatement', 'temporaryObject', 'listen'] as const),
      ...(['sessionLock', 'heldCursor', 'sequence'] as const),
    ];
    for (const reason of others) expect(reset(freshMemory(), new Set([reason]))).toBeDefined();
  });
});

describe('a ping', () => {
  test('is an empty query', async () => {
    const { sent } = await rehearse(ping(freshMemory()), [bytesOf(message('I'), ready())]);
    expect(sent).toEqual([query('')]);
  });

  test('PG-14: of a connection that has said goodbye fails', async () => {
    expect(await outcomeOf(rehearse(ping(freshMemory()), [failure('57P01', 'FATAL')]))).toThrow();
    expect(await outcomeOf(rehearse(ping(freshMemory()), []))).toThrow(PeerClosed);
  });
});

describe('a measurement', () => {
  const answer = (connections: string | null): Uint8Array =>
    bytesOf(
      ...[rowDescription('connections', 'version'), dataRow(connections, '18.0')],
      ...[complete('SELECT 1'), ready()],
    );

  test('says what ordinary users have', async () => {
    const { result } = await rehearse(measure(freshMemory()), [answer('97')]);
    expect(result).toEqual({ connections: 97, product: 'PostgreSQL 18.0' });
  });

  test('of nonsense is a violation', async () => {
    for (const nonsense of ['0', '-5', '1.5', 'many', '', null]) {
      expect(await outcomeOf(rehearse(measure(freshMemory()), [answer(nonsense)]))).toThrow(
        Violation,
      );
    }
    const silence = bytesOf(complete('SELECT 0'), ready());
    expect(await outcomeOf(rehearse(measure(freshMemory()), [silence]))).toThrow(Violation);
  });
});

describe('an init query', () => {
  test('sets what sessions begin with, and not what RESET returns to', async () => {
    const memory = freshMemory();
    const statements = "set timezone = 'Asia/Tokyo'; set my.x = '1'; select 1";
    const talk = await rehearse(initialise(memory, statements), [
      bytesOf(
        ...[complete('SET'), rowDescription('a'), dataRow('1'), complete('SELECT 1')],
        ...[parameterStatus('TimeZone', 'Asia/Tokyo'), ready()],
      ),
      bytesOf(
        rowDescription('a', 'b', 'c'),
        dataRow('Asia/Tokyo', '1', '{"timezone":"Asia/Tokyo","work_mem":"8MB"}'),
        complete('SELECT 1'),
        ready(),
      ),
    ]);
    expect(talk.sent[0]).toEqual(query(statements));
    expect(memory.initial.get('TimeZone')).toBe('UTC');
    expect(memory.greeting.get('TimeZone')).toBe('Asia/Tokyo');
    expect([...memory.beginning.values]).toEqual([
      ['timezone', 'Asia/Tokyo'],
      ['work_mem', '8MB'],
      ['my.x', '1'],
    ]);
    expect(memory.state).toBe(memory.beginning);
  });

  test('that fails, or leaves a transaction open, is a fault and no bug of ours', async () => {
    for (const [said, why] of [
      [bytesOf(failure(), ready()), 'it did not work'],
      [bytesOf(complete('BEGIN'), ready('T')), 'leaves a transaction open'],
    ] as const) {
      const talk = rehearse(initialise(freshMemory(), 'begin'), [said]);
      expect(await outcomeOf(talk)).toThrow(why);
      expect(await outcomeOf(talk)).toThrow(FaultError);
    }
  });
});

describe('a cancel request', () => {
  const memory = (secret: Uint8Array): PostgresMemory =>
    new PostgresMemory({ parameters: usualParameters, pid: 0xfffffff1, secret });

  test('PG-27, PG-41: sends the whole key, and waits for the end', async () => {
    const secret = new Uint8Array(200).fill(7);
    const { sent, steps } = await rehearse(cancel(memory(secret), 'disable'), []);
    expect(sent).toEqual([frontend.cancelRequest(0xfffffff1, secret)]);
    expect(steps).toEqual(['send', 'readEnd']);
  });

  test('PG-46: over TLS where the settings say so', async () => {
    const secret = Uint8Array.of(1, 2, 3, 4);
    const talk = await rehearse(cancel(memory(secret), 'verify-full'), [Buffer.from('S')]);
    expect(talk.steps).toEqual(['send', 'read', 'startTls client', 'send', 'readEnd']);
    const declined = rehearse(cancel(memory(secret), 'require'), [Buffer.from('N')]);
    expect(await outcomeOf(declined)).toThrow('does not offer TLS');
    const plain = await rehearse(cancel(memory(secret), 'prefer'), [Buffer.from('N')]);
    expect(plain.sent.length).toBe(2);
  });

  test('PG-28: without a key says nothing', async () => {
    const { sent, steps } = await rehearse(cancel(memory(new Uint8Array(0)), 'require'), []);
    expect([sent, steps]).toEqual([[], []]);
  });
});

describe('an idle connection', () => {
  test('PG-12: notices and notifications are nobody’s', () => {
    const memory = freshMemory();
    expect(overhear(memory, bytesOf(notice, notification, notice))).toBeUndefined();
    expect(memory.held.length).toBe(0);
  });

  test('PG-13: a new configuration is what the connection is from then on', () => {
    const memory = freshMemory();
    expect(overhear(memory, parameterStatus('TimeZone', 'Asia/Tokyo'))).toBeUndefined();
    expect(memory.parameters.get('TimeZone')).toBe('Asia/Tokyo');
    expect(memory.initial).toBe(memory.parameters);
  });

  test('PG-14: anything else is a reason to discard it', () => {
    expect(overhear(freshMemory(), failure('57P01', 'FATAL'))).toBe('it did not work (57P01)');
    expect(overhear(freshMemory(), backend.error({ M: 'x' }))).toBe('x (no code)');
    expect(overhear(freshMemory(), bytesOf(notice, ready()))).toContain('on an idle connection');
    expect(overhear(freshMemory(), dataRow('1'))).toContain('on an idle connection');
  });

  test.each(['57P01', '57P02'])('PG-14: the warning %s, after which the server closes', (code) => {
    const words = backend.notice({ S: 'WARNING', V: 'WARNING', C: code, M: 'it shuts down' });
    expect(overhear(freshMemory(), words)).toBe(`it shuts down (${code})`);
  });

  test('PG-18: in pieces, which are kept in between', () => {
    const said = bytesOf(notice, parameterStatus('TimeZone', 'Asia/Tokyo'), failure());
    for (let cut = 1; cut < said.length; cut += 1) {
      const memory = freshMemory();
      expect(overhear(memory, said.subarray(0, cut))).toBeUndefined();
      expect(overhear(memory, said.subarray(cut))).toContain('42601');
      expect(memory.parameters.get('TimeZone')).toBe('Asia/Tokyo');
    }
  });

  test('PG-16: what cannot be, or is larger than anything that is looked at', () => {
    for (const length of [-1, 3, limits.inspectedMessageBytes.value + 5]) {
      expect(() => overhear(freshMemory(), bytesOf('N', i32(length)))).toThrow(Violation);
    }
    expect(() => overhear(freshMemory(), message('S', 'no end'))).toThrow(Violation);
  });
});

describe('what is remembered', () => {
  test('equal sets of parameters are one object, whatever their order', () => {
    const one = intern(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    expect(
      intern(
        new Map([
          ['b', '2'],
          ['a', '1'],
        ]),
      ),
    ).toBe(one);
    expect(
      intern(
        new Map([
          ['a', '1'],
          ['b', '3'],
        ]),
      ),
    ).not.toBe(one);
    expect(intern(new Map([['a', '1,b']]))).not.toBe(
      intern(
        new Map([
          ['a', '1'],
          ['b', ''],
        ]),
      ),
    );
  });

  test('a parameter that is reported as it was changes nothing', () => {
    const memory = freshMemory();
    memory.report('TimeZone', 'UTC');
    expect(memory.parameters).toBe(memory.initial);
    memory.report('TimeZone', 'Asia/Tokyo');
    memory.report('TimeZone', 'UTC');
    expect(memory.parameters).toBe(memory.initial);
  });

  test('has a limit', () => {
    const memory = freshMemory(new Map());
    const most = limits.serverParameters.value;
    for (let at = 0; at < most; at += 1) memory.report(`p${at}`, '');
    expect(() => memory.report('one more', '')).toThrow(`more than ${most} parameters`);
    memory.report('p0', 'changed');
  });

  test('who shares connections: the same user, database and parameters, in any order', () => {
    const key = (user: string, database: string, ...parameters: [string, string][]): string =>
      makePrincipal(user, database, {
        parameters: new Map(parameters),
        wishes: new Map(),
        realms: new Realms(),
      }).poolKey;
    expect(key('a', 'b', ['x', '1'], ['y', '2'])).toBe(key('a', 'b', ['y', '2'], ['x', '1']));
    const keys = [key('a', 'b'), key('a', 'c'), key('b', 'b'), key('a', 'b', ['x', '1'])];
    keys.push(key('a', 'b', ['x', '2']), key('a","b', ''), key('a', 'b","x'));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
