import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, frontend, i16, i32, message } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import { copyIn, copyOut, functionCall, functionResult } from '../../../test/transcripts/model.ts';
import { freshMemory, Rig, usualParameters } from '../../../test/transcripts/rig.ts';
import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';

const { batch, batchReply, bind, bound, complete, copyData, copyDone, emptied, execute } = say;
const { failure, flush, oneRow, parse, parsed, query, ready, sync } = say;

const lost = { name: 'databaseLost' } as const;
const LOST =
  'E FATAL 08006 The database connection was lost. Whether the request took effect is not known.';

/** A client that has sent this, and a database that has answered so. */
function after(sent: Uint8Array, ...answers: readonly Uint8Array[]): Rig {
  return new Rig().client(sent).server(...answers);
}

/** What the client hears of a lost connection; empty where it must not hear more. */
function farewell(rig: Rig): readonly string[] {
  const words = rig.relay.lost(lost);
  if (words.length > 0) rig.toClient(words);
  return rig.heard().slice(-1);
}

describe('a request', () => {
  test('PG-01: three pipelined batches are one: the connection is given back after the third', () => {
    const rig = new Rig().client(batch, batch, batch);
    expect(rig.toServerBytes.length).toBe(1);
    rig.server(batchReply).server(batchReply);
    expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
    rig.server(batchReply);
    expect([rig.boundaries, rig.attached, rig.relay.quiet]).toEqual([1, false, true]);
    expect(rig.heard().filter((line) => line === 'Z I').length).toBe(3);
  });

  test('PG-02: a query that the database skips after an error is owed nothing', () => {
    const rig = new Rig().client(parse('', 'nonsense'), query('select 1'), sync());
    rig.server(failure(), ready());
    expect(rig.boundaries).toBe(1);
    // The same, where the error comes before the query was sent.
    const late = new Rig().client(parse('', 'nonsense')).server(failure());
    late.client(query('select 1'), functionCall());
    expect(late.relay.quiet).toBe(false);
    late.client(sync()).server(ready());
    expect([late.boundaries, late.passed()]).toEqual([1, 'PQFS']);
  });

  test('PG-03: Flush without Sync keeps the connection, though nothing is owed', () => {
    const rig = after(bytesOf(parse('', 'select 1'), flush()), parsed);
    expect([rig.boundaries, rig.attached, rig.relay.quiet]).toEqual([0, true, false]);
    rig.client(bind('', ''), execute(), flush()).server(bound, oneRow);
    expect(rig.attached).toBe(true);
    rig.client(sync()).server(ready());
    expect(rig.boundaries).toBe(1);
  });

  test('PG-03: a simple query ends what was not synced, as the database sees it', () => {
    const rig = after(bytesOf(parse('', 'select 1'), flush()), parsed);
    rig.client(query('select 1')).server(oneRow, ready());
    expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
    // But not where the error before it made the database skip it.
    const skipped = after(bytesOf(parse('', 'nonsense'), query('select 1')), failure());
    expect([skipped.boundaries, skipped.relay.quiet]).toEqual([0, false]);
  });

  test('PG-04: a suspended portal keeps the connection', () => {
    const rig = after(
      bytesOf(parse('', 'select 1'), bind('', ''), execute('', 1), flush()),
      parsed,
    );
    rig.server(bound, say.dataRow('1'), say.suspended);
    expect([rig.boundaries, rig.attached]).toEqual([0, true]);
    rig.client(execute('', 1), flush()).server(say.dataRow('2'), say.suspended);
    rig.client(sync()).server(ready());
    expect(rig.boundaries).toBe(1);
  });

  test('PG-05: a Sync on its own, and five messages at once', () => {
    const rig = new Rig().client(parse('', 'select 1'), bind('', ''), execute());
    rig.server(parsed, bound, oneRow);
    expect(rig.boundaries).toBe(0);
    rig.client(sync()).server(ready());
    expect(rig.boundaries).toBe(1);
    rig.client(parse('', 'select 1'), say.describe('S'), bind('', ''), execute(), sync());
    rig.server(parsed, message('t', i16(0)), say.rowDescription('a'), bound, oneRow, ready());
    expect(rig.boundaries).toBe(2);
  });

  test('PG-06: an error in a batch skips to its Sync, and nothing is made up', () => {
    const broken = bytesOf(parse('', 'select 1'), parse('', 'nonsense'), bind('', ''), sync());
    const rig = new Rig().client(broken, batch).server(parsed, failure(), ready());
    expect(rig.boundaries).toBe(0);
    rig.server(batchReply);
    expect(rig.boundaries).toBe(1);
    expect(
      rig
        .heard()
        .map((line) => line[0])
        .join(''),
    ).toBe('1EZ12DCZ');
  });

  test('PG-11: function calls', () => {
    const rig = after(functionCall(), functionResult(), ready());
    expect([rig.boundaries, rig.requests]).toEqual([1, 1]);
    rig.client(functionCall()).server(failure(), ready());
    expect(rig.boundaries).toBe(2);
  });

  test('PG-12: notices and notifications may come at any time', () => {
    const notice = backend.notice({ S: 'NOTICE', V: 'NOTICE', M: 'psst' });
    const notification = message('A', i32(1), 'news\0\0');
    const rig = new Rig().client(query('begin'));
    rig.server(notice, complete('BEGIN'), notification, ready('T'));
    rig.server(notice, notification);
    expect(
      rig
        .heard()
        .map((line) => line[0])
        .join(''),
    ).toBe('NCAZNA');
  });

  test('PG-24: an empty query in a failed transaction keeps its status', () => {
    const rig = after(query('begin'), complete('BEGIN'), ready('T'));
    rig.client(query('nonsense')).server(failure(), ready('E'));
    rig.client(query(';')).server(emptied, ready('E'));
    expect(rig.heard().slice(-2)).toEqual(['I', 'Z E']);
    expect([rig.boundaries, rig.relay.inTransaction]).toEqual([0, true]);
    rig.client(query('rollback')).server(complete('ROLLBACK'), ready());
    expect([rig.boundaries, rig.relay.inTransaction]).toEqual([1, false]);
  });

  test('PG-33: is quiet outside a request and from its end on, and at no time between', () => {
    const rig = new Rig();
    expect(rig.relay.quiet).toBe(true);
    const bytes = query('select 1');
    rig.client(bytes.subarray(0, 3));
    expect(rig.relay.quiet).toBe(true);
    rig.client(bytes.subarray(3));
    expect(rig.relay.quiet).toBe(false);
    rig.server(say.rowDescription('a'), oneRow);
    expect(rig.relay.quiet).toBe(false);
    rig.server(ready());
    expect(rig.relay.quiet).toBe(true);
  });

  test('counts: each query, Execute and function call', () => {
    const rig = new Rig().client(batch, query('select 1'), functionCall(), batch);
    expect(rig.requests).toBe(4);
  });

  test('goodbye: what came before it is sent, what comes after it is not', () => {
    const rig = new Rig().client(query('select 1'), say.terminate(), query('select 2'));
    expect([rig.finished, rig.passed()]).toEqual([true, 'Q']);
  });
});

