// LOGIN7. [MS-TDS] 2.2.6.4.
import { assert } from '../../base/assert.ts';
import { concat, EMPTY, utf16 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readRest } from './text-reader.ts';
import { int16, int32 } from './build.ts';
import { readFeatures, writeFeatures } from './features.ts';
import type { Feature } from './features.ts';
import { flags3 } from './login-flags.ts';
import { isWide } from './versions.ts';

export interface Login7 {
  /** See `versions.ts`. */
  readonly tdsVersion: number;
  /** Asked for: 0 leaves it to the server. */
  readonly packetBytes: number;
  readonly clientVersion: number;
  readonly clientPid: number;
  /** Of the connection whose place this one is to take. */
  readonly connectionId: number;
  /** The bits of `login-flags.ts`. */
  readonly flags1: number;
  readonly flags2: number;
  readonly typeFlags: number;
  readonly flags3: number;
  /** Minutes from UTC. */
  readonly timeZone: number;
  readonly lcid: number;
  readonly hostName: string;
  readonly userName: string;
  /** In UTF-16, little-endian, as it is; on the wire its bits are turned around. */
  readonly password: Uint8Array;
  readonly appName: string;
  readonly serverName: string;
  readonly libraryName: string;
  readonly language: string;
  readonly database: string;
  /** Six bytes. */
  readonly clientId: Uint8Array;
  readonly sspi: Uint8Array;
  readonly attachFile: string;
  /** As `password`; empty: it stays. */
  readonly newPassword: Uint8Array;
  readonly features: readonly Feature[];
}

/** With what points to the parts; a new password, and the length of long SSPI data, came with 7.2. */
const HEAD_BYTES = 94;
const OLD_HEAD_BYTES = 86;
const CLIENT_ID_BYTES = 6;
/** This many bytes of SSPI data: how many is said elsewhere. */
const LONG_SSPI = 0xffff;

/** Reads the whole payload of a login. What it returns holds none of it. */
export function readLogin7(payload: Uint8Array): Login7 {
  const reader = new BodyReader('LOGIN7', payload);
  const length = reader.u32le();
  if (length !== payload.length) {
    throw reader.violation(`${payload.length} bytes that say to be ${length}`);
  }
  const head = {
    tdsVersion: reader.u32le(),
    packetBytes: reader.u32le(),
    clientVersion: reader.u32le(),
    clientPid: reader.u32le(),
    connectionId: reader.u32le(),
    flags1: reader.u8(),
    flags2: reader.u8(),
    typeFlags: reader.u8(),
    flags3: reader.u8(),
    timeZone: reader.i32le(),
    lcid: reader.u32le(),
  };
  const parts = readParts(payload, reader, isWide(head.tdsVersion));
  const { extension, ...rest } = parts;
  // Some drivers say so with versions that have none, and point to nothing.
  const hasFeatures = (head.flags3 & flags3.extension) !== 0 && extension.length > 0;
  return { ...head, ...rest, features: hasFeatures ? featuresAt(payload, extension) : [] };
}

/** The parts, in the order of what points to them. */
function readParts(payload: Uint8Array, reader: BodyReader, isNew: boolean) {
  const at = (offset: number, count: number): Uint8Array => partAt(payload, offset, count);
  const part = (unitBytes: number): Uint8Array => {
    const offset = reader.u16le();
    return at(offset, unitBytes * reader.u16le());
  };
  const words = (): string => readRest(new BodyReader('LOGIN7', part(2)));
  const [hostName, userName, password] = [words(), words(), turnedBack(part(2))];
  const [appName, serverName, extension] = [words(), words(), part(1)];
  const [libraryName, language, database] = [words(), words(), words()];
  const clientId = reader.take(CLIENT_ID_BYTES).slice();
  const [sspiAt, sspiBytes] = [reader.u16le(), reader.u16le()];
  const attachFile = words();
  const newPassword = isNew ? turnedBack(part(2)) : EMPTY;
  const longSspiBytes = isNew ? reader.u32le() : 0;
  const isLong = sspiBytes === LONG_SSPI && longSspiBytes > 0;
  const sspi = at(sspiAt, isLong ? longSspiBytes : sspiBytes).slice();
  return {
    hostName,
    userName,
    password,
    appName,
    serverName,
    extension,
    libraryName,
    language,
    database,
    clientId,
    sspi,
    attachFile,
    newPassword,
  };
}

