import type { SecretText } from '../../base/secret-text.ts';

/** Who signs in to a database. */
export interface Login {
  readonly username: string;
  readonly password: SecretText;
}

/** The database that a secret is about: what the secret says of it, as texts, but for `username` and `password`. */
export type RotationTarget = Readonly<Record<string, string>>;

export interface PasswordChange {
  /** Has `engine` and `host`, and perhaps `port`, `dbname`, `dbInstanceIdentifier`, `dbClusterIdentifier`. */
  readonly target: RotationTarget;
  /** Whose password it is to be. */
  readonly username: string;
  /** The new one. */
  readonly password: SecretText;
  /** Who may change it, to be tried in this order: the users themselves with the passwords they had, or a superuser. */
  readonly signInAs: readonly [Login, ...Login[]];
  /** The user is made where there is none, with the rights of this one. */
  readonly cloneOf?: string;
}

/** What rotations do in databases. Both reject with an Error that says what went wrong, and shows no password. */
export interface Rotator {
  setPassword(change: PasswordChange): Promise<void>;
  /** Signs in and asks for something. */
  test(attempt: Login & { readonly target: RotationTarget }): Promise<void>;
}
