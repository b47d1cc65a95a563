import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, i16, i32, message } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import { copyIn, copyOut, functionResult } from '../../../test/transcripts/model.ts';
import { after, freshMemory, Rig, usualParameters } from '../../../test/transcripts/rig.ts';
import { Violation } from '../../base/assert.ts';
import { EMPTY } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';

const { batch, batchReply, bind, bound, complete, copyData, emptied, execute } = say;
const { failure, flush, oneRow, parse, parsed, query, ready, sync } = say;

const lost = { name: 'databaseLost' } as const;
const LOST =
  'E FATAL 08006 The database connection was lost. Whether the request took effect is not known.';

/** What the client hears of a lost connection; empty where it must not hear more. */
function farewell(rig: Rig): readonly string[] {
  const words = rig.relay.lost(lost);
  if (words.length > 0) rig.toClient(words);
  return rig.heard().slice(-1);
}

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

  test('PG-15: nothing that follows a farewell is heard', () => {
    const bye = failure('57P01', 'FATAL');
    const once = ['E FATAL 57P01 it did not work'];
    expect(after(query('select 1'), bytesOf(bye, bye, ready())).heard()).toEqual(once);
    expect(after(query('select 1'), bye, bye, ready()).heard()).toEqual(once);
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

describe('PG-90: a statement without a name', () => {
  test('that runs in its own request ties nothing', () => {
    const rig = after(bytesOf(batch, batch), batchReply, batchReply);
    expect([rig.pins, rig.attached]).toEqual([[], false]);
  });

  test('that waits for a later request keeps the connection until then', () => {
    const rig = after(bytesOf(parse('', 'select 1'), say.describe('S'), sync()), parsed);
    rig.server(message('t', i16(0)), say.noData, ready());
    expect([rig.reasons, rig.attached]).toEqual([['preparedStatement'], true]);
    rig.passed();
    rig.client(bind('', ''), execute(), sync()).server(bound, oneRow, ready());
    expect(rig.passed()).toBe('BES');
  });

  test('that was not accepted is none', () => {
    const rig = after(bytesOf(parse('', 'nonsense'), sync()), failure(), ready());
    expect([rig.pins, rig.attached]).toEqual([[], false]);
  });

  test('of an earlier request, which is gone, is not looked for: it may be somebody else’s', () => {
    for (const first of [bind('', ''), say.describe('S')]) {
      const rig = new Rig();
      rig.free = false;
      rig.client(first, execute(), query('select 1'), flush());
      expect(rig.heard()).toEqual(['E ERROR 26000 unnamed prepared statement does not exist']);
      rig.client(sync());
      expect([rig.heard(), rig.waiting, rig.toServerBytes]).toEqual([['Z I'], false, []]);
      rig.free = true;
      rig.client(batch).server(batchReply);
      expect(rig.boundaries).toBe(1);
    }
  });

  test('nor behind a request that is still under way', () => {
    for (const asks of [bind('', ''), say.describe('S')]) {
      for (const first of [sync(), bytesOf(execute(), parse('', 'skipped'), sync())]) {
        const rig = new Rig().client(first, asks, execute(), sync());
        expect(rig.passed()).not.toContain('B');
        rig.server(first.length > 5 ? failure() : EMPTY, ready());
        expect(rig.heard().slice(-3)).toEqual([
          'Z I',
          'E ERROR 26000 unnamed prepared statement does not exist',
          'Z I',
        ]);
        expect([rig.passed(), rig.attached]).toEqual(['', false]);
      }
    }
  });

  test('nor in the middle of a batch', () => {
    const rig = new Rig();
    expect(() => rig.client(say.close('S', 'x'), bind('', ''), execute(), sync())).toThrow(
      Violation,
    );
  });

  test('that was prepared in the request before runs as soon as that is known', () => {
    const rig = new Rig().client(parse('', 'select 1'), sync(), bind('', ''), execute(), sync());
    expect(rig.passed()).toBe('PS');
    rig.server(parsed, ready());
    expect(rig.passed()).toBe('BES');
  });

  test('that a query has dropped is the database’s to miss', () => {
    const rig = new Rig().client(query('begin'), bind('', ''), sync());
    expect(rig.passed()).toBe('Q');
    rig.server(oneRow, ready('T'));
    expect(rig.passed()).toBe('BS');
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
