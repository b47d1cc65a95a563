import { createHash } from 'node:crypto';
import { Connection, Request } from 'tedious';
import type { ConnectionConfiguration } from 'tedious';
import type { GivenServer } from '../../support/sqlserver.ts';

type Options = NonNullable<ConnectionConfiguration['options']>;
type Type = Parameters<Request['addParameter']>[1];
type TypeOptions = NonNullable<Parameters<Request['addParameter']>[3]>;

const DEADLINE_MS = 25_000;
/** Longer values are told by their length and a digest. */
const SHOWN_CHARACTERS = 200;
const SHOWN_ROWS = 60;

/** A parameter of a request: its name, its type, its value, and whether the database gives it another one. */
export type Parameter = readonly [
  name: string,
  type: Type,
  value?: unknown,
  more?: (TypeOptions & { readonly output?: boolean }) | undefined,
];

export interface Arrival {
  readonly server: GivenServer;
  readonly options?: Options | undefined;
  /** In place of the server's user. */
  readonly authentication?: NonNullable<ConnectionConfiguration['authentication']>;
  /** Tells this client's tables from those of others; lines have `~` in its place. */
  readonly mark?: string;
}

/** A statement that is prepared, and may be executed again and again. */
export type Prepared = Request;

/**
 * A client by tedious that keeps a line for each token that it hears, as exact as tedious takes them apart, and for how each request
 * ends. Requests that fail do not throw: it is one of the lines.
 */
export class Visitor {
  readonly lines: string[] = [];
  readonly connection: Connection;
  readonly #mark: string;
  #rows = 0;
  #digest = createHash('sha1');
  readonly #gone = Promise.withResolvers<void>();

  constructor({ server, options, authentication, mark = '' }: Arrival) {
    const { host, port, user, password, database, tls } = server;
    this.#mark = mark;
    this.connection = new Connection({
      server: host,
      authentication: authentication ?? {
        type: 'default',
        options: { userName: user, password },
      },
      options: {
        ...{ port, encrypt: tls, trustServerCertificate: true },
        ...(database === undefined ? {} : { database }),
        ...{ connectTimeout: DEADLINE_MS, requestTimeout: DEADLINE_MS, useUTC: true },
        ...options,
      },
    });
    this.connection.debug.token = (token) => this.#hear(token);
    this.connection.on('error', () => {}); // what it means is told by the request, or by the end
    this.connection.on('end', () => this.#gone.resolve());
  }

  /** Whether it was let in is one of its lines. */
  static async arrive(arrival: Arrival): Promise<Visitor> {
    const visitor = new Visitor(arrival);
    await new Promise<void>((resolve) => {
      visitor.connection.connect((problem?: Error) => {
        visitor.#note(problem ? `refused: ${said(problem)}` : 'let in');
        resolve();
      });
    });
    return visitor;
  }

  /** Resolves when the connection is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** A name that no other client has. */
  name(word: string): string {
    return `sluice_${this.#mark}${word}`;
  }

  /** A language batch. */
  async batch(sql: string): Promise<void> {
    await this.#ask(sql, [], (request) => this.connection.execSqlBatch(request));
  }

  async batches(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.batch(text);
  }

  /** By sp_executesql. */
  async sql(sql: string, ...parameters: readonly Parameter[]): Promise<void> {
    await this.#ask(sql, parameters, (request) => this.connection.execSql(request));
  }

  async call(procedure: string, ...parameters: readonly Parameter[]): Promise<void> {
    await this.#ask(procedure, parameters, (request) => this.connection.callProcedure(request));
  }

  /** Undefined where that fails. */
  async prepare(sql: string, ...parameters: readonly Parameter[]): Promise<Prepared | undefined> {
    const request = requestFor(sql, parameters, () => {});
    const outcome = new Promise<Error | undefined>((resolve) => {
      request.on('prepared', () => resolve(undefined));
      request.on('error', resolve);
      request.callback = (problem) => resolve(problem ?? undefined);
    });
    this.#note(`prepare ${sql}`);
    this.connection.prepare(request);
    const problem = await outcome;
    this.#note(problem === undefined ? 'prepared' : `failed: ${said(problem)}`);
    return problem === undefined ? request : undefined;
  }

  async execute(
    statement: Prepared | undefined,
    values: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    if (statement === undefined) return;
    await this.#again(statement, `execute ${JSON.stringify(values)}`, () =>
      this.connection.execute(statement, values),
    );
  }

