import { Violation } from '../../base/assert.ts';
import { latin1 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, cstring, int32, untyped } from './build.ts';

const PROTOCOL_MAJOR = 3;
/** Protocol 3.2 came with PostgreSQL 18. There never was a 3.1. */
export const NEWEST_MINOR = 2;
const CANCEL_REQUEST = 80877102;
const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;

/** Protocol options, as opposed to parameters, begin so. Nobody has defined one yet. */
const OPTION_PREFIX = '_pq_.';

/** Protocol 3.2 made the cancel secret as long as the server likes, within these bounds (trap PG-27). */
const SECRET_BYTES = { min: 4, max: 256 } as const;

/** The first packet of a client, or one after a refused encryption request. */
export type StartupPacket =
  | { readonly kind: 'sslRequest' }
  | { readonly kind: 'gssEncRequest' }
  | { readonly kind: 'cancelRequest'; readonly pid: number; readonly secret: Uint8Array }
  | StartupMessage
  /** Another major version: the rest of the packet means nothing to us. */
  | { readonly kind: 'unsupportedProtocol'; readonly major: number; readonly minor: number };

export interface StartupMessage {
  readonly kind: 'startup';
  /** The packet's body: clients with equal ones want the same. */
  readonly key: string;
  /** The minor version of protocol 3 that the client would like. */
  readonly minor: number;
  /** Empty where none is named. */
  readonly user: string;
  /** All but the protocol options, `user` included. Of a name that comes twice the last value counts, as in PostgreSQL. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The full names of the options, in order and as often as they come. */
  readonly protocolOptions: readonly string[];
}

/** Checks the length field of a start-up packet (it counts itself) and returns how long the body is. */
export function checkLength(length: number): number {
  const bodyBytes = length - 4;
  if (bodyBytes < 4 || bodyBytes > limits.startupPacketBytes.value) {
    throw new Violation(`a start-up packet says that its length is ${length}`);
  }
  return bodyBytes;
}

/** Reads a start-up packet's body: all of it after the length field. */
export function readStartup(body: Uint8Array): StartupPacket {
  const reader = new BodyReader('start-up packet', body);
  const code = reader.u32be();
  switch (code) {
    case SSL_REQUEST:
      reader.end();
      return { kind: 'sslRequest' };
    case GSSENC_REQUEST:
      reader.end();
      return { kind: 'gssEncRequest' };
    case CANCEL_REQUEST: {
      const pid = reader.u32be();
      return { kind: 'cancelRequest', pid, secret: readSecret(reader) };
    }
    default:
      return readStartupMessage(body, reader, code);
  }
}

function readStartupMessage(body: Uint8Array, reader: BodyReader, code: number): StartupPacket {
  const [major, minor] = [code >>> 16, code & 0xffff];
  if (major !== PROTOCOL_MAJOR) return { kind: 'unsupportedProtocol', major, minor };
  const parameters = new Map<string, string>();
  const protocolOptions: string[] = [];
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) {
    const value = reader.cstring();
    if (name.startsWith(OPTION_PREFIX)) protocolOptions.push(name);
    else parameters.set(name, value);
  }
  reader.end();
  const user = parameters.get('user') ?? '';
  return { kind: 'startup', key: latin1(body), minor, user, parameters, protocolOptions };
}

/** Reads the rest of a body as a cancel secret. The result is a copy. */
export function readSecret(reader: BodyReader): Uint8Array {
  const count = reader.remaining;
  if (count < SECRET_BYTES.min || count > SECRET_BYTES.max) {
    throw reader.violation(`a cancel secret of ${count} bytes`);
  }
  return reader.take(count).slice();
}

export function sslRequest(): Uint8Array {
  return untyped(int32(SSL_REQUEST));
}

export function gssEncRequest(): Uint8Array {
  return untyped(int32(GSSENC_REQUEST));
}

/** `pid` is unsigned; `secret` is what BackendKeyData said, all of it. */
export function cancelRequest(pid: number, secret: Uint8Array): Uint8Array {
  return untyped(int32(CANCEL_REQUEST), int32(pid), secret);
}

/** A start-up message of protocol 3.`minor`. Protocol options are parameters like any other here. */
export function startupMessage(
  parameters: Iterable<readonly [name: string, value: string]>,
  minor = 0,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, value] of parameters) parts.push(cstring(name), cstring(value));
  return untyped(int32((PROTOCOL_MAJOR << 16) | minor), ...parts, byte(0));
}
