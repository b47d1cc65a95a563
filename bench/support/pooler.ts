import type { Certificate } from '../../src/net/certificate.ts';
import type { Line } from './line.ts';
import type { SignIn } from './visitor.ts';

/** The most connections that a pooler may open to the database. */
export const POOL_SIZE = 20;
/** What everybody is to agree on, where the protocol has no other. */
export const TLS_VERSION = 'TLSv1.3';
/** More than any case needs. */
export const MAX_CLIENTS = 10_000;

/** What every pooler gets alike. */
export interface Surroundings<Database extends Line> {
  readonly database: Database;
  /** What it shows to clients that want TLS. */
  readonly certificate: Certificate;
  /** Which one clients are to agree on with it; undefined where no case has TLS. */
  readonly tlsVersion: string | undefined;
  /** How a client signs in, to know that it can. */
  readonly signIn: SignIn;
  readonly signal: AbortSignal;
}

/** A pooler that can be started, as often as needed. */
export interface Pooler<Database extends Line> {
  /** Its name in the figures. */
  readonly key: string;
  /** For people. */
  readonly title: string;
  readonly version: string;
  /** Starts one in front of the database; resolves when a client can sign in. To be disposed of. */
  start(surroundings: Surroundings<Database>): Promise<RunningPooler>;
}

export interface RunningPooler extends AsyncDisposable {
  readonly key: string;
  readonly pid: number;
  /** The way through it; with TLS where asked for. */
  line(tls: boolean): Line;
  /** Throws where it has ended by itself. */
  expectAlive(): void;
}

/** For the report, with that of the runtime that Sluice runs on. */
export function versionsOf(poolers: readonly Pooler<never>[]): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(poolers.map(({ key, version }) => [key, version])),
    bun: Bun.version,
  };
}
