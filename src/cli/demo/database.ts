import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { SecretText } from '../../base/secret-text.ts';

/** What Amazon RDS grants an instance with 1 GB: `{DBInstanceClassMemory/12582880}`, of PostgreSQL, MySQL and MariaDB alike. */
export const MAX_CONNECTIONS = 85;
export const DATABASE = 'shop';
/** How many rows there are to read. */
export const PRODUCTS = 100;

/** The users that functions sign in as at databases of ours; the second has to show an IAM token at the proxy. */
export const PASSWORD_USER = 'app';
export const TOKEN_USER = 'lambda';

/** Somebody whom the database lets in. */
export interface Account {
  readonly user: string;
  readonly password: SecretText;
}

/** Who signs in at the proxy in which way; where it is the same one, that one may choose. */
export interface Accounts {
  readonly byPassword: Account;
  readonly byToken: Account;
}

/** How the database is reached by TLS. */
export type DatabaseTls =
  /** Its certificate, or that of who has signed it, in PEM; undefined for authorities that the system knows. */
  | { readonly mode: 'verify-full'; readonly certPem: string | undefined }
  /** `require`: by a certificate that nobody looks at. */
  | { readonly mode: 'require' | 'disable' };

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

/** A database with something to read and something to write. To be disposed of. */
export interface DemoDatabase extends AsyncDisposable {
  /** What it is, and where its program comes from. */
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  /** The name of the database that has the tables. */
  readonly name: string;
  readonly accounts: Accounts;
  readonly tls: DatabaseTls;
  /** How many connections it grants, where the proxy is not to ask it. */
  readonly maxConnections?: number;
  /** Straight at the database. */
  directRoute(): Promise<Route>;
  proxiedRoute(proxy: ProxyAddress): Promise<Route>;
  /**
   * Runs `work` and tells how many clients the database had at most meanwhile, the observer aside; undefined where it does not
   * let us see them.
   */
  peakDuring<T>(
    route: RouteName,
    work: () => Promise<T>,
  ): Promise<readonly [T, number | undefined]>;
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

export function newAccounts(random: Random): Accounts {
  return {
    byPassword: { user: PASSWORD_USER, password: newSecret(random) },
    byToken: { user: TOKEN_USER, password: newSecret(random) },
  };
}

/** As servers of ours are told of them. */
export function usersOf({ byPassword, byToken }: Accounts) {
  return [byPassword, byToken].map(({ user, password }) => ({ name: user, password }));
}

/** Fit for every place that a password may be put, a URL included. */
export function newSecret(random: Random): SecretText {
  return new SecretText(Buffer.from(random.bytes(24)).toString('base64url'));
}
