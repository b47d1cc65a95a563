import { latin1 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { StartupMessage } from '../../wire/postgres/startup.ts';
import type { Effects } from './effects.ts';
import { firstWord } from './first-word.ts';
import type { FulfilledWishes } from './outfit.ts';
import type { PostgresPrincipal } from './principal.ts';
import { Statement } from './statement.ts';

const cursorReaders = ['fetch', 'move'];

/** What the connections of one user to one database have learnt together. */
export class Realm {
  /** The server's own words for values that were written otherwise, by setting and literal. */
  readonly canonical = new Map<string, string>();
  /** What sessions with equal start-up wishes look like, by these wishes. */
  readonly outfits = new Map<string, FulfilledWishes>();
  /** Settings that the server does not know: somebody has made them up. */
  readonly madeUp = new Set<string>();
  /** Somebody here has asked for the value that a sequence gave last: what changes one must be remembered from then on. */
  readsSequences = false;
  /** The same, whether or not it had changed one. */
  asksForLast = false;
  readonly #statements = new Map<string, Statement>();
  #serverVersion: string | undefined;
  #names = 0;
  #moments = 0;

  /** Another version of the server may have other words: what was learnt of the old one is forgotten. */
  meet(serverVersion: string | undefined): void {
    if (serverVersion === this.#serverVersion) return;
    this.#serverVersion = serverVersion;
    this.canonical.clear();
    this.outfits.clear();
    this.madeUp.clear();
  }

  learn(setting: string, literal: string, value: string): void {
    if (this.canonical.size >= limits.knownSettingValues.value) this.canonical.clear();
    this.canonical.set(keyOf(setting, literal), value);
  }

  known(setting: string, literal: string): string | undefined {
    return this.canonical.get(keyOf(setting, literal));
  }

  /** A name that no statement on any connection of the realm has had before (trap PG-84). */
  name(): string {
    this.#names += 1;
    return STATEMENT_PREFIX + this.#names.toString(36);
  }

  /** Later than all before it. */
  moment(): number {
    this.#moments += 1;
    return this.#moments;
  }

  /**
   * The one object for a statement of this text and these parameter types: `bytes[start, end)` is a Parse message behind its
   * name (trap PG-80). Not shared are long ones, and those that read a cursor: what they return was found out
   * when they were parsed, and PostgreSQL crashes where it describes one whose cursor is gone since.
   */
  intern(bytes: Uint8Array, start: number, end: number, effects: Effects): Statement {
    if (end - start > limits.sharedStatementBytes.value)
      return new Statement({ kind: 'parse', body: bytes.slice(start, end) }, effects);
    const key = latin1(bytes, start, end);
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      statement = new Statement({ kind: 'parse', body: bytes.slice(start, end) }, effects);
      if (cursorReaders.includes(firstWord(bytes, start, end))) return statement;
      if (this.#statements.size >= limits.sharedStatements.value) this.#forgetOldest();
      this.#statements.set(key, statement);
    }
    return statement;
  }

  /** Those who hold it keep it; two objects for one text cost a Parse and nothing else. */
  #forgetOldest(): void {
    for (const key of this.#statements.keys()) {
      this.#statements.delete(key);
      return;
    }
  }
}

/** What the names of statements on database connections begin with. */
export const STATEMENT_PREFIX = 'sluice_';

function keyOf(setting: string, literal: string): string {
  return `${setting} ${literal}`;
}

/** Who has signed in, and the start-up message by which that is known. */
export interface Acquaintance {
  readonly startup: StartupMessage;
  readonly who: PostgresPrincipal;
}

/** The realms of one proxy. One lives as long as a session or a connection of it. */
export class Realms {
  /** Those who have signed in lately, by what their start-up packets hold. */
  readonly acquaintances = new Map<string, Acquaintance>();
  readonly #realms = new Map<string, WeakRef<Realm>>();

  of(poolKey: string): Realm {
    const known = this.#realms.get(poolKey)?.deref();
    if (known !== undefined) return known;
    for (const [key, realm] of this.#realms) {
      if (realm.deref() === undefined) this.#realms.delete(key);
    }
    const realm = new Realm();
    this.#realms.set(poolKey, new WeakRef(realm));
    return realm;
  }
}
