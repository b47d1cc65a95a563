import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Turn } from '../../../test/transcripts/mysql-conversations.ts';
import * as say from '../../../test/transcripts/mysql-conversations.ts';
import {
  clientWith,
  memoryFor,
  MODERN,
  MysqlRig,
  OLD,
} from '../../../test/transcripts/mysql-rig.ts';
import { packetsIn } from '../../../test/transcripts/mysql-visit.ts';
import { Violation } from '../../base/assert.ts';
import { concat, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { byte, int24 } from '../../wire/mysql/build.ts';
import { command } from '../../wire/mysql/commands.ts';
import { MAX_PACKET_BYTES, packet } from '../../wire/mysql/framing.ts';
import { overhear } from './overhear.ts';

const rigFor = (flags: number): MysqlRig => new MysqlRig({ who: clientWith(flags) });

/** All that can be seen of a conversation from outside, however it was cut. */
function outcome(turns: readonly Turn[], flags: number): unknown {
  const rig = rigFor(flags);
  for (const { side, bytes } of turns) rig[side](bytes);
  const { boundaries, requests, reasons, attached, finished, faults, relay, memory } = rig;
  return {
    toServer: Buffer.concat(rig.toServerBytes).toString('latin1'),
    toClient: Buffer.concat(rig.toClientBytes).toString('latin1'),
    ...{ boundaries, requests, reasons, attached, finished, faults },
    ...{ quiet: relay.quiet, inTransaction: relay.inTransaction, tidy: relay.tidy },
    farewell: Buffer.from(relay.lost({ name: 'internal' })).toString('latin1'),
    ...{ held: memory.held.length, remaining: memory.remaining, status: memory.status },
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

describe.each(Object.entries(say.kinds))('with a client that is %s (MY-03)', (_, flags) => {
  describe('however it is cut, it comes to the same', () => {
    for (const [name, turnsFor] of Object.entries(say.conversations)) {
      test(name, () => {
        const turns = turnsFor(flags);
        const whole = outcome(turns, flags);
        for (const split of everySplit(turns)) expect(outcome(split, flags)).toEqual(whole);
      });
    }
  });

  test('each packet has the number after the last one, in each reply (MY-02)', () => {
    for (const turnsFor of Object.values(say.conversations)) {
      const rig = rigFor(flags);
      let last = 0;
      for (const { side, bytes } of turnsFor(flags)) {
        rig[side](bytes);
        if (side === 'client') last = packetsIn(bytes).at(-1)?.number ?? 0;
        for (const { number } of packetsIn(rig.takeHeard())) {
          if (number !== 1) expect(number).toBe(last + 1);
          last = number;
        }
      }
      expect(rig.pendingBytes).toBe(0);
    }
  });
});

describe('arbitrary bytes', () => {
  const survives = (work: () => unknown): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(Violation);
      return false;
    }
  };
  const codes = Object.values(command).filter((code) => code !== command.quit);
  /** Packets with any payload, or with one that begins as a peer's may; in order, or not. */
  const noise = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .tuple(
            fc.constantFrom(...codes, 0xff, 0xfe, 0xfb),
            fc.uint8Array({ maxLength: 40 }),
            fc.constantFrom(0, 0, 0, 1, 2, 3),
          )
          .map(([code, rest, number]) => packet(number, byte(code), rest)),
      ),
      { maxLength: 6 },
    )
    .map(concat);
  const prepared = (flags: number): MysqlRig =>
    rigFor(flags)
      .client(say.prepare('select ?'))
      .server(say.reply(...say.preparedAs(7, { parameters: 1, columns: 1, flags })));

  test('from the client', () => {
    fc.assert(
      fc.property(noise, fc.nat(), fc.constantFrom(MODERN, OLD), (bytes, cut, flags) => {
        const rig = prepared(flags);
        const half = cut % (bytes.length + 1);
        const isFine =
          survives(() => rig.client(bytes.subarray(0, half))) &&
          survives(() => rig.client(bytes.subarray(half)));
        // Whatever it is, what is in the middle of it is answered.
        if (isFine && rig.attached) survives(() => rig.server(say.done()));
        rig.relay.lost({ name: 'internal' });
      }),
      { numRuns: 5_000 },
    );
  });

  test('from the database, borrowed and idle', () => {
    const asked = [
      say.query('select 1'),
      say.query("set time_zone = '+01:00'"),
      say.query('set @a = 1'),
      say.ping(),
      say.prepare('select 1'),
      say.execute(1, { values: ['x'] }),
      say.fetchRows(1, 1),
      say.initDb('x'),
      packet(0, byte(command.statistics)),
      packet(0, byte(command.fieldList), utf8('t\0')),
    ];
    fc.assert(
      fc.property(
        noise,
        fc.nat(),
        fc.constantFrom(...asked),
        fc.constantFrom(MODERN, OLD),
        (bytes, cut, ask, flags) => {
          const rig = prepared(flags).client(ask);
          const half = cut % (bytes.length + 1);
          if (rig.attached && survives(() => rig.relay.fromServer(bytes.slice(0, half))))
            if (rig.attached) survives(() => rig.relay.fromServer(bytes.slice(half)));
          rig.relay.lost({ name: 'databaseLost' });
          const memory = memoryFor();
          survives(() => overhear(memory, bytes));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('amid what is ours to ask', () => {
    fc.assert(
      fc.property(noise, fc.constantFrom(MODERN, OLD), (bytes, flags) => {
        const rig = rigFor(flags).client(say.query("set time_zone = '+01:00', @a = 1"));
        rig.server(say.done());
        rig.takeHeard();
        survives(() => rig.server(bytes));
        // It is nothing to the client.
        expect(rig.takeHeard()).toEqual(new Uint8Array(0));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('large payloads stream (MY-01)', () => {
  const CHUNK = 65_536;
  const filler = new Uint8Array(CHUNK).fill(0x61);
  const totals = [
    MAX_PACKET_BYTES - 1,
    MAX_PACKET_BYTES,
    MAX_PACKET_BYTES + 1,
    2 * MAX_PACKET_BYTES,
    50_000_000,
  ];

  /** A payload of so many bytes in packets, the first with this number, in chunks. */
  function* chunks(sequence: number, first: Uint8Array, total: number): Iterable<Uint8Array> {
    let number = sequence;
    for (let left = total; left >= 0; left -= MAX_PACKET_BYTES) {
      const length = Math.min(left, MAX_PACKET_BYTES);
      const isFirst = number === sequence;
      yield concat([int24(length), byte(number), isFirst ? first : new Uint8Array(0)]);
      for (let rest = length - (isFirst ? first.length : 0); rest > 0; rest -= CHUNK)
        yield filler.subarray(0, Math.min(rest, CHUNK));
      number += 1;
    }
  }

  function counting(): MysqlRig {
    const rig = new MysqlRig();
    rig.keeps = false;
    return rig;
  }

  test('a query goes out as it comes in, as soon as it has been looked at', () => {
    for (const total of totals) {
      const rig = counting();
      let sent = 0;
      for (const chunk of chunks(0, utf8('\u0003select "'), total)) {
        rig.client(chunk);
        sent += chunk.length;
        if (sent > limits.inspectedMessageBytes.value + CHUNK) expect(rig.upBytes).toBe(sent);
      }
      expect([rig.upBytes, rig.attached]).toEqual([sent, true]);
      const packets = Math.floor(total / MAX_PACKET_BYTES) + 1;
      rig.server(say.replyFrom(packets, say.okay()));
      expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
    }
  });

  test('a row comes in as it is sent, with nothing held', () => {
    for (const total of totals) {
      const rig = counting().client(say.query('select 1'));
      const [count, definition, end] = say.rows([]);
      if (count === undefined || definition === undefined || end === undefined)
        throw new Error('no result');
      rig.server(say.reply(count, definition));
      let said = rig.downBytes;
      for (const chunk of chunks(3, utf8('\u00fa'), total)) {
        rig.server(chunk);
        said += chunk.length;
        expect([rig.downBytes, rig.memory.held.length]).toEqual([said, 0]);
      }
      const packets = Math.floor(total / MAX_PACKET_BYTES) + 1;
      rig.server(say.replyFrom(3 + packets, end));
      expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
    }
  });

  test('a file goes out as it comes in (MY-10)', () => {
    const rig = counting().client(say.query('load data local infile "x" into table t'));
    rig.server(say.reply(say.wantsFile('x')));
    let sent = rig.upBytes;
    for (let number = 2; number < 1_000; number += 1) {
      const piece = packet(number & 0xff, filler.subarray(0, 20_000));
      rig.client(piece);
      sent += piece.length;
      expect(rig.upBytes).toBe(sent);
    }
    rig.client(packet(1_000 & 0xff)).server(say.replyFrom(1_001 & 0xff, say.okay()));
    rig.server(say.answer(['7']));
    expect([rig.boundaries, rig.relay.quiet]).toEqual([1, true]);
  });

  test('many rows in pieces: never more than a header is held', () => {
    const bytes = say.reply(...say.rows(Array.from({ length: 200 }, () => 'x'.repeat(100))));
    const rig = counting().client(say.query('select 1'));
    for (let at = 0; at < bytes.length - 40; at += 33) {
      rig.server(bytes.subarray(at, at + 33));
      expect(rig.memory.held.length).toBeLessThan(40);
    }
  });

  test('what must be read as a whole is held, up to the limit and no further', () => {
    const most = limits.inspectedMessageBytes.value;
    for (const [header, length, isFine] of [
      [0xff, most, true],
      [0xff, most + 1, false],
      [0x00, most, true],
      [0x00, most + 1, false],
    ] as const) {
      const rig = counting().client(say.query('select 1'));
      const begin = (): unknown => rig.server(int24(length), byte(1), byte(header), filler);
      if (isFine) begin();
      else expect(begin).toThrow(Violation);
      expect(rig.memory.held.length > 0).toBe(isFine);
    }
  });
});
