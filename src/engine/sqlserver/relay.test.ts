import { describe, expect, test } from 'bun:test';
import * as say from '../../../test/transcripts/tds-conversations.ts';
import {
  aClient,
  aMemory,
  messagesIn,
  replyLine,
  TdsRig,
  VERSION,
} from '../../../test/transcripts/tds-rig.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import { message, packetStatus, packetType } from '../../wire/tds/packets.ts';
import { RpcParameters } from '../../wire/tds/rpc-parameters.ts';
import { procedure, readCall, readRpcHead, rpcCalls } from '../../wire/tds/rpc.ts';
import { doneStatus } from '../../wire/tds/tokens.ts';
import { tmRequest, transactionRequest } from '../../wire/tds/transaction-manager.ts';

const {
  attention,
  batch,
  began,
  committed,
  ended,
  execute,
  executeSql,
  oneRow,
  prepare,
  prepared,
  reply,
} = say;

/** What sessions get for the first statement that they prepare. */
const FIRST = 0x4000_0001;

describe('a request', () => {
  test('borrows a connection, and gives it back with the end of its reply', () => {
    const rig = new TdsRig().client(batch('select 1'));
    expect([rig.passed(), rig.relay.quiet]).toEqual([['sqlBatch select 1'], false]);
    const bytes = oneRow();
    rig.server(bytes.subarray(0, 30));
    expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
    rig.server(bytes.subarray(30));
    expect([rig.boundaries, rig.attached, rig.relay.quiet, rig.requests]).toEqual([
      1,
      false,
      true,
      1,
    ]);
    expect(rig.heard()).toEqual(['[1] done 10']);
  });

  test('arrives in whatever pieces', () => {
    const bytes = batch('select 1');
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const rig = new TdsRig().client(bytes.subarray(0, cut)).client(bytes.subarray(cut));
      expect(rig.passed()).toEqual(['sqlBatch select 1']);
    }
  });

  test('waits for a connection', () => {
    const rig = new TdsRig();
    rig.free = false;
    rig.client(batch('select 1'));
    expect([rig.passed(), rig.waiting]).toEqual([[], true]);
    rig.grant();
    expect(rig.passed()).toEqual(['sqlBatch select 1']);
  });

  test('is answered with an error where it waits in vain', () => {
    const rig = new TdsRig();
    rig.free = false;
    rig.client(batch('select 1')).refuse({ name: 'borrowTimeout' });
    expect(rig.heard()).toEqual(['error 40501 done 2']);
    rig.free = true;
    rig.client(batch('select 2'));
    expect(rig.passed()).toEqual(['sqlBatch select 2']);
  });

  test('TD-16: of several packets is put into packets of the size that the database has agreed to', () => {
    const sql = `select '${'x'.repeat(3000)}'`;
    const memory = aMemory({ packetBytes: 1024 });
    const rig = new TdsRig({ memory, who: aClient(4096) }).client(batch(sql));
    const bytes = rig.takePassed();
    expect(bytes[2]).toBe(4);
    const payload = 22 + 2 * sql.length;
    expect(bytes.length).toBe(8 * Math.ceil(payload / 1016) + payload);
  });

  test('TD-16: replies come in packets that the client can take', () => {
    const rig = new TdsRig({ who: aClient(512) }).client(batch('select 1'));
    const rows = concat(Array.from({ length: 100 }, (_, n) => say.row(n)));
    rig.server(reply(rows, ended()));
    const bytes = rig.takeHeard();
    expect([bytes[2], bytes[3]]).toEqual([2, 0]);
  });

  test('TD-22: MARS is refused with a clear word', () => {
    expect(() => new TdsRig().client(Uint8Array.of(0x53, 1, 0, 0, 16, 0, 0, 0))).toThrow('MARS');
  });

  test('TD-31: distributed transactions are refused with a clear word', () => {
    const payload = Uint8Array.of(
      22,
      0,
      0,
      0,
      18,
      0,
      0,
      0,
      2,
      0,
      ...new Uint8Array(8),
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
    );
    const rig = new TdsRig().client(message(packetType.transactionManager, payload, 4096));
    expect([rig.passed(), rig.heard().join()]).toEqual([[], expect.stringContaining('error')]);
  });
  test('TD-21: is over with the last packet of its reply, however many of its statements were before', () => {
    const rig = new TdsRig().client(batch('select 1; select 2'));
    const bytes = reply(say.row(1), ended(doneStatus.more | doneStatus.count), say.row(2), ended());
    const first = bytes.slice(0, 60);
    first[1] = 0;
    first[3] = 60;
    const second = concat([bytes.subarray(0, 8), bytes.subarray(60)]);
    second[3] = second.length;
    rig.server(first);
    expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
    rig.server(second);
    expect([rig.boundaries, rig.heard()]).toEqual([1, ['[1] [2] done 11 done']]);
  });

  test('TD-21: a reply that ends within a token ends the connection', () => {
    const rig = new TdsRig().client(batch('select 1'));
    const bytes = reply(say.row(1));
    bytes[3] = bytes.length - 1;
    expect(() => rig.server(bytes.subarray(0, -1))).toThrow('within a token');
  });

  test('TD-24: catalog procedures, as drivers call them when they connect, do not pin', () => {
    for (const name of [
      'sp_datatype_info_100',
      'sys.sp_describe_first_result_set',
      'sp_columns_100',
    ]) {
      const rig = new TdsRig().client(say.call(name)).server(reply(say.row(1), ...say.procEnded()));
      expect([name, rig.boundaries, rig.pins]).toEqual([name, 1, []]);
    }
  });

  test('TD-32: a long one does not pin', () => {
    const rig = new TdsRig().client(batch(`select '${'x'.repeat(20_000)}'`)).server(oneRow());
    expect([rig.boundaries, rig.pins]).toEqual([1, []]);
  });

  test('TD-32: a long one pins with `pinning: aws`', () => {
    const rig = new TdsRig({ options: { pinning: 'aws' } });
    rig.client(batch(`select '${'x'.repeat(20_000)}'`)).server(oneRow());
    expect([rig.boundaries, rig.reasons]).toEqual([1, ['longStatement']]);
  });

  describe('that is too long to be put together', () => {
    const long = `insert into t values ('${'x'.repeat(3_000_000)}')`;
    const after = (sql: string, packet = 4096): TdsRig => {
      const whole = batch(sql, { packetBytes: packet });
      const rig = new TdsRig({ memory: aMemory({ packetBytes: packet }) });
      for (let at = 0; at < whole.length; at += 1_000_000)
        rig.client(whole.subarray(at, at + 1_000_000));
      expect(rig.takePassed().length).toBe(whole.length);
      return rig;
    };

    test('passes as it arrives, and is read all the same', () => {
      const rig = after(long).server(oneRow());
      expect([rig.boundaries, rig.attached, rig.reasons]).toEqual([1, false, []]);
    });

    test.each([512, 1_001, 4_096])('in packets of %d bytes', (packet) => {
      const rig = after(`${long}; create table #t (n int)`, packet).server(oneRow());
      expect([rig.boundaries, rig.attached, rig.reasons]).toEqual([1, true, ['temporaryObject']]);
      rig.client(batch('drop table #t')).server(reply(ended()));
      expect([rig.boundaries, rig.attached, rig.pinned.size]).toEqual([2, false, 0]);
    });

    test('sets what it sets at its end', () => {
      const rig = after(`${long}; set lock_timeout 7`).server(oneRow());
      rig.free = false;
      rig.client(batch('select 1')).grant(aMemory());
      expect(rig.passed()).toEqual(['sqlBatch SET LOCK_TIMEOUT 7;']);
    });

    test('and cannot be read may do anything', () => {
      const rig = after(`exec ('${'x'.repeat(3_000_000)}')`).server(oneRow());
      expect([rig.boundaries, rig.attached, rig.reasons]).toEqual([1, true, ['hiddenState']]);
    });

    test('does nothing where its client calls it off', () => {
      const whole = batch(`${long}; create table #t (n int)`);
      const last = whole.length - (((whole.length - 1) % 4096) + 1);
      whole[last + 1] = packetStatus.endOfMessage | packetStatus.ignore;
      const rig = new TdsRig().client(whole).server(reply(ended(doneStatus.error)));
      expect([rig.boundaries, rig.attached, rig.reasons]).toEqual([1, false, []]);
    });

    test('and calls several procedures has each of them looked at', () => {
      const rig = new TdsRig().client(prepare('select 1')).server(prepared(5));
      rig.takePassed();
      const value = { text: 'x'.repeat(1_500_000) };
      const call = { procedure: procedure.execute, arguments: [{ int: FIRST }, value] };
      const lock = ['job', 'Exclusive', 'Session'].map((text) => ({ text }));
      const calls = [call, call, { procedure: 'sp_getapplock', arguments: lock }, call];
      const whole = message(packetType.rpc, rpcCalls(calls, 0n, VERSION), 4096);
      for (let at = 0; at < whole.length; at += 100_000)
        rig.client(whole.subarray(at, at + 100_000));
      const [sent] = messagesIn(rig.takePassed());
      const handles: unknown[] = [];
      const payload = sent?.payload ?? EMPTY;
      let head = readRpcHead(payload, 0, payload.length, VERSION);
      while (head !== undefined) {
        const parameters = new RpcParameters(payload, head.parametersAt, payload.length, VERSION);
        const first = parameters.next();
        handles.push(typeof first === 'string' ? first : (first.int() ?? first.text()));
        const next = parameters.skip();
        head = next === undefined ? undefined : readCall(payload, next, payload.length);
      }
      expect(handles).toEqual([5, 5, 'job', 5]);
      rig.server(reply(...say.procEnded()));
      expect(rig.passed()).toEqual(["sqlBatch SELECT APPLOCK_MODE('public', N'job', 'Session')"]);
    });

    test('pins for its length with `pinning: aws`', () => {
      const rig = new TdsRig({ options: { pinning: 'aws' } });
      rig.client(batch(long)).server(oneRow());
      expect(rig.reasons).toEqual(['longStatement']);
    });
  });

  test('TD-36: an error that ends the connection is the last that the client hears', () => {
    const rig = new TdsRig().client(batch('x')).server(reply(say.failure(596, 21), ended(2)));
    expect(rig.heard()).toEqual(['error 596 done 2']);
    expect(rig.relay.lost({ name: 'databaseLost' }).length).toBe(0);
  });
});

