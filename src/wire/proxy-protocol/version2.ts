import { Violation } from '../../base/assert.ts';
import { u16be, u32be, u8 } from '../../base/bytes.ts';
import { sayIp } from '../../base/ip.ts';
import { limits } from '../../base/limits.ts';
import { crc32c } from './crc32c.ts';
import type { Source } from './header.ts';

/** The signature, and what `headerLength` looks at. */
export const FIXED_BYTES = 16;
const COMMAND_AT = 12;
const FAMILY_AT = 13;
const LENGTH_AT = 14;

const VERSION = 2;
/** The sender's own connection, such as a health check. */
const LOCAL = 0;
const PROXY = 1;

interface Family {
  readonly name: string;
  /** Of each of the two addresses. */
  readonly addressBytes: number;
  readonly portBytes: 0 | 2;
  /** Whether its addresses are those of a client of ours; of the others PROXY 2.2 lets us use the connection's own. */
  readonly isTcp: boolean;
}

const UNSPECIFIED = 0x00;
const families: ReadonlyMap<number, Family> = new Map([
  [UNSPECIFIED, { name: 'UNSPEC', addressBytes: 0, portBytes: 0, isTcp: false }],
  [0x11, { name: 'TCP over IPv4', addressBytes: 4, portBytes: 2, isTcp: true }],
  [0x12, { name: 'UDP over IPv4', addressBytes: 4, portBytes: 2, isTcp: false }],
  [0x21, { name: 'TCP over IPv6', addressBytes: 16, portBytes: 2, isTcp: true }],
  [0x22, { name: 'UDP over IPv6', addressBytes: 16, portBytes: 2, isTcp: false }],
  [0x31, { name: 'UNIX stream', addressBytes: 108, portBytes: 0, isTcp: false }],
  [0x32, { name: 'UNIX datagram', addressBytes: 108, portBytes: 0, isTcp: false }],
]);

const CHECKSUM_TYPE = 0x03;
const CHECKSUM_BYTES = 4;
/** A type and a length come before each extension's value. */
const EXTENSION_HEAD_BYTES = 3;

/** How long the header is that begins with these bytes, `FIXED_BYTES` or more. Refuses it as soon as that can be done. */
export function headerLength(bytes: Uint8Array): number {
  const versionAndCommand = u8(bytes, COMMAND_AT);
  const [version, command] = [versionAndCommand >> 4, versionAndCommand & 0x0f];
  if (version !== VERSION) throw new Violation(`it is of version ${version}`);
  if (command !== LOCAL && command !== PROXY) throw new Violation(`its command is ${command}`);
  const length = u16be(bytes, LENGTH_AT);
  const most = limits.proxyHeaderBytes.value;
  if (FIXED_BYTES + length > most)
    throw new Violation(`it has ${FIXED_BYTES + length} bytes, more than ${most}`);
  if (command === PROXY) {
    const { name, addressBytes, portBytes } = familyOf(bytes);
    if (length < 2 * (addressBytes + portBytes))
      throw new Violation(`it is too short for the addresses of ${name}`);
  }
  return FIXED_BYTES + length;
}

/** Reads a whole header that `headerLength` has let pass. Undefined where it names no address that a client of ours can have. */
export function readHeader(header: Uint8Array): Source | undefined {
  // Of these two, nothing that follows counts.
  if ((u8(header, COMMAND_AT) & 0x0f) === LOCAL || u8(header, FAMILY_AT) === UNSPECIFIED)
    return undefined;
  const { addressBytes, portBytes, isTcp } = familyOf(header);
  checkExtensions(header, FIXED_BYTES + 2 * (addressBytes + portBytes));
  if (!isTcp) return undefined;
  return {
    host: sayIp(header.subarray(FIXED_BYTES, FIXED_BYTES + addressBytes)),
    port: u16be(header, FIXED_BYTES + 2 * addressBytes),
  };
}

function familyOf(bytes: Uint8Array): Family {
  const code = u8(bytes, FAMILY_AT);
  const family = families.get(code);
  if (family === undefined)
    throw new Violation(`its address family is 0x${code.toString(16).padStart(2, '0')}`);
  return family;
}

/** Steps over what the sender says besides (PROXY 2.2), and holds the header to its checksum where it has one (2.2.3). */
function checkExtensions(header: Uint8Array, start: number): void {
  let checksumAt: number | undefined;
  let at = start;
  while (at < header.length) {
    const left = header.length - at - EXTENSION_HEAD_BYTES;
    const length = left < 0 ? 0 : u16be(header, at + 1);
    if (length > left) throw new Violation('an extension is longer than the header');
    if (u8(header, at) === CHECKSUM_TYPE) {
      if (length !== CHECKSUM_BYTES || checksumAt !== undefined)
        throw new Violation('its checksum is not one of 4 bytes');
      checksumAt = at + EXTENSION_HEAD_BYTES;
    }
    at += EXTENSION_HEAD_BYTES + length;
  }
  if (checksumAt === undefined) return;
  // Sockets bring Buffers, and what `slice` makes of one is not a copy.
  const summed = new Uint8Array(header).fill(0, checksumAt, checksumAt + CHECKSUM_BYTES);
  if (crc32c(summed) !== u32be(header, checksumAt)) throw new Violation('its checksum is wrong');
}
