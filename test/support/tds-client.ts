import { Connection, Request } from 'tedious';
import type { ConnectionConfiguration } from 'tedious';

type Options = NonNullable<ConnectionConfiguration['options']>;

export interface TdsLogin {
  /** Default `localhost`. */
  readonly host?: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  /** In place of a name and a password: an access token, in the extension that is for that. */
  readonly token?: string;
  /** Windows authentication, in this domain. */
  readonly domain?: string;
  readonly options?: Options;
}

const DEADLINE_MS = 10_000;

function authentication({
  user = 'sa',
  password = '',
  token,
  domain,
}: TdsLogin): NonNullable<ConnectionConfiguration['authentication']> {
  if (token !== undefined)
    return { type: 'azure-active-directory-access-token', options: { token } };
  return domain === undefined
    ? { type: 'default', options: { userName: user, password } }
    : { type: 'ntlm', options: { userName: user, password, domain } };
}

function shown(value: unknown): string | null {
  if (value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** An error as drivers' users see it. */
export class TdsRefusal extends Error {
  override readonly name = 'TdsRefusal';
  /** Numbers and texts of the errors that the server has said, in their order. */
  readonly said: readonly string[];

  constructor(message: string, said: readonly string[]) {
    super(message);
    this.said = said;
  }
}

/** A client by tedious, which nearly all of Node uses. */
export class TdsClient {
  readonly #connection: Connection;
  /** What the server has said beside rows. */
  readonly errors: string[] = [];
  readonly infos: string[] = [];
  /** Databases, languages and the like that it has been told of. */
  readonly changes: string[] = [];
  readonly #ended = Promise.withResolvers<void>();

  private constructor(login: TdsLogin) {
    const { host = 'localhost', port, options } = login;
    this.#connection = new Connection({
      server: host,
      authentication: authentication(login),
      options: {
        port,
        encrypt: false,
        trustServerCertificate: true,
        connectTimeout: DEADLINE_MS,
        requestTimeout: DEADLINE_MS,
        rowCollectionOnRequestCompletion: true,
        ...options,
      },
    });
    const connection = this.#connection;
    connection.on('errorMessage', ({ number, message }) =>
      this.errors.push(`${number} ${message}`),
    );
    connection.on('infoMessage', ({ number, message }) => this.infos.push(`${number} ${message}`));
    connection.on('databaseChange', (name) => this.changes.push(`database ${name}`));
    connection.on('languageChange', (name) => this.changes.push(`language ${name}`));
    connection.on('error', () => {}); // what it means is told by the request, or by `ended`
    connection.on('end', () => this.#ended.resolve());
  }

  /** Rejects with a `TdsRefusal`. */
  static async signIn(login: TdsLogin): Promise<TdsClient> {
    const client = new TdsClient(login);
    await new Promise<void>((resolve, reject) => {
      client.#connection.connect((problem?: Error) => {
        if (problem === undefined || problem === null) resolve();
        else reject(new TdsRefusal(problem.message, client.errors));
      });
    });
    return client;
  }

  /** Resolves when the connection is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** All rows of a batch, as text; NULL is null. */
  batch(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    return new Promise((resolve, reject) => {
      const rows: (string | null)[][] = [];
      const request = new Request(sql, (problem) => {
        if (problem === null || problem === undefined) resolve(rows);
        else reject(problem);
      });
      request.on('row', (columns: readonly { readonly value: unknown }[]) =>
        rows.push(columns.map(({ value }) => shown(value))),
      );
      this.#connection.execSqlBatch(request);
    });
  }

  /** The one value of a batch. */
  async value(sql: string): Promise<string | null | undefined> {
    return (await this.batch(sql))[0]?.[0];
  }

  async end(): Promise<void> {
    this.#connection.close();
    await this.#ended.promise;
  }
}
