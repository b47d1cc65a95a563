import { errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import type { Source } from './source.ts';
import { readTypeInfo, since } from './type-info.ts';
import type { TableValue } from './values.ts';
import { readTable, readValue } from './values.ts';

export interface Headers {
  /** Undefined before TDS 7.2. */
  readonly transaction: bigint | undefined;
  readonly outstanding: number;
}

/** ALL_HEADERS, [MS-TDS] 2.2.5.3. */
export function readHeaders(source: Source, version: number): Headers {
  if (version < since.tds72) return { transaction: undefined, outstanding: 1 };
  const start = source.at;
  const total = source.u32();
  let found: Headers | undefined;
  while (source.at - start < total) {
    const size = source.u32();
    const type = source.u16();
    if (size < 6) throw errors.protocol('The TDS headers contained errors.');
    if (type === 2) {
      if (size !== 18) throw errors.protocol('The TDS headers contained errors.');
      found = { transaction: source.u64(), outstanding: source.u32() };
    } else if (type === 1 || type === 3) source.bytes(size - 6);
    else throw errors.protocol('The TDS headers contained errors.');
  }
  if (source.at - start !== total || found === undefined)
    throw errors.protocol('The TDS headers contained errors.');
  return found;
}

export interface Parameter {
  /** With its at sign; empty where it goes by place. */
  readonly name: string;
  readonly isOutput: boolean;
  readonly isDefault: boolean;
  readonly type: SqlType;
  readonly value: Value;
  readonly table?: TableValue;
}

export interface Call {
  /** Of a numbered one its usual name. */
  readonly procedure: string;
  readonly flags: number;
  readonly parameters: readonly Parameter[];
}

/** By the numbers of well-known procedures. */
const numbered = [
  '',
  'sp_cursor',
  'sp_cursoropen',
  'sp_cursorprepare',
  'sp_cursorexecute',
  'sp_cursorprepexec',
  'sp_cursorunprepare',
  'sp_cursorfetch',
  'sp_cursoroption',
  'sp_cursorclose',
  'sp_executesql',
  'sp_prepare',
  'sp_execute',
  'sp_prepexec',
  'sp_prepexecrpc',
  'sp_unprepare',
];

/** All calls of an RPC request. */
export function readCalls(source: Source, version: number): readonly Call[] {
  const calls: Call[] = [];
  const separators = version >= since.tds72 ? [0xff, 0xfe] : [0x80];
  do {
    calls.push(readCall(source, version, separators));
    if (!source.isAtEnd) source.u8();
  } while (!source.isAtEnd);
  return calls;
}

function readCall(source: Source, version: number, separators: readonly number[]): Call {
  const length = source.u16();
  const procedure = length === 0xff_ff ? numbered[source.u16()] : source.ucs2(length);
  if (procedure === undefined || procedure === '')
    throw errors.protocol('A procedure has no name.');
  const flags = source.u16();
  const parameters: Parameter[] = [];
  while (!source.isAtEnd && !separators.includes(source.peek())) {
    const name = source.bVarchar();
    const status = source.u8();
    const wire = readTypeInfo(source, version);
    const flag = {
      name,
      isOutput: (status & 1) !== 0,
      isDefault: (status & 2) !== 0,
      type: wire.type,
    };
    if (wire.lengths === 'table') {
      const table = readTable(source, version);
      parameters.push({ ...flag, value: null, ...(table === null ? {} : { table }) });
    } else parameters.push({ ...flag, value: readValue(source, wire) });
  }
  return { procedure, flags, parameters };
}

export type TransactionRequest =
  | { readonly kind: 'begin'; readonly isolation: number; readonly name: string }
  | {
      readonly kind: 'commit' | 'rollback';
      readonly name: string;
      /** The isolation level of the transaction that begins at once. */
      readonly thenBegins: number | undefined;
    }
  | { readonly kind: 'save'; readonly name: string }
  | { readonly kind: 'distributed'; readonly request: number };

/** [MS-TDS] 2.2.6.9. */
export function readTransactionRequest(source: Source): TransactionRequest {
  const request = source.u16();
  const name = (): string => source.ucs2(source.u8() >> 1);
  switch (request) {
    case 5: {
      const isolation = source.u8();
      return { kind: 'begin', isolation, name: name() };
    }
    case 7:
    case 8: {
      const label = source.isAtEnd ? '' : name();
      const flags = source.isAtEnd ? 0 : source.u8();
      const thenBegins = (flags & 1) === 0 ? undefined : source.u8();
      return { kind: request === 7 ? 'commit' : 'rollback', name: label, thenBegins };
    }
    case 9:
      return { kind: 'save', name: name() };
    case 0:
    case 1:
    case 6:
      return { kind: 'distributed', request };
    default:
      throw errors.protocol(`The transaction manager request ${request} is unknown.`);
  }
}

export interface BulkRows {
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[];
  readonly rows: readonly (readonly Value[])[];
}

/** The rows of a bulk load: COLMETADATA, ROW or NBCROW, and DONE. */
export function readBulk(source: Source, version: number): BulkRows {
  if (source.u8() !== 0x81) throw errors.protocol('A bulk load does not begin with columns.');
  const columns = Array.from({ length: source.u16() }, () => {
    if (version >= since.tds72) source.u32();
    else source.u16();
    source.u16();
    const wire = readTypeInfo(source, version);
    if (/text|image/.test(wire.type.name)) {
      const parts = version >= since.tds72 ? source.u8() : 1;
      for (let n = 0; n < parts; n += 1) source.usVarchar();
    }
    return { wire, type: wire.type, name: source.bVarchar() };
  });
  const rows: Value[][] = [];
  const one = (wire: (typeof columns)[number]['wire']): Value => {
    // Text and images come with a pointer, as in results.
    if (/text|image/.test(wire.type.name)) {
      const size = source.u8();
      if (size === 0) return null;
      source.bytes(size + 8);
    }
    return readValue(source, wire);
  };
  for (let token = source.u8(); ; token = source.u8()) {
    if (token === 0xd1) rows.push(columns.map(({ wire }) => one(wire)));
    else if (token === 0xd2) {
      const nulls = source.bytes(Math.ceil(columns.length / 8));
      rows.push(
        columns.map(({ wire }, n) =>
          (((nulls[n >> 3] ?? 0) >> (n & 7)) & 1) === 1 ? null : one(wire),
        ),
      );
    } else if (token === 0xfd) break;
    else throw errors.protocol(`A token 0x${token.toString(16)} stands among rows.`);
    if (source.isAtEnd) break;
  }
  return { columns, rows };
}
