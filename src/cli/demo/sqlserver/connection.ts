import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import type { SecretText } from '../../../base/secret-text.ts';
import type { TlsMode } from '../../../core/engine.ts';
import { Entrance } from '../../../core/entrance.ts';
import type { Link } from '../../../core/link.ts';
import type { Network } from '../../../core/network.ts';
import { batch } from '../../../engine/sqlserver/ask.ts';
import { sqlServerEngine } from '../../../engine/sqlserver/engine.ts';
import type { SqlServerMemory } from '../../../engine/sqlserver/memory.ts';
import { tlsClient } from '../../../net/tls.ts';
import { SocketNetwork } from '../../../server/network.ts';
import type { Value } from '../../../wire/tds/decode.ts';

/** Hundreds sign in at the same time, perhaps on one slow core. */
const TIMEOUT_MS = 300_000;

/** Where to connect, as whom, and by which TLS. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: SecretText;
  /** Undefined for the user's default. */
  readonly database: string | undefined;
  readonly tls: TlsMode;
  /** Whom to trust, in PEM; undefined for those that the system knows. */
  readonly caPem: string | undefined;
}

/** One connection to SQL Server, in the words that the proxy has for it. One batch at a time. */
export class Connection implements AsyncDisposable {
  readonly #network: Network;
  readonly #link: Link;
  readonly #memory: SqlServerMemory;

  private constructor(network: Network, link: Link, memory: SqlServerMemory) {
    this.#network = network;
    this.#link = link;
    this.#memory = memory;
  }

  /** Rejects with the server's own words where it does not let us in. */
  static async open(
    { host, port, user, password, database, tls, caPem }: Login,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
  ): Promise<Connection> {
    const network = new SocketNetwork(clock, { host, port });
    network.tlsClient = tls === 'disable' ? undefined : tlsClient(tls, host, { caPem });
    const engine = sqlServerEngine();
    const entrance = new Entrance({
      engine,
      network,
      random,
      credentials: { current: async () => password, refresh: async () => password },
      settings: {
        tlsMode: tls,
        channelBinding: 'disable',
        allowCleartext: false,
        initQuery: '',
      },
    });
    const { link, memory } = await entrance.enter(engine.watcher(user, database), TIMEOUT_MS);
    return new Connection(network, link, memory);
  }

  get isEncrypted(): boolean {
    return this.#link.tlsVersion !== undefined;
  }

  /** Runs a batch and returns the rows of all that it returns. Rejects with the server's words. */
  async query(sql: string): Promise<readonly (readonly Value[])[]> {
    const { result } = await this.#network.talk(this.#link, batch(this.#memory, sql), {
      timeoutMs: TIMEOUT_MS,
    });
    const [problem] = result.errors;
    if (problem !== undefined) throw new Error(problem.message);
    return result.sets.flatMap(({ rows }) => rows);
  }

  /** The first value of the first row. */
  async value(sql: string): Promise<Value> {
    return (await this.query(sql))[0]?.[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.end();
  }
}
