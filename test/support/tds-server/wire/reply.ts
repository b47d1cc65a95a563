import type { SqlError } from '../types/errors.ts';
import { toText } from '../types/convert.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { HEADER_BYTES, cut, packetType } from './packets.ts';
import { Sink } from './sink.ts';
import { COLLATION, since, typeFor, writeTypeInfo } from './type-info.ts';
import { writeValue } from './values.ts';

export const doneStatus = {
  more: 1,
  error: 2,
  inTransaction: 4,
  count: 0x10,
  attention: 0x20,
  serverError: 0x100,
};
export const doneKind = { batch: 0xfd, procedure: 0xfe, inProcedure: 0xff };
/** What DONE says to have been done. */
export const command = {
  none: 0,
  select: 0xc1,
  insert: 0xc3,
  delete: 0xc4,
  update: 0xc5,
  begin: 0xd4,
  commit: 0xd5,
  rollback: 0xd2,
  merge: 0x117,
  bulk: 0xf0,
  set: 0xb9,
  execute: 0xe0,
};

export const envChange = {
  database: 1,
  language: 2,
  packetSize: 4,
  collation: 7,
  begin: 8,
  commit: 9,
  rollback: 10,
  reset: 18,
  routing: 20,
} as const;

export interface ResultColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly isNullable: boolean;
  readonly isIdentity?: boolean;
  /** Not of a table. */
  readonly isComputed?: boolean;
}

export interface Wire {
  readonly version: number;
  readonly packetBytes: number;
  readonly spid: number;
  readonly serverName: string;
  write(bytes: Uint8Array): void;
}

