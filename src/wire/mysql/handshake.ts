import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u16le, u32le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, cstring, int16, int32 } from './build.ts';
import { capability, tellsExtensions } from './capabilities.ts';
import type { Capabilities } from './capabilities.ts';

const PROTOCOL_VERSION = 10;
/** The first part of the authentication data has room for so many bytes. */
const FIRST_PART_BYTES = 8;
/** The second part is filled up to this, its NUL included. */
const SECOND_PART_BYTES = 13;

/** What a server says first. MySQL documentation, "Protocol::HandshakeV10"; MariaDB's "Initial Handshake Packet". */
export interface Handshake {
  readonly serverVersion: string;
  /** Unsigned, 32 bits. */
  readonly connectionId: number;
  /** Both parts in one, without the NUL behind them: 20 bytes from servers of today. A copy. */
  readonly authData: Uint8Array;
  readonly capabilities: Capabilities;
  /** The server's default collation: the lower eight bits of its number. */
  readonly collation: number;
  readonly status: number;
  /** Empty where the server knows of no plug-ins. */
  readonly plugin: string;
}

export function handshake(said: Handshake): Uint8Array {
  const { flags, extensions } = said.capabilities;
  const authData = withNul(said.authData);
  const first = authData.subarray(0, FIRST_PART_BYTES);
  const second = new Uint8Array(Math.max(SECOND_PART_BYTES, authData.length - FIRST_PART_BYTES));
  second.set(authData.subarray(FIRST_PART_BYTES));
  const knowsPlugins = (flags & capability.pluginAuth) !== 0;
  return concat([
    byte(PROTOCOL_VERSION),
    cstring(said.serverVersion),
    int32(said.connectionId),
    first,
    new Uint8Array(FIRST_PART_BYTES - first.length + 1),
    int16(flags),
    byte(said.collation),
    int16(said.status),
    int16(flags >>> 16),
    byte(knowsPlugins ? FIRST_PART_BYTES + second.length : 0),
    new Uint8Array(6),
    int32(tellsExtensions(flags) ? extensions : 0),
    second,
    knowsPlugins ? cstring(said.plugin) : EMPTY,
  ]);
}

/** Reads a server's first packet, unless that is an error (`isError`). */
export function readHandshake(body: Uint8Array): Handshake {
  const reader = new BodyReader('handshake', body);
  const version = reader.u8();
  if (version !== PROTOCOL_VERSION) {
    throw reader.violation(`protocol version ${version} where ${PROTOCOL_VERSION} is spoken`);
  }
  const serverVersion = reader.cstring();
  const connectionId = reader.u32le();
  const first = reader.take(FIRST_PART_BYTES);
  reader.skip(1);
  const lower = reader.u16le();
  if ((lower & capability.protocol41) === 0) {
    throw reader.violation('a server from before MySQL 4.1');
  }
  const collation = reader.u8();
  const status = reader.u16le();
  const flags = lower | (reader.u16le() << 16);
  const authBytes = reader.u8();
  reader.skip(6);
  const filler = reader.u32le();
  const second = reader.take(Math.max(SECOND_PART_BYTES, authBytes - FIRST_PART_BYTES));
  const plugin = (flags & capability.pluginAuth) === 0 ? '' : readPluginName(reader);
  reader.end();
  return {
    serverVersion,
    connectionId,
    authData: withoutNul(concat([first, second])).slice(),
    capabilities: { flags, extensions: tellsExtensions(flags) ? filler : 0 },
    collation,
    status,
    plugin,
  };
}

/** What the plug-ins of MySQL take for a challenge. MariaDB's own have other lengths, and no NUL behind them. */
const NONCE_BYTES = 20;

/** The NUL behind a challenge of 20 bytes is not part of it; a longer one may end in any byte (trap MY-23). */
export function withoutNul(challenge: Uint8Array): Uint8Array {
  const hasNul = challenge.length === NONCE_BYTES + 1 && challenge.at(-1) === 0;
  return hasNul ? challenge.subarray(0, -1) : challenge;
}

export function withNul(challenge: Uint8Array): Uint8Array {
  return challenge.length === NONCE_BYTES ? concat([challenge, byte(0)]) : challenge;
}

/** Some servers of old leave the NUL out. */
export function readPluginName(reader: BodyReader): string {
  const start = reader.at;
  const name = reader.cstringOrRest();
  if (reader.at - start > limits.authPluginNameBytes.value + 1) {
    throw reader.violation('the name of its plug-in is too long');
  }
  return name;
}

/** How a client's answer begins, and all of it where it asks for TLS: it says the same again then. */
const CLIENT_HEADER_BYTES = 32;

export interface ClientHeader {
  readonly capabilities: Capabilities;
  /** The largest packet that the client takes, so it says. */
  readonly maxPacketBytes: number;
  /**
   * The lower eight bits of a collation's number. Some clients go on in the byte behind it; neither MySQL 9.7 nor MariaDB
   * 11.8 looks at that, and 0 is the server's default to both (trap MY-14).
   */
  readonly collation: number;
}

export function clientHeader(said: ClientHeader): Uint8Array {
  const { flags, extensions } = said.capabilities;
  return concat([
    int32(flags),
    int32(said.maxPacketBytes),
    byte(said.collation),
    new Uint8Array(19),
    int32(tellsExtensions(flags) ? extensions : 0),
  ]);
}

/** Whether a client's first packet asks for TLS. Nothing may follow it in the clear. */
export function isSslRequest(body: Uint8Array): boolean {
  return body.length === CLIENT_HEADER_BYTES && (u16le(body, 0) & capability.ssl) !== 0;
}

/** The beginning that an SSLRequest and a HandshakeResponse41 share. */
export function readClientHeader(body: Uint8Array): ClientHeader {
  if (body.length < 2 || (u16le(body, 0) & capability.protocol41) === 0) {
    throw new Violation('handshake response: a client from before MySQL 4.1');
  }
  if (body.length < CLIENT_HEADER_BYTES) {
    throw new Violation('handshake response: shorter than it says');
  }
  const flags = u32le(body, 0) | 0;
  return {
    capabilities: { flags, extensions: tellsExtensions(flags) ? u32le(body, 28) : 0 },
    maxPacketBytes: u32le(body, 4),
    collation: u8(body, 8),
  };
}
