// PRELOGIN: what is agreed on before TLS and the login, with the same options both ways. [MS-TDS] 2.2.6.5.
import { concat, EMPTY, text, utf8 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, int16be } from './build.ts';

/** What each side wants, or can do, of encryption. */
export const encryption = {
  off: 0,
  on: 1,
  notSupported: 2,
  required: 3,
  /** TLS is around everything already: drivers say so within TDS 8.0, some of them, the others what they would say without. */
  strict: 4,
} as const;

/** Besides a value of `encryption`: the client has a certificate. */
const CLIENT_CERTIFICATE = 0x80;

const option = {
  version: 0,
  encryption: 1,
  instance: 2,
  threadId: 3,
  mars: 4,
  traceId: 5,
  fedAuthRequired: 6,
  nonce: 7,
  end: 0xff,
} as const;

/** What is undefined is not said; what is only there, without a value, is empty. */
export interface Prelogin {
  /** Six bytes: major, minor, the build (big-endian) and the sub-build. */
  readonly version: Uint8Array;
  /** One of `encryption`. */
  readonly encryption: number | undefined;
  /** Empty for the default one. */
  readonly instance: string | undefined;
  readonly threadId: Uint8Array | undefined;
  readonly mars: boolean | undefined;
  /** The connection's identifier and an activity's, 36 bytes. */
  readonly traceId: Uint8Array | undefined;
  readonly fedAuthRequired: number | undefined;
  /** 32 bytes. */
  readonly nonce: Uint8Array | undefined;
}

export function readPrelogin(payload: Uint8Array): Prelogin {
  const values = readOptions(payload);
  const version = values.get(option.version)?.slice();
  if (version?.length !== 6) throw new BodyReader('PRELOGIN', EMPTY).violation('no version');
  const said = values.get(option.encryption)?.[0];
  const instance = values.get(option.instance);
  const mars = values.get(option.mars)?.[0];
  return {
    version,
    encryption: said === undefined ? undefined : said & ~CLIENT_CERTIFICATE,
    instance: instance === undefined ? undefined : text(instance).replace(/\0.*$/s, ''),
    threadId: values.get(option.threadId)?.slice(),
    mars: mars === undefined ? undefined : mars !== 0,
    traceId: values.get(option.traceId)?.slice(),
    fedAuthRequired: values.get(option.fedAuthRequired)?.[0],
    nonce: values.get(option.nonce)?.slice(),
  };
}

/** The values of the options, views. Those that we do not know are left out. */
function readOptions(payload: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  const reader = new BodyReader('PRELOGIN', payload);
  for (let kind = reader.u8(); kind !== option.end; kind = reader.u8()) {
    const offset = reader.u16be();
    const length = reader.u16be();
    if (offset + length > payload.length) throw reader.violation('an option outside of it');
    if (values.has(kind)) throw reader.violation('an option twice');
    values.set(kind, payload.subarray(offset, offset + length));
  }
  return values;
}

/** The payload: its options in the order of their numbers. */
export function prelogin(said: Prelogin): Uint8Array {
  const { instance, mars } = said;
  const options: readonly (readonly [kind: number, value: Uint8Array | undefined])[] = [
    [option.version, said.version],
    [option.encryption, one(said.encryption)],
    [option.instance, instance === undefined ? undefined : utf8(`${instance}\0`)],
    [option.threadId, said.threadId],
    [option.mars, mars === undefined ? undefined : byte(mars ? 1 : 0)],
    [option.traceId, said.traceId],
    [option.fedAuthRequired, one(said.fedAuthRequired)],
    [option.nonce, said.nonce],
  ];
  const present = options.flatMap(([kind, value]) =>
    value === undefined ? [] : [{ kind, value }],
  );
  let offset = present.length * OPTION_BYTES + 1;
  const heads = present.map(({ kind, value }) => {
    const head = concat([byte(kind), int16be(offset), int16be(value.length)]);
    offset += value.length;
    return head;
  });
  return concat([...heads, byte(option.end), ...present.map(({ value }) => value)]);
}

/** An option's number, and its value's offset and length. */
const OPTION_BYTES = 5;

function one(value: number | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : byte(value);
}
