import { must } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { SecretText } from '../base/secret-text.ts';
import type { LoginRule } from '../core/engine.ts';
import type { Credentials } from '../core/entrance.ts';
import { FaultError } from '../core/fault.ts';
import { SecretDenied } from '../secrets/source.ts';
import type { FormerLogin, SecretSource, SecretValue } from '../secrets/source.ts';
import type { TokenSource } from './database-tokens.ts';
import type { AuthSettings, DatabaseSettings } from './settings/settings.ts';

interface Login {
  readonly auth: AuthSettings;
  /** The first is for the database; the others are tried there where it is refused. Clients may come with any of them. */
  readonly passwords: readonly [Password, ...Password[]];
  /** Whether this is the user whom the secret names now, not one whom it has named or is about to name. */
  readonly isNamed: boolean;
  /** False where the secret is about another user by now: sessions that are open go on, and nobody signs in any more. */
  current: boolean;
}

interface Password {
  readonly text: SecretText;
  /** How long clients may come with it, in milliseconds since 1970. */
  readonly untilMs: number;
}

/**
 * The database users of one proxy, by name, as its secrets told them last: how clients prove that they are them, and the
 * password for the database. The name is the secret's `username`, with its case. With tokens everybody else is a user, too, whom
 * the database knows.
 */
export class CredentialBook {
  readonly #source: SecretSource;
  readonly #auth: readonly AuthSettings[];
  readonly #tokens: TokenSource | undefined;
  readonly #logins = new Map<string, Login>();
  /** A password that nobody knows: what unknown users are checked against. */
  readonly #unknowable: SecretText;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #graceMs: number;
  /** Called when the log should know that a secret could not be read. */
  readonly #troubled: (problem: string) => void;
  /** Why secrets cannot be read at the moment. */
  readonly #troubles = new Map<AuthSettings, string>();

  constructor(parts: {
    source: SecretSource;
    auth: readonly AuthSettings[];
    /** For users who have no secret; undefined where there are none. */
    tokens?: TokenSource | undefined;
    unknowable: SecretText;
    clock: Pick<Clock, 'wallMs'>;
    /** How long clients may come with the password before the current one. */
    graceMs: number;
    troubled: (problem: string) => void;
  }) {
    this.#source = parts.source;
    this.#auth = parts.auth;
    this.#tokens = parts.tokens;
    this.#unknowable = parts.unknowable;
    this.#clock = parts.clock;
    this.#graceMs = parts.graceMs;
    this.#troubled = parts.troubled;
  }

  /** Reads all secrets. One that cannot be read keeps only its own user out. */
  async load(): Promise<void> {
    await this.#readAll((secret) => this.#source.current(secret));
  }

  /** Reads secrets again: clients with a rotated password must not wait until the database refuses the old one. */
  async renew(): Promise<void> {
    await this.#readAll((secret) => this.#source.refresh(secret));
  }

  /** At the same time, since they may come from far away; where two are about one user, the first counts. */
  async #readAll(read: (secret: string) => Promise<SecretValue>): Promise<void> {
    const readings = this.#auth.map((auth) => read(auth.secret));
    await Promise.allSettled(readings);
    for (const [index, auth] of this.#auth.entries())
      await this.#read(auth, must(readings[index], 'a secret that nobody reads'));
  }

  /** A user to watch the target as. */
  get someUser(): string | undefined {
    return this.users[0] ?? this.#tokens?.watchUser;
  }

  /** Whether this one may sign in, once they have proved who they are. */
  admits(user: string): boolean {
    return this.#tokens !== undefined || this.#current(user) !== undefined;
  }

  /** Whether this one signs in by tokens all the way. */
  isTokenUser(user: string): boolean {
    return this.#tokens !== undefined && this.#current(user) === undefined;
  }

