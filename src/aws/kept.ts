import type { Clock } from '../base/clock.ts';

/** After a first failure; each further one doubles it, up to the regular period. */
const RETRY_MS = 5_000;
/** Nothing is doubted more often. */
const DOUBT_MS = 5_000;
/** What nobody has asked for within so long is no longer read. */
const FORGET_MS = 600_000;

/**
 * Reads one thing. `before` is what was read last, to be returned itself where nothing has changed; `isDoubted` that somebody has
 * found it to be wrong.
 */
export type Read<Value> = (before: Value | undefined, isDoubted: boolean) => Promise<Value>;

interface Entry<Value> {
  readonly read: Read<Value>;
  value: Value | undefined;
  /** Why it could not be read the last time. */
  trouble: Error | undefined;
  reading: Promise<void> | undefined;
  doubtedAtMs: number;
  nextAtMs: number;
  failures: number;
  askedAtMs: number;
}

/**
 * What has to be fetched from far away: remembered, fetched once for all who ask at the same time, and again by a period. Where that
 * fails, what was fetched before goes on counting, unless the failure says that it does not.
 */
export class Kept<Value> {
  readonly #clock: Clock;
  readonly #refreshMs: number;
  readonly #changed: () => void;
  readonly #isFinal: (trouble: Error) => boolean;
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(parts: {
    clock: Clock;
    refreshMs: number;
    /** Called when something is other than it was, or can no longer be read, or can be again; not for what is read first. */
    changed: () => void;
    /** Whether what was known before counts no more. */
    isFinal?: (trouble: Error) => boolean;
  }) {
    this.#clock = parts.clock;
    this.#refreshMs = parts.refreshMs;
    this.#changed = parts.changed;
    this.#isFinal = parts.isFinal ?? (() => false);
  }

  /** As it was read last; reads it where it never was. Rejects where there is nothing that counts. */
  async get(key: string, read: Read<Value>): Promise<Value> {
    const entry = this.#entry(key, read);
    if (entry.value === undefined && entry.trouble === undefined) await this.#read(entry, false);
    return this.#counting(entry);
  }

  /** The same, and rejects with whatever the last reading met, too. */
  async latest(key: string, read: Read<Value>): Promise<Value> {
    await this.get(key, read);
    return told(this.#entry(key, read));
  }

  /** Reads it again, unless somebody has had that done just before: it has been found to be wrong. */
  async again(key: string, read: Read<Value>): Promise<Value> {
    const entry = this.#entry(key, read);
    if (entry.reading !== undefined) await entry.reading;
    if (this.#mayDoubt(entry)) await this.#read(entry, true);
    else await entry.reading;
    return told(entry);
  }

  /** What is known now: the value, why there is none, or nothing where it has not been read yet. */
  known(key: string): Value | Error | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.askedAtMs = this.#clock.nowMs();
    return entry.value ?? entry.trouble;
  }

  /** Reads again what is due, and what stands under those keys: it has been found to be wrong. */
  tick(doubted: readonly string[] = []): void {
    const nowMs = this.#clock.nowMs();
    for (const [key, entry] of this.#entries) {
      if (nowMs - entry.askedAtMs > FORGET_MS) {
        this.#entries.delete(key);
        continue;
      }
      const isDoubted = doubted.includes(key) && this.#mayDoubt(entry);
      if (entry.reading !== undefined || (nowMs < entry.nextAtMs && !isDoubted)) continue;
      void this.#readAndTell(entry, isDoubted);
    }
  }

  #entry(key: string, read: Read<Value>): Entry<Value> {
    const askedAtMs = this.#clock.nowMs();
    const found = this.#entries.get(key);
    if (found !== undefined) {
      found.askedAtMs = askedAtMs;
      return found;
    }
    const entry: Entry<Value> = {
      read,
      value: undefined,
      trouble: undefined,
      reading: undefined,
      doubtedAtMs: -Infinity,
      nextAtMs: Infinity,
      failures: 0,
      askedAtMs,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #mayDoubt({ doubtedAtMs }: Entry<Value>): boolean {
    return this.#clock.nowMs() - doubtedAtMs >= DOUBT_MS;
  }

  #counting({ value, trouble }: Entry<Value>): Value {
    if (value !== undefined && (trouble === undefined || !this.#isFinal(trouble))) return value;
    throw trouble ?? new Error('nothing has been read');
  }

  async #readAndTell(entry: Entry<Value>, isDoubted: boolean): Promise<void> {
    const { value, trouble } = entry;
    await this.#read(entry, isDoubted);
    if (entry.value !== value || entry.trouble?.message !== trouble?.message) this.#changed();
  }

  #read(entry: Entry<Value>, isDoubted: boolean): Promise<void> {
    if (isDoubted) entry.doubtedAtMs = this.#clock.nowMs();
    entry.reading ??= this.#fetch(entry, isDoubted).finally(() => {
      entry.reading = undefined;
    });
    return entry.reading;
  }

  /** Never rejects. */
  async #fetch(entry: Entry<Value>, isDoubted: boolean): Promise<void> {
    try {
      entry.value = await entry.read(entry.value, isDoubted);
      entry.trouble = undefined;
      entry.failures = 0;
    } catch (error) {
      entry.trouble = error instanceof Error ? error : new Error(String(error));
      entry.failures += 1;
    }
    entry.nextAtMs = this.#clock.nowMs() + this.#periodOf(entry);
  }

  #periodOf({ failures }: Entry<Value>): number {
    if (failures === 0) return this.#refreshMs;
    return Math.min(this.#refreshMs, RETRY_MS * 2 ** Math.min(failures - 1, 10));
  }
}

function told<Value>({ value, trouble }: Entry<Value>): Value {
  if (trouble !== undefined) throw trouble;
  if (value === undefined) throw new Error('nothing has been read');
  return value;
}
