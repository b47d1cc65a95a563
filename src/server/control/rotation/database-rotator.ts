import type {
  Login,
  PasswordChange,
  RotationTarget,
  Rotator,
} from '../../../api/secretsmanager/rotator.ts';
import type { Clock } from '../../../base/clock.ts';
import type { SecretText } from '../../../base/secret-text.ts';
import { signIn } from '../../probe.ts';
import { databaseSettings } from '../../settings/normalise.ts';
import { databaseSchema } from '../../settings/schema.ts';
import type { DatabaseSettings } from '../../settings/settings.ts';
import { alterUser, setMysqlPassword } from './mysql-clone.ts';
import { setPostgresPassword } from './postgres-clone.ts';
import { withSqlClient } from './sql-client.ts';
import { PLAIN_MODE, pgName, pgText } from './sql-text.ts';
import { withSqlServer } from './sqlserver-client.ts';
import { alterOwnLogin, setSqlServerPassword } from './sqlserver-clone.ts';

/** What a secret may call them. */
const ENGINES: ReadonlyMap<string, DatabaseSettings['engine']> = new Map([
  ['postgres', 'postgres'],
  ['postgresql', 'postgres'],
  ['aurora-postgresql', 'postgres'],
  ['mysql', 'mysql'],
  ['aurora-mysql', 'mysql'],
  ['mariadb', 'mariadb'],
  ['sqlserver', 'sqlserver'],
]);

/**
 * Changes passwords in databases: users their own, with Sluice's own way in, which knows every way of signing in that the proxies
 * know; a superuser those of others.
 */
export class DatabaseRotator implements Rotator {
  readonly #databases: () => readonly DatabaseSettings[];
  readonly #clock: Clock;

  /** @param databases those that are known: how they are reached holds for secrets that name the same host and port */
  constructor(databases: () => readonly DatabaseSettings[], clock: Clock) {
    this.#databases = databases;
    this.#clock = clock;
  }

  async setPassword(change: PasswordChange): Promise<void> {
    const database = this.#databaseOf(change.target);
    const secrets = [change, ...change.signInAs].map(({ password }) => password);
    const [first, ...others] = change.signInAs;
    try {
      await this.#setAs(database, first, change);
    } catch (problem) {
      for (const login of others) {
        try {
          await this.#setAs(database, login, change);
          return;
        } catch {
          // What kept the first one out says more.
        }
      }
      throw withoutSecrets(problem, secrets);
    }
  }

  async test({ target, ...login }: Login & { readonly target: RotationTarget }): Promise<void> {
    try {
      await signIn(this.#databaseOf(target), login);
    } catch (problem) {
      throw withoutSecrets(problem, [login.password]);
    }
  }

  async #setAs(database: DatabaseSettings, login: Login, change: PasswordChange): Promise<void> {
    const { engine } = database;
    const isOwn = login.username === change.username;
    if (engine === 'sqlserver') {
      const { username, password } = change;
      const own = alterOwnLogin(username, password.reveal(), login.password.reveal());
      await withSqlServer(database, login, this.#clock, async (ask) => {
        if (isOwn) await ask(own);
        else await setSqlServerPassword(ask, change);
      });
    } else if (isOwn) await signIn(database, login, setOwn(engine, change));
    else
      await withSqlClient(database, login, this.#clock, (ask) =>
        engine === 'postgres'
          ? setPostgresPassword(ask, change)
          : setMysqlPassword(ask, change, engine === 'mariadb'),
      );
  }

  /** How it is reached as a proxy would reach it; one that is not known, with TLS if it can. */
  #databaseOf(target: RotationTarget): DatabaseSettings {
    const engine = ENGINES.get(target['engine'] ?? '');
    const { host = '' } = target;
    if (engine === undefined)
      throw new Error(
        `Secrets of the engine "${target['engine'] ?? ''}" cannot be rotated: it must be one of ${[...ENGINES.keys()].join(', ')}`,
      );
    const parsed = databaseSchema.safeParse({
      identifier: 'rotation',
      engine,
      host,
      ...(target['port'] !== undefined && { port: Number(target['port']) }),
      ...(target['dbname'] !== undefined && { database: target['dbname'] }),
    });
    if (!parsed.success)
      throw new Error(
        `The database that the secret names cannot be used: look at its ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`,
      );
    const wanted = databaseSettings(parsed.data, '/');
    const known = this.#databases().find(
      (one) =>
        one.host.toLowerCase() === wanted.host.toLowerCase() &&
        one.port === wanted.port &&
        one.engine === engine,
    );
    if (known === undefined) return wanted;
    return target['dbname'] === undefined ? known : { ...known, database: target['dbname'] };
  }
}

/** What users say to change their own password. */
function setOwn(
  engine: Exclude<DatabaseSettings['engine'], 'sqlserver'>,
  { username, password }: PasswordChange,
): string {
  if (engine === 'postgres')
    return `ALTER ROLE ${pgName(username)} PASSWORD ${pgText(password.reveal())}`;
  return `${PLAIN_MODE}; ${alterUser('CURRENT_USER()', password.reveal(), engine === 'mariadb')}`;
}

/** A database may repeat a part of the statement. */
function withoutSecrets(problem: unknown, secrets: readonly SecretText[]): Error {
  const message = problem instanceof Error ? problem.message : String(problem);
  return new Error(
    secrets.reduce((text, secret) => text.replaceAll(secret.reveal(), '[secret]'), message),
  );
}