  get users(): readonly string[] {
    return [...this.#logins.keys()].filter((user) => this.#current(user) !== undefined);
  }

  /** By which users sign in to the database, of those who have a secret. */
  get passwords(): ReadonlyMap<string, SecretText> {
    const current = [...this.#logins].filter(([, login]) => login.current);
    return new Map(current.map(([user, { passwords }]) => [user, passwords[0].text]));
  }

  /** Why there is nobody to watch the target as, or some users are not here; undefined where all secrets can be read. */
  get trouble(): string | undefined {
    const [trouble] = this.#troubles.values();
    if (trouble !== undefined || this.#tokens === undefined) return trouble;
    return this.#tokens.watchUser === undefined ? NO_WATCHER : undefined;
  }

  rule(user: string): LoginRule {
    const login = this.#logins.get(user);
    const passwords = this.#accepted(login);
    const known = passwords.length > 0;
    // Who is unknown meets what the first entry asks for: a stranger cannot tell the difference (trap PG-103).
    const stranger = this.#tokens === undefined ? this.#auth[0] : undefined;
    const auth = known ? login?.auth : stranger;
    if (auth === undefined || auth.iamAuth === 'REQUIRED') return { kind: 'token' };
    const rule = {
      kind: 'password',
      method: auth.clientPasswordAuthType,
      passwords: known ? passwords : [this.#unknowable],
      known,
    } as const;
    return auth.iamAuth === 'ENABLED' ? { ...rule, orToken: true } : rule;
  }

  /** As they are for this database. */
  at(database: DatabaseSettings): Credentials {
    const pick = (user: string, password: () => Promise<SecretText>): Promise<SecretText> =>
      this.isTokenUser(user) ? this.#token(user, database) : password();
    return {
      current: (user) => pick(user, () => this.current(user)),
      refresh: (user) => pick(user, () => this.refresh(user)),
    };
  }

  async current(user: string): Promise<SecretText> {
    return this.#login(user).passwords[0].text;
  }

  async refresh(user: string): Promise<SecretText> {
    const { auth, passwords: before } = this.#login(user);
    await this.#read(auth, this.#source.refresh(auth.secret, 'refusal'));
    const [password, next] = this.#login(user).passwords;
    // Secret and database cannot be changed at the same moment: one of them is ahead while a password is rotated.
    return (password.text.sameAs(before[0].text) ? (next ?? password) : password).text;
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
      passwords: [this.#passwordOf(value), ...this.#passwordsFor(user, pending, previous)],
      isNamed: true,
      current: true,
    });
    for (const other of [previous, pending])
      if (other !== undefined && other.username !== user)
        this.#admit(auth, other.username, this.#passwordsFor(other.username, previous, pending));
  }

  /** Where users alternate, clients come as the one who was before, or is next, around the moment of a change. */
  #admit(auth: AuthSettings, user: string, [first, ...others]: readonly Password[]): void {
    const known = this.#logins.get(user);
    if (first === undefined || (known?.current === true && known.auth !== auth)) return;
    this.#logins.set(user, { auth, passwords: [first, ...others], isNamed: false, current: true });
  }

  /** Of those that are for this user, in the order in which they are given. */
  #passwordsFor(
    user: string,
    ...logins: readonly (FormerLogin | undefined)[]
  ): readonly Password[] {
    return logins.flatMap((login) => (login?.username === user ? [this.#passwordOf(login)] : []));
  }

  #passwordOf({ password: text, endedMs = Infinity }: FormerLogin): Password {
    return { text, untilMs: endedMs + this.#graceMs };
  }

  /** What clients may come with now: nothing where nobody may sign in as this user any more. */
  #accepted(login: Login | undefined): readonly SecretText[] {
    const accepted: SecretText[] = [];
    if (login?.current !== true) return accepted;
    const now = this.#clock.wallMs();
    for (const { text, untilMs } of login.passwords) if (now < untilMs) accepted.push(text);
    return accepted;
  }

  /** Undefined where nobody may sign in as this user any more. */
  #current(user: string): Login | undefined {
    const login = this.#logins.get(user);
    return this.#accepted(login).length > 0 ? login : undefined;
  }

  #forget(auth: AuthSettings): void {
    for (const login of this.#logins.values()) if (login.auth === auth) login.current = false;
  }

  #have(auth: AuthSettings, trouble: string): void {
    this.#troubles.set(auth, trouble);
    this.#troubled(trouble);
  }

  async #token(user: string, database: DatabaseSettings): Promise<SecretText> {
    try {
      return await must(this.#tokens, 'a token where there are none').current(user, database);
    } catch (error) {
      throw withoutCredentials(error instanceof Error ? error.message : String(error));
    }
  }

  #login(user: string): Login {
    const login = this.#logins.get(user);
    if (login !== undefined) return login;
    throw withoutCredentials(
      `This RDS proxy has no credentials for the role ${user}. Check the credentials for this role and try again.`,
    );
  }
}

const NO_WATCHER =
  'The target is watched as a user of the database: name one who signs in by IAM in `aws.watchUser`';

function withoutCredentials(detail: string): FaultError {
  return new FaultError({ name: 'databaseRefused', refusal: 'credentials', detail });
}