describe('a copy', () => {
  test('PG-07: what still comes after it failed reaches nobody and borrows nothing', () => {
    const rig = after(query('copy t from stdin'), copyIn());
    rig.client(copyData('x\n')).server(failure('22P02'), ready());
    expect(rig.boundaries).toBe(1);
    rig.passed();
    rig.client(copyData('y\n'), copyData('z\n'), copyDone(), flush());
    expect([rig.attached, rig.passed(), rig.relay.quiet]).toEqual([false, '', true]);
    rig.client(copyData('a\n'), query('select 1')).server(oneRow, ready());
    expect([rig.boundaries, rig.passed()]).toEqual([2, 'Q']);
  });

  test('PG-07: it may fail in the middle of a message, which is sent to its end', () => {
    const data = copyData('a long line\n');
    const rig = after(query('copy t from stdin'), copyIn());
    rig.client(data.subarray(0, 9)).server(failure('22P02'), ready());
    expect([rig.boundaries, rig.attached]).toEqual([0, true]);
    // Its end and the first bytes of the next message come together.
    rig.client(data.subarray(9), copyDone().subarray(0, 2));
    expect([rig.boundaries, rig.attached, rig.passed()]).toEqual([1, false, 'Qd']);
    rig.client(copyDone().subarray(2));
    expect(rig.passed()).toBe('');
  });

  test('PG-08: ten thousand leave nothing behind', () => {
    const rig = new Rig();
    for (let copies = 0; copies < 10_000; copies += 1) {
      rig.client(query('copy t from stdin')).server(copyIn());
      rig.client(copyData('1\n'), copyDone()).server(complete('COPY 1'), ready());
    }
    expect([rig.boundaries, rig.relay.quiet]).toEqual([10_000, true]);
  });

  const begun = bytesOf(parse('', 'copy t from stdin'), bind('', ''), execute(), sync());

  test('PG-09: swallows the Sync that was sent ahead of its data', () => {
    const rig = after(begun, parsed, bound, copyIn());
    rig.client(copyData('1\n'), copyDone(), sync()).server(complete('COPY 1'));
    expect(rig.relay.quiet).toBe(false);
    rig.server(ready());
    expect(rig.boundaries).toBe(1);
  });

  test('PG-09: is kept until the Sync behind it comes, however late: its work is not committed yet', () => {
    for (const [late, ...reply] of [
      [sync(), ready()],
      [query('select 1'), oneRow, ready()],
    ] as const) {
      const rig = after(begun, parsed, bound, copyIn()).client(copyData('1\n'), copyDone());
      rig.server(complete('COPY 1'));
      expect([rig.boundaries, rig.relay.quiet]).toEqual([0, false]);
      rig.client(late).server(...reply);
      expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
    }
  });

  const doubtful = (): Rig =>
    after(begun, parsed, bound, copyIn())
      .client(copyData('x\n'))
      .server(failure('22P02'))
      .client(copyDone(), sync());

  test('PG-09: where it failed, an empty query of our own tells that a Sync was swallowed', () => {
    const rig = doubtful().server(ready());
    expect([rig.passed(), rig.boundaries]).toEqual(['PBESdcSQ', 0]);
    rig.heard();
    // Until the answer is there, nothing more is sent.
    rig.client(query('select 1'));
    expect(rig.passed()).toBe('');
    rig.server(emptied, ready());
    expect([rig.passed(), rig.heard()]).toEqual(['Q', []]);
    rig.server(oneRow, ready());
    expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
  });

  test('PG-09: … or that it was not', () => {
    const rig = doubtful().server(ready()).server(ready());
    rig.heard();
    rig.server(emptied, ready());
    expect([rig.heard(), rig.boundaries, rig.relay.quiet]).toEqual([[], 1, true]);
  });

  test('PG-09: our own query is never put inside a message of the client', () => {
    const data = copyData('a long line\n');
    const rig = after(query('copy t from stdin'), copyIn());
    rig.client(sync(), data.subarray(0, 8)).server(failure('22P02'), ready());
    expect(rig.relay.quiet).toBe(false);
    rig.client(data.subarray(8), copyDone());
    expect(rig.passed()).toBe('QSdQ');
    // The copy has not read that Sync.
    rig.server(ready(), emptied, ready());
    expect([rig.boundaries, rig.passed(), rig.heard().at(-1)]).toEqual([1, 'c', 'Z I']);
  });

  test('PG-09: a stray Sync and the end of the copy behind it can be told apart', () => {
    const rig = after(query('copy t from stdin'), copyIn()).client(sync());
    rig.client(copyData('x\n')).server(failure('22P02')).client(copyDone()).server(ready());
    expect(rig.passed()).toBe('QSdcQ');
    rig.server(emptied, ready());
    expect([rig.boundaries, rig.heard().join()]).toEqual([1, expect.stringMatching(/Z I$/)]);
  });

  test('PG-09: requests behind a failed copy cannot be told apart: the connection is given up', () => {
    const rig = doubtful().client(batch);
    expect(() => rig.server(ready())).toThrow(Violation);
  });

  test('PG-09: without a Sync ahead of its data there is no doubt', () => {
    const rig = after(begun.subarray(0, begun.length - 5), parsed, bound, copyIn());
    rig.client(copyData('x\n')).server(failure('22P02'));
    expect(rig.relay.quiet).toBe(false);
    rig.client(copyDone(), sync()).server(ready());
    expect([rig.boundaries, rig.passed()]).toEqual([1, 'PBEdcS']);
  });

  test('out', () => {
    const rig = after(query('copy t to stdout'), copyOut(), message('d', '1\n'), message('c'));
    rig.server(complete('COPY 1'), ready());
    expect(rig.boundaries).toBe(1);
  });
});

