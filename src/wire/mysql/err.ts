import { concat, EMPTY, u16le, u8, utf8 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenencText } from './lenenc-reader.ts';
import { byte, int16 } from './build.ts';
import { capability } from './capabilities.ts';

export const ERR_HEADER = 0xff;

/** An error that is none: MariaDB tells so how far a statement has come, to clients that can hear it. */
const PROGRESS_CODE = 0xffff;
const STATE_MARKER = 0x23; // #
const STATE_BYTES = 5;

/** An ERR packet. MySQL documentation, "ERR_Packet"; MariaDB's of the same name. */
export interface ServerError {
  readonly code: number;
  /** Empty where the server sent none, as before the handshake. */
  readonly sqlState: string;
  readonly message: string;
}

export interface Progress {
  readonly stage: number;
  readonly stages: number;
  /** Of this stage, in thousandths of a percent. */
  readonly done: number;
  readonly info: string;
}

/** Whether a payload, `bytes[start, end)`, is an error. */
export function isError(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && u8(bytes, start) === ERR_HEADER;
}

/** Whether an error is a report of progress, behind which the actual reply still comes. */
export function isProgress(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 3 && u16le(bytes, start + 1) === PROGRESS_CODE;
}

/** The code alone, of an error that is to be passed on. */
export function errorCode(bytes: Uint8Array, start: number, end: number): number {
  const reader = new BodyReader('error', bytes, start, end);
  reader.skip(1);
  return reader.u16le();
}

export function readError(bytes: Uint8Array, start = 0, end = bytes.length): ServerError {
  const reader = new BodyReader('error', bytes, start, end);
  reader.skip(1);
  const code = reader.u16le();
  const hasState = reader.remaining > STATE_BYTES && u8(bytes, reader.at) === STATE_MARKER;
  if (hasState) reader.skip(1);
  const sqlState = hasState ? reader.takeText(STATE_BYTES) : '';
  return { code, sqlState, message: reader.restText() };
}

export function readProgress(bytes: Uint8Array, start: number, end: number): Progress {
  const reader = new BodyReader('progress', bytes, start, end);
  reader.skip(3);
  // How many strings follow: it has always been one.
  reader.skip(1);
  const stage = reader.u8();
  const stages = reader.u8();
  const done = reader.u24le();
  const info = readLenencText(reader);
  reader.end();
  return { stage, stages, done, info };
}

/** @param flags what both sides can do; none before the handshake */
export function error({ code, sqlState, message }: ServerError, flags: number): Uint8Array {
  const hasState = (flags & capability.protocol41) !== 0;
  return concat([
    byte(ERR_HEADER),
    int16(code),
    hasState ? utf8(`#${sqlState}`) : EMPTY,
    utf8(message),
  ]);
}
