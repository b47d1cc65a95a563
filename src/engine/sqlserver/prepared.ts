import { Known } from '../../base/known.ts';
import { limits } from '../../base/limits.ts';
import type { Effects, SettingName } from './sql/effects.ts';
import { SessionState } from './state.ts';

/** What a handle of sp_prepare stands for. Equal ones are one object. */
export interface Template {
  /** The state in which it was prepared, as far as that decides how the text is read: a handle keeps what was so when it was made. */
  readonly reading: SessionState;
  /** The declarations of its parameters, as sp_prepare takes them. */
  readonly parameters: string;
  readonly text: string;
  /** What running it does, once that has been found out; null: nothing of concern. */
  effects: Effects | null | undefined;
}

/** Settings that a statement keeps from when it was prepared, or that decide what its text means. */
const reading: readonly SettingName[] = [
  'ansi_nulls',
  'ansi_padding',
  'ansi_warnings',
  'arithabort',
  'concat_null_yields_null',
  'dateformat',
  'language',
  'numeric_roundabort',
  'quoted_identifier',
];

const readings = new WeakMap<SessionState, SessionState>();

/** What of a session's state decides how a text is read: all but the rest is as it was at the beginning. */
export function readingOf(state: SessionState): SessionState {
  let read = readings.get(state);
  if (read === undefined) {
    const { database, values } = state;
    const kept = [...values].filter(([name]) => reading.includes(name));
    read = SessionState.of(database, new Map(kept));
    readings.set(state, read);
  }
  return read;
}

/** The state of a session for which a text would be read so. */
export function inReading(state: SessionState, { database, values }: SessionState): SessionState {
  return state.in(database).with(reading.map((name) => [name, values.get(name)]));
}

/** The templates of one target. */
export class Templates {
  readonly #known = new WeakMap<SessionState, Known<string, Template>>();

  of(read: SessionState, parameters: string, text: string): Template {
    let alike = this.#known.get(read);
    if (alike === undefined) {
      alike = new Known(limits.sharedStatements.value);
      this.#known.set(read, alike);
    }
    const key = `${parameters.length} ${parameters}${text}`;
    return alike.of(key, () => ({ reading: read, parameters, text, effects: undefined }));
  }
}

/** A handle, and when it was used last, counted in uses. */
interface Entry {
  handle: number;
  usedAt: number;
}

/** What is prepared on one connection, by whomever: handles there are small numbers that mean something else on each. */
export class PreparedOnServer {
  readonly #known = new Map<Template, Entry>();
  #uses = 0;
  /** Handles that nobody will use any more. */
  #orphans: number[] = [];

  /** The handle, which is in use again now. */
  use(template: Template): number | undefined {
    const known = this.#known.get(template);
    if (known === undefined) return undefined;
    known.usedAt = this.#uses += 1;
    return known.handle;
  }

  has(template: Template): boolean {
    return this.#known.has(template);
  }

  add(template: Template, handle: number): void {
    const usedAt = (this.#uses += 1);
    const before = this.#known.get(template)?.handle;
    if (before !== undefined && before !== handle) this.#orphans.push(before);
    this.#known.set(template, { handle, usedAt });
  }

  /** The database has been told to forget it. */
  remove(template: Template): void {
    this.#known.delete(template);
  }

  /** A reset of the connection has closed all of them (trap TD-04). */
  clear(): void {
    if (this.#known.size > 0) this.#known.clear();
    this.#orphans = [];
  }

  /**
   * The handles that are too many by now, the least recently used ones; they count as closed. Several at a time: closing them costs a
   * request.
   */
  takeSurplus(limit: number): readonly number[] {
    const isFull = this.#known.size + this.#orphans.length > limit;
    if (!isFull && this.#orphans.length < FEW) return NONE;
    const taken = this.#orphans;
    this.#orphans = [];
    if (this.#known.size <= limit - taken.length) return taken;
    const left = limit - Math.min(FEW, limit >> 1);
    const oldest = [...this.#known].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [template, { handle }] of oldest.slice(0, Math.max(0, oldest.length - left))) {
      this.#known.delete(template);
      taken.push(handle);
    }
    return taken;
  }
}

const FEW = 16;
const NONE: readonly number[] = [];
