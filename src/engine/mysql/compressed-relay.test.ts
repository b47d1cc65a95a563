import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { rehearse } from '../../../test/support/rehearse.ts';
import type { Turn } from '../../../test/transcripts/mysql-conversations.ts';
import * as say from '../../../test/transcripts/mysql-conversations.ts';
import {
  clientWith,
  houseOf,
  memoryFor,
  MODERN,
  MysqlRig,
  replyLines,
  usualOptions,
} from '../../../test/transcripts/mysql-rig.ts';
import { answerBy, packetsIn, SECRET, stage } from '../../../test/transcripts/mysql-visit.ts';
import { RelayRig } from '../../../test/transcripts/relay-rig.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u24le, u8, utf8 } from '../../base/bytes.ts';
import { FaultError } from '../../core/fault.ts';
import { readAuthRequest } from '../../wire/mysql/auth-packets.ts';
import { int24 } from '../../wire/mysql/build.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import type { Compression } from '../../wire/mysql/compression.ts';
import { Compressor, Decompressor } from '../../wire/mysql/compression.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { CompressedRelay } from './compressed-relay.ts';
import type { MysqlMemory } from './memory.ts';
import { overhear } from './overhear.ts';
import type { MysqlPrincipal } from './principal.ts';
import { compressionOf } from './principal.ts';
import { MysqlRelay } from './relay.ts';

const flagOf = { zlib: capability.compress, zstd: capability.zstdCompression } as const;

/** A relay between a client that compresses and a database that does not. */
class CompressedRig extends RelayRig<MysqlMemory, MysqlPrincipal, CompressedRelay> {
  constructor(compression: Compression) {
    const who = clientWith(MODERN | flagOf[compression]);
    const memory = memoryFor({ who });
    super(memory, {
      relay: (sink) =>
        new CompressedRelay(
          sink,
          compression,
          3,
          (to) => new MysqlRelay(to, houseOf(), who, memory, usualOptions),
        ),
      overhear,
    });
  }
}

interface Opened {
  /** Of each compressed packet. */
  readonly numbers: readonly number[];
  readonly plain: Uint8Array;
}

function opened(bytes: Uint8Array, compression: Compression): Opened {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += 7 + u24le(bytes, at)) numbers.push(u8(bytes, at + 3));
  return { numbers, plain: concat(new Decompressor(compression).feed(bytes)) };
}

/** The packets of a client's turn as it would compress them: those of a file go on with its numbers. */
function wrapped(bytes: Uint8Array, compression: Compression): Uint8Array {
  const compressor = new Compressor(compression);
  return concat(
    packetsIn(bytes).map(({ number, payload }) => {
      compressor.restart(number);
      return compressor.wrap(packet(number, payload));
    }),
  );
}

