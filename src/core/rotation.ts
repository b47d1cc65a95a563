import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Principal } from './engine.ts';
import type { Entrance } from './entrance.ts';
import type { Pool } from './pool.ts';
import type { ServerConnection } from './server-connection.ts';

const TIMEOUT_MS = 5_000;
/** Secret and database are not changed at the same moment: the database may take the new password a little later. */
const RETRY_MS = 5_000;
/** Connections are replaced within this time, so that not all sign in again at once. */
const REPLACE_WITHIN_MS = 10_000;

interface RotationParts<Memory, Who extends Principal> {
  readonly entrance: Pick<Entrance<Memory, Who>, 'prove'>;
  readonly pool: Pick<Pool<Memory, Who>, 'connections'>;
  readonly clock: Clock;
  readonly random: Random;
  /** The database lets the user in with the new password. */
  proven(user: string): void;
  /** It does not. `why` is a sentence. */
  troubled(user: string, why: string): void;
}

/**
 * Has connections replaced that were made with a password that is no longer the current one. Only once the current one has been seen to
 * let its user in: where it does not, those that are there go on serving.
 */
export class Rotation<Memory, Who extends Principal> {
  readonly #parts: RotationParts<Memory, Who>;
  /** Users whose password has changed, and when to try the new one. */
  readonly #due = new Map<string, { atMs: number }>();
  readonly #troubles = new Map<string, string>();
  #isBusy = false;

  constructor(parts: RotationParts<Memory, Who>) {
    this.#parts = parts;
  }

  /** The password of this user has changed. */
  begin(user: string): void {
    this.#due.set(user, { atMs: 0 });
  }

  /** Why connections are not replaced that should be, as a sentence. */
  get trouble(): string | undefined {
    return [...this.#troubles.values()][0];
  }

  /** Called a few times a second. One user is dealt with after the other. */
  tick(): void {
    if (this.#isBusy || this.#due.size === 0) return;
    const now = this.#parts.clock.nowMs();
    for (const [user, turn] of this.#due) {
      if (now < turn.atMs) continue;
      this.#isBusy = true;
      void this.#try(user, turn);
      return;
    }
  }

  async #try(user: string, turn: { atMs: number }): Promise<void> {
    const { entrance, clock } = this.#parts;
    const [one] = this.#connectionsOf(user);
    try {
      if (one !== undefined) await entrance.prove(one.lot.who, TIMEOUT_MS);
      this.#troubles.delete(user);
      // It may have changed again meanwhile.
      if (this.#due.get(user) === turn) {
        this.#due.delete(user);
        this.#replace(user);
        this.#parts.proven(user);
      }
    } catch (error) {
      turn.atMs = clock.nowMs() + RETRY_MS;
      this.#trouble(user, error instanceof Error ? error.message : String(error));
    }
    this.#isBusy = false;
  }

  /** Those that the user has now make room for new ones, each at its own time and not before its next boundary. */
  #replace(user: string): void {
    const { clock, random } = this.#parts;
    const now = clock.nowMs();
    for (const connection of this.#connectionsOf(user)) {
      const atMs = now + REPLACE_WITHIN_MS * random.fraction();
      connection.retiresAtMs = Math.min(connection.retiresAtMs, atMs);
    }
  }

  #connectionsOf(user: string): readonly ServerConnection<Memory, Who>[] {
    return [...this.#parts.pool.connections].filter(({ lot }) => lot.who.user === user);
  }

  #trouble(user: string, why: string): void {
    const isNews = !this.#troubles.has(user);
    const sentence = `The current password of the user ${user} does not let the proxy in; connections that were made before stay. ${why}`;
    this.#troubles.set(user, sentence);
    if (isNews) this.#parts.troubled(user, sentence);
  }
}