  async unprepare(statement: Prepared | undefined): Promise<void> {
    if (statement === undefined) return;
    await this.#again(statement, 'unprepare', () => this.connection.unprepare(statement));
  }

  /** By requests of the transaction manager. */
  async begin(isolation?: number, name = ''): Promise<void> {
    await this.#manage(`begin ${isolation ?? ''}`, (done) =>
      this.connection.beginTransaction(done, name, isolation),
    );
  }

  async commit(): Promise<void> {
    await this.#manage('commit', (done) => this.connection.commitTransaction(done));
  }

  async rollback(name?: string): Promise<void> {
    await this.#manage(`rollback ${name ?? ''}`, (done) =>
      this.connection.rollbackTransaction(done, name),
    );
  }

  async save(name: string): Promise<void> {
    await this.#manage(`save ${name}`, (done) => this.connection.saveTransaction(done, name));
  }

  /** As drivers' pools do before somebody else gets the connection. */
  async reset(): Promise<void> {
    await this.#manage('reset', (done) => this.connection.reset(done));
  }

  async bulk(
    table: string,
    columns: readonly (readonly [
      name: string,
      type: Type,
      more: TypeOptions & { nullable: boolean },
    ])[],
    rows: readonly (readonly unknown[])[],
  ): Promise<void> {
    this.#note(`bulk ${rows.length}`);
    await new Promise<void>((resolve) => {
      const load = this.connection.newBulkLoad(table, (problem, count) => {
        this.#note(problem ? `failed: ${said(problem)}` : `loaded ${count}`);
        resolve();
      });
      for (const [name, type, more] of columns) load.addColumn(name, type, more);
      this.connection.execBulkLoad(
        load,
        rows.map((row) => [...row]),
      );
    });
  }

  /**
   * Stops a request after a while, be it a batch or one with parameters. Resolves with how it ended. Nothing is noted: that depends on
   * who is quicker.
   */
  async stopped(
    sql: string,
    afterMs: number,
    ...parameters: readonly Parameter[]
  ): Promise<'stopped' | 'done' | 'failed'> {
    const { length } = this.lines;
    const outcome = await new Promise<'stopped' | 'done' | 'failed'>((resolve) => {
      let timer: Timer | undefined;
      const request = requestFor(sql, parameters, (problem) => {
        clearTimeout(timer);
        if (!problem) resolve('done');
        else resolve('code' in problem && problem.code === 'ECANCEL' ? 'stopped' : 'failed');
      });
      if (parameters.length === 0) this.connection.execSqlBatch(request);
      else this.connection.execSql(request);
      if (afterMs === 0) this.connection.cancel();
      else timer = setTimeout(() => this.connection.cancel(), afterMs);
    });
    this.lines.length = length;
    this.#rows = 0;
    return outcome;
  }

  /** The first column of the rows that a batch gives, as text; nothing is noted. */
  async values(sql: string): Promise<readonly string[]> {
    const { length } = this.lines;
    const found: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const request = new Request(sql, (problem) => (problem ? reject(problem) : resolve()));
      request.on('row', ([first]: readonly { readonly value: unknown }[]) =>
        found.push(String(first?.value)),
      );
      this.connection.execSqlBatch(request);
    });
    this.lines.length = length;
    this.#rows = 0;
    return found;
  }

  async value(sql: string): Promise<string | undefined> {
    return (await this.values(sql))[0];
  }

  async end(): Promise<void> {
    this.connection.close();
    await this.gone;
  }

  #ask(
    text: string,
    parameters: readonly Parameter[],
    send: (request: Request) => void,
  ): Promise<void> {
    this.#note(`> ${text}`);
    return new Promise((resolve) => {
      const request = requestFor(text, parameters, (problem, count) => {
        this.#ended(problem, count);
        resolve();
      });
      send(request);
    });
  }

  #again(statement: Prepared, what: string, send: () => void): Promise<void> {
    this.#note(what);
    return new Promise((resolve) => {
      statement.callback = (problem, count) => {
        this.#ended(problem, count);
        resolve();
      };
      send();
    });
  }

  #manage(what: string, send: (done: (problem?: Error | null) => void) => void): Promise<void> {
    this.#note(what);
    return new Promise((resolve) => {
      send((problem) => {
        this.#ended(problem, undefined);
        resolve();
      });
    });
  }

  #ended(problem: Error | null | undefined, count: number | undefined): void {
    if (this.#rows > SHOWN_ROWS) this.#note(`${this.#rows} rows ${this.#digest.digest('hex')}`);
    this.#rows = 0;
    this.#digest = createHash('sha1');
    this.#note(problem ? `failed: ${said(problem)}` : `done ${count ?? ''}`);
  }

  #hear(token: object): void {
    const { name, handlerName: _, ...rest } = { name: '', handlerName: '', ...token };
    if (name !== 'ROW' && name !== 'NBCROW') return this.#note(`${name} ${tell(name, rest)}`);
    this.#rows += 1;
    const line = `${name} ${tell(name, rest)}`;
    if (this.#rows <= SHOWN_ROWS) this.#note(line);
    else this.#digest.update(line);
  }

  #note(line: string): void {
    this.lines.push(this.#mark === '' ? line : line.replaceAll(this.#mark, '~'));
  }
}