describe.each(['zlib', 'zstd'] as const)('MY-13: by %s', (compression) => {
  const wrap = (...packets: readonly Uint8Array[]): Uint8Array =>
    wrapped(concat(packets), compression);
  const heard = (rig: CompressedRig): readonly string[] =>
    replyLines(opened(rig.takeHeard(), compression).plain, MODERN);

  function outcome(turns: readonly Turn[], rig: CompressedRig | MysqlRig): unknown {
    for (const { side, bytes } of turns) rig[side](bytes);
    const { boundaries, requests, reasons, attached, finished, faults, pendingBytes } = rig;
    const heardBytes = concat(rig.toClientBytes);
    const isPlain = rig instanceof MysqlRig;
    const plain = isPlain ? heardBytes : opened(heardBytes, compression).plain;
    return {
      toServer: Buffer.concat(rig.toServerBytes).toString('latin1'),
      toClient: Buffer.from(plain).toString('latin1'),
      ...{ boundaries, requests, reasons, attached, finished, faults, pendingBytes },
      ...{ quiet: rig.relay.quiet, inTransaction: rig.relay.inTransaction, tidy: rig.relay.tidy },
    };
  }

  describe('a conversation is what it is without, wherever it is cut', () => {
    for (const [name, turnsFor] of Object.entries(say.conversations)) {
      test(name, () => {
        const turns = turnsFor(MODERN);
        const plain = outcome(turns, new MysqlRig());
        const pressed = turns.map(({ side, bytes }) => ({
          side,
          bytes: side === 'client' ? wrapped(bytes, compression) : bytes,
        }));
        expect(outcome(pressed, new CompressedRig(compression))).toEqual(plain);
        for (const size of [1, 3, 11]) {
          const pieces = pressed.flatMap(({ side, bytes }) =>
            Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => ({
              side,
              bytes: bytes.subarray(at * size, (at + 1) * size),
            })),
          );
          expect(outcome(pieces, new CompressedRig(compression))).toEqual(plain);
        }
      });
    }
  });

  test('a reply goes on with the numbers of its command, and of no other that waits', () => {
    const rig = new CompressedRig(compression).client(wrap(say.query('select 1')));
    const reply = say.oneRow();
    rig.server(reply.subarray(0, 30));
    rig.client(wrap(say.ping()));
    rig.server(reply.subarray(30));
    expect(opened(rig.takeHeard(), compression).numbers).toEqual([1, 2]);
    rig.server(say.done());
    expect(opened(rig.takeHeard(), compression).numbers).toEqual([1]);
  });

  test('what answers a file has the number after its last packet (MY-10)', () => {
    const rig = new CompressedRig(compression).client(
      wrap(say.query('load data local infile "x"')),
    );
    rig.server(say.reply(say.wantsFile('x')));
    rig.takeHeard();
    rig.client(wrap(packet(2, utf8('1\n')), packet(3, utf8('2\n')), packet(4)));
    rig.server(say.replyFrom(5, say.okay()));
    expect(opened(rig.takeHeard(), compression).numbers).toEqual([5]);
  });

  test('what waits stays compressed, but for one packet, and is held back by the session', () => {
    const rig = new CompressedRig(compression);
    rig.free = false;
    const [first, second] = [wrap(say.query('select 1')), wrap(say.query('select 2'))];
    rig.client(first, second);
    expect([rig.waiting, rig.pendingBytes]).toEqual([true, second.length]);
    rig.client(first);
    expect(rig.pendingBytes).toBe(second.length + first.length);
    rig.grant().server(say.oneRow());
    expect([rig.waiting, rig.pendingBytes]).toEqual([true, first.length]);
    rig.refuse({ name: 'borrowTimeout' });
    expect([rig.waiting, rig.pendingBytes]).toEqual([true, 0]);
    expect(heard(rig).at(-1)).toMatch(/^1 ERR .*Timed-out/);
  });

  test('several commands in one packet are served one after the other', () => {
    const rig = new CompressedRig(compression);
    const both = concat([say.query('select 1'), say.query('select 2')]);
    rig.client(new Compressor(compression).wrap(both)).server(say.oneRow()).server(say.done());
    expect([rig.boundaries, heard(rig).length]).toEqual([2, 5]);
  });

  test('the last words are compressed, by the number that the client waits for', () => {
    const lost = { name: 'databaseLost' } as const;
    const numbersOf = (rig: CompressedRig): readonly number[] => {
      const { numbers, plain } = opened(rig.relay.lost(lost), compression);
      return [...numbers, ...packetsIn(plain).map(({ number }) => number)];
    };
    const asked = (): CompressedRig =>
      new CompressedRig(compression).client(wrap(say.query('select 1')));
    expect(numbersOf(new CompressedRig(compression))).toEqual([0, 0]);
    expect(numbersOf(asked())).toEqual([1, 1]);
    const [first = EMPTY, second = EMPTY] = say.rows([]);
    expect(numbersOf(asked().server(say.reply(first, second)))).toEqual([2, 3]);
    expect(numbersOf(asked().server(say.oneRow()))).toEqual([0, 0]);
  });

  /** Signs in anew as this user, whom the password is asked of; tells what the client hears of it. */
  async function signIn(rig: CompressedRig, user: string, password: string): Promise<Opened> {
    rig.client(wrap(say.changeUser(user, 'app')));
    if (rig.talk === undefined) throw new Error('nobody talks');
    const peer = (bytes: Uint8Array): Uint8Array => {
      const request = readAuthRequest(
        packetsIn(opened(bytes, compression).plain)[0]?.payload ?? EMPTY,
      );
      if (request.kind !== 'switch') throw new Error(request.kind);
      return wrap(packet(2, answerBy(request.plugin, password, request.challenge)));
    };
    const { sent, leftover } = await rehearse(rig.talk(stage().door), peer);
    rig.goOn(leftover);
    return opened(concat(sent), compression);
  }

  test('MY-24: COM_CHANGE_USER is talked through compressed, on either side', async () => {
    const rig = new CompressedRig(compression);
    const { numbers, plain } = await signIn(rig, 'alice', SECRET);
    expect(numbers).toEqual([1, 3, 4]);
    expect(replyLines(plain, MODERN).at(-1)).toMatch(/^4 OK/);
    expect(rig.became.map(({ user }) => user)).toEqual(['alice']);
    rig.client(wrap(say.query('select 1'))).server(say.oneRow());
    expect([rig.boundaries, opened(rig.takeHeard(), compression).numbers]).toEqual([1, [1]]);
  });

  test('MY-24: and so is why it is refused', async () => {
    const failure = signIn(new CompressedRig(compression), 'nat', 'wrong');
    const error = await failure.catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(FaultError);
    const { words = EMPTY } = error instanceof FaultError ? error : {};
    expect(opened(words, compression).numbers).toEqual([3]);
    expect(replyLines(opened(words, compression).plain, MODERN)).toEqual([
      expect.stringMatching(/^3 ERR 1045 28000 Access denied/),
    ]);
  });

  test('MY-24: what comes in one packet with COM_CHANGE_USER is a violation', () => {
    const both = concat([say.changeUser(), say.ping()]);
    const bytes = new Compressor(compression).wrap(both);
    expect(() => new CompressedRig(compression).client(bytes)).toThrow(Violation);
  });

  test('goodbye ends it, whatever is behind', () => {
    const rig = new CompressedRig(compression).client(wrap(say.quit(), say.query('select 1')));
    expect([rig.finished, rig.attached]).toEqual([true, false]);
  });

  test('arbitrary bytes are dealt with or a violation', () => {
    const compress = new Compressor(compression);
    const parts = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => compress.wrap(bytes)),
      fc
        .tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(100), fc.nat(0xffffff))
        .map(([bytes, number, plain]) => packet(number, int24(plain), bytes)),
      fc.constantFrom(wrap(say.ping()), wrap(say.query('select 1'))),
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 4 }).map(concat), (bytes) => {
        const rig = new CompressedRig(compression);
        try {
          rig.client(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Violation);
        }
        rig.relay.lost({ name: 'protocolViolation' });
      }),
      { numRuns: 2_000 },
    );
  });
});

test('zlib goes first, as in MySQL, and who has not asked for any is not compressed', () => {
  const { compress, zstdCompression } = capability;
  const found = [0, compress, zstdCompression, compress | zstdCompression].map((flags) =>
    compressionOf(clientWith(MODERN | flags)),
  );
  expect(found).toEqual([undefined, 'zlib', 'zstd', 'zlib']);
});
