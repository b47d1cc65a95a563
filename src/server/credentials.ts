import type { SecretText } from '../base/secret-text.ts';
import type { LoginRule } from '../core/engine.ts';
import type { Credentials } from '../core/entrance.ts';
import { FaultError } from '../core/fault.ts';
import { SecretDenied } from '../secrets/source.ts';
import type { SecretLogin, SecretSource, SecretValue } from '../secrets/source.ts';
import type { AuthSettings } from './settings/settings.ts';

interface Login {
  readonly auth: AuthSettings;
  /** The first is for the database; the others are tried there where it is refused. Clients may come with any of them. */
  readonly passwords: readonly [SecretText, ...SecretText[]];
  /** Whether this is the user whom the secret names now, not one whom it has named or is about to name. */
  readonly isNamed: boolean;
  /** False where the secret is about another user by now: sessions that are open go on, and nobody signs in any more. */
  current: boolean;
}

/**
 * The database users of one proxy, by name, as its secrets told them last: how clients prove that they are them, and the
 * password for the database. The name is the secret's `username`, with its case.
 */
export class CredentialBook implements Credentials {
  readonly #source: SecretSource;
  readonly #auth: readonly AuthSettings[];
  readonly #logins = new Map<string, Login>();
  /** A password that nobody knows: what unknown users are checked against. */
  readonly #unknowable: SecretText;
  /** Called when the log should know that a secret could not be read. */
  readonly #troubled: (problem: string) => void;
  /** Why secrets cannot be read at the moment. */
  readonly #troubles = new Map<AuthSettings, string>();

  constructor(parts: {
    source: SecretSource;
    auth: readonly AuthSettings[];
    unknowable: SecretText;
    troubled: (problem: string) => void;
  }) {
    this.#source = parts.source;
    this.#auth = parts.auth;
    this.#unknowable = parts.unknowable;
    this.#troubled = parts.troubled;
  }

  /** Reads all secrets. One that cannot be read keeps only its own user out. */
  async load(): Promise<void> {
    for (const auth of this.#auth) await this.#read(auth, this.#source.current(auth.secret));
  }

  /** Reads secrets again: clients with a rotated password must not wait until the database refuses the old one. */
  async renew(): Promise<void> {
    for (const auth of this.#auth) await this.#read(auth, this.#source.refresh(auth.secret));
  }

  /** A user to watch the target as. */
  get someUser(): string | undefined {
    return this.users[0];
  }

  get users(): readonly string[] {
    return [...this.#logins].filter(([, { current }]) => current).map(([user]) => user);
  }

  /** Why there is nobody to watch the target as, or some users are not here; undefined where all secrets can be read. */
  get trouble(): string | undefined {
    return [...this.#troubles.values()][0];
  }

  rule(user: string): LoginRule {
    const found = this.#logins.get(user);
    const login = found?.current === true ? found : undefined;
    // Who is unknown meets what the first entry asks for: a stranger cannot tell the difference (trap PG-103).
    const auth = login?.auth ?? this.#auth[0];
    if (auth === undefined || auth.iamAuth === 'REQUIRED') return { kind: 'token' };
    return {
      kind: 'password',
      method: auth.clientPasswordAuthType,
      passwords: login?.passwords ?? [this.#unknowable],
      known: login !== undefined,
    };
  }

  async current(user: string): Promise<SecretText> {
    return this.#login(user).passwords[0];
  }

  async refresh(user: string): Promise<SecretText> {
    const { auth, passwords: before } = this.#login(user);
    await this.#read(auth, this.#source.refresh(auth.secret));
    const [password, next] = this.#login(user).passwords;
    // Secret and database cannot be changed at the same moment: one of them is ahead while a password is rotated.
    return password.sameAs(before[0]) ? (next ?? password) : password;
  }

  async #read(auth: AuthSettings, reading: Promise<SecretValue>): Promise<void> {
    try {
      this.#learn(auth, await reading);
    } catch (error) {
      if (error instanceof SecretDenied) this.#forget(auth);
      this.#have(auth, error instanceof Error ? error.message : String(error));
    }
  }

  #learn(auth: AuthSettings, value: SecretValue): void {
    const { username: user, previous, pending } = value;
    this.#forget(auth);
    const known = this.#logins.get(user);
    if (known?.isNamed === true && known.auth !== auth) {
      this.#have(
        auth,
        `The database user "${user}" was found in multiple DB proxy authentication entries`,
      );
      return;
    }
    this.#troubles.delete(auth);
    this.#logins.set(user, {
      auth,
      passwords: [value.password, ...passwordsFor(user, pending, previous)],
      isNamed: true,
      current: true,
    });
    for (const other of [previous, pending])
      if (other !== undefined && other.username !== user)
        this.#admit(auth, other.username, passwordsFor(other.username, previous, pending));
  }

  /** Where users alternate, clients come as the one who was before, or is next, around the moment of a change. */
  #admit(auth: AuthSettings, user: string, [first, ...others]: readonly SecretText[]): void {
    const known = this.#logins.get(user);
    if (first === undefined || (known?.current === true && known.auth !== auth)) return;
    this.#logins.set(user, { auth, passwords: [first, ...others], isNamed: false, current: true });
  }

  #forget(auth: AuthSettings): void {
    for (const login of this.#logins.values()) if (login.auth === auth) login.current = false;
  }

  #have(auth: AuthSettings, trouble: string): void {
    this.#troubles.set(auth, trouble);
    this.#troubled(trouble);
  }

  #login(user: string): Login {
    const login = this.#logins.get(user);
    if (login !== undefined) return login;
    throw new FaultError({
      name: 'databaseRefused',
      refusal: 'credentials',
      detail: `This RDS proxy has no credentials for the role ${user}. Check the credentials for this role and try again.`,
    });
  }
}

/** Of those that are for this user. */
function passwordsFor(
  user: string,
  ...logins: readonly (SecretLogin | undefined)[]
): readonly SecretText[] {
  return logins.flatMap((login) => (login?.username === user ? [login.password] : []));
}
