import { describe, expect, test } from 'bun:test';
import {
  batch,
  began,
  ended,
  execute,
  failure,
  handleValue,
  moved,
  oneRow,
  prepare,
  prepared,
  procEnded,
  reply,
  RESET,
  unprepare,
  wasReset,
} from '../../../test/transcripts/tds-conversations.ts';
import { aClient, aMemory, TdsRig, VERSION } from '../../../test/transcripts/tds-rig.ts';
import type { RpcCall } from '../../wire/tds/rpc.ts';
import { message, packetBytes, packetStatus, packetType } from '../../wire/tds/packets.ts';
import { procedure, rpcCalls } from '../../wire/tds/rpc.ts';
import { doneStatus } from '../../wire/tds/tokens.ts';
import { UNKNOWN } from './state.ts';

/** What sessions get for the first statement that they prepare. */
const FIRST = 0x4000_0001;
/** In place of a handle that is not there. */
const NOBODY = 0x3fff_ffff;
const SKIP = packetStatus.resetConnectionSkipTran;

function calls(...made: readonly RpcCall[]): Uint8Array {
  return message(packetType.rpc, rpcCalls(made, 0n, VERSION), 4_096);
}

const run = (int: number): RpcCall => ({ procedure: procedure.execute, arguments: [{ int }] });

test('TD-16: the first half of a packet that is cut in two is not taken for the whole request, and run', () => {
  const sql = `select 1 /* ${'x'.repeat(400)} */`;
  const rig = new TdsRig({ memory: aMemory({ packetBytes: 512 }) }).client(batch(sql));
  const bytes = rig.takePassed();
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; at += packetBytes(bytes, at))
    ends.push((bytes[at + 1] ?? 0) & packetStatus.endOfMessage);
  expect(ends).toEqual([0, 1]);
});

describe('handles', () => {
  const replacing = (int: number): Uint8Array =>
    calls({
      procedure: procedure.prepExec,
      arguments: [{ int, isOutput: true }, { text: '' }, { text: 'select 2' }],
    });

  test('a statement that is prepared in place of another, as JDBC has it, closes that: the database does not know its number', () => {
    const rig = new TdsRig().client(prepare('select 1')).server(prepared(7));
    rig.passed();
    rig.client(replacing(FIRST));
    expect(rig.passed()).toEqual(['rpc prepExec 0, , select 2']);
    rig.server(reply(handleValue(8), ...procEnded()));
    rig.heard();
    rig.client(execute(FIRST));
    expect([rig.passed(), rig.heard()]).toEqual([[], ['error 8179 done 2']]);
  });

  test('TD-06: one in place of what nobody has given is the database’s to refuse', () => {
    const rig = new TdsRig().client(replacing(1));
    expect(rig.passed()).toEqual([`rpc prepExec ${NOBODY}, , select 2`]);
  });

  test('of several calls those before one that is lost are run', () => {
    const rig = new TdsRig().client(prepare('select 1')).server(prepared(7));
    rig.passed();
    rig.client(calls(run(FIRST), run(1)));
    expect(rig.passed()).toEqual(['rpc execute 7']);
  });

  test('TD-06: what an earlier call of the same request has closed is lost', () => {
    const rig = new TdsRig().client(prepare('select 1')).server(prepared(7));
    rig.takePassed();
    const close = { procedure: procedure.unprepare, arguments: [{ int: FIRST }] };
    rig.client(calls(close, run(FIRST)));
    const bytes = Buffer.from(rig.takePassed());
    const [seven, nobody] = [Buffer.alloc(4), Buffer.alloc(4)];
    seven.writeInt32LE(7);
    nobody.writeInt32LE(NOBODY);
    expect(bytes.indexOf(seven)).toBeGreaterThan(0);
    expect(bytes.indexOf(nobody)).toBeGreaterThan(bytes.indexOf(seven));
  });

  test('what the database has not come to, after an error, is not closed', () => {
    const rig = new TdsRig().client(prepare('select 1')).server(prepared(7));
    const close = { procedure: procedure.unprepare, arguments: [{ int: FIRST }] };
    rig.client(calls(run(FIRST), close));
    rig.server(reply(failure(), ...procEnded(doneStatus.error)));
    rig.passed();
    rig.client(execute(FIRST));
    expect(rig.passed()).toEqual(['rpc execute 7']);
  });

  test('TD-06: one of another type than is exchanged never gets to the database', () => {
    const called = { procedure: procedure.execute, arguments: [{ text: '1' }] };
    const rig = new TdsRig().client(calls(called));
    expect([rig.passed(), rig.heard()]).toEqual([[], ['error 8179 done 2']]);
  });

  test('one that is lost in a transaction is the database’s to refuse: an error may end it', () => {
    const rig = new TdsRig().client(batch('begin tran'));
    rig.server(reply(began(9n), ended(doneStatus.inTransaction)));
    rig.passed();
    rig.client(execute(1));
    expect(rig.passed()).toEqual([`rpc (9) execute ${NOBODY}`]);
  });

  test('what we answer in a transaction says that there is one, where the database does so', () => {
    const rig = new TdsRig().client(batch('begin tran'));
    rig.server(reply(began(9n), ended(doneStatus.inTransaction)));
    rig.client(prepare('select 1'));
    rig.server(reply(handleValue(7), ...procEnded(doneStatus.inTransaction)));
    rig.heard();
    rig.client(unprepare(FIRST));
    expect(rig.heard()).toEqual(['token 79 done 4']);
  });
});

