import { SQL } from 'bun';
import type { ReservedSQL } from 'bun';
import type { SecretText } from '../../../base/secret-text.ts';

/** Where to connect, as whom, and whose certificate to trust. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** A password or an IAM token. */
  readonly password: SecretText;
  readonly certPem: string;
}

/** Hundreds sign in at the same time, perhaps on one slow core. */
const SIGN_IN_TIMEOUT_S = 300;

/** One database connection, by TLS with a verified certificate. It never connects again by itself. */
export class Connection implements AsyncDisposable {
  readonly sql: ReservedSQL;
  readonly #client: SQL;

  private constructor(client: SQL, sql: ReservedSQL) {
    this.#client = client;
    this.sql = sql;
  }

  /** Rejects with the server's own words where it does not let us in. */
  static async open(login: Login): Promise<Connection> {
    const client = new SQL({
      adapter: 'postgres',
      // Bun takes what is not said here from DATABASE_URL, PGOPTIONS and their like.
      url: `postgres://${login.host}:${login.port}`,
      username: login.user,
      password: login.password.reveal(),
      database: login.database,
      tls: { ca: login.certPem, rejectUnauthorized: true },
      channelBinding: 'disable',
      connection: { application_name: 'sluice demo', options: '' },
      connectionTimeout: SIGN_IN_TIMEOUT_S,
      // A named prepared statement would tie the session to one database connection.
      prepare: false,
      max: 1,
    });
    try {
      return new Connection(client, await client.reserve());
    } catch (problem) {
      await client.close({ timeout: 0 });
      throw problem;
    }
  }

  /** Closes at once; a statement under way fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Without a limit Bun waits for what is reserved to be given back.
    await this.#client.close({ timeout: 0 });
  }
}
