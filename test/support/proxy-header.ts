import { bytesOf } from './messages.ts';
import type { Part } from './messages.ts';

// Headers of the PROXY protocol as tests make them. Written apart from `src/wire`, so that neither is tested against itself.

export const SIGNATURE = bytesOf('\r\n\r\n\0\r\nQUIT\n');

export const TCP4 = 0x11;
export const TCP6 = 0x21;

/** A line of version 1: `TCP4 192.0.2.1 192.0.2.2 50000 5432`. */
export function version1(said: string): Uint8Array {
  return bytesOf(`PROXY ${said}\r\n`);
}

export interface Version2 {
  /** Version and command. Default: 2, PROXY. */
  readonly command?: number;
  /** Default: TCP over IPv4. */
  readonly family?: number;
  /** Default: `ipv4Addresses` of 192.0.2.1, port 50000. */
  readonly addresses?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  /** Appends an extension with the checksum, right or wrong. */
  readonly checksum?: 'right' | 'wrong';
}

export function version2(options: Version2 = {}): Uint8Array {
  const { command = 0x21, family = TCP4, addresses = ipv4Addresses(), extensions = [] } = options;
  const parts: Part[] = [addresses, ...extensions];
  if (options.checksum !== undefined) parts.push(extension(0x03, new Uint8Array(4)));
  const rest = bytesOf(...parts);
  const header = bytesOf(SIGNATURE, command, family, rest.length >> 8, rest.length & 0xff, rest);
  if (options.checksum !== undefined) {
    const sum = checksum(header) ^ (options.checksum === 'right' ? 0 : 1);
    new DataView(header.buffer).setUint32(header.length - 4, sum >>> 0);
  }
  return header;
}

export function ipv4Addresses(host = [192, 0, 2, 1], port = 50_000): Uint8Array {
  return bytesOf(...host, 192, 0, 2, 2, port >> 8, port & 0xff, 0x15, 0x38);
}

/** 2001:db8::1 and 2001:db8::2. */
export function ipv6Addresses(port = 50_000): Uint8Array {
  const host = (last: number): Uint8Array =>
    bytesOf(0x20, 0x01, 0x0d, 0xb8, new Uint8Array(11), last);
  return bytesOf(host(1), host(2), port >> 8, port & 0xff, 0x15, 0x38);
}

export function extension(type: number, value: Uint8Array): Uint8Array {
  return bytesOf(type, value.length >> 8, value.length & 0xff, value);
}

/** CRC32c, bit by bit. */
export function checksum(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit += 1) {
      const differs = ((register ^ (byte >> bit)) & 1) === 1;
      register = (register >>> 1) ^ (differs ? 0x82f63b78 : 0);
    }
  }
  return ~register >>> 0;
}
