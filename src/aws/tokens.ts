import type { Clock } from '../base/clock.ts';
import type { SecretText } from '../base/secret-text.ts';

/** Far below the quarter of an hour for which databases accept a token. */
const KEEP_MS = 60_000;
/** All are made anew where there are more. */
const MOST_USERS = 1_000;

/** IAM tokens for one database, by user: one of them does for a minute. */
export class AwsTokens {
  readonly #sign: (user: string) => Promise<SecretText>;
  readonly #clock: Clock;
  readonly #made = new Map<
    string,
    { readonly untilMs: number; readonly token: Promise<SecretText> }
  >();

  constructor(sign: (user: string) => Promise<SecretText>, clock: Clock) {
    this.#sign = sign;
    this.#clock = clock;
  }

  async current(user: string): Promise<SecretText> {
    const nowMs = this.#clock.wallMs();
    const found = this.#made.get(user);
    if (found !== undefined && nowMs < found.untilMs) return await found.token;
    if (this.#made.size >= MOST_USERS) this.#made.clear();
    const token = this.#sign(user);
    this.#made.set(user, { untilMs: nowMs + KEEP_MS, token });
    try {
      return await token;
    } catch (error) {
      this.#made.delete(user);
      throw error;
    }
  }
}