describe('a connection that is lost', () => {
  test('is told where the client waits for a reply', () => {
    const rig = new TdsRig().client(batch('select 1'));
    expect(replyLine(rig.relay.lost({ name: 'databaseLost' }).subarray(8))).toContain('error');
  });

  test('is told between two tokens, and never within one', () => {
    const bytes = reply(say.row(1), say.row(2), ended());
    bytes[1] = 0;
    const rig = new TdsRig().client(batch('select 1'));
    rig.server(bytes);
    expect(rig.relay.lost({ name: 'databaseLost' }).length).toBeGreaterThan(0);
    const torn = reply(say.row(1).subarray(0, -2));
    torn[1] = 0;
    const other = new TdsRig().client(batch('select 1')).server(torn);
    expect(other.relay.lost({ name: 'databaseLost' }).length).toBe(0);
  });
});

describe('a transaction', () => {
  test('TD-19: begins and ends as the database tells, whatever the text is', () => {
    const rig = new TdsRig().client(batch("exec('x')")).server(reply(began(7n), ended()));
    expect([rig.boundaries, rig.attached, rig.relay.inTransaction]).toEqual([0, true, true]);
    rig.client(batch('begin tran')).server(reply(ended()));
    expect(rig.boundaries).toBe(0);
    rig.client(batch("exec('y')")).server(reply(committed(7n), ended()));
    expect([rig.boundaries, rig.attached]).toEqual([1, false]);
  });

  test('TD-18: its descriptor is put into requests that have another', () => {
    const rig = new TdsRig().client(batch('begin tran')).server(reply(began(7n), ended()));
    rig.takePassed();
    rig.client(batch('select 1', { transaction: 3n }));
    expect(rig.passed()).toEqual(['sqlBatch (7) select 1']);
    rig.server(reply(committed(7n), ended()));
    rig.client(batch('select 1', { transaction: 7n }));
    expect(rig.passed()).toEqual(['sqlBatch select 1']);
  });

  test('TD-20: DONE_INXACT alone holds the connection, too', () => {
    const rig = new TdsRig()
      .client(batch('select 1'))
      .server(reply(ended(doneStatus.inTransaction)));
    expect([rig.boundaries, rig.attached]).toEqual([0, true]);
    rig.client(batch('commit')).server(reply(ended()));
    expect(rig.boundaries).toBe(1);
  });

  test('is asked about where the database does not tell', () => {
    const memory = aMemory();
    memory.target.tellsTransactions = false;
    const rig = new TdsRig({ memory }).client(batch('begin tran'));
    rig.takePassed();
    rig.server(reply(ended()));
    expect(rig.passed()).toEqual(['sqlBatch SELECT @@TRANCOUNT']);
    rig.server(oneRow(1));
    expect([rig.boundaries, rig.relay.inTransaction]).toEqual([0, true]);
    rig.client(batch('commit')).server(reply(ended())).server(oneRow(0));
    expect([rig.boundaries, rig.attached]).toEqual([1, false]);
    expect(rig.heard()).toEqual(['done', 'done']);
  });
});

