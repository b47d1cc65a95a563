import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { assert } from '../base/assert.ts';
import { EMPTY, concat, utf8 } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { systemRandom } from '../base/random.ts';

export interface Certificate {
  readonly keyPem: string;
  readonly certPem: string;
}

const DAY_MS = 86_400_000;
/** Clients' clocks may be a little behind. */
const BACKDATED_MS = DAY_MS;
/** Apple's systems refuse server certificates that live longer than 825 days. */
const LIFETIME_MS = 730 * DAY_MS;
/** RFC 5280 appendix A.1, ub-common-name. */
const COMMON_NAME_LENGTH = 64;

const INTEGER = 0x02;
const OCTET_STRING = 0x04;

/**
 * A self-signed server certificate (X.509 v3, RFC 5280) with a fresh ECDSA P-256 key: half the handshake cost of RSA.
 * A client that is given `certPem` as its root can verify the server in full. `names` are host names (a leading `*.`
 * is allowed) and IP addresses, at least one; throws where one is neither.
 */
export function generateCertificate(
  names: readonly string[],
  clock: Clock = systemClock,
  random: Random = systemRandom,
): Certificate {
  const altNames = [...new Set(names)].map(generalName);
  assert(altNames.length > 0, 'a certificate needs a name');
  // Not from `random`: a key must never come out of a seed.
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = distinguishedName(names.find((one) => one.length <= COMMON_NAME_LENGTH) ?? 'sluice');
  const notBeforeMs = clock.wallMs() - BACKDATED_MS;
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256, RFC 5758 3.2
  const body = sequence(
    der(0xa0, der(INTEGER, Uint8Array.of(2))), // version 3
    der(INTEGER, serialNumber(random)),
    algorithm,
    name, // the issuer is the subject
    sequence(time(notBeforeMs), time(notBeforeMs + LIFETIME_MS)),
    name,
    spki,
    der(0xa3, sequence(...extensions(altNames, spki))),
  );
  const signature = sign('sha256', body, privateKey);
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certPem: pem(sequence(body, algorithm, bitString(0, signature))),
  };
}

function extensions(altNames: readonly Uint8Array[], spki: Uint8Array): readonly Uint8Array[] {
  const critical = Uint8Array.of(0x01, 0x01, 0xff); // BOOLEAN true
  // RFC 7093 2, method 1: the leftmost 160 bits of the SHA-256 of the public key's bits.
  const point = spki.subarray(-65);
  const keyId = createHash('sha256').update(point).digest().subarray(0, 20);
  const extension = (id: string, critically: Uint8Array, value: Uint8Array): Uint8Array =>
    sequence(oid(`2.5.29.${id}`), critically, der(OCTET_STRING, value));
  return [
    extension('19', critical, sequence()), // basicConstraints: no authority; rustls refuses one as a server
    extension('15', critical, bitString(7, Uint8Array.of(0x80))), // keyUsage: digitalSignature
    extension('37', EMPTY, sequence(oid('1.3.6.1.5.5.7.3.1'))), // extendedKeyUsage: serverAuth
    extension('17', EMPTY, sequence(...altNames)), // subjectAltName
    extension('14', EMPTY, der(OCTET_STRING, keyId)), // subjectKeyIdentifier
    extension('35', EMPTY, sequence(der(0x80, keyId))), // authorityKeyIdentifier
  ];
}

/** RFC 5280 4.1.2.2: positive, at most 20 bytes, unpredictable. */
function serialNumber(random: Random): Uint8Array {
  const serial = random.bytes(16);
  serial.set([((serial[0] ?? 0) & 0x3f) | 0x40]); // no sign bit, no leading zeros
  return serial;
}

function distinguishedName(commonName: string): Uint8Array {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, utf8(commonName)))));
}

/** One entry of the subject's alternative names: dNSName [2] or iPAddress [7]. */
function generalName(name: string): Uint8Array {
  const family = name.includes('%') ? 0 : isIP(name); // no certificate can carry a zone
  if (family === 4) return der(0x87, Uint8Array.from(name.split('.'), Number));
  if (family === 6) return der(0x87, ipv6Bytes(name));
  const isHostName =
    name.length <= 253 && /^(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i.test(name);
  if (!isHostName) throw new Error(`not a host name or IP address: ${JSON.stringify(name)}`);
  return der(0x82, utf8(name));
}

function ipv6Bytes(address: string): Uint8Array {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...quad: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = quad.map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = [], right = []] = hex.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Uint8Array.from(
    [...left, ...zeros, ...right].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). */
function time(atMs: number): Uint8Array {
  const digits = `${new Date(atMs).toISOString().replaceAll(/[-:T]|\..*/g, '')}Z`;
  return digits < '2050' ? der(0x17, utf8(digits.slice(2))) : der(0x18, utf8(digits));
}

// DER (X.690): a tag, a length, the contents.

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(parts);
  const { length } = content;
  assert(length < 0x1_0000, 'a certificate is too large');
  const lengthBytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat([Uint8Array.of(tag, ...lengthBytes), content]);
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...parts);
}

function bitString(unusedBits: number, bits: Uint8Array): Uint8Array {
  return der(0x03, Uint8Array.of(unusedBits), bits);
}

function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Seven bits to a byte, most significant first; all but the last carry the high bit. */
function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

function pem(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
