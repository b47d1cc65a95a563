import { concat } from '../../src/base/bytes.ts';
import { byte, int16, int32, int64, shortText } from '../../src/wire/tds/build.ts';
import { message, packetStatus, packetType } from '../../src/wire/tds/packets.ts';
import { procedure, rpcCall, rpcCalls } from '../../src/wire/tds/rpc.ts';
import { sqlBatch } from '../../src/wire/tds/sql-batch.ts';
import {
  done,
  doneStatus,
  envChange,
  envChangeBytes,
  envChangeText,
  error,
  returnStatus,
  token,
} from '../../src/wire/tds/tokens.ts';
import { VERSION } from './tds-rig.ts';

interface Manner {
  /** Of the first packet. */
  readonly status?: number;
  readonly transaction?: bigint;
  readonly packetBytes?: number;
}

const SIZE = 4096;

// ---- what clients say ---------------------------------------------------------------------------------------------------

export function batch(
  sql: string,
  { status = 0, transaction = 0n, packetBytes = SIZE }: Manner = {},
): Uint8Array {
  return message(packetType.sqlBatch, sqlBatch(sql, transaction, VERSION), packetBytes, status);
}

export function executeSql(sql: string, { status = 0, transaction = 0n }: Manner = {}): Uint8Array {
  const payload = rpcCall(procedure.executeSql, [{ name: '', text: sql }], transaction, VERSION);
  return message(packetType.rpc, payload, SIZE, status);
}

export function prepare(sql: string, parameters = ''): Uint8Array {
  const payload = rpcCall(
    procedure.prepare,
    [
      { name: '', int: undefined, isOutput: true },
      { name: '', text: parameters },
      { name: '', text: sql },
      { name: '', int: 1 },
    ],
    0n,
    VERSION,
  );
  return message(packetType.rpc, payload, SIZE);
}

export function execute(...handles: readonly number[]): Uint8Array {
  return message(packetType.rpc, calls(procedure.execute, handles), SIZE);
}

export function unprepare(...handles: readonly number[]): Uint8Array {
  return message(packetType.rpc, calls(procedure.unprepare, handles), SIZE);
}

function calls(called: number, handles: readonly number[]): Uint8Array {
  const made = handles.map((int) => ({ procedure: called, arguments: [{ name: '', int }] }));
  return rpcCalls(made, 0n, VERSION);
}

export function call(name: string | number): Uint8Array {
  return message(packetType.rpc, rpcCall(name, [], 0n, VERSION), SIZE);
}

export const attention = message(packetType.attention, new Uint8Array(0), SIZE);
export const RESET = packetStatus.resetConnection;

// ---- what databases say -------------------------------------------------------------------------------------------------

export function reply(...tokens: readonly Uint8Array[]): Uint8Array {
  return message(packetType.result, concat(tokens), SIZE);
}

export function ended(status = 0): Uint8Array {
  return done(token.done, status, 0xc1, 0n, VERSION);
}

export function procEnded(status = 0): readonly Uint8Array[] {
  return [returnStatus(0), done(token.doneProc, status, 0xe0, 0n, VERSION)];
}

/** One row of a column `n`. */
export function row(value: number): Uint8Array {
  return concat([
    ...[byte(token.colMetadata), int16(1), int32(0), int16(9), byte(0x26), byte(4), shortText('n')],
    ...[byte(token.row), byte(4), int32(value)],
  ]);
}

export function oneRow(value = 1): Uint8Array {
  return reply(row(value), ended(doneStatus.count));
}

export function began(descriptor: bigint): Uint8Array {
  return envChangeBytes(envChange.beginTransaction, int64(descriptor), new Uint8Array(0));
}

export function committed(descriptor: bigint): Uint8Array {
  return envChangeBytes(envChange.commitTransaction, new Uint8Array(0), int64(descriptor));
}

export const wasReset = envChangeBytes(envChange.resetDone, new Uint8Array(0), new Uint8Array(0));

export function moved(now: string, before: string): Uint8Array {
  return envChangeText(envChange.database, now, before);
}

export function failure(number = 208, severity = 16): Uint8Array {
  const words = { number, state: 1, severity, message: 'no', server: 'db', procedure: '', line: 1 };
  return error(words, VERSION);
}

/** The reply to sp_prepare. */
export function prepared(handle: number): Uint8Array {
  return reply(handleValue(handle), ...procEnded());
}

export function handleValue(handle: number): Uint8Array {
  return concat([
    ...[byte(token.returnValue), int16(0), shortText('@handle'), byte(1), int32(0), int16(9)],
    ...[byte(0x26), byte(4), byte(4), int32(handle)],
  ]);
}
