import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { bytesOf, i32, parseMessages } from '../../../test/support/messages.ts';
import {
  bind,
  conversations,
  dataRow,
  failure,
  parse,
  query,
  ready,
} from '../../../test/transcripts/conversations.ts';
import type { Turn } from '../../../test/transcripts/conversations.ts';
import { anyCopyMessage, anyRequest, Draw, ModelServer } from '../../../test/transcripts/model.ts';
import { freshMemory, Rig } from '../../../test/transcripts/rig.ts';
import { Violation } from '../../base/assert.ts';
import { concat } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { overhear } from './overhear.ts';

/** All that can be seen of a conversation from outside, however it was cut. */
function outcome(turns: readonly Turn[]): unknown {
  const rig = new Rig();
  for (const { side, bytes } of turns) rig[side](bytes);
  const { boundaries, requests, reasons, attached, finished, relay, memory } = rig;
  return {
    toServer: Buffer.concat(rig.toServerBytes).toString('latin1'),
    toClient: Buffer.concat(rig.toClientBytes).toString('latin1'),
    ...{ boundaries, requests, reasons, attached, finished },
    ...{ quiet: relay.quiet, inTransaction: relay.inTransaction },
    ...{ canSpeak: relay.lost({ name: 'internal' }).length > 0 },
    ...{ held: memory.held.length, remaining: memory.remaining },
  };
}

function* everySplit(turns: readonly Turn[]): Iterable<readonly Turn[]> {
  for (const [at, { side, bytes }] of turns.entries()) {
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const halves = [bytes.subarray(0, cut), bytes.subarray(cut)];
      yield turns.toSpliced(at, 1, ...halves.map((half) => ({ side, bytes: half })));
    }
  }
  for (const size of [1, 2, 3, 7]) yield turns.flatMap((turn) => pieces(turn, size));
}

function pieces({ side, bytes }: Turn, size: number): readonly Turn[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => ({
    side,
    bytes: bytes.subarray(at * size, (at + 1) * size),
  }));
}

describe('PG-18: however it is cut, it comes to the same', () => {
  for (const [name, turns] of Object.entries(conversations)) {
    test(name, () => {
      const whole = outcome(turns);
      for (const split of everySplit(turns)) expect(outcome(split)).toEqual(whole);
    });
  }

  test('and nobody is told less than was said', () => {
    for (const turns of Object.values(conversations)) {
      const rig = new Rig();
      for (const { side, bytes } of turns) rig[side](bytes);
      const said = turns.filter(({ side }) => side === 'server');
      const heard = parseMessages(concat(rig.toClientBytes)).length;
      const ours = rig.toServerBytes.some((bytes) => Buffer.from(bytes).equals(query(''))) ? 2 : 0;
      expect(heard).toBe(parseMessages(concat(said.map(({ bytes }) => bytes))).length - ours);
    }
  });
});

/** Messages about a statement without a name come with all that they need: any connection will do (PG-90). */
function standalone(chosen: Uint8Array): Uint8Array {
  const type = String.fromCharCode(chosen[0] ?? 0);
  const isDescribe = type === 'D' && chosen[5] === 'S'.charCodeAt(0);
  if (!'PB'.includes(type) && !isDescribe) return chosen;
  return bytesOf(parse('', 'select 1'), isDescribe ? chosen : '', bind('', ''));
}

