import { utf8 } from '../../base/bytes.ts';

// The PROXY protocol, as HAProxy's doc/proxy-protocol.txt specifies it (PROXY below, with its section).

/** Where the connection comes from that a header stands for. */
export interface Source {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

/** PROXY 2.1: what follows the space is a line of text. */
const VERSION_1 = utf8('PROXY ');
/** PROXY 2.2: no text, and no beginning of any protocol that is known. */
const VERSION_2 = Uint8Array.of(
  0x0d,
  0x0a,
  0x0d,
  0x0a,
  0x00,
  0x0d,
  0x0a,
  0x51,
  0x55,
  0x49,
  0x54,
  0x0a,
);

/**
 * Whether a connection that begins with these bytes begins with a header, and of which version. `undecided`: the bytes are
 * too few. A header is told apart by all of its signature, so nothing that differs from it in one byte is taken for one.
 */
export function recognise(bytes: Uint8Array): 'version1' | 'version2' | 'none' | 'undecided' {
  for (const [version, signature] of [
    ['version1', VERSION_1],
    ['version2', VERSION_2],
  ] as const) {
    const seen = bytes.subarray(0, signature.length);
    if (seen.every((byte, at) => byte === signature[at]))
      return seen.length === signature.length ? version : 'undecided';
  }
  return 'none';
}