describe('what a session has set', () => {
  test('goes along to the next connection, ahead of its request', () => {
    const rig = new TdsRig().client(batch('set lock_timeout 500')).server(reply(ended()));
    expect([rig.boundaries, rig.pins]).toEqual([1, []]);
    rig.takePassed();
    const other = aMemory({ target: rig.memory.target });
    rig.free = false;
    rig.client(batch('select 1')).grant(other);
    expect(rig.passed()).toEqual(['sqlBatch SET LOCK_TIMEOUT 500;']);
    rig.server(reply(ended()));
    expect(rig.passed()).toEqual(['sqlBatch select 1']);
    rig.server(oneRow());
    expect(rig.heard()).toEqual(['done', '[1] done 10']);
  });

  test('costs nothing where the connection is in that state', () => {
    const rig = new TdsRig().client(batch('set lock_timeout 500')).server(reply(ended()));
    rig.client(batch('select 1'));
    expect(rig.passed()).toEqual(['sqlBatch set lock_timeout 500', 'sqlBatch select 1']);
  });

  test('USE is told by the database, and carried along', () => {
    const rig = new TdsRig()
      .client(batch('use other'))
      .server(reply(say.moved('other', 'app'), ended()));
    rig.takePassed();
    rig.free = false;
    rig.client(batch('select 1')).grant(aMemory({ target: rig.memory.target }));
    expect(rig.passed()).toEqual(['sqlBatch USE [other];']);
  });

  test('TD-02: where it was left by another, a reset goes along with the request, and is not shown', () => {
    const memory = aMemory();
    memory.reset();
    const rig = new TdsRig({ memory }).client(batch('select 1'));
    expect(rig.passed()).toEqual(['reset + sqlBatch select 1']);
    rig.server(reply(say.wasReset, say.row(1), ended()));
    expect(rig.heard()).toEqual(['[1] done']);
    expect(rig.memory.resetDue).toBe(false);
  });
});