describe('a client without a connection', () => {
  test('waits, and is served in order', () => {
    const rig = new Rig();
    rig.free = false;
    rig.client(query('select 1')).client(query('select 2'));
    expect([rig.waiting, rig.toServerBytes]).toEqual([true, []]);
    rig.grant();
    expect(rig.passed()).toBe('QQ');
    rig.server(oneRow, ready(), oneRow, ready());
    expect(rig.boundaries).toBe(1);
  });

  test('PG-18: loses nothing of a header that came in pieces', () => {
    const bytes = query('select 1');
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const rig = new Rig();
      rig.free = false;
      rig.client(bytes.subarray(0, cut)).client(bytes.subarray(cut)).grant();
      expect([cut, Buffer.concat(rig.toServerBytes)]).toEqual([cut, Buffer.from(bytes)]);
    }
  });

  const fault = { name: 'borrowTimeout' } as const;
  const TIMED_OUT = 'E ERROR 08000 Timed-out waiting to acquire database connection.';

  test('is refused: a query', () => {
    const rig = new Rig();
    rig.free = false;
    rig.client(query('select 1')).refuse(fault);
    expect([rig.heard(), rig.waiting, rig.relay.quiet]).toEqual([[TIMED_OUT, 'Z I'], false, true]);
    rig.free = true;
    rig.client(query('select 1')).server(oneRow, ready());
    expect(rig.boundaries).toBe(1);
  });

  test('is refused: a batch, up to its Sync, even where that comes late (PG-02, PG-03)', () => {
    const rig = new Rig();
    rig.free = false;
    rig.client(parse('', 'select 1'), flush()).refuse(fault);
    expect(rig.heard()).toEqual([TIMED_OUT]);
    rig.client(bind('', ''), execute(), query('select 1'), functionCall(), copyData('1'));
    expect([rig.heard(), rig.waiting]).toEqual([[], false]);
    rig.client(sync());
    expect(rig.heard()).toEqual(['Z I']);
    rig.client(functionCall());
    expect(rig.waiting).toBe(true);
  });

  test('is refused: requests behind each other are each told', () => {
    const rig = new Rig();
    rig.free = false;
    rig.client(query('select 1'), batch, functionCall(), sync(), query('select 2'));
    for (let refusals = 0; refusals < 4; refusals += 1) {
      expect(rig.waiting).toBe(true);
      rig.refuse(fault);
      expect(rig.heard()).toEqual([TIMED_OUT, 'Z I']);
    }
    expect(rig.waiting).toBe(true);
    rig.grant();
    expect(rig.passed()).toBe('Q');
  });

  test('is refused: of a message that still arrives nothing is sent', () => {
    const long = query(`select '${'x'.repeat(500)}'`);
    const rig = new Rig();
    rig.free = false;
    rig.client(long.subarray(0, 100)).refuse(fault);
    rig.client(long.subarray(100, 300)).client(long.subarray(300), query('select 1'));
    expect([rig.heard(), rig.waiting, rig.toServerBytes]).toEqual([[TIMED_OUT, 'Z I'], true, []]);
  });

  test('PG-119: hears why the database refused, as an error of its request only', () => {
    const original = backend.error({ S: 'FATAL', V: 'FATAL', C: '3D000', M: 'no such database' });
    const rig = new Rig();
    rig.free = false;
    rig.client(query('select 1'));
    rig.refuse({ name: 'databaseRefused', refusal: 'final', original });
    expect(rig.heard()).toEqual(['E ERROR 3D000 no such database', 'Z I']);
  });

  test('PG-16: nonsense costs no connection', () => {
    for (const type of ['p', 'z', '\0', 'W']) {
      const rig = new Rig();
      rig.free = false;
      expect(() => rig.client(message(type))).toThrow('invalid frontend message type');
      expect([rig.waiting, rig.attached]).toEqual([false, false]);
    }
  });
});