test('a statement is prepared anew in the state in which it was prepared first, and not in that of its run', () => {
  const rig = new TdsRig().client(prepare('select "a"')).server(prepared(7));
  rig.client(batch('set quoted_identifier off')).server(reply(ended()));
  rig.client(batch('use other'));
  rig.server(reply(moved('other', 'app'), ended()));
  rig.passed();
  rig.free = false;
  rig.client(execute(FIRST)).grant(aMemory());
  // The connection is brought to the session's state, to the statement's, and back.
  expect(rig.passed()).toEqual(['sqlBatch USE [other]; SET quoted_identifier OFF;']);
  rig.server(reply(ended()));
  expect(rig.passed()).toEqual(['sqlBatch USE [app]; SET quoted_identifier ON;']);
  rig.server(reply(ended()));
  expect(rig.passed()).toEqual(['rpc prepare NULL, , select "a", 1']);
  rig.server(prepared(3));
  expect(rig.passed()).toEqual(['sqlBatch USE [other]; SET quoted_identifier OFF;']);
  rig.server(reply(ended()));
  expect(rig.passed()).toEqual(['rpc execute 3']);
});

describe('a reset of the client’s', () => {
  test('TD-01: may leave its transaction open, whose descriptor then stays', () => {
    const rig = new TdsRig().client(batch('begin tran')).server(reply(began(9n), ended()));
    rig.client(batch('select 1', { status: SKIP })).server(reply(wasReset, ended()));
    rig.passed();
    rig.client(batch('select 2'));
    expect([rig.attached, rig.passed()]).toEqual([true, ['sqlBatch (9) select 2']]);
  });

  test('is not taken for done on the connection that it only keeps for what it may ask, which others get', () => {
    const who = aClient();
    who.habits.add('previous');
    const rig = new TdsRig({ who }).client(batch('set nocount on')).server(reply(ended()));
    rig.client(batch('insert into t values (1)')).server(reply(ended()));
    expect([rig.rests, rig.attached]).toEqual([1, true]);
    rig.free = false;
    const left = rig.memory.state;
    rig.client(batch('select 1', { status: RESET }));
    expect([rig.boundaries, rig.memory.state, rig.memory.resetDue]).toEqual([2, left, false]);
    rig.grant(aMemory({ who })).server(oneRow());
    expect(rig.heard().at(-1)).toBe('[1] env resetDone done 10');
  });
});

test('TD-03: an isolation level that may have been set, and is not asked about any more, is unknown after a reset', () => {
  const sql = 'if 1 = 1 set transaction isolation level serializable';
  const rig = new TdsRig().client(batch('begin tran')).server(reply(began(9n), ended()));
  rig.client(batch(sql)).server(reply(ended()));
  expect(rig.memory.state.isFresh).toBe(true);
  rig.memory.reset();
  expect([...rig.memory.state.values]).toEqual([['isolation level', UNKNOWN]]);
});

describe('an identity', () => {
  const insert = batch('insert into t values (1)');
  const ask = batch('select @@identity');

  test('that another session has left is not given to one who has been there since, and has left none', () => {
    const memory = aMemory();
    new TdsRig({ memory }).client(insert).server(reply(ended()));
    const rig = new TdsRig({ memory }).client(insert);
    rig.server(reply(failure(), ended(doneStatus.error)));
    rig.passed();
    rig.client(ask);
    expect(rig.passed()).toEqual(['reset + sqlBatch select @@identity']);
  });

  test('that another session has left is gone before a transaction in which it could be asked for, where clients do so', () => {
    const memory = aMemory();
    new TdsRig({ memory }).client(insert).server(reply(ended()));
    const who = aClient();
    who.habits.add('previous');
    const rig = new TdsRig({ memory, who }).client(batch('begin tran'));
    expect(rig.passed()).toEqual(['reset + sqlBatch begin tran']);
  });

  test('of its own stays where it is, and so does a count of rows', () => {
    const memory = aMemory();
    new TdsRig({ memory }).client(insert).server(reply(ended()));
    const rig = new TdsRig({ memory }).client(batch('select 1')).server(oneRow());
    rig.client(batch('select @@rowcount')).server(oneRow());
    rig.client(insert).server(reply(ended()));
    rig.client(ask);
    expect(rig.passed().filter((line) => line.startsWith('reset'))).toEqual([]);
  });
});
