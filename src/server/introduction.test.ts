import { describe, expect, test } from 'bun:test';
import { bytesOf, frontend } from '../../test/support/messages.ts';
import {
  extension,
  ipv6Addresses,
  TCP6,
  version1,
  version2,
} from '../../test/support/proxy-header.ts';
import { everySplit, rehearse } from '../../test/support/rehearse.ts';
import type { Rehearsal } from '../../test/support/rehearse.ts';
import { Violation } from '../base/assert.ts';
import { parseNetwork } from '../base/ip.ts';
import { limits } from '../base/limits.ts';
import { PeerClosed } from '../core/network.ts';
import type { IntroductionSettings } from './introduction.ts';
import { introduction } from './introduction.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

type Mode = IntroductionSettings['proxyProtocol'];

const BALANCER = '10.0.0.2:41000';
const STRANGER = '198.51.100.7:41000';
const networks = ['10.0.0.0/24', 'fd00::/8'].flatMap((text) => parseNetwork(text) ?? []);

const right: readonly (readonly [string, Uint8Array, string | undefined])[] = [
  ['version 1, IPv4', version1('TCP4 192.0.2.1 192.0.2.2 50000 5432'), '192.0.2.1:50000'],
  ['version 1, IPv6', version1('TCP6 2001:db8::1 2001:db8::2 50000 5432'), '[2001:db8::1]:50000'],
  ['version 1, unknown', version1('UNKNOWN'), undefined],
  ['version 2, IPv4', version2(), '192.0.2.1:50000'],
  [
    'version 2, IPv6',
    version2({ family: TCP6, addresses: ipv6Addresses() }),
    '[2001:db8::1]:50000',
  ],
  ['version 2, local', version2({ command: 0x20 }), undefined],
  [
    'version 2, a UNIX socket',
    version2({ family: 0x31, addresses: new Uint8Array(216) }),
    undefined,
  ],
  [
    'version 2, extensions and checksum',
    version2({ extensions: [extension(0x05, new Uint8Array(30))], checksum: 'right' }),
    '192.0.2.1:50000',
  ],
];

const wrong: readonly (readonly [string, Uint8Array])[] = [
  ['a line of no version', version1('TCP4 192.0.2.1 192.0.2.2 50000')],
  ['a line with LF alone', bytesOf('PROXY UNKNOWN\n')],
  ['a line without an end', bytesOf(`PROXY UNKNOWN${' '.repeat(94)}`)],
  ['a version that there is not', version2({ command: 0x31 })],
  ['a family that there is not', version2({ family: 0x77 })],
  ['addresses cut short', version2({ addresses: new Uint8Array(11) })],
  ['a wrong checksum', version2({ checksum: 'wrong' })],
  ['more than the limit', version2({ addresses: new Uint8Array(limits.proxyHeaderBytes.value) })],
];

/** What a client says first, behind the header or without one. */
const beginnings: readonly (readonly [string, Uint8Array])[] = [
  ['an SSLRequest', frontend.sslRequest()],
  ['a GSSENCRequest', frontend.gssRequest()],
  ['a start-up message', frontend.startup({ user: 'PROXY ', database: '\r\n\r\n' })],
  ['a cancel request', frontend.cancelRequest(0x50524f58, bytesOf('Y TCP4 '))],
  ['a TLS hello', bytesOf(0x16, 0x03, 0x01, 0x02, 0x00, 0x01)],
];

function meet(
  chunks: readonly Uint8Array[],
  proxyProtocol: Mode = 'required',
  peer = BALANCER,
): Promise<Rehearsal<string | undefined>> {
  const settings = { proxyProtocol, proxyProtocolNetworks: networks };
  return rehearse(introduction({ peer }, settings), chunks);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('an introduction', () => {
  for (const [name, header, client] of right) {
    test.each(['required', 'optional'] as const)(`by ${name}, %s`, async (mode) => {
      const { result, leftover, sent } = await meet([header], mode);
      expect([result, leftover.length, sent]).toEqual([client, 0, []]);
    });

    test(`by ${name}: every split gives the same, and leaves what is glued to it`, async () => {
      const hello = frontend.sslRequest();
      for (const chunks of everySplit([bytesOf(header, hello)])) {
        // Only as many chunks are asked for as the header needs: the rest has not come yet.
        const met = await meet(chunks);
        expect(met.result).toBe(client);
        expect(hex(hello)).toStartWith(hex(met.leftover));
      }
      expect(hex((await meet([bytesOf(header, hello)])).leftover)).toBe(hex(hello));
    });

    test(`by ${name}: whoever leaves before its end has left`, async () => {
      for (let length = 0; length < header.length; length += 1)
        expect(await outcomeOf(meet([header.subarray(0, length)]))).toThrow(PeerClosed);
    });
  }

  test.each(wrong)('with %s is refused, however it is cut', async (_, header) => {
    const why =
      /^Its PROXY protocol header is wrong \(.+\): let the load balancer send version 1 or 2/;
    // Cuts beyond the first few hundred bytes are alike.
    const [head, tail] = [header.subarray(0, 300), header.subarray(300)];
    for (const mode of ['required', 'optional'] as const) {
      for (const chunks of everySplit([head])) {
        const meeting = meet([...chunks, tail], mode);
        expect(await outcomeOf(meeting)).toThrow(why);
        expect(await outcomeOf(meeting)).toThrow(Violation);
      }
    }
  });

  test('comes from a trusted address, of either family', async () => {
    for (const peer of [BALANCER, '[fd12::1]:1'])
      expect((await meet([version2()], 'required', peer)).result).toBe('192.0.2.1:50000');
    for (const peer of [STRANGER, '[2001:db8::1]:1', '10.0.1.2:1', '']) {
      for (const mode of ['required', 'optional'] as const)
        expect(await outcomeOf(meet([version2()], mode, peer))).toThrow(
          'address is in none of proxyProtocolNetworks',
        );
    }
  });
});

describe('without a header', () => {
  test.each(beginnings)(
    '%s: optional leaves all of it, from the first byte on',
    async (_, bytes) => {
      for (const peer of [BALANCER, STRANGER]) {
        for (let length = 1; length <= bytes.length; length += 1) {
          const { result, leftover } = await meet([bytes.subarray(0, length)], 'optional', peer);
          expect(result).toBeUndefined();
          expect(hex(leftover)).toBe(hex(bytes.subarray(0, length)));
        }
      }
    },
  );

  test.each(beginnings)('%s: required refuses it at its first byte', async (_, bytes) => {
    expect(await outcomeOf(meet([bytes.subarray(0, 1)]))).toThrow(
      'It sent no PROXY protocol header, which this proxy requires',
    );
  });

  test("a beginning that only looks like one is the client's, whole", async () => {
    for (const text of ['PROXX TCP4', '\r\n\r\n\0\r\nQUIX\n', 'PRO\0']) {
      for (const chunks of everySplit([bytesOf(text)])) {
        const { result, leftover } = await meet(chunks, 'optional');
        expect(result).toBeUndefined();
        expect(text).toStartWith(String.fromCharCode(...leftover));
      }
    }
  });

  test('disabled reads nothing, so that the server may speak first', async () => {
    const { result, steps } = await meet([], 'disabled');
    expect({ result, steps }).toEqual({ result: undefined, steps: [] });
  });

  test('required does not wait for what a stranger has to say', async () => {
    expect(await outcomeOf(meet([], 'required', STRANGER))).toThrow(Violation);
  });
});
