import { Database } from '../data/database.ts';
import type { Table } from '../data/table.ts';
import type { Statement } from '../sql/ast.ts';
import { parseBatch } from '../sql/statements.ts';
import type { Wait } from '../run/wait.ts';
import { ApplicationLocks } from './app-locks.ts';
import { Security } from './security.ts';
import type { Session } from './session.ts';

const PARSED_TEXTS = 500;

/** What a test may do while statements run. */
export interface EngineHooks {
  /** Before a request's text is run: something to wait for. */
  holding(session: Session, text: string): Wait | undefined;
  kill(spid: number): boolean;
  maxConnections(): number;
  /** By the names of those who may log in. */
  readonly passwords: Map<string, string>;
}

/** All that outlives a session: databases, locks, texts that have been parsed. */
export class Engine {
  readonly databases = new Map<string, Database>();
  readonly sessions = new Map<number, Session>();
  readonly applicationLocks = new ApplicationLocks();
  readonly security: Security;
  readonly globals = new Map<string, { readonly table: Table; readonly session: Session }>();
  readonly hooks: EngineHooks;
  readonly isBabelfish: boolean;
  readonly resetsIsolation: boolean;
  readonly serverName: string;
  /** Sessions that wait for another's transaction: by their SPIDs. */
  readonly waitingFor = new Map<number, number>();
  readonly #parsed = new Map<string, readonly Statement[]>();
  #nextDescriptor = 0x37_00_00_00_01n;
  #nextId = 245_575_913;
  #nextDatabase = 1;

  constructor(
    hooks: EngineHooks,
    databases: readonly string[],
    isBabelfish: boolean,
    resetsIsolation: boolean,
    serverName: string,
  ) {
    this.hooks = hooks;
    this.security = new Security(hooks.passwords);
    this.isBabelfish = isBabelfish;
    this.resetsIsolation = resetsIsolation;
    this.serverName = serverName;
    for (const name of ['master', 'tempdb', 'model', 'msdb', ...databases]) this.addDatabase(name);
  }

  addDatabase(name: string): Database {
    const known = this.databases.get(name.toLowerCase());
    if (known !== undefined) return known;
    const database = new Database(this.#nextDatabase, name);
    this.#nextDatabase += 1;
    this.databases.set(name.toLowerCase(), database);
    return database;
  }

  nowMs(): number {
    return Date.now();
  }

  nextDescriptor(): bigint {
    const found = this.#nextDescriptor;
    this.#nextDescriptor += 1n;
    return found;
  }

  nextId(): number {
    this.#nextId += 16;
    return this.#nextId;
  }

  /** Parsed once for each text. */
  parse(text: string, quotedIdentifiers: boolean): readonly Statement[] {
    const key = quotedIdentifiers ? text : `\u0000${text}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const found = parseBatch(text, quotedIdentifiers);
    if (this.#parsed.size >= PARSED_TEXTS) {
      const [oldest] = this.#parsed.keys();
      if (oldest !== undefined) this.#parsed.delete(oldest);
    }
    if (text.length < 100_000) this.#parsed.set(key, found);
    return found;
  }

  dropGlobals(session: Session): void {
    for (const [name, global] of this.globals)
      if (global.session === session) this.globals.delete(name);
  }
}