function requestFor(
  text: string,
  parameters: readonly Parameter[],
  done: (problem: Error | null | undefined, count?: number) => void,
): Request {
  const request = new Request(text, done);
  for (const [name, type, value, { output = false, ...more } = {}] of parameters) {
    if (output) request.addOutputParameter(name, type, value, more);
    else request.addParameter(name, type, value, more);
  }
  return request;
}

function said(problem: Error): string {
  const code = 'code' in problem ? String(problem.code) : '';
  return `${code} ${problem.message}`;
}

/** What is heard of a token but for what must differ: numbers of transactions and of prepared statements, the server's name. */
function tell(name: string, token: Readonly<Record<string, unknown>>): string {
  switch (name) {
    case 'ROW':
    case 'NBCROW': {
      const { columns } = token;
      return JSON.stringify(Array.isArray(columns) ? columns.map(valueOf) : columns);
    }
    case 'ENVCHANGE':
      return JSON.stringify(isOfTransaction(token) ? { type: token['type'] } : plain(token));
    case 'RETURNVALUE': {
      const isHandle = token['paramName'] === 'handle' && Number(token['value']) > 0;
      return JSON.stringify(plain(isHandle ? { ...token, value: 'a handle' } : token));
    }
    case 'ERROR':
    case 'INFO': {
      const { serverName: _, ...rest } = token;
      return JSON.stringify(plain(rest));
    }
    default:
      return JSON.stringify(plain(token));
  }
}

function isOfTransaction({ type }: Readonly<Record<string, unknown>>): boolean {
  return typeof type === 'string' && type.endsWith('_TXN');
}

function valueOf(column: unknown): unknown {
  return typeof column === 'object' && column !== null && 'value' in column
    ? plain(column.value)
    : plain(column);
}

/** What JSON can say; types by their names, long values by their length and a digest. */
function plain(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return `${value}n`;
    case 'string':
      return value.length <= SHOWN_CHARACTERS ? value : digestOf(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'function':
      return undefined;
    case 'object':
      if (value === null || value instanceof Date) return value;
      if (value instanceof Uint8Array) return plain(Buffer.from(value).toString('hex'));
      if (Array.isArray(value)) return value.map(plain);
      if ('declaration' in value && 'name' in value) return value.name;
      return Object.fromEntries(
        Object.entries(value)
          .filter(([key]) => key !== 'handlerName')
          .map(([key, one]) => [key, plain(one)]),
      );
    default:
      return value;
  }
}

function digestOf(text: string): string {
  return `${text.length} characters ${createHash('sha1').update(text).digest('hex')}`;
}