/** The tokens of one reply, in the order they are written; packets go out as they fill. */
export class Reply {
  readonly #wire: Wire;
  readonly #sink = new Sink();
  #nextId = 1;
  /** The last DONE, of which it is not known yet whether more follows. */
  #due: { kind: number; status: number; command: number; count: number } | undefined;
  #types: readonly { readonly type: SqlType; readonly from: SqlType }[] = [];
  #marks = 0;
  #hasEnded = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  columns(columns: readonly ResultColumn[]): void {
    this.#settle();
    const { version } = this.#wire;
    this.#types = columns.map(({ type: from }) => ({ type: typeFor(from, version), from }));
    const sink = this.#sink.u8(0x81).u16(columns.length);
    for (const [n, column] of columns.entries()) {
      const type = this.#types[n]?.type ?? column.type;
      if (version >= since.tds72) sink.i32(0);
      else sink.u16(0);
      sink.u16(
        (column.isNullable ? 1 : 0) |
          8 |
          (column.isIdentity === true ? 0x10 : 0) |
          (column.isComputed === true ? 0x20 : 0),
      );
      writeTypeInfo(sink, type);
      if (/text|image/.test(type.name)) {
        if (version >= since.tds72) sink.u8(1);
        sink.usVarchar('t');
      }
      sink.bVarchar(column.name);
    }
  }

  row(values: readonly Value[]): void {
    const { version } = this.#wire;
    const sink = this.#sink;
    const isCompressed = version >= since.nbc && values.includes(null);
    sink.u8(isCompressed ? 0xd2 : 0xd1);
    if (isCompressed)
      for (let at = 0; at < values.length; at += 8) {
        let byte = 0;
        for (let n = 0; n < 8; n += 1) if (values[at + n] === null) byte |= 1 << n;
        sink.u8(byte);
      }
    for (let n = 0; n < values.length; n += 1) {
      const value = values[n] ?? null;
      if (value === null && isCompressed) continue;
      const { type, from } = this.#types[n] ?? { type: undefined, from: undefined };
      if (type === undefined) throw new Error('a row has more values than columns');
      const sent =
        type === from || value === null || typeof value === 'string' || value instanceof Uint8Array
          ? value
          : toText(value, from);
      writeValue(sink, type, sent, true);
    }
    if (sink.length > 65_536) this.#pump(false);
  }

  done(kind: number, status: number, what: number, count = 0): void {
    this.#settle();
    this.#due = { kind, status: status | this.#marks, command: what, count };
    this.#marks = 0;
  }

  error({ number, state, severity, message, line, procedure }: SqlError): void {
    this.#message(0xaa, number, state, severity, message, line, procedure);
  }

  info(number: number, message: string, severity = 0, state = 1, line = 1, procedure = ''): void {
    this.#message(0xab, number, state, severity, message, line, procedure);
  }

  #message(
    token: number,
    number: number,
    state: number,
    severity: number,
    text: string,
    line: number,
    procedure: string,
  ): void {
    this.#settle();
    const { version, serverName } = this.#wire;
    this.#sink.u8(token).sized(() => {
      this.#sink
        .i32(number)
        .u8(state)
        .u8(severity)
        .usVarchar(text)
        .bVarchar(serverName)
        .bVarchar(procedure);
      if (version >= since.tds72) this.#sink.i32(line);
      else this.#sink.u16(line);
    });
  }

  /** Of texts. */
  changed(type: number, now: string, before: string): void {
    this.#settle();
    this.#sink.u8(0xe3).sized(() => this.#sink.u8(type).bVarchar(now).bVarchar(before));
  }

  /** Of bytes. */
  changedBytes(type: number, now: Uint8Array, before: Uint8Array): void {
    this.#settle();
    this.#sink
      .u8(0xe3)
      .sized(() => this.#sink.u8(type).u8(now.length).bytes(now).u8(before.length).bytes(before));
  }

  collation(): void {
    this.changedBytes(envChange.collation, COLLATION, new Uint8Array(0));
  }

  route(host: string, port: number): void {
    this.#settle();
    this.#sink.u8(0xe3).sized(() => {
      this.#sink.u8(envChange.routing).u16(2 + 3 + host.length * 2);
      this.#sink.u8(0).u16(port).usVarchar(host).u16(0);
    });
  }

  loginAck(version: number, program: string, productVersion: readonly number[]): void {
    this.#settle();
    this.#sink.u8(0xad).sized(() => {
      this.#sink.u8(1);
      for (const shift of [24, 16, 8, 0]) this.#sink.u8((version >>> shift) & 0xff);
      this.#sink.bVarchar(program).bytes(Uint8Array.from(productVersion));
    });
  }

  featureAck(features: readonly { readonly id: number; readonly data: Uint8Array }[]): void {
    this.#settle();
    this.#sink.u8(0xae);
    for (const { id, data } of features) this.#sink.u8(id).i32(data.length).bytes(data);
    this.#sink.u8(0xff);
  }

  returnStatus(value: number): void {
    this.#settle();
    this.#sink.u8(0x79).i32(value);
  }

  /** `ordinal`: the parameter's place in the call. */
  returnValue(ordinal: number, name: string, asked: SqlType, value: Value): void {
    this.#settle();
    const { version } = this.#wire;
    const type = typeFor(asked, version);
    const sink = this.#sink.u8(0xac).u16(ordinal).bVarchar(name).u8(1);
    if (version >= since.tds72) sink.i32(0);
    else sink.u16(0);
    sink.u16(0);
    writeTypeInfo(sink, type);
    const isAsText =
      type !== asked &&
      value !== null &&
      typeof value !== 'string' &&
      !(value instanceof Uint8Array);
    writeValue(sink, type, isAsText ? toText(value, asked) : value, false);
  }

  /** The columns by which rows are ordered, from 1. */
  order(columns: readonly number[]): void {
    this.#settle();
    this.#sink.u8(0xa9).sized(() => {
      for (const one of columns) this.#sink.u16(one);
    });
  }

  /** The next DONE gets these bits, too. */
  mark(status: number): void {
    this.#marks |= status;
  }

  get hasDone(): boolean {
    return this.#due !== undefined;
  }

  /** Nothing more comes: the last DONE says so, and the message ends. */
  finish(): void {
    if (this.#hasEnded) throw new Error('a reply ends twice');
    const due = this.#due;
    if (due !== undefined) this.#write(due.kind, due.status, due.command, due.count);
    this.#due = undefined;
    this.#hasEnded = true;
    this.#pump(true);
  }

  /** What is complete so far goes out: somebody waits to see it. */
  flush(): void {
    this.#pump(false);
  }

  #settle(): void {
    const due = this.#due;
    if (due === undefined) return;
    this.#due = undefined;
    this.#write(due.kind, due.status | doneStatus.more, due.command, due.count);
  }

  #write(kind: number, status: number, what: number, count: number): void {
    const sink = this.#sink.u8(kind).u16(status).u16(what);
    if (this.#wire.version >= since.tds72) sink.i64(BigInt(count));
    else sink.i32(count);
  }

  #pump(isLast: boolean): void {
    const { packetBytes, spid } = this.#wire;
    const room = packetBytes - HEADER_BYTES;
    const ready = this.#sink.length;
    // The last packet must have something, so the rest waits for it.
    const size = isLast ? ready : Math.floor((ready - 1) / room) * room;
    if (size <= 0 && !isLast) return;
    const payload = this.#sink.written.subarray(0, size);
    const packets = cut(payload, packetType.result, packetBytes, {
      isLast,
      firstId: this.#nextId,
      spid,
    });
    this.#nextId += Math.max(1, Math.ceil(size / room));
    if (isLast) this.#sink.clear();
    else this.#sink.drop(size);
    this.#wire.write(packets);
  }
}