/** A session in which chance decides what is said, how it is cut and when it arrives. */
function converse(draw: Draw): void {
  const server = new ModelServer();
  const rig = new Rig();
  const sent: Uint8Array[] = [];
  let upstream = bytesOf();
  let received = 0;
  const feed = (count: number): void => {
    rig.client(upstream.subarray(0, count));
    upstream = upstream.subarray(count);
  };
  const pump = (count: number): void => {
    const bytes = server.take(count);
    if (bytes.length > 0) rig.server(bytes);
  };
  const carry = (): void => {
    for (; received < rig.toServerBytes.length; received += 1) {
      server.receive(rig.toServerBytes[received] ?? bytesOf());
    }
  };
  const settle = (): void => {
    feed(upstream.length);
    do {
      carry();
      while (server.hasWork) server.step(draw);
      pump(server.outboxBytes);
      carry();
    } while (server.hasWork || server.outboxBytes > 0);
    if (server.mode === 'dead') return;
    const quiet = server.mode === 'ready' && !server.unsynced;
    expect([rig.relay.quiet, rig.relay.inTransaction]).toEqual([
      quiet,
      rig.attached && server.status !== 'I',
    ]);
    expect(rig.attached).toBe(!quiet || server.status !== 'I');
  };
  try {
    while (!draw.exhausted && server.mode !== 'dead') {
      const copies = server.mode === 'copying' && draw.below(20) > 0;
      const chosen = copies ? anyCopyMessage(draw) : anyRequest(draw);
      const said = standalone(chosen);
      sent.push(said);
      upstream = bytesOf(upstream, said);
      feed(draw.below(upstream.length * 2));
      carry();
      if (draw.below(2) === 0) server.step(draw);
      pump(draw.below(server.outboxBytes * 2 + 1));
      carry();
      if (draw.below(6) === 0) settle();
    }
    settle();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    // Requests behind a copy that failed: found out when its Sync is answered, or at a reply that does not fit.
    expect(server.copyFailed).toBe(true);
    return;
  }
  expect(Buffer.concat(rig.toClientBytes).equals(server.forClient)).toBe(true);
  if (server.mode !== 'dead') compare(concat(sent), concat(rig.toServerBytes));
}

/** What may be left out is what the database would pass over; what may be put in is our own empty query. */
function compare(sent: Uint8Array, received: Uint8Array): void {
  const lines = (bytes: Uint8Array): readonly string[] =>
    parseMessages(bytes).map(({ type, body }) => type + Buffer.from(body).toString('latin1'));
  const got = lines(received).filter((line) => line !== 'Q\0');
  const wanted = lines(sent);
  let at = 0;
  for (const line of got) {
    while (at < wanted.length && wanted[at] !== line) {
      expect('dcfH').toContain(wanted[at]?.[0] ?? '');
      at += 1;
    }
    at += 1;
  }
  expect(at).toBeLessThanOrEqual(wanted.length);
  for (const line of wanted.slice(at)) expect('dcfH').toContain(line.slice(0, 1));
}

test('PG-01 … PG-09: a model of the server and the session agree on every byte and every boundary', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { maxLength: 200, size: 'max' }), (numbers) => {
      converse(new Draw(numbers));
    }),
    { numRuns: 2_000 },
  );
});