test('a way that the database refuses is taken once more, from the beginning', () => {
  const rig = new TdsRig().client(batch('set lock_timeout 500')).server(reply(ended()));
  rig.takePassed();
  rig.free = false;
  rig.client(batch('select 1')).grant(aMemory({ target: rig.memory.target }));
  rig.takePassed();
  rig.server(reply(say.failure(), ended(2)));
  expect([rig.passed(), rig.faults]).toEqual([['reset + sqlBatch SET LOCK_TIMEOUT 500;'], []]);
  rig.server(reply(say.failure(), ended(2)));
  expect(rig.faults).toMatchObject([{ name: 'restoreFailed' }]);
});

describe('a reset that the client asks for', () => {
  test('TD-02: is acknowledged where there was nothing to reset', () => {
    const rig = new TdsRig().client(batch('select 1', { status: say.RESET }));
    expect(rig.passed()).toEqual(['sqlBatch select 1']);
    rig.server(oneRow());
    expect(rig.heard()).toEqual(['[1] env resetDone done 10']);
  });

  test('TD-04: what it had set is gone', () => {
    const rig = new TdsRig().client(batch('set lock_timeout 500')).server(reply(ended()));
    rig.takePassed();
    rig.client(batch('select 1', { status: say.RESET }));
    expect(rig.passed()).toEqual(['sqlBatch SET LOCK_TIMEOUT -1;']);
    rig.server(reply(ended()));
    expect(rig.passed()).toEqual(['sqlBatch select 1']);
  });

  test('what a statement had left on its connection is not told any more', () => {
    const rig = new TdsRig().client(batch('insert t values (1)')).server(reply(ended()));
    rig.client(batch('select 1', { status: say.RESET })).server(oneRow());
    rig.takePassed();
    rig.client(batch('select scope_identity()'));
    expect(rig.passed()).toEqual(['reset + sqlBatch select scope_identity()']);
  });

  test('TD-01: goes to the database in a transaction', () => {
    const rig = new TdsRig().client(batch('begin tran')).server(reply(began(7n), ended()));
    rig.takePassed();
    rig.client(batch('select 1', { status: say.RESET, transaction: 7n }));
    expect(rig.passed()).toEqual(['reset + sqlBatch (7) select 1']);
    rig.server(reply(say.wasReset, say.row(1), ended()));
    expect(rig.heard().at(-1)).toBe('[1] env resetDone done');
    expect(rig.boundaries).toBe(1);
  });

  test('TD-33: which Babelfish does not count anew: the transaction is asked about', () => {
    const memory = aMemory();
    memory.target.tellsTransactions = false;
    const rig = new TdsRig({ memory })
      .client(batch('begin tran'))
      .server(reply(ended()))
      .server(oneRow(1));
    rig.client(batch('select 1', { status: say.RESET }));
    rig.takePassed();
    rig.server(reply(say.wasReset, say.row(1), ended()));
    expect([rig.passed(), rig.boundaries]).toEqual([['sqlBatch SELECT @@TRANCOUNT'], 0]);
    rig.server(oneRow(1));
    expect([rig.boundaries, rig.relay.inTransaction]).toEqual([0, true]);
  });
});

