import type { Database } from '../data/database.ts';
import type { Table } from '../data/table.ts';
import { Transaction } from '../data/transaction.ts';
import type { Cursor } from '../run/cursor.ts';
import type { Name, ParameterDefinition, Statement } from '../sql/ast.ts';
import { errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import type { Login } from '../wire/login.ts';
import type { Engine } from './engine.ts';
import type { Language, Options } from './options.ts';
import { freshOptions } from './options.ts';

export interface Prepared {
  readonly text: string;
  readonly parameters: readonly ParameterDefinition[];
  readonly body: readonly Statement[];
}

/** What is told when a transaction begins or ends. */
export interface TransactionListener {
  began(transaction: Transaction): void;
  committed(transaction: Transaction): void;
  rolledBack(transaction: Transaction): void;
}

const silent: TransactionListener = { began() {}, committed() {}, rolledBack() {} };

/** One login's state in the server. */
export class Session {
  readonly spid: number;
  readonly engine: Engine;
  readonly login: Login;
  readonly loginTime: number;
  isEncrypted = false;
  /** How it is reached. */
  connection: { readonly packetBytes: number } | undefined;
  userName: string;
  database: Database;
  options: Options;
  transaction: Transaction | undefined;
  /** Its present statement's own, outside any that was begun. */
  automatic: Transaction | undefined;
  listener: TransactionListener = silent;

  /** Of the batch, and of each procedure that runs. */
  temporary: Map<string, Table>[] = [new Map()];
  readonly prepared = new Map<number, Prepared>();
  readonly cursors = new Map<string, Cursor>();
  readonly cursorHandles = new Map<number, Cursor>();
  readonly preparedCursors = new Map<number, Prepared>();
  contextInfo: Uint8Array = new Uint8Array(0);
  readonly sessionContext = new Map<
    string,
    { readonly value: Value; readonly isReadOnly: boolean }
  >();
  readonly impersonated: string[] = [];
  /** Rows are to come, after INSERT BULK. */
  bulk:
    | {
        readonly table: Name;
        readonly columns: readonly { readonly name: string; readonly type: SqlType }[];
      }
    | undefined;
  rowCount = 0;
  lastError = 0;
  identity: number | null = null;
  scopeIdentity: number | null = null;
  fetchStatus = 0;
  #nextHandle = 1;
  #nextCursor = 180_150_003;
  readonly #language: Language;
  readonly #home: Database;

  constructor(engine: Engine, spid: number, login: Login, database: Database, language: Language) {
    this.engine = engine;
    this.spid = spid;
    this.login = login;
    this.userName = login.userName;
    this.database = database;
    this.#home = database;
    this.#language = language;
    this.options = freshOptions(login.isOdbc, language, !engine.isBabelfish);
    this.loginTime = engine.nowMs();
  }

  isOn(name: string): boolean {
    return this.options.switches.has(name);
  }

  get transactionCount(): number {
    return this.transaction?.count ?? 0;
  }

  /** For what changes or locks rows: the one that was begun, or the statement's own. */
  get current(): Transaction {
    const transaction = this.transaction ?? this.automatic;
    if (transaction !== undefined) return transaction;
    this.automatic = new Transaction(0n, this.spid, true);
    return this.automatic;
  }

  begin(): void {
    if (this.transaction !== undefined) {
      this.transaction.count += 1;
      return;
    }
    const begun = new Transaction(this.engine.nextDescriptor(), this.spid, false);
    this.transaction = begun;
    this.listener.began(begun);
  }

  /** `count` down; at 0 it is committed. */
  commit(): void {
    const { transaction } = this;
    if (transaction === undefined) throw errors.noCommit();
    if (transaction.isDoomed) throw errors.doomed();
    transaction.count -= 1;
    if (transaction.count > 0) return;
    this.transaction = undefined;
    transaction.commit();
    this.engine.applicationLocks.endOfTransaction(this);
    if (this.isOn('CURSOR_CLOSE_ON_COMMIT'))
      for (const cursor of this.cursors.values()) cursor.close();
    this.listener.committed(transaction);
  }

  rollback(): void {
    const { transaction } = this;
    if (transaction === undefined) throw errors.noRollback();
    this.transaction = undefined;
    transaction.rollback();
    this.engine.applicationLocks.endOfTransaction(this);
    this.listener.rolledBack(transaction);
  }

  /** The end of a statement outside any transaction. */
  endAutomatic(isError: boolean): void {
    const { automatic } = this;
    if (automatic === undefined) return;
    this.automatic = undefined;
    if (isError) automatic.rollback();
    else automatic.commit();
  }

  nextHandle(): number {
    const handle = this.#nextHandle;
    this.#nextHandle += 1;
    return handle;
  }

  nextCursorHandle(): number {
    const handle = this.#nextCursor;
    this.#nextCursor += 2;
    return handle;
  }

  findTemporary(name: string): Table | undefined {
    const lower = name.toLowerCase();
    for (let n = this.temporary.length - 1; n >= 0; n -= 1) {
      const found = this.temporary[n]?.get(lower);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  get temporaryCount(): number {
    return this.temporary.reduce((sum, { size }) => sum + size, 0);
  }

  useDatabase(name: string): Database {
    const found = this.engine.databases.get(name.toLowerCase());
    if (found === undefined) throw errors.noDatabase(name);
    const { userName } = this.login;
    if (!this.engine.security.mayEnter(userName, found)) throw errors.noAccess(userName, name);
    this.database = found;
    return found;
  }

  /** RESETCONNECTION and sp_reset_connection: as after a login, but for the isolation level. */
  reset(keepsTransaction: boolean): void {
    if (!keepsTransaction && this.transaction !== undefined) {
      this.listener = silent;
      this.rollback();
    }
    const { isolation } = this.options;
    this.engine.applicationLocks.endOfSession(this);
    this.engine.dropGlobals(this);
    this.database = this.#home;
    this.userName = this.login.userName;
    const fresh = freshOptions(this.login.isOdbc, this.#language, !this.engine.isBabelfish);
    this.options = this.engine.resetsIsolation ? fresh : { ...fresh, isolation };
    this.temporary = [new Map()];
    for (const all of [this.prepared, this.cursors, this.cursorHandles, this.preparedCursors])
      all.clear();
    this.#nextHandle = 1;
    // Babelfish's resets leave both.
    if (!this.engine.isBabelfish) {
      this.contextInfo = new Uint8Array(0);
      this.sessionContext.clear();
    }
    this.impersonated.length = 0;
    this.rowCount = 0;
    this.lastError = 0;
    this.identity = null;
    this.scopeIdentity = null;
  }

  /** The connection is gone. */
  close(): void {
    this.listener = silent;
    this.endAutomatic(true);
    if (this.transaction !== undefined) this.rollback();
    this.engine.applicationLocks.endOfSession(this);
    this.engine.dropGlobals(this);
  }
}
