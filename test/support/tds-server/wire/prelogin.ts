import { errors } from '../types/errors.ts';

export const encryption = { off: 0, on: 1, notSupported: 2, required: 3 } as const;

const option = {
  version: 0,
  encryption: 1,
  instance: 2,
  threadId: 3,
  mars: 4,
  traceId: 5,
  fedAuth: 6,
  nonce: 7,
};
const END = 0xff;

/** Options of a PRELOGIN by their numbers. */
export function readPrelogin(payload: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const bytes = Buffer.from(payload);
  for (let at = 0; ; at += 5) {
    const token = bytes[at];
    if (token === END) break;
    if (token === undefined || at + 5 > bytes.length)
      throw errors.protocol('PRELOGIN does not end.');
    const [start, length] = [bytes.readUInt16BE(at + 1), bytes.readUInt16BE(at + 3)];
    if (start + length > bytes.length)
      throw errors.protocol('PRELOGIN is too short for its options.');
    found.set(token, bytes.subarray(start, start + length));
  }
  if (!found.has(option.version) || [...found.keys()][0] !== option.version)
    throw errors.protocol('PRELOGIN does not begin with a version.');
  return found;
}

export interface Greeting {
  readonly encryption: number | undefined;
  readonly mars: boolean;
  readonly asksFedAuth: boolean;
}

export function greetingOf(options: ReadonlyMap<number, Uint8Array>): Greeting {
  return {
    encryption: options.get(option.encryption)?.[0],
    mars: options.get(option.mars)?.[0] === 1,
    asksFedAuth: options.get(option.fedAuth)?.[0] === 1,
  };
}

/** What is answered. */
export function preloginReply(
  version: readonly number[],
  encrypt: number,
  mars: boolean,
  fedAuth: boolean,
): Uint8Array {
  const parts: [number, Uint8Array][] = [
    [option.version, Uint8Array.from([...version, 0, 0])],
    [option.encryption, Uint8Array.of(encrypt)],
    [option.instance, Uint8Array.of(0)],
    [option.threadId, new Uint8Array(0)],
    [option.mars, Uint8Array.of(mars ? 1 : 0)],
    [option.traceId, new Uint8Array(0)],
    ...(fedAuth ? [[option.fedAuth, Uint8Array.of(1)] as [number, Uint8Array]] : []),
  ];
  const table = Buffer.alloc(parts.length * 5 + 1, END);
  let at = table.length;
  for (const [n, [token, data]] of parts.entries()) {
    table[n * 5] = token;
    table.writeUInt16BE(at, n * 5 + 1);
    table.writeUInt16BE(data.length, n * 5 + 3);
    at += data.length;
  }
  return Buffer.concat([table, ...parts.map(([, data]) => data)]);
}
