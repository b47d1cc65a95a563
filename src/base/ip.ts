import { u16be, u8 } from './bytes.ts';

/**
 * The bytes of an IP address as it is written: 4 or 16. An IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) has 4, since
 * that is what the peer is. Undefined for all else: no ports, no brackets, no zones, no octal numbers.
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const bytes = parseIpv6(text);
  return bytes === undefined ? undefined : withoutMapping(bytes);
}

/** An address of 4 or 16 bytes, IPv6 in the form of RFC 5952. */
export function sayIp(bytes: Uint8Array): string {
  const address = withoutMapping(bytes);
  return address.length === IPV4_BYTES ? address.join('.') : sayIpv6(address);
}

/** A block of addresses: those that begin with the first `prefixBits` bits of `address`. */
export interface IpNetwork {
  readonly address: Uint8Array;
  readonly prefixBits: number;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Undefined for all else. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, host = '', digits] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const address = parseIp(host);
  // A prefix of an IPv6 address does not count the bits of the IPv4 address in it: write it as IPv4.
  if (address === undefined || (host.includes(':') && address.length === IPV4_BYTES))
    return undefined;
  const prefixBits = digits === undefined ? address.length * 8 : Number(digits);
  return prefixBits > address.length * 8 ? undefined : { address, prefixBits };
}

/** Whether the address, as `parseIp` has it, is in the network. IPv4 addresses are in no IPv6 network, not even `::/0`. */
export function isWithin(address: Uint8Array, network: IpNetwork): boolean {
  if (address.length !== network.address.length) return false;
  const whole = network.prefixBits >> 3;
  for (let at = 0; at < whole; at += 1) if (address[at] !== network.address[at]) return false;
  const rest = network.prefixBits & 7;
  return rest === 0 || (u8(address, whole) ^ u8(network.address, whole)) >> (8 - rest) === 0;
}

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;
const MAPPED_BYTES = IPV6_BYTES - IPV4_BYTES;

function parseIpv4(text: string): Uint8Array | undefined {
  const numbers = text.split('.');
  const isIpv4 =
    numbers.length === IPV4_BYTES &&
    numbers.every((one) => /^(?:0|[1-9]\d{0,2})$/.test(one) && Number(one) <= 255);
  return isIpv4 ? Uint8Array.from(numbers, Number) : undefined;
}

/** RFC 4291, section 2.2. */
function parseIpv6(text: string): Uint8Array | undefined {
  const [head = '', tail, ...more] = text.split('::');
  const left = groupsOf(head, tail === undefined);
  const right = groupsOf(tail ?? '', true);
  if (left === undefined || right === undefined || more.length > 0) return undefined;
  const missing = IPV6_GROUPS - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const zeros = Array.from({ length: missing }, () => 0);
  return Uint8Array.from([...left, ...zeros, ...right].flatMap((one) => [one >> 8, one & 0xff]));
}

/** Groups of 16 bits; the last two may be written as an IPv4 address where the text is the address's end. */
function groupsOf(text: string, isEnd: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const dotted = isEnd && parts.at(-1)?.includes('.') === true ? parts.pop() : undefined;
  if (!parts.every((one) => /^[\da-f]{1,4}$/i.test(one))) return undefined;
  const groups = parts.map((one) => Number.parseInt(one, 16));
  if (dotted === undefined) return groups;
  const ipv4 = parseIpv4(dotted);
  return ipv4 === undefined ? undefined : [...groups, u16be(ipv4, 0), u16be(ipv4, 2)];
}

function withoutMapping(bytes: Uint8Array): Uint8Array {
  const isMapped =
    bytes.length === IPV6_BYTES &&
    bytes
      .subarray(0, MAPPED_BYTES)
      .every((byte, at) => byte === (at < MAPPED_BYTES - 2 ? 0 : 0xff));
  return isMapped ? bytes.subarray(MAPPED_BYTES) : bytes;
}

function sayIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: IPV6_GROUPS }, (_, at) => u16be(bytes, at * 2).toString(16));
  const text = groups.join(':');
  let longest = { at: 0, length: 0 };
  // The first of the longest runs of zeros, if it is of two groups at least.
  for (const { index, 0: run } of text.matchAll(/\b0(?::0)+\b/g))
    if (run.length > longest.length) longest = { at: index, length: run.length };
  if (longest.length === 0) return text;
  const before = text.slice(0, longest.at).replace(/:$/, '');
  const after = text.slice(longest.at + longest.length).replace(/^:/, '');
  return `${before}::${after}`;
}
