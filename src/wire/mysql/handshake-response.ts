import { assert } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenencBytes, readLenencText } from './lenenc-reader.ts';
import { byte, cstring, lenencInt, lenencString } from './build.ts';
import { capability, common } from './capabilities.ts';
import type { Capabilities } from './capabilities.ts';
import { clientHeader, readClientHeader, readPluginName } from './handshake.ts';
import type { ClientHeader } from './handshake.ts';

export type ConnectAttributes = readonly (readonly [name: string, value: string])[];

/** A client's answer to the handshake. MySQL documentation, "Protocol::HandshakeResponse41". */
export interface HandshakeResponse extends ClientHeader {
  readonly user: string;
  /** What the plug-in has made of the password, or the password itself: never to be logged. A copy. */
  readonly authData: Uint8Array;
  /** Undefined where none is named. */
  readonly database: string | undefined;
  /** The plug-in that `authData` is of; undefined where the client knows of none. */
  readonly plugin: string | undefined;
  /** In the order in which they come; of a name that comes twice, both. */
  readonly attributes: ConnectAttributes;
  /** Undefined where the client cannot compress by zstd. */
  readonly zstdLevel: number | undefined;
}

/**
 * Reads a client's answer. What it says depends on what both sides can do, so that only that is left of its capabilities.
 * @param offered what the handshake has said
 */
export function readHandshakeResponse(body: Uint8Array, offered: Capabilities): HandshakeResponse {
  const header = readClientHeader(body);
  const capabilities = common(header.capabilities, offered);
  const { flags } = capabilities;
  const reader = new BodyReader('handshake response', body);
  reader.skip(32);
  const user = reader.cstring();
  const authData = readAuthData(reader, flags);
  const database = has(flags, 'connectWithDb') ? reader.cstringOrRest() : '';
  const plugin = has(flags, 'pluginAuth') ? readPluginName(reader) : undefined;
  const attributes = has(flags, 'connectAttrs') ? readAttributes(reader) : [];
  // One byte, whether or not it is asked for, and nothing that matters behind it.
  const zstdLevel = has(flags, 'zstdCompression') && reader.remaining > 0 ? reader.u8() : undefined;
  return {
    ...header,
    capabilities,
    user,
    authData,
    database: database === '' ? undefined : database,
    plugin,
    attributes,
    zstdLevel,
  };
}

/** With the capabilities that it speaks of; `connectWithDb`, `pluginAuth` and the like follow from what is said. */
export function handshakeResponse(said: HandshakeResponse): Uint8Array {
  const { flags } = said.capabilities;
  return concat([
    clientHeader(said),
    cstring(said.user),
    authData(said.authData, flags),
    has(flags, 'connectWithDb') ? cstring(said.database ?? '') : EMPTY,
    has(flags, 'pluginAuth') ? cstring(said.plugin ?? '') : EMPTY,
    has(flags, 'connectAttrs') ? attributeList(said.attributes) : EMPTY,
    has(flags, 'zstdCompression') ? byte(said.zstdLevel ?? 0) : EMPTY,
  ]);
}

function has(flags: number, name: keyof typeof capability): boolean {
  return (flags & capability[name]) !== 0;
}

/** Up to 255 bytes, of any length, or up to a NUL: trap MY-12. */
function readAuthData(reader: BodyReader, flags: number): Uint8Array {
  if (has(flags, 'pluginAuthLenencClientData')) return limited(reader, readLenencBytes(reader));
  if (has(flags, 'secureConnection')) return reader.take(reader.u8()).slice();
  return limited(reader, reader.bytesToNul());
}

function limited(reader: BodyReader, data: Uint8Array): Uint8Array {
  if (data.length > limits.passwordMessageBytes.value) {
    throw reader.violation('its authentication data is too long');
  }
  return data.slice();
}

function authData(data: Uint8Array, flags: number): Uint8Array {
  if (has(flags, 'pluginAuthLenencClientData')) return lenencString(data);
  if (has(flags, 'secureConnection')) {
    assert(data.length <= 0xff, 'this server takes no more than 255 bytes of authentication data');
    return concat([byte(data.length), data]);
  }
  return concat([data, byte(0)]);
}

export function attributeList(attributes: ConnectAttributes): Uint8Array {
  const list = concat(attributes.flat().map(lenencString));
  return concat([lenencInt(list.length), list]);
}

/** A list that is cut short is a violation, but its absence is none. */
export function readAttributes(reader: BodyReader): ConnectAttributes {
  if (reader.remaining === 0) return [];
  const list = readLenencBytes(reader);
  if (list.length > limits.connectAttributeBytes.value) {
    throw reader.violation('its connection attributes are too long');
  }
  const attributes: (readonly [string, string])[] = [];
  const entries = new BodyReader('connection attributes', list);
  while (entries.remaining > 0) attributes.push([readLenencText(entries), readLenencText(entries)]);
  return attributes;
}