describe('prepared statements', () => {
  /** A session that has prepared one, which is 5 on its connection. */
  function withOne(): TdsRig {
    const rig = new TdsRig().client(prepare('select @a', '@a int'));
    expect(rig.passed()).toEqual(['rpc prepare NULL, @a int, select @a, 1']);
    rig.server(prepared(5));
    return rig;
  }

  test('TD-06: have handles of the session, which no connection has', () => {
    const rig = withOne();
    expect(rig.heard()).toEqual([`=${FIRST} token 79 done`]);
    rig.client(execute(FIRST));
    expect(rig.passed()).toEqual(['rpc execute 5']);
  });

  test('TD-06: the handle is exchanged wherever the reply is cut', () => {
    const bytes = prepared(5);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const rig = new TdsRig().client(prepare('select 1'));
      rig.server(bytes.subarray(0, cut)).server(bytes.subarray(cut));
      expect(rig.heard()).toEqual([`=${FIRST} token 79 done`]);
    }
  });

  test('TD-05: are prepared again where the connection does not have them', () => {
    const rig = withOne();
    rig.takeHeard();
    rig.free = false;
    rig.client(execute(FIRST)).grant(aMemory({ target: rig.memory.target }));
    expect(rig.passed()).toEqual(['rpc prepare NULL, @a int, select @a, 1']);
    rig.server(prepared(9));
    expect(rig.passed()).toEqual(['rpc execute 9']);
    rig.server(reply(say.row(1), ...say.procEnded()));
    expect(rig.heard()).toEqual(['[1] token 79 done']);
  });

  test('are shared by those who prepare the same', () => {
    const rig = withOne();
    const { memory } = rig;
    const other = new TdsRig({ memory }).client(prepare('select @a', '@a int')).server(prepared(6));
    other.takePassed();
    other.client(execute(FIRST));
    expect(other.passed()).toEqual(['rpc execute 6']);
    rig.client(execute(FIRST));
    expect(rig.passed().at(-1)).toBe('rpc execute 6');
  });

  test('TD-06: a handle that there is not is refused by us', () => {
    const rig = new TdsRig().client(execute(1));
    expect([rig.passed(), rig.heard()]).toEqual([[], ['error 8179 done 2']]);
  });

  test('TD-07: one that could not be prepared has no handle', () => {
    const rig = new TdsRig().client(prepare('nonsense')).server(reply(say.failure(), ended(2)));
    rig.takeHeard();
    rig.client(execute(FIRST));
    expect(rig.heard()).toEqual(['error 8179 done 2']);
  });

  test('are closed by the session alone: others go on with theirs', () => {
    const rig = withOne();
    rig.takeHeard();
    rig.client(say.unprepare(FIRST));
    expect([rig.passed(), rig.heard()]).toEqual([[], ['token 79 done']]);
    rig.client(execute(FIRST));
    expect(rig.heard()).toEqual(['error 8179 done 2']);
  });

  test('several calls in one message have their handles exchanged each', () => {
    const rig = withOne();
    rig.client(prepare('select 2')).server(prepared(6));
    rig.takePassed();
    rig.client(execute(FIRST, FIRST + 1));
    const bytes = Buffer.from(rig.takePassed());
    expect([
      bytes.includes(Buffer.from('26040405000000', 'hex')),
      bytes.includes(Buffer.from('26040406000000', 'hex')),
    ]).toEqual([true, true]);
  });

  test('the database says why one cannot be prepared again', () => {
    const rig = withOne();
    rig.takeHeard();
    rig.free = false;
    rig.client(execute(FIRST)).grant(aMemory({ target: rig.memory.target }));
    rig.server(reply(say.failure(208), ended(2)));
    expect([rig.heard(), rig.boundaries]).toEqual([['error 208 done 2'], 2]);
  });
});

