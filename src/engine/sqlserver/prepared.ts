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

/** What of a session's state decides how a text is read: all but the rest is as it was at the beginning. */
export function readingOf({ database, values }: SessionState): SessionState {
  return SessionState.of(database, new Map([...values].filter(([name]) => reading.includes(name))));
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

/** What is prepared on one connection, by whomever: handles there are small numbers that mean something else on each. */
export class PreparedOnServer {
  /** The least recently used first. */
  readonly #handles = new Map<Template, number>();
  /** The last of them, which is in its place. */
  #latest: Template | undefined;
  /** Handles that nobody will use any more. */
  #orphans: number[] = [];

  /** The handle, which is in use again now. */
  use(template: Template): number | undefined {
    const handle = this.#handles.get(template);
    if (handle === undefined || template === this.#latest) return handle;
    this.#latest = template;
    this.#handles.delete(template);
    this.#handles.set(template, handle);
    return handle;
  }

  has(template: Template): boolean {
    return this.#handles.has(template);
  }

  add(template: Template, handle: number): void {
    const before = this.#handles.get(template);
    if (before !== undefined && before !== handle) this.#orphans.push(before);
    this.#latest = template;
    this.#handles.delete(template);
    this.#handles.set(template, handle);
  }

  /** The database has been told to forget it. */
  remove(template: Template): void {
    this.#handles.delete(template);
  }

  /** A reset of the connection has closed all of them (trap TD-04). */
  clear(): void {
    this.#handles.clear();
    this.#orphans = [];
  }

  /** The handles that are too many by now; they count as closed. Several at a time: closing them costs a request. */
  takeSurplus(limit: number): readonly number[] {
    const isFull = this.#handles.size + this.#orphans.length > limit;
    if (!isFull && this.#orphans.length < FEW) return NONE;
    const taken = this.#orphans;
    this.#orphans = [];
    if (this.#handles.size <= limit - taken.length) return taken;
    const left = limit - Math.min(FEW, limit >> 1);
    for (const [template, handle] of this.#handles) {
      if (this.#handles.size <= left) break;
      this.#handles.delete(template);
      taken.push(handle);
    }
    return taken;
  }
}

const FEW = 16;
const NONE: readonly number[] = [];