describe('a peer that breaks the protocol', () => {
  const broken = [-1, 0, 3, -0x80000000, 0x7fffffff, limits.messageBytes.value + 5];

  test('PG-16: lengths that cannot be, from both sides', () => {
    for (const length of broken) {
      for (const type of ['Q', 'P', 'B', 'd', 'X', 'S']) {
        expect(() => new Rig().client(bytesOf(type, i32(length)))).toThrow(Violation);
      }
      for (const type of ['D', 'Z', 'E', 'S', 'N', 'd']) {
        const rig = new Rig().client(query('select 1'));
        expect(() => rig.server(bytesOf(type, i32(length)))).toThrow(Violation);
      }
    }
  });

  test('replies that nobody asked for', () => {
    const unasked = [
      ...[oneRow, ready(), parsed, bound, say.closed, say.noData, say.suspended, emptied],
      ...[failure(), copyIn(), copyOut(), copyData('1'), functionResult(), message('t', i16(0))],
      ...[say.rowDescription('a'), message('c'), message('W'), message('K'), message('R', i32(0))],
    ];
    for (const reply of unasked) {
      const rig = after(query('begin'), complete('BEGIN'), ready('T'));
      rig.heard();
      expect(() => rig.server(reply)).toThrow(Violation);
      expect(rig.heard()).toEqual([]);
    }
  });

  test('replies to something else than was asked', () => {
    const ask = bytesOf(parse('', 'select 1'), bind('', ''), sync());
    for (const reply of [bound, say.closed, say.noData, oneRow.subarray(7), emptied, ready()]) {
      const rig = new Rig().client(ask);
      expect(() => rig.server(reply)).toThrow(Violation);
    }
  });

  test('a reply that is read and larger than any', () => {
    for (const type of ['Z', 'S']) {
      const rig = new Rig().client(query('select 1'));
      const header = bytesOf(type, i32(limits.inspectedMessageBytes.value + 5));
      expect(() => rig.server(header)).toThrow(Violation);
    }
  });

  test('a transaction status that does not exist', () => {
    const rig = new Rig().client(query('select 1')).server(oneRow);
    expect(() => rig.server(message('Z', 'X'))).toThrow(Violation);
  });

  test('a connection that nobody has borrowed', () => {
    expect(() => new Rig().relay.fromServer(ready())).toThrow('without a request');
  });
});

