import type { Connection } from './connection.ts';
import type { Engine } from './session/engine.ts';

export interface ServerOptions {
  /** Of 127.0.0.1; any free one by default. */
  readonly port?: number;
  readonly host?: string;
  /** `off`: where the client asks for it, and for the login. `none`: there is no TLS. `strict`: TDS 8.0 only. */
  readonly encrypt?: 'off' | 'required' | 'none' | 'strict';
  /** False: a client that begins with TLS is closed. */
  readonly isStrictOffered?: boolean;
  readonly certificate?: { readonly keyPem: string; readonly certPem: string };
  /** Passwords by the names of those who may log in. */
  readonly users?: Readonly<Record<string, string>>;
  /** Which databases a user may enter; all of them by default. */
  readonly grants?: Readonly<Record<string, readonly string[]>>;
  /** Beside master, tempdb, model and msdb. */
  readonly databases?: readonly string[];
  /** Where a user goes who names no database. */
  readonly defaultDatabases?: Readonly<Record<string, string>>;
  readonly maxConnections?: number;
  readonly manner?: 'sqlserver' | 'babelfish';
  /** As Azure's does: a reset also resets the isolation level. */
  readonly resetsIsolation?: boolean;
  /** The largest packets; what a client asks for counts below it. */
  readonly maxPacketBytes?: number;
  readonly mars?: boolean;
  readonly serverName?: string;
  /** Milliseconds before each request begins. */
  readonly latencyMs?: number;
  /** Requests are noted in `requests`: not for benchmarks. */
  readonly isRecording?: boolean;
  /** Feature extensions that are acknowledged beside UTF8_SUPPORT: by their numbers, with their data. */
  readonly features?: Readonly<Record<number, Uint8Array>>;
}

/** Where logins are sent. */
export interface Route {
  readonly host: string;
  readonly port: number;
  /** Only those who say that they only read. */
  readonly isOfReaders: boolean;
}

/** What a connection needs to know of its server. */
export interface Host {
  readonly engine: Engine;
  readonly options: ServerOptions & { readonly encrypt: NonNullable<ServerOptions['encrypt']> };
  readonly latencyMs: number;
  readonly maxConnections: number;
  /** Replies are written in pieces of so many bytes. */
  readonly pieceBytes: number | undefined;
  readonly route: Route | undefined;
  readonly users: ReadonlyMap<string, string>;
  certificate(): { readonly key: string; readonly cert: string };
  /** How many of the next `count` bytes still go out before the connection breaks; undefined: all, and it does not. */
  breakage(count: number): number | undefined;
  nextSpid(): number;
  offence(spid: number, what: string): void;
  /** A bug of this server. */
  failed(error: unknown): void;
  counted(what: 'attention' | 'login' | 'reset'): void;
  recorded(spid: number, kind: string, text: string, isReset: boolean): void;
  left(connection: Connection): void;
}
