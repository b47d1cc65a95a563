import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'bun:test';
import { backend, frontend } from '../../support/messages.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { ConnectOptions, Login } from '../../support/raw-client.ts';
import { readQuery, startScriptedServer, welcome } from '../../support/scripted-server.ts';
import type { Script, ScriptedServer } from '../../support/scripted-server.ts';
import { passwordOf, settingsFor, startSluice } from '../../support/sluice.ts';
import type { Sluice, SettingsParts } from '../../support/sluice.ts';
import type { TestSocket } from '../../support/test-socket.ts';
import { eventually } from '../clients/stage.ts';

export interface SceneOptions {
  /** Database connections that all clients share. Default 1. */
  readonly connections?: number;
  readonly proxy?: object;
  readonly rest?: SettingsParts;
  readonly files?: Readonly<Record<string, string>>;
  /** Settings of a proxy in front of the database: PostgreSQL's by default. */
  readonly settingsFor?: (server: Address, parts: SettingsParts) => object;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Sluice in front of a database that may be made to fail. */
export class Scene {
  readonly sluice: Sluice;

  private constructor(sluice: Sluice) {
    this.sluice = sluice;
  }

  static async open(server: Address, options: SceneOptions = {}): Promise<Scene> {
    const { connections = 1, proxy = {}, rest = {}, files = {} } = options;
    const settings = (options.settingsFor ?? settingsFor)(server, {
      // The proxy watches the database on a connection of its own.
      database: { maxConnections: connections + 1, tls: 'disable' },
      admin: { listen: '127.0.0.1:0' },
      ...rest,
      proxy: { pool: { connectionBorrowTimeout: 20 }, ...proxy },
    });
    const scene = new Scene(await startSluice(settings, { files }));
    await scene.sluice.waitForLog(({ event }) => event === 'targetHealth');
    return scene;
  }

  way(more: Partial<ConnectOptions & Login> = {}): ConnectOptions & Login {
    const user = more.user ?? 'app';
    const login = { user, password: passwordOf(user), database: 'app' };
    return { host: '127.0.0.1', port: this.sluice.port, ...login, ...more };
  }

  /** A client that has signed in. */
  async client(more: Partial<ConnectOptions & Login> = {}): Promise<RawClient> {
    return await RawClient.signIn(this.way(more));
  }

  /** A connection over which nothing has been said. */
  async stranger(): Promise<RawClient> {
    return await RawClient.connect(this.way());
  }

  /** A client's question to the database, from its sign-in to its goodbye. */
  async ask(sql: string, more: Partial<ConnectOptions & Login> = {}): Promise<unknown> {
    const client = await this.client(more);
    try {
      const value = await client.value(sql);
      await client.end();
      return value;
    } finally {
      client.destroy();
    }
  }

  /** Asks that the client's request be stopped, and waits until the proxy has closed without a word. */
  async cancel(pid: number, secret: Uint8Array, tls?: ConnectOptions['tls']): Promise<void> {
    const canceller = await RawClient.connect({ ...this.way(), ...(tls && { tls }) });
    canceller.send(frontend.cancelRequest(pid, secret));
    expect(await canceller.readEnd()).toEqual([]);
    canceller.destroy();
  }

  /** The sum of a metric over its labels, without `sluice_`. */
  async metric(name: string): Promise<number> {
    let sum = 0;
    for (const [key, value] of await this.sluice.metrics()) {
      if (key === `sluice_${name}` || key.startsWith(`sluice_${name}{`)) sum += value;
    }
    return sum;
  }

  async untilMetric(name: string, wanted: number): Promise<void> {
    await eventually(
      () => this.metric(name),
      (value) => value === wanted,
    );
  }

  /** Waits until no client is left and no connection is lent; there must have been no bug. */
  async expectClean(clients = 0): Promise<void> {
    const left = async (): Promise<object> => ({
      clients: await this.metric('client_connections'),
      waiting: await this.metric('clients_waiting'),
      borrowed: await this.metric('database_connections_currently_borrowed'),
      pinned: await this.metric('database_connections_currently_session_pinned'),
    });
    const nothing = { clients, waiting: 0, borrowed: 0, pinned: 0 };
    await eventually(left, (found) => Bun.deepEquals(found, nothing));
    this.expectNoBug();
  }

  expectNoBug(): void {
    expect(this.sluice.logs('bug')).toEqual([]);
    expect(this.sluice.stderr).toEqual([]);
  }

  /** Open descriptors of the proxy. */
  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.sluice.pid}/fd`)).length;
  }

  /** Resident memory of the proxy. */
  async memoryBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.sluice.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  async close(): Promise<void> {
    this.expectNoBug();
    await this.sluice.stop('SIGKILL');
  }
}

/** The SQLSTATE with which the promise is rejected; `let in` where it is not. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'let in',
    (problem: unknown) => (problem instanceof Error ? problem.message : String(problem)),
  );
}

/** A database that keeps the proxy's own watcher happy, and treats clients and cancel requests by scripts. */
export function scriptedDatabase(script: Script, cancel: Script = async () => {}): ScriptedServer {
  return startScriptedServer(async (peer, connection) => {
    const opening = await openingOf(peer);
    if (opening === 'watcher') await beWatched(peer);
    else if (opening === 'client') await script(peer, connection);
    else await cancel(peer, connection);
  }, SCRIPT_DEADLINE_MS);
}

/** Longer than any test takes. */
const SCRIPT_DEADLINE_MS = 60_000;
const CANCEL_CODE = 80_877_102;

async function openingOf(peer: TestSocket): Promise<'watcher' | 'client' | 'cancel'> {
  const head = Buffer.from(await peer.peek(8));
  if (head.readInt32BE(4) === CANCEL_CODE) return 'cancel';
  const packet = Buffer.from(await peer.peek(head.readInt32BE(0)));
  return packet.includes('database\0postgres\0') ? 'watcher' : 'client';
}

async function beWatched(peer: TestSocket): Promise<void> {
  await welcome(peer);
  for (;;) {
    await readQuery(peer);
    peer.send(backend.rowDescription('connections', 'version'), backend.dataRow('97', '18.0'));
    peer.send(backend.complete('SELECT 1'), backend.ready());
  }
}
