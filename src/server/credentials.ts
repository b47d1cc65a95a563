import { must } from '../base/assert.ts';
import type { SecretText } from '../base/secret-text.ts';
import type { LoginRule } from '../core/engine.ts';
import type { Credentials } from '../core/entrance.ts';
import { FaultError } from '../core/fault.ts';
import type { SecretSource, SecretValue } from '../secrets/source.ts';
import type { AuthSettings } from './settings/settings.ts';

interface Login {
  readonly auth: AuthSettings;
  password: SecretText;
  /** False where the secret names another user by now: sessions that are open go on, and nobody signs in any more. */
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

  rule(user: string): LoginRule {
    const found = this.#logins.get(user);
    const login = found?.current === true ? found : undefined;
    // Who is unknown meets what the first entry asks for: a stranger cannot tell the difference (trap PG-103).
    const auth = login?.auth ?? must(this.#auth[0], 'a proxy that nobody can sign in at');
    if (auth.iamAuth === 'REQUIRED') return { kind: 'token' };
    return {
      kind: 'password',
      method: auth.clientPasswordAuthType,
      passwords: [login?.password ?? this.#unknowable],
      known: login !== undefined,
    };
  }

  async current(user: string): Promise<SecretText> {
    return this.#login(user).password;
  }

  async refresh(user: string): Promise<SecretText> {
    const { auth } = this.#login(user);
    await this.#read(auth, this.#source.refresh(auth.secret));
    return this.#login(user).password;
  }

  async #read(auth: AuthSettings, reading: Promise<SecretValue>): Promise<void> {
    try {
      const { username, password } = await reading;
      this.#learn(auth, username, password);
    } catch (error) {
      this.#troubled(error instanceof Error ? error.message : String(error));
    }
  }

  #learn(auth: AuthSettings, user: string, password: SecretText): void {
    for (const other of this.#logins.values()) if (other.auth === auth) other.current = false;
    const login = this.#logins.get(user);
    if (login === undefined) this.#logins.set(user, { auth, password, current: true });
    else if (login.auth === auth) Object.assign(login, { password, current: true });
    else
      this.#troubled(
        `The database user "${user}" was found in multiple DB proxy authentication entries`,
      );
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
