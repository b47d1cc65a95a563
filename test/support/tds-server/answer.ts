import type { Value } from './types/sql-type.ts';
import { Source } from './wire/source.ts';
import { readTypeInfo } from './wire/type-info.ts';
import type { WireType } from './wire/type-info.ts';
import { readValue } from './wire/values.ts';

export interface AnswerError {
  readonly number: number;
  readonly state: number;
  readonly severity: number;
  readonly message: string;
  readonly procedure: string;
  readonly line: number;
}

export interface Done {
  /** 0xFD, 0xFE or 0xFF. */
  readonly token: number;
  readonly status: number;
  readonly command: number;
  readonly count: number;
}

export interface Change {
  readonly type: number;
  readonly now: string | Uint8Array;
  readonly before: string | Uint8Array;
}

/** All that one message of a server says. */
export interface Answer {
  /** The tokens' numbers in their order, rows left out. */
  readonly tokens: readonly number[];
  readonly sets: readonly {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly Value[])[];
  }[];
  readonly errors: readonly AnswerError[];
  readonly infos: readonly AnswerError[];
  readonly changes: readonly Change[];
  readonly dones: readonly Done[];
  readonly returnValues: readonly { readonly name: string; readonly value: Value }[];
  readonly returnStatus: number | undefined;
  readonly features: readonly { readonly id: number; readonly data: Uint8Array }[];
  readonly loginVersion: number | undefined;
}

/** Reads a whole reply. For TDS 7.2 and later, and columns of types that this server sends. */
export function readAnswer(payload: Uint8Array, version: number): Answer {
  const source = new Source(payload);
  const isNew = version >= 0x72090002;
  const found = {
    tokens: [] as number[],
    sets: [] as { columns: string[]; rows: Value[][] }[],
    errors: [] as AnswerError[],
    infos: [] as AnswerError[],
    changes: [] as Change[],
    dones: [] as Done[],
    returnValues: [] as { name: string; value: Value }[],
    returnStatus: undefined as number | undefined,
    features: [] as { id: number; data: Uint8Array }[],
    loginVersion: undefined as number | undefined,
  };
  let types: WireType[] = [];
  const cell = (wire: WireType): Value => {
    if (!/text|image/.test(wire.type.name)) return readValue(source, wire);
    const pointer = source.u8();
    if (pointer === 0) return null;
    source.bytes(pointer + 8);
    return readValue(source, wire);
  };
  while (!source.isAtEnd) {
    const token = source.u8();
    if (token !== 0xd1 && token !== 0xd2) found.tokens.push(token);
    switch (token) {
      case 0x81: {
        const columns: string[] = [];
        types = [];
        const count = source.u16();
        for (let n = 0; n < count; n += 1) {
          source.bytes(isNew ? 6 : 4);
          const wire = readTypeInfo(source, version);
          types.push(wire);
          if (/text|image/.test(wire.type.name))
            for (let parts = isNew ? source.u8() : 1; parts > 0; parts -= 1) source.usVarchar();
          columns.push(source.bVarchar());
        }
        found.sets.push({ columns, rows: [] });
        break;
      }
      case 0xd1:
        found.sets.at(-1)?.rows.push(types.map(cell));
        break;
      case 0xd2: {
        const nulls = source.bytes(Math.ceil(types.length / 8));
        const isNull = (n: number): boolean => (((nulls[n >> 3] ?? 0) >> (n & 7)) & 1) === 1;
        found.sets.at(-1)?.rows.push(types.map((wire, n) => (isNull(n) ? null : cell(wire))));
        break;
      }
      case 0xaa:
      case 0xab: {
        source.u16();
        const number = source.i32();
        const [state, severity] = [source.u8(), source.u8()];
        const message = source.usVarchar();
        source.bVarchar();
        const procedure = source.bVarchar();
        const line = isNew ? source.i32() : source.u16();
        const one = { number, state, severity, message, procedure, line };
        (token === 0xaa ? found.errors : found.infos).push(one);
        break;
      }
      case 0xe3:
        found.changes.push(readChange(new Source(source.bytes(source.u16()))));
        break;
      case 0xfd:
      case 0xfe:
      case 0xff: {
        const [status, command] = [source.u16(), source.u16()];
        found.dones.push({
          token,
          status,
          command,
          count: isNew ? Number(source.i64()) : source.i32(),
        });
        break;
      }
      case 0xac: {
        source.u16();
        const name = source.bVarchar();
        source.bytes(isNew ? 7 : 5);
        const wire = readTypeInfo(source, version);
        found.returnValues.push({ name, value: readValue(source, wire) });
        break;
      }
      case 0x79:
        found.returnStatus = source.i32();
        break;
      case 0xad: {
        const body = Buffer.from(source.bytes(source.u16()));
        found.loginVersion = body.readUInt32BE(1);
        break;
      }
      case 0xae:
        for (let id = source.u8(); id !== 0xff; id = source.u8())
          found.features.push({ id, data: source.bytes(source.u32()) });
        break;
      case 0xa9:
        source.bytes(source.u16());
        break;
      default:
        throw new Error(`a token 0x${token.toString(16)} that nobody expects`);
    }
  }
  return found;
}

function readChange(source: Source): Change {
  const type = source.u8();
  if (type === 20) {
    const value = new Source(source.bytes(source.u16()));
    value.u8();
    const port = value.u16();
    return { type, now: `${value.usVarchar()}:${port}`, before: '' };
  }
  if (type <= 6) return { type, now: source.bVarchar(), before: source.bVarchar() };
  const now = source.bytes(source.u8());
  return { type, now, before: source.bytes(source.u8()) };
}