describe('attention', () => {
  test('TD-08: goes to the database, whose acknowledgement ends the reply', () => {
    const rig = new TdsRig().client(batch('waitfor')).client(attention);
    expect(rig.passed()).toEqual(['sqlBatch waitfor', 'attention']);
    rig.server(reply(ended(doneStatus.attention)));
    expect([rig.heard(), rig.boundaries]).toEqual([['done 20'], 1]);
  });

  test('TD-08: its acknowledgement may come behind a reply that was over already', () => {
    const rig = new TdsRig().client(batch('select 1')).client(attention);
    rig.server(oneRow());
    expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
    rig.server(reply(ended(doneStatus.attention)));
    expect([rig.heard(), rig.boundaries]).toEqual([['[1] done 10', 'done 20'], 1]);
  });

  test('TD-10: is answered by us when nothing is under way', () => {
    const rig = new TdsRig().client(batch('select 1')).server(oneRow()).client(attention);
    expect(rig.passed()).toEqual(['sqlBatch select 1']);
    expect(rig.heard()).toEqual(['[1] done 10', 'done 20']);
  });

  test('TD-10: ends the wait for a connection', () => {
    const rig = new TdsRig();
    rig.free = false;
    rig.client(batch('select 1'));
    expect(rig.relay.givesUp(attention)).toBe(true);
    rig.client(attention).refuse({ name: 'cancelled' });
    // Clients wait for the end of a reply, and then for the acknowledgement.
    expect([rig.passed(), rig.heard()]).toEqual([[], ['done 2', 'done 20']]);
    rig.free = true;
    rig.client(batch('select 2'));
    expect(rig.passed()).toEqual(['sqlBatch select 2']);
  });

  test('TD-09: a request that is called off before its end is not sent', () => {
    const whole = batch(`select '${'x'.repeat(3000)}'`);
    const first = whole.slice(0, 4096);
    const last = Uint8Array.of(
      1,
      packetStatus.endOfMessage | packetStatus.ignore,
      0,
      8,
      0,
      0,
      2,
      0,
    );
    const rig = new TdsRig().client(first, last);
    expect([rig.passed(), rig.heard()]).toEqual([[], ['done 2']]);
  });

  test('TD-09: nor is one that is called off at once, and has nothing in it', () => {
    const nothing = message(packetType.sqlBatch, EMPTY, 4096, packetStatus.ignore);
    const rig = new TdsRig().client(nothing);
    expect([rig.passed(), rig.heard()]).toEqual([[], ['done 2']]);
    rig.client(batch('select 2'));
    expect(rig.passed()).toEqual(['sqlBatch select 2']);
  });
});