describe('PG-16: arbitrary bytes are passed on or refused, and nothing else happens', () => {
  // Headers that are right now and then, so that chance gets further than the first one.
  const noise = (types: string): fc.Arbitrary<Uint8Array> =>
    fc
      .array(
        fc.oneof(
          fc.uint8Array({ maxLength: 12 }),
          fc
            .tuple(
              fc.constantFrom(...types.split('')),
              fc.constantFrom(0, 0, 0, 1, -1, 9),
              fc.oneof(
                fc.constantFrom('', '\0', 'SELECT 1\0', 'x\0set a=1\0\0\0', 'I', 'T', 'a\0b\0'),
                fc.constantFrom('SFATAL\0C57P01\0Mbye\0\0', 'MX\0\0'),
              ),
            )
            .map(([type, off, body]) => bytesOf(type, i32(body.length + 4 + off), body)),
        ),
        { maxLength: 8 },
      )
      .map((parts) => bytesOf(...parts));

  const survives = (work: () => void): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof Violation) return false;
      throw error;
    }
  };

  test('from the client', () => {
    fc.assert(
      fc.property(noise('QPBDECSFHdcfXz'), fc.nat(40), (bytes, cut) => {
        const rig = new Rig();
        const whole = survives(() => rig.client(bytes.subarray(0, cut), bytes.subarray(cut)));
        if (!whole || rig.finished) return;
        // Names of prepared statements grow, and one may have to be made or to give way first.
        const passed = concat(rig.toServerBytes);
        expect(passed.length).toBeLessThanOrEqual(8 * bytes.length);
      }),
      { numRuns: 5_000 },
    );
  });

  test('from the database, borrowed and idle', () => {
    const asked = [query('x'), parse('', 'x'), query('copy t from stdin')];
    fc.assert(
      fc.property(noise('123ACDEGHINSTVWZcdnstR'), fc.constantFrom(...asked), (bytes, ask) => {
        const rig = new Rig().client(ask);
        survives(() => rig.relay.fromServer(bytes));
        rig.relay.lost({ name: 'databaseLost' });
        expect(concat(rig.toClientBytes).length).toBeLessThanOrEqual(bytes.length);
        const memory = freshMemory();
        survives(() => overhear(memory, bytes));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('large messages stream', () => {
  const CHUNK = 65_536;
  const TOTAL = 50_000_000;
  const filler = new Uint8Array(CHUNK).fill(0x61);

  function counting(): Rig {
    const rig = new Rig();
    rig.keeps = false;
    return rig.client(query('x'));
  }

  function* chunks(first: Uint8Array, last: Uint8Array): Iterable<Uint8Array> {
    yield first;
    for (let left = TOTAL; left > 0; left -= CHUNK) {
      yield filler.subarray(0, Math.min(left, CHUNK));
    }
    yield last;
  }

  test('a query of 50 MB: out as it comes in', () => {
    for (const [type, head, tail] of [
      ['Q', "select '", "'\0"],
      ['P', "\0select '", "'\0\0\0"],
      ['B', '\0\0', '\0\0\0\0'],
      ['d', '', ''],
    ] as const) {
      const rig = counting();
      if (type === 'B') rig.client(parse('', 'select 1'));
      const before = rig.upBytes;
      let sent = 0;
      const length = 4 + head.length + TOTAL + tail.length;
      for (const chunk of chunks(bytesOf(type, i32(length), head), bytesOf(tail))) {
        rig.client(chunk);
        sent += chunk.length;
        expect(rig.upBytes - before).toBe(sent);
      }
      expect([sent, rig.pins.length]).toEqual([length + 1, 0]);
    }
  });

  test('a row, a copy, a notice and an error of 50 MB: out as they come in, with nothing held', () => {
    for (const type of ['D', 'd', 'N', 'E']) {
      const rig = counting();
      let said = 0;
      for (const chunk of chunks(bytesOf(type, i32(4 + TOTAL)), ready())) {
        rig.server(chunk);
        said += chunk.length;
        expect([rig.downBytes, rig.memory.held.length]).toEqual([said, 0]);
      }
      expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
    }
  });

  test('many rows in pieces: never more than a header is held', () => {
    const rows = bytesOf(...Array.from({ length: 200 }, () => dataRow('x'.repeat(100))));
    const rig = counting();
    for (let at = 0; at < rows.length; at += 33) {
      rig.server(rows.subarray(at, at + 33));
      expect(rig.memory.held.length).toBeLessThan(5);
    }
  });

  test('an error that is read as a whole is held, up to the limit and no further', () => {
    const most = limits.inspectedMessageBytes.value;
    const words = failure('57P01', 'FATAL');
    const rig = counting().server(words.subarray(0, words.length - 1));
    expect([rig.downBytes, rig.memory.held.length]).toEqual([0, words.length - 1]);
    for (const [bodyBytes, isHeld] of [
      [most, true],
      [most + 1, false],
    ] as const) {
      const other = counting();
      other.server(bytesOf('E', i32(bodyBytes + 4), filler));
      expect(other.memory.held.length > 0).toBe(isHeld);
    }
  });
});
