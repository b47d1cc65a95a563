import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { SecretText } from '../../base/secret-text.ts';

/** What Amazon RDS grants an instance with 1 GB: `{DBInstanceClassMemory/12582880}`, of PostgreSQL, MySQL and MariaDB alike. */
export const MAX_CONNECTIONS = 85;
export const DATABASE = 'shop';
/** How many rows there are to read. */
export const PRODUCTS = 100;

/** The users that functions sign in as; the second has to show an IAM token at the proxy. */
export const PASSWORD_USER = 'app';
export const TOKEN_USER = 'lambda';

export type Passwords = Readonly<Record<typeof PASSWORD_USER | typeof TOKEN_USER, SecretText>>;

/** The ways that invocations take to the database. */
export const routes = ['direct', 'proxied'] as const;
export type RouteName = (typeof routes)[number];

export interface Route extends AsyncDisposable {
  readonly name: RouteName;
  /** Rejects with what the function was told, where it fails. */
  invoke(invocation: number): Promise<void>;
  /** Rejects where nothing can be invoked any more. */
  readonly ended: Promise<never>;
}

/** How somebody who may sign in as `TOKEN_USER` signs tokens. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: SecretText;
}

/** What is to be known of a proxy to use it. */
export interface ProxyAddress {
  readonly port: number;
  readonly certPem: string;
  /** A file with it. */
  readonly certPath: string;
  readonly accessKey: AccessKey;
}

/** A database as small as they come, with something to read and something to write. To be disposed of. */
export interface DemoDatabase extends AsyncDisposable {
  /** What it is, and where its program comes from. */
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly passwords: Passwords;
  readonly certPem: string;
  /** Straight at the database. */
  directRoute(): Promise<Route>;
  proxiedRoute(proxy: ProxyAddress): Promise<Route>;
  /** Runs `work` and tells how many clients the database had at most meanwhile, the observer aside. */
  peakDuring<T>(route: RouteName, work: () => Promise<T>): Promise<readonly [T, number]>;
  /** How many invocations left their row behind on this route. */
  rowsOf(route: RouteName): Promise<number>;
  /** Resolves when the database has no other client left. */
  untilAlone(): Promise<void>;
}

/** What a database is started with. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** For what takes its time. */
  readonly say: (line: string) => void;
}

export function newPasswords(random: Random): Passwords {
  return { [PASSWORD_USER]: newSecret(random), [TOKEN_USER]: newSecret(random) };
}

/** Fit for every place that a password may be put, a URL included. */
export function newSecret(random: Random): SecretText {
  return new SecretText(Buffer.from(random.bytes(24)).toString('base64url'));
}
