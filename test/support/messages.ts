// PostgreSQL protocol 3 messages as tests make and read them. Written apart from `src/wire`, so that neither is tested
// against itself.

export interface Message {
  /** The type byte as a character. */
  readonly type: string;
  readonly body: Uint8Array;
}

export type Part = string | number | Uint8Array;

/** Text with its NUL, for `bytesOf`. */
export function cstring(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}

export function i16(value: number): Uint8Array {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(value & 0xffff);
  return out;
}

export function i32(value: number): Uint8Array {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
}

/** Strings as UTF-8 without a NUL, numbers as single bytes. */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === 'number'
          ? Uint8Array.of(part)
          : typeof part === 'string'
            ? Buffer.from(part)
            : part,
      ),
    ),
  );
}

/** A message with a right length. */
export function message(type: string, ...parts: readonly Part[]): Uint8Array {
  const body = bytesOf(...parts);
  return bytesOf(type, i32(body.length + 4), body);
}

function untyped(...parts: readonly Part[]): Uint8Array {
  return message('', ...parts);
}

/** What clients say. */
export const frontend = {
  startup(parameters: Readonly<Record<string, string>>, minor = 0): Uint8Array {
    const pairs = Object.entries(parameters).flatMap(([name, value]) => [
      cstring(name),
      cstring(value),
    ]);
    return untyped(i32(0x30000 | minor), ...pairs, 0);
  },
  sslRequest: (): Uint8Array => untyped(i32(80877103)),
  gssRequest: (): Uint8Array => untyped(i32(80877104)),
  cancelRequest: (pid: number, secret: Uint8Array): Uint8Array =>
    untyped(i32(80877102), i32(pid), secret),
  password: (text: string): Uint8Array => message('p', cstring(text)),
  saslInitial: (mechanism: string, data: string): Uint8Array =>
    message('p', cstring(mechanism), i32(Buffer.byteLength(data)), data),
  saslResponse: (data: string): Uint8Array => message('p', data),
  query: (sql: string): Uint8Array => message('Q', cstring(sql)),
  parse: (name: string, sql: string, types: readonly number[] = []): Uint8Array =>
    message('P', cstring(name), cstring(sql), i16(types.length), ...types.map(i32)),
  /** All values and results as text. */
  bind(portal: string, statement: string, values: readonly (string | null)[] = []): Uint8Array {
    const cells = values.flatMap((value) =>
      value === null ? [i32(-1)] : [i32(Buffer.byteLength(value)), value],
    );
    return message(
      'B',
      cstring(portal),
      cstring(statement),
      i16(0),
      i16(values.length),
      ...cells,
      i16(0),
    );
  },
  describe: (kind: 'S' | 'P', name = ''): Uint8Array => message('D', kind, cstring(name)),
  execute: (portal = '', limit = 0): Uint8Array => message('E', cstring(portal), i32(limit)),
  close: (kind: 'S' | 'P', name = ''): Uint8Array => message('C', kind, cstring(name)),
  flush: (): Uint8Array => message('H'),
  sync: (): Uint8Array => message('S'),
  copyData: (data: string | Uint8Array): Uint8Array => message('d', data),
  copyDone: (): Uint8Array => message('c'),
  copyFail: (why: string): Uint8Array => message('f', cstring(why)),
  terminate: (): Uint8Array => message('X'),
} as const;

/** What databases say: for the scripted server. */
export const backend = {
  authenticationOk: (): Uint8Array => message('R', i32(0)),
  cleartextPassword: (): Uint8Array => message('R', i32(3)),
  md5Password: (salt: Uint8Array): Uint8Array => message('R', i32(5), salt),
  sasl: (...mechanisms: readonly string[]): Uint8Array =>
    message('R', i32(10), ...mechanisms.map(cstring), 0),
  saslContinue: (data: string): Uint8Array => message('R', i32(11), data),
  saslFinal: (data: string): Uint8Array => message('R', i32(12), data),
  parameterStatus: (name: string, value: string): Uint8Array =>
    message('S', cstring(name), cstring(value)),
  keyData: (pid: number, secret: Uint8Array): Uint8Array => message('K', i32(pid), secret),
  ready: (status: 'I' | 'T' | 'E' = 'I'): Uint8Array => message('Z', status),
  error: (fields: Readonly<Record<string, string>>): Uint8Array =>
    message('E', ...fieldParts(fields), 0),
  notice: (fields: Readonly<Record<string, string>>): Uint8Array =>
    message('N', ...fieldParts(fields), 0),
  /** Columns of type text. */
  rowDescription: (...names: readonly string[]): Uint8Array =>
    message(
      'T',
      i16(names.length),
      ...names.flatMap((name) => [
        cstring(name),
        i32(0),
        i16(0),
        i32(25),
        i16(-1),
        i32(-1),
        i16(0),
      ]),
    ),
  dataRow: (...values: readonly (string | null)[]): Uint8Array =>
    message(
      'D',
      i16(values.length),
      ...values.flatMap((value) =>
        value === null ? [i32(-1)] : [i32(Buffer.byteLength(value)), value],
      ),
    ),
  complete: (tag: string): Uint8Array => message('C', cstring(tag)),
} as const;

function fieldParts(fields: Readonly<Record<string, string>>): Part[] {
  return Object.entries(fields).flatMap(([field, value]) => [field, cstring(value)]);
}

/** The fields of an ErrorResponse or NoticeResponse by their letters. */
export function errorFields(body: Uint8Array): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const field of Buffer.from(body).toString('utf8').split('\0')) {
    if (field !== '') fields[field.slice(0, 1)] = field.slice(1);
  }
  return fields;
}

/** The texts of a message that consists of NUL-terminated ones. */
export function cstrings(body: Uint8Array): readonly string[] {
  return Buffer.from(body).toString('utf8').split('\0').slice(0, -1);
}

/** The columns of a DataRow, taken as text. */
export function rowValues(body: Uint8Array): readonly (string | null)[] {
  const row = Buffer.from(body);
  const values: (string | null)[] = [];
  let at = 2;
  for (let left = row.readInt16BE(0); left > 0; left -= 1) {
    const length = row.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : row.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return values;
}

/** The columns of a RowDescription as `name:type`. */
export function columns(body: Uint8Array): readonly string[] {
  const description = Buffer.from(body);
  const found: string[] = [];
  let at = 2;
  for (let left = description.readInt16BE(0); left > 0; left -= 1) {
    const end = description.indexOf(0, at);
    found.push(`${description.toString('utf8', at, end)}:${description.readInt32BE(end + 7)}`);
    at = end + 19;
  }
  return found;
}

/** All messages in the bytes; throws where the last one is not whole. */
export function parseMessages(bytes: Uint8Array): readonly Message[] {
  const all = Buffer.from(bytes);
  const found: Message[] = [];
  for (let at = 0; at < all.length;) {
    const end = at + 1 + all.readInt32BE(at + 1);
    if (end > all.length)
      throw new Error(`message ${all.toString('latin1', at, at + 1)} is cut off`);
    found.push({ type: all.toString('latin1', at, at + 1), body: all.subarray(at + 5, end) });
    at = end;
  }
  return found;
}