describe('a lost connection', () => {
  test('is told between requests, in one, in a transaction, and while data flows in', () => {
    expect(farewell(new Rig())).toEqual([LOST]);
    expect(farewell(new Rig().client(query('select 1')))).toEqual([LOST]);
    expect(farewell(after(query('begin'), complete('BEGIN'), ready('T')))).toEqual([LOST]);
    expect(farewell(after(query('copy t from stdin'), copyIn()))).toEqual([LOST]);
    expect(farewell(after(query('select 1'), say.rowDescription('a'), oneRow))).toEqual([LOST]);
  });

  test('is not told inside a message, whatever its part', () => {
    const [description, row] = [say.rowDescription('a'), say.dataRow('a long value')];
    for (const [before, whole] of [
      [say.emptied, description],
      [description, row],
    ] as const) {
      for (let cut = 0; cut <= whole.length; cut += 1) {
        const rig = after(query('select 1'), before).server(whole.subarray(0, cut));
        // A header in pieces has not been passed on.
        const isInside = cut >= 5 && cut < whole.length;
        expect([cut, rig.relay.lost(lost).length === 0]).toEqual([cut, isInside]);
      }
    }
  });

  test('PG-15: is not told again by us where the database has said so itself', () => {
    const rig = after(query('select pg_sleep(9)'), failure('57P01', 'FATAL'));
    expect(farewell(rig)).toEqual(['E FATAL 57P01 it did not work']);
    const panic = after(query('select 1'), failure('XX000', 'PANIC'));
    expect(panic.relay.lost(lost)).toEqual(new Uint8Array(0));
    // An error that ends only its request is no farewell.
    expect(farewell(after(query('nonsense'), failure()))).toEqual([LOST]);
  });

  test('PG-15: half a farewell is none', () => {
    const words = failure('57P01', 'FATAL');
    for (let cut = 1; cut < words.length; cut += 1) {
      expect(farewell(after(query('select 1'), words.subarray(0, cut)))).toEqual([LOST]);
    }
  });

  test('PG-17: an error without code or severity ends its request', () => {
    for (const fields of [{ S: 'ERROR', M: 'x' }, { M: 'x' }, {}]) {
      const rig = after(query('nonsense'), backend.error(fields), ready());
      expect(rig.boundaries).toBe(1);
    }
  });
});

