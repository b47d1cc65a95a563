import type { SecretText } from '../base/secret-text.ts';

/** One user of a database. */
export interface SecretValue {
  readonly username: string;
  readonly password: SecretText;
  /** The database that the secret names, if it names one. */
  readonly dbname?: string;
}

/** Where credentials come from. Both reject with an `Error` that names the secret and never shows what it holds. */
export interface SecretSource {
  /** The value as it was last read. */
  current(name: string): Promise<SecretValue>;
  /**
   * Reads the value again, once for all who ask at the same time. A rotation may have changed the user name too. Where
   * this rejects, `current` keeps its value.
   */
  refresh(name: string): Promise<SecretValue>;
}
