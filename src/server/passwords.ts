import type { SecretText } from '../base/secret-text.ts';

/** The passwords by which users sign in to the database, as they were seen last. */
export class Passwords {
  /** Who is in no secret any more is kept: where users alternate, they come back, with another password. */
  readonly #seen = new Map<string, SecretText>();

  /** Whose password is another one than before; who comes for the first time has none before. */
  changedIn(now: ReadonlyMap<string, SecretText>): readonly string[] {
    const changed = [...now].filter(([user, password]) => {
      const before = this.#seen.get(user);
      return before !== undefined && !before.sameAs(password);
    });
    for (const [user, password] of now) this.#seen.set(user, password);
    return changed.map(([user]) => user);
  }
}