test('a SET that was stopped may not have been run: the database is asked', () => {
  const rig = new TdsRig().client(batch('set lock_timeout 500')).client(attention);
  rig.takePassed();
  rig.server(reply(ended(doneStatus.attention)));
  expect(rig.passed()).toEqual(['sqlBatch SELECT @@LOCK_TIMEOUT']);
});

test('the isolation level of a transaction of a driver stays with its session', () => {
  const begin = transactionRequest({ request: tmRequest.begin, isolation: 4 }, 0n, VERSION);
  const rig = new TdsRig().client(message(packetType.transactionManager, begin, 4096));
  rig.server(reply(began(7n), ended()));
  rig.client(batch('commit')).server(reply(committed(7n), ended()));
  rig.takePassed();
  rig.free = false;
  rig.client(batch('select 1')).grant(aMemory({ target: rig.memory.target }));
  expect(rig.passed()).toEqual(['sqlBatch SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;']);
});

test('what a prepared statement does is found by its handle', () => {
  const sql = "exec sp_getapplock @Resource = 'a', @LockMode = 'Exclusive', @LockOwner = 'Session'";
  const rig = new TdsRig().client(prepare(sql)).server(prepared(5));
  rig.takePassed();
  rig.client(execute(FIRST)).server(reply(...say.procEnded()));
  expect(rig.passed().at(-1)).toContain('APPLOCK_MODE');
});

describe('bulk load', () => {
  test('TD-26: keeps its connection between INSERT BULK and the rows', () => {
    const rig = new TdsRig().client(batch('insert bulk t (a int)')).server(reply(ended()));
    expect(rig.boundaries).toBe(0);
    rig.client(message(packetType.bulkLoad, new Uint8Array(10_000), 4096)).server(reply(ended()));
    expect([rig.passed().at(-1), rig.boundaries]).toEqual(['bulkLoad', 1]);
  });
});

test('TD-25: what runs in sp_executesql is over with it', () => {
  const rig = new TdsRig()
    .client(executeSql('create table #t (a int)'))
    .server(reply(...say.procEnded()));
  expect([rig.boundaries, rig.pins]).toEqual([1, []]);
});

test('a text in a call that is too long to be looked at may do anything', () => {
  const whole = executeSql(`select '${'x'.repeat(3_000_000)}'`);
  const rig = new TdsRig().client(whole);
  rig.server(reply(say.row(1), ...say.procEnded()));
  expect(rig.reasons).toEqual(['hiddenState']);
});
