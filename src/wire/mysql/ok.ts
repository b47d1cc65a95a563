import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, u16le } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenencBig, readLenencBytes, readLenencText } from './lenenc-reader.ts';
import { byte, int16, lenencInt, lenencString } from './build.ts';
import { capability } from './capabilities.ts';
import { serverStatus } from './status-flags.ts';
import { lenencAt, lenencEnd, lenencStringEnd } from './values.ts';

export const OK_HEADER = 0x00;

/** An OK packet. MySQL documentation, "OK_Packet". */
export interface Ok {
  readonly affectedRows: bigint;
  readonly lastInsertId: bigint;
  readonly status: number;
  readonly warnings: number;
  /** In words: how many rows matched, for instance. Empty for none. */
  readonly info: string;
  /** What `session-track.ts` reads, a copy; empty where nothing has changed, or nobody wants to know. */
  readonly sessionState: Uint8Array;
}

/**
 * Reads an OK packet, be its header 0x00 or, behind rows, 0xFE.
 * @param flags what both sides can do
 */
export function readOk(bytes: Uint8Array, start: number, end: number, flags: number): Ok {
  const reader = new BodyReader('OK', bytes, start, end);
  reader.skip(1);
  const affectedRows = readLenencBig(reader);
  const lastInsertId = readLenencBig(reader);
  const status = reader.u16le();
  const warnings = reader.u16le();
  const info = readInfo(reader);
  const hasState = tracks(flags) && (status & serverStatus.sessionStateChanged) !== 0;
  const sessionState = hasState && reader.remaining > 0 ? readLenencBytes(reader).slice() : EMPTY;
  reader.end();
  return { affectedRows, lastInsertId, status, warnings, info, sessionState };
}

/** MySQL documents an unmeasured rest for those without session tracking; it and MariaDB send a length all the same. */
function readInfo(reader: BodyReader): string {
  return reader.remaining === 0 ? '' : readLenencText(reader);
}

function tracks(flags: number): boolean {
  return (flags & capability.sessionTrack) !== 0;
}

/** @param header EOF_HEADER where it ends rows @param flags what both sides can do */
export function ok(said: Ok, flags: number, header: number = OK_HEADER): Uint8Array {
  const { info, sessionState } = said;
  const hasState = tracks(flags) && (said.status & serverStatus.sessionStateChanged) !== 0;
  return concat([
    byte(header),
    lenencInt(said.affectedRows),
    lenencInt(said.lastInsertId),
    int16(said.status),
    int16(said.warnings),
    info === '' && !hasState ? EMPTY : lenencString(info),
    hasState ? lenencString(sessionState) : EMPTY,
  ]);
}

/**
 * Where the parts of an OK packet stand that a relay looks at, as offsets into its bytes. One of these is made once, and told
 * anew by each `scanOk`.
 */
export interface OkOffsets {
  /** Of the number that was given out, length-encoded. */
  lastInsertIdAt: number;
  /** Of the status flags, two bytes; the warnings follow. */
  statusAt: number;
  status: number;
  /** The session's state, `bytes[stateStart, stateEnd)`, its length not included; both are the end where there is none. */
  stateStart: number;
  stateEnd: number;
  /** Where the bytes for `info` begin, its length included. */
  infoAt: number;
}

export function okOffsets(): OkOffsets {
  return { lastInsertIdAt: 0, statusAt: 0, status: 0, stateStart: 0, stateEnd: 0, infoAt: 0 };
}

/** Walks over an OK packet, `bytes[start, end)`, and makes nothing of what it does not need. @param flags of both sides */
export function scanOk(
  into: OkOffsets,
  bytes: Uint8Array,
  start: number,
  end: number,
  flags: number,
): void {
  const lastInsertIdAt = lenencEnd(bytes, start + 1, end);
  const statusAt = lenencEnd(bytes, lastInsertIdAt, end);
  const infoAt = statusAt + 4;
  if (infoAt > end) throw new Violation('OK: shorter than it says');
  into.lastInsertIdAt = lastInsertIdAt;
  into.statusAt = statusAt;
  into.status = u16le(bytes, statusAt);
  into.infoAt = infoAt;
  into.stateStart = end;
  into.stateEnd = end;
  if (!tracks(flags) || (into.status & serverStatus.sessionStateChanged) === 0) return;
  if (infoAt === end) return;
  const lengthAt = lenencStringEnd(bytes, infoAt, end);
  if (lengthAt === end) return;
  const stateStart = lenencEnd(bytes, lengthAt, end);
  into.stateEnd = stateStart + lenencAt(bytes, lengthAt);
  if (into.stateEnd !== end)
    throw new Violation('OK: the session state does not end where it does');
  into.stateStart = stateStart;
}
