import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, frontend, i16, i32, message } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import { copyIn, copyOut, functionCall, functionResult } from '../../../test/transcripts/model.ts';
import { after, Rig } from '../../../test/transcripts/rig.ts';
import { Violation } from '../../base/assert.ts';

const { batch, batchReply, bind, bound, complete, copyData, copyDone, emptied, execute } = say;
const { answer, failure, flush, oneRow, parse, parsed, query, ready, sync } = say;

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

  test('PG-12: is not over while the database is in the middle of a message', () => {
    const notice = backend.notice({ S: 'NOTICE', V: 'NOTICE', M: 'psst' });
    for (let cut = 1; cut < notice.length; cut += 1) {
      const rig = after(query('select 1'), bytesOf(oneRow, ready(), notice.subarray(0, cut)));
      expect([cut, rig.boundaries, rig.attached]).toEqual([cut, 0, true]);
      rig.server(notice.subarray(cut));
      expect([rig.boundaries, rig.attached, rig.heard().length]).toEqual([1, false, 4]);
    }
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

  test('PG-07: nor where the session is tied to its connection', () => {
    const rig = after(query('listen news'), complete('LISTEN'), ready()).server(answer('t'));
    rig.passed();
    rig.client(copyData('y\n'), copyDone(), flush());
    expect([rig.attached, rig.passed(), rig.relay.quiet]).toEqual([true, '', true]);
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
    expect([rig.boundaries, rig.relay.quiet]).toEqual([2, true]);
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
    expect([rig.boundaries, rig.passed(), rig.heard().at(-1)]).toEqual([1, '', 'Z I']);
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