describe('what ties a session', () => {
  test('a statement: named, and it keeps the connection from then on', () => {
    const rig = after(bytesOf(parse('name', 'select 42'), sync()), parsed, ready());
    expect(rig.pins).toEqual([{ reason: 'preparedStatement', digest: 'select $1' }]);
    expect([rig.boundaries, rig.attached, rig.relay.quiet]).toEqual([1, true, true]);
    rig.client(bind('', 'name'), execute(), sync()).server(bound, oneRow, ready());
    expect([rig.boundaries, rig.attached]).toEqual([2, true]);
  });

  test('a statement whose text streams by, with a name and without', () => {
    const text = `set a = '${'x'.repeat(3_000)}'`;
    for (const [bytes, reasons] of [
      [query(text), ['setting']],
      [parse('', text, [23]), ['setting']],
      [parse('name', text, [23]), ['preparedStatement', 'setting']],
      [
        parse(
          '',
          'select 1',
          Array.from({ length: 999 }, () => 23),
        ),
        [],
      ],
    ] as const) {
      const rig = new Rig().client(bytes.subarray(0, 700)).client(bytes.subarray(700), sync());
      expect([...rig.reasons]).toEqual([...reasons]);
    }
  });

  test('a parameter that changed though no statement said so', () => {
    const rig = after(query('select change()'), backend.parameterStatus('TimeZone', 'Asia/Tokyo'));
    expect(rig.pins).toEqual([]);
    rig.server(oneRow, ready());
    expect(rig.pins).toEqual([
      { reason: 'hiddenState', digest: 'changed without a SET: TimeZone' },
    ]);
    expect([rig.boundaries, rig.attached]).toEqual([1, true]);
  });

  test('but not one that changed back before the request was over', () => {
    const there = backend.parameterStatus('TimeZone', 'Asia/Tokyo');
    const rig = after(query('select change()'), there, backend.parameterStatus('TimeZone', 'UTC'));
    rig.server(oneRow, ready());
    expect([rig.pins, rig.attached]).toEqual([[], false]);
  });

  test('and not one that changed back after many other sets were met', () => {
    const rig = after(query('select change()'), backend.parameterStatus('TimeZone', 'Asia/Tokyo'));
    for (let at = 0; at < 2_000; at += 1) freshMemory(new Map([['TimeZone', `${at}`]]));
    rig.server(backend.parameterStatus('TimeZone', 'UTC'), oneRow, ready());
    expect([rig.pins, rig.attached]).toEqual([[], false]);
  });

  test('parameters under which statements cannot be read', () => {
    for (const [name, value] of [
      ['client_encoding', 'SJIS'],
      ['standard_conforming_strings', 'off'],
    ] as const) {
      const memory = freshMemory(new Map([...usualParameters, [name, value]]));
      const rig = new Rig(memory).client(query('select 1'));
      expect(rig.pins).toEqual([{ reason: 'hiddenState', digest: `${name} is ${value}` }]);
    }
  });
});

describe("another connection's parameters", () => {
  const rome = new Map([...usualParameters, ['TimeZone', 'Europe/Rome']]);

  test('PG-13: are told to the client that gets it, as far as they differ, and once', () => {
    const rig = new Rig(freshMemory(rome), freshMemory()).client(query('select 1'));
    expect(rig.heard()).toEqual(['S TimeZone=Europe/Rome']);
    rig.server(oneRow, ready());
    rig.heard();
    rig.client(query('select 1'));
    expect([rig.heard(), rig.pins]).toEqual([[], []]);
  });

  test('PG-13: told by the database to one client, they are news to the next', () => {
    const memory = freshMemory();
    const first = new Rig(memory);
    const second = new Rig(memory);
    const third = new Rig(freshMemory());
    // A new configuration reaches the idle connection: it is nobody's state.
    first.server(backend.parameterStatus('TimeZone', 'Asia/Tokyo'));
    first.client(query('select 1')).server(oneRow, ready());
    second.client(query('select 1')).server(oneRow, ready());
    third.client(query('select 1')).server(oneRow, ready());
    expect(first.heard()[0]).toBe('S TimeZone=Asia/Tokyo');
    expect(second.heard()[0]).toBe('S TimeZone=Asia/Tokyo');
    expect(third.heard()[0]).toBe('D 1');
    expect([first.pins, second.pins]).toEqual([[], []]);
  });

  test('PG-13: what a client was told by its connection is compared with the next one', () => {
    const rig = new Rig();
    rig.client(query('select 1')).server(oneRow, ready());
    rig.free = false;
    rig.client(query('select 2')).grant(freshMemory(rome));
    expect(rig.heard().at(-1)).toBe('S TimeZone=Europe/Rome');
  });
});

test('frontend messages of every kind are passed on', () => {
  const everything = bytesOf(
    ...[
      parse('', 'x'),
      bind('', ''),
      say.describe('P'),
      execute(),
      say.close('P'),
      flush(),
      sync(),
    ],
    ...[query('x'), functionCall(), copyData('1'), copyDone(), frontend.copyFail('no')],
  );
  expect(new Rig().client(everything).passed()).toBe('PBDECHSQFdcf');
});