/** A view of a part. What has no bytes may point anywhere. */
function partAt(payload: Uint8Array, offset: number, bytes: number): Uint8Array {
  if (bytes === 0) return EMPTY;
  const reader = new BodyReader('LOGIN7', payload);
  reader.skip(offset);
  return reader.take(bytes);
}

/** @param extension where they are is said in there */
function featuresAt(payload: Uint8Array, extension: Uint8Array): readonly Feature[] {
  const offset = new BodyReader('LOGIN7', extension).u32le();
  const reader = new BodyReader('LOGIN7', payload);
  reader.skip(offset);
  return readFeatures(reader);
}

/** The payload. The bit for features is set by whether there are any. */
export function login7(said: Login7): Uint8Array {
  assert(said.clientId.length === CLIENT_ID_BYTES, 'a client has an identifier of six bytes');
  const { features } = said;
  const isNew = isWide(said.tdsVersion);
  const headBytes = isNew ? HEAD_BYTES : OLD_HEAD_BYTES;
  const parts = new Parts(headBytes);
  const extension = features.length === 0 ? EMPTY : new Uint8Array(4);
  const pointers = [
    parts.words(said.hostName),
    parts.words(said.userName),
    parts.secret(said.password),
    parts.words(said.appName),
    parts.words(said.serverName),
    parts.bytes(extension),
    parts.words(said.libraryName),
    parts.words(said.language),
    parts.words(said.database),
    said.clientId,
    parts.bytes(said.sspi),
    parts.words(said.attachFile),
    isNew ? parts.secret(said.newPassword) : EMPTY,
    isNew ? int32(said.sspi.length > LONG_SSPI ? said.sspi.length : 0) : EMPTY,
  ];
  extension.set(int32(parts.end).subarray(0, extension.length));
  const flags =
    features.length === 0 ? said.flags3 & ~flags3.extension : said.flags3 | flags3.extension;
  const body = concat([
    int32(said.tdsVersion),
    int32(said.packetBytes),
    int32(said.clientVersion),
    int32(said.clientPid),
    int32(said.connectionId),
    Uint8Array.of(said.flags1, said.flags2, said.typeFlags, flags),
    int32(said.timeZone),
    int32(said.lcid),
    ...pointers,
    ...parts.all,
    features.length === 0 ? EMPTY : writeFeatures(features),
  ]);
  return concat([int32(body.length + 4), body]);
}

/** Puts one part behind the other, and says where each is. */
class Parts {
  readonly all: Uint8Array[] = [];
  #end: number;

  constructor(start: number) {
    this.#end = start;
  }

  get end(): number {
    return this.#end;
  }

  words(value: string): Uint8Array {
    return this.#add(utf16(value), value.length);
  }

  secret(value: Uint8Array): Uint8Array {
    return this.#add(turned(value), value.length / 2);
  }

  bytes(value: Uint8Array): Uint8Array {
    return this.#add(value, Math.min(value.length, LONG_SSPI));
  }

  #add(part: Uint8Array, count: number): Uint8Array {
    const isEmpty = part.length === 0;
    assert((isEmpty || this.#end <= 0xffff) && count <= 0xffff, 'a login is too long');
    const offset = Math.min(this.#end, 0xffff);
    this.all.push(part);
    this.#end += part.length;
    return concat([int16(offset), int16(count)]);
  }
}

const MASK = 0xa5;

/** A password as it goes over the wire: the halves of each byte change places, and then half of the bits their value (trap TD-17). */
function turned(password: Uint8Array): Uint8Array {
  return password.map((value) => ((value << 4) | (value >> 4)) ^ MASK);
}

function turnedBack(bytes: Uint8Array): Uint8Array {
  return bytes.map((value) => {
    const whole = value ^ MASK;
    return (whole << 4) | (whole >> 4);
  });
}
