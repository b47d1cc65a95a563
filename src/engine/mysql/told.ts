import { lenencString, writeInt16 } from '../../wire/mysql/build.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { HEADER_BYTES, packet, sequenceNumber, writeHeader } from '../../wire/mysql/framing.ts';
import type { OkOffsets } from '../../wire/mysql/ok.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import { sessionState } from '../../wire/mysql/session-track.ts';
import type { Reports } from './memory.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { lenencAt, lenencStringEnd } from '../../wire/mysql/values.ts';

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

  /**
   * An OK packet that tells of nothing but the state of a transaction, its payload from `start` on and its header before it, as such a
   * client shall see it; undefined where it may as it is.
   */
  static okOfTransaction(
    { flags }: Capabilities,
    bytes: Uint8Array,
    start: number,
    offsets: OkOffsets,
  ): Uint8Array | undefined {
    return (flags & capability.sessionTrack) === 0 ? silenced(bytes, start, offsets) : undefined;
  }

  /**
   * An OK packet that tells of `changes`, its payload from `start` on and its header before it, as the client shall see it; undefined
   * where it may as it is.
   */
  ok(
    bytes: Uint8Array,
    start: number,
    offsets: OkOffsets,
    changes: readonly SessionChange[],
  ): Uint8Array | undefined {
    const kept = this.#isTracking ? changes.filter((change) => this.#isFor(change)) : [];
    if (kept.length === 0) return silenced(bytes, start, offsets);
    if (kept.length === changes.length) return undefined;
    const { infoAt, stateEnd } = offsets;
    const infoEnd = lenencStringEnd(bytes, infoAt, stateEnd);
    const number = sequenceNumber(bytes, start - HEADER_BYTES);
    return packet(number, bytes.slice(start, infoEnd), lenencString(sessionState(kept)));
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

/** An OK packet, without what it tells of changes. */
function silenced(bytes: Uint8Array, start: number, offsets: OkOffsets): Uint8Array {
  const { statusAt, infoAt, stateEnd, status } = offsets;
  const hasInfo = infoAt < stateEnd && lenencAt(bytes, infoAt) > 0;
  const end = hasInfo ? lenencStringEnd(bytes, infoAt, stateEnd) : infoAt;
  const said = bytes.slice(start - HEADER_BYTES, end);
  writeHeader(said, 0, end - start, sequenceNumber(said, 0));
  writeInt16(said, statusAt - start + HEADER_BYTES, status & ~serverStatus.sessionStateChanged);
  return said;
}

const tracking = new WeakMap<Reports, Told>();
const silent = new WeakMap<Reports, Told>();
