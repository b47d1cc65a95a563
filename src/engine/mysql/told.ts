import { concat, u8 } from '../../base/bytes.ts';
import { int16, lenencInt, lenencString } from '../../wire/mysql/build.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import type { OkOffsets } from '../../wire/mysql/ok.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import { sessionState } from '../../wire/mysql/session-track.ts';
import type { Reports } from './memory.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { lenencEnd, lenencStringEnd } from '../../wire/mysql/values.ts';

/** What a session's client hears of changes in its session: as much as it would directly (traps MY-05, MY-49). */
export class Told {
  readonly #isTracking: boolean;
  readonly #variables: ReadonlySet<string>;
  readonly #hearsOfSchema: boolean;

  private constructor(isTracking: boolean, { variables, schema }: Reports) {
    this.#isTracking = isTracking;
    this.#variables = new Set(variables.split(',').map((name) => name.trim().toLowerCase()));
    this.#hearsOfSchema = schema;
  }

  /** The one object for clients like this one of a database that reports this. */
  static of({ flags }: Capabilities, reports: Reports): Told {
    const isTracking = (flags & capability.sessionTrack) !== 0;
    const known = isTracking ? tracking : silent;
    let told = known.get(reports);
    if (told === undefined) {
      told = new Told(isTracking, reports);
      known.set(reports, told);
    }
    return told;
  }

  /** An OK packet, `bytes[start, end)`, that tells of `changes`, as the client shall see it. */
  ok(
    bytes: Uint8Array,
    start: number,
    offsets: OkOffsets,
    changes: readonly SessionChange[],
  ): Uint8Array {
    const kept = this.#isTracking ? changes.filter((change) => this.#isFor(change)) : [];
    const { statusAt, infoAt, stateEnd, status } = offsets;
    const infoEnd = infoAt === stateEnd ? infoAt : lenencStringEnd(bytes, infoAt, stateEnd);
    const hasInfo = infoEnd > lenencEndOr(bytes, infoAt, infoEnd);
    const counts = bytes.slice(start, statusAt);
    const warnings = Uint8Array.of(u8(bytes, statusAt + 2), u8(bytes, statusAt + 3));
    if (kept.length === 0) {
      const info = hasInfo ? [bytes.slice(infoAt, infoEnd)] : [];
      return concat([counts, int16(status & ~serverStatus.sessionStateChanged), warnings, ...info]);
    }
    const info = hasInfo ? bytes.slice(infoAt, infoEnd) : lenencInt(0);
    return concat([counts, int16(status), warnings, info, lenencString(sessionState(kept))]);
  }

  #isFor(change: SessionChange): boolean {
    switch (change.kind) {
      case 'systemVariable':
        return this.#variables.has(change.name) || this.#variables.has('*');
      case 'schema':
        return this.#hearsOfSchema;
      default:
        return true;
    }
  }
}

function lenencEndOr(bytes: Uint8Array, at: number, end: number): number {
  return at === end ? at : lenencEnd(bytes, at, end);
}

const tracking = new WeakMap<Reports, Told>();
const silent = new WeakMap<Reports, Told>();
