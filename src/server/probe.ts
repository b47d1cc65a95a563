import { AwsAccount } from '../aws/account.ts';
import { systemClock } from '../base/clock.ts';
import type { Engine, Principal } from '../core/engine.ts';
import { mysqlEngine } from '../engine/mysql/engine.ts';
import { postgresEngine } from '../engine/postgres/engine.ts';
import { sqlServerEngine } from '../engine/sqlserver/engine.ts';
import type { SecretValue } from '../secrets/source.ts';
import { located, lookUp } from './located.ts';
import type { ProxyPlan } from './plans.ts';
import { plansOf } from './plans.ts';
import type { DatabaseSettings, Settings } from './settings/settings.ts';
import { enterDatabase } from './way-in.ts';

/** What came of signing in to one database with one secret. */
export interface ProbeResult {
  readonly database: string;
  readonly secret: string;
  readonly ok: boolean;
  /** A sentence for people: what the database is, or why it could not be used. */
  readonly detail: string;
}

type Login = Pick<SecretValue, 'username' | 'password'>;

const PROBE_TIMEOUT_MS = 5_000;

interface Attempt {
  readonly database: DatabaseSettings;
  readonly secret: string;
  login(): Promise<Login>;
}

/**
 * Signs in once to each database with each secret of the proxies in front of it, and with a token where they sign in by those. Never
 * rejects because of a database, or of AWS.
 */
export async function probe(settings: Settings): Promise<readonly ProbeResult[]> {
  const parts = { clock: systemClock, changed: () => {} };
  const aws = settings.aws && new AwsAccount(settings.aws, parts);
  try {
    await lookUp(settings, aws);
    const attempts = plansOf(located(settings, aws), undefined, aws).flatMap(attemptsOf);
    const different = new Map(
      attempts.map((one) => [`${one.database.identifier} ${one.secret}`, one]),
    );
    return await Promise.all([...different.values()].map(tryOne));
  } finally {
    aws?.stop();
  }
}

function attemptsOf({ proxy, database, readers, secrets, tokens }: ProxyPlan): readonly Attempt[] {
  const user = tokens?.watchUser;
  return [database, ...readers].flatMap((one): readonly Attempt[] => {
    const bySecret = proxy.auth.map(({ secret }) => ({
      database: one,
      secret,
      login: () => secrets.current(secret),
    }));
    if (tokens === undefined || user === undefined) return bySecret;
    const login = async () => ({ username: user, password: await tokens.current(user, one) });
    return bySecret.concat({ database: one, secret: `IAM token of ${user}`, login });
  });
}

async function tryOne({ database, secret, login }: Attempt): Promise<ProbeResult> {
  const about = { database: database.identifier, secret };
  try {
    return { ...about, ok: true, detail: await signIn(database, await login()) };
  } catch (error) {
    return { ...about, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Signs in as a proxy would, and says these statements, if any, which must return no rows. Resolves with a sentence about the database. */
export function signIn(database: DatabaseSettings, login: Login, statements = ''): Promise<string> {
  switch (database.engineFamily) {
    case 'POSTGRESQL':
      return signInBy(postgresEngine(), database, login, statements);
    case 'MYSQL':
      return signInBy(mysqlEngine(), database, login, statements);
    case 'SQLSERVER':
      return signInBy(sqlServerEngine(), database, login, statements);
  }
}

async function signInBy<Memory, Who extends Principal>(
  engine: Engine<Memory, Who>,
  database: DatabaseSettings,
  login: Login,
  statements: string,
): Promise<string> {
  const timeoutMs = PROBE_TIMEOUT_MS;
  const inside = await enterDatabase(engine, database, login, { timeoutMs, statements });
  try {
    const { product, connections } = await inside.ask(engine.measure(inside.memory));
    const encryption = inside.link.tlsVersion ?? 'no TLS';
    return `${product}, ${encryption}, ${connections} connections for ordinary users`;
  } finally {
    inside.leave();
  }
}
