import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Violation } from '../../src/base/assert.ts';
import { parseIp, parseNetwork, sayIp } from '../../src/base/ip.ts';
import { PeerClosed } from '../../src/core/network.ts';
import { introduction } from '../../src/server/introduction.ts';
import { bytesOf } from '../support/messages.ts';
import {
  extension,
  ipv4Addresses,
  SIGNATURE,
  TCP4,
  TCP6,
  version1,
  version2,
} from '../support/proxy-header.ts';
import { rehearse } from '../support/rehearse.ts';

const networks = ['10.0.0.0/8'].flatMap((text) => parseNetwork(text) ?? []);

const few = (length: number) => fc.uint8Array({ maxLength: length });
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const port = fc.nat(0xffff);

// Beginnings like the real ones, so that chance gets further than the signature.
const text = fc
  .array(
    fc.constantFrom(
      ...'TCP4 |TCP6 |UNKNOWN|192.0.2.1 |::1 |2001:db8::|50000|0|65536| |\r|\n|\r\n|\0|.|:'.split(
        '|',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => bytesOf('PROXY ', parts.join('')));
const binary = fc
  .tuple(
    fc.constantFrom(0x20, 0x21, 0x22, 0x11, 0xff),
    fc.constantFrom(0x00, TCP4, TCP6, 0x31, 0x12, 0x41, 0x01),
    fc.oneof(fc.nat(300), fc.nat(0xffff)),
    fc.array(fc.constantFrom(0, 0, 1, 3, 4, 7, 0xff), { maxLength: 300 }),
  )
  .map(([command, family, length, rest]) =>
    bytesOf(SIGNATURE, command, family, length >> 8, length & 0xff, ...rest),
  );
const damaged = fc
  .tuple(fc.constantFrom(version1('TCP4 192.0.2.1 192.0.2.2 1 2'), version2({ checksum: 'right' })))
  .chain(([header]) =>
    fc.tuple(fc.nat(header.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = header.slice();
      bytes[at] = byte;
      return bytes;
    }),
  );
const beginning = fc.oneof(few(64), text, binary, damaged);
const mode = fc.constantFrom('optional' as const, 'required' as const);
const cuts = fc.array(fc.nat(320), { maxLength: 6 });

function pieces(bytes: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const ends = [...at.filter((cut) => cut < bytes.length), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** What came of it: the address, a violation or a peer that is gone; anything else fails the test. */
async function outcome(
  chunks: readonly Uint8Array[],
  proxyProtocol: 'optional' | 'required',
): Promise<unknown> {
  const settings = { proxyProtocol, proxyProtocolNetworks: networks };
  try {
    const { result, sent } = await rehearse(
      introduction({ peer: '10.0.0.2:41000' }, settings),
      chunks,
    );
    expect(sent).toEqual([]);
    return { result };
  } catch (error) {
    if (error instanceof Violation || error instanceof PeerClosed) return error.message;
    throw error;
  }
}

describe('PROXY protocol', () => {
  test('arbitrary bytes give an address, a violation or the end, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(beginning, mode, cuts, async (bytes, how, at) => {
        const whole = await outcome([bytes], how);
        expect(await outcome(pieces(bytes, at), how)).toEqual(whole);
      }),
      { numRuns: 3_000 },
    );
  });

  test('what follows a header changes nothing and stays where it is', async () => {
    await fc.assert(
      fc.asyncProperty(beginning, mode, few(40), async (bytes, proxyProtocol, more) => {
        const settings = { proxyProtocol, proxyProtocolNetworks: networks };
        const meet = (chunk: Uint8Array) =>
          rehearse(introduction({ peer: '10.0.0.2:41000' }, settings), [chunk]);
        const alone = await meet(bytes).catch(() => undefined);
        if (alone === undefined) return; // it may have lacked what follows
        const followed = await meet(bytesOf(bytes, more));
        expect(followed.result).toBe(alone.result);
        expect(Buffer.from(followed.leftover)).toEqual(
          Buffer.concat([Buffer.from(alone.leftover), more]),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('every address and port comes through, whatever is told besides', async () => {
    const extensions = fc.array(
      fc
        .tuple(fc.nat(255), few(60))
        .map(([type, value]) => extension(type === 3 ? 4 : type, value)),
      { maxLength: 5 },
    );
    const checksum = fc.constantFrom(undefined, 'right' as const);
    await fc.assert(
      fc.asyncProperty(
        exactly(4),
        exactly(16),
        port,
        extensions,
        checksum,
        async (ipv4, ipv6, number, told, sum) => {
          const more = { extensions: told, ...(sum === undefined ? {} : { checksum: sum }) };
          const tail = bytesOf(number >> 8, number & 0xff, 0, 0);
          const [host4, host6] = [sayIp(ipv4), sayIp(ipv6)];
          const said4 = `${host4}:${number}`;
          const said6 =
            parseIp(host6)?.length === 4 ? `${host6}:${number}` : `[${host6}]:${number}`;
          for (const [header, said] of [
            [version1(`TCP4 ${host4} 0.0.0.0 ${number} 0`), said4],
            [version2({ addresses: ipv4Addresses([...ipv4], number), ...more }), said4],
            [version2({ family: TCP6, addresses: bytesOf(ipv6, ipv6, tail), ...more }), said6],
          ] as const)
            expect(await outcome([header], 'required')).toEqual({ result: said });
        },
      ),
    );
  });
});
