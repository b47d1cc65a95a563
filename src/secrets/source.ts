import type { SecretText } from '../base/secret-text.ts';

/** A user of a database, and their password. */
export interface SecretLogin {
  readonly username: string;
  readonly password: SecretText;
}

/** What a secret said before. */
export interface FormerLogin extends SecretLogin {
  /** Since when it says something else (milliseconds since 1970), where that is known. */
  readonly endedMs?: number;
}

/** One user of a database. */
export interface SecretValue extends SecretLogin {
  /** The database that the secret names, if it names one. */
  readonly dbname?: string;
  /** What the secret said before: clients may still come with it. The user may be another one. */
  readonly previous?: FormerLogin;
  /** What a rotation under way is about to make it say: the database may have heard of it already, and clients soon will. */
  readonly pending?: SecretLogin;
}

/** There is no such secret, or it may not be read: what was known of it counts no more. */
export class SecretDenied extends Error {
  override readonly name = 'SecretDenied';
}

/** Where credentials come from. Both reject with an `Error` that names the secret and never shows what it holds. */
export interface SecretSource {
  /** The value as it was last read. */
  current(name: string): Promise<SecretValue>;
  /**
   * Reads the value again, once for all who ask at the same time. A rotation may have changed the user name too. Where
   * this rejects, `current` keeps its value.
   * @param cause `refusal` where a database has refused what it says: who is asked at a price reads by a clock of their own otherwise
   */
  refresh(name: string, cause?: 'refusal'): Promise<SecretValue>;
}
