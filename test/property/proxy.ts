import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { passwordOf, startSluice } from '../support/sluice.ts';
import type { SettingsParts, Sluice, SluiceOptions } from '../support/sluice.ts';
import { Gate } from './gate.ts';

const DEADLINE_MS = 20_000;
const POLL_MS = 10;
/** Longer than it takes a whole round of others to end. */
export const SESSION_DEADLINE_MS = 60_000;

/** What a proxy stands in front of. */
export interface Front {
  readonly users: readonly string[];
  settings(parts: SettingsParts): object;
  changePassword(user: string, password: string): Promise<void>;
}

/** Settings as far as they are changed here. */
interface Settings {
  proxies: { pool: { maxConnectionsPercent?: number } }[];
}

/** Sluice in front of a world, and what its operators do to it. */
export class Proxy {
  readonly sluice: Sluice;
  readonly gate = new Gate();
  readonly #front: Front;
  readonly #connections: number;
  readonly #passwords = new Map<string, string>();
  #rotations = 0;

  private constructor(front: Front, sluice: Sluice, connections: number) {
    this.#front = front;
    this.sluice = sluice;
    this.#connections = connections;
  }

  static async open(front: Front, connections: number, options: SluiceOptions): Promise<Proxy> {
    const { users } = front;
    const settings = front.settings({
      secrets: users.map((name) => ({ name, file: `${name}.json` })),
      // The proxy watches the database on a connection of its own.
      database: { maxConnections: connections + 1, tls: 'disable' },
      admin: { listen: '127.0.0.1:0' },
      proxy: {
        auth: users.map((secret) => ({ secret, iamAuth: 'DISABLED' })),
        pool: { connectionBorrowTimeout: SESSION_DEADLINE_MS / 1_000 },
        serverPingInterval: 1,
      },
    });
    const passwords = users.map((user) => [user, passwordOf(user)] as const);
    for (const [user, password] of passwords) await front.changePassword(user, password);
    const files = Object.fromEntries(
      passwords.map(([user, password]) => [`${user}.json`, secret(user, password)]),
    );
    const proxy = new Proxy(front, await startSluice(settings, { ...options, files }), connections);
    await proxy.sluice.waitForLog(({ event }) => event === 'targetHealth');
    return proxy;
  }

  passwordOf(user: string): string {
    return this.#passwords.get(user) ?? passwordOf(user);
  }

  /** Reads its settings again, which are the same. */
  async reload(): Promise<void> {
    const count = this.sluice.logs('reloaded').length;
    this.sluice.signal('SIGHUP');
    await until('it has reloaded', async () => this.sluice.logs('reloaded').length > count);
  }

  /** Another share of the connections: from one of them to all. */
  async resize(which: number): Promise<void> {
    const allowed = 1 + (which % this.#connections);
    const settings: Settings = parse(await Bun.file(this.sluice.settingsPath).text());
    for (const { pool } of settings.proxies)
      pool.maxConnectionsPercent = Math.ceil((100 * allowed) / this.#connections);
    await writeFile(this.sluice.settingsPath, stringify(settings));
    await this.reload();
  }

  /** A new password, in the secret first: Sluice looks there when the database refuses the old one. Nobody signs in meanwhile. */
  async rotate(which: number): Promise<void> {
    const { users } = this.#front;
    const user = users[which % users.length] ?? 'app';
    this.#rotations += 1;
    const password = `word ${this.#rotations} of ${user}`;
    await this.gate.closed(async () => {
      await writeFile(join(this.sluice.directory, `${user}.json`), secret(user, password));
      await this.#front.changePassword(user, password);
      await this.reload();
      this.#passwords.set(user, password);
    });
  }

  /** The sum of a metric over its labels, without `sluice_`. */
  async metric(name: string): Promise<number> {
    let sum = 0;
    for (const [key, value] of await this.sluice.metrics()) {
      if (key === `sluice_${name}` || key.startsWith(`sluice_${name}{`)) sum += value;
    }
    return sum;
  }

  /** A metric's counts by the reason that they are labelled with; those that are not 0. */
  async byReason(name: string): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const [key, value] of await this.sluice.metrics()) {
      const [, reason] = /reason="(\w+)"/.exec(key) ?? [];
      if (key.startsWith(`sluice_${name}{`) && reason !== undefined && value > 0)
        found.set(reason, (found.get(reason) ?? 0) + value);
    }
    return found;
  }

  /** Nobody is left, nothing is lent, nothing was said that must never be; throws where it is not so. */
  async expectClean(): Promise<void> {
    const names = [
      'client_connections',
      'clients_waiting',
      'database_connections_currently_borrowed',
      'database_connections_currently_in_transaction',
      'database_connections_currently_session_pinned',
    ];
    await until('all is given back', async () => {
      for (const name of names) if ((await this.metric(name)) !== 0) return false;
      return true;
    });
    this.expectNoTrouble();
    const violations = (await this.byReason('discards_total')).get('violation');
    if (violations !== undefined) throw new Error(`${violations} discards for a violation`);
  }

  expectNoTrouble(): void {
    const { sluice } = this;
    const bad = sluice.logs().filter(({ level, event }) => level === 'error' || event === 'bug');
    if (bad.length > 0) throw new Error(`Sluice logged ${JSON.stringify(bad.slice(0, 3))}`);
    if (sluice.stderr.length > 0) throw new Error(`Sluice wrote ${sluice.stderr.join('\n')}`);
  }
}

function secret(username: string, password: string): string {
  return JSON.stringify({ username, password });
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline)
      throw new Error(`${DEADLINE_MS} ms, and it is not so that ${what}`);
    await Bun.sleep(POLL_MS);
  }
}
