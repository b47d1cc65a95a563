import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import { Entrance } from '../../src/core/entrance.ts';
import type { Network } from '../../src/core/network.ts';
import { Counters } from '../../src/core/observer.ts';
import { Pool } from '../../src/core/pool.ts';
import { Session } from '../../src/core/session.ts';
import { postgresEngine } from '../../src/engine/postgres/engine.ts';
import { makePrincipal } from '../../src/engine/postgres/principal.ts';
import { Realms } from '../../src/engine/postgres/realm.ts';
import { Notes } from '../../test/sim/notes.ts';
import { backend, bytesOf } from '../../test/support/messages.ts';
import { rehearse } from '../../test/support/rehearse.ts';
import { ClientPeer, Poll, ServerPeer } from './peers.ts';
import type { Mode } from './requests.ts';
import { requests } from './requests.ts';

const LONG_MS = 86_400_000;
/** How often the event loop may go round while connections are opened. */
const PATIENCE = 1_000;

const poolSettings = {
  maxConnectionsPercent: 100,
  maxIdleConnectionsPercent: 100,
  borrowTimeoutMs: LONG_MS,
  idleTimeoutMs: LONG_MS,
  lifetimeMs: LONG_MS,
  pingIntervalMs: LONG_MS,
  connectTimeoutMs: LONG_MS,
  maxConnecting: 8,
} as const;

const secret = new Uint8Array(4);

const entranceSettings = {
  tlsMode: 'disable',
  channelBinding: 'prefer',
  allowCleartext: false,
  initQuery: '',
} as const;

const relayOptions = {
  pinning: 'minimal',
  maxPreparedStatements: 200,
  ignoreSetsForPinning: false,
} as const;

/** What a database says to those that it lets in without a password. */
const welcome = bytesOf(
  backend.authenticationOk(),
  backend.parameterStatus('client_encoding', 'UTF8'),
  backend.parameterStatus('standard_conforming_strings', 'on'),
  backend.keyData(1, Buffer.from('1234')),
  backend.ready(),
);

/** Sessions, pool and relay as in production, between clients and a database in memory. */
export class Scene {
  readonly #poll: Poll;

  private constructor(poll: Poll) {
    this.#poll = poll;
  }

  static async open(mode: Mode, clients: number, connections: number): Promise<Scene> {
    const poll = new Poll();
    const parts = partsFor(poll);
    const pool = new Pool(parts, poolSettings);
    pool.resize(connections + 1);
    const host = {
      ...parts,
      tickMs: 1,
      draining: false,
      sessions: new Map(),
      forget() {},
      moveOn() {},
      talk: () => Promise.reject(new Error('nobody talks')),
    };
    const nothing = new Map<string, string>();
    const said = { parameters: nothing, wishes: nothing, realms: new Realms() };
    const who = makePrincipal('bench', 'bench', said);
    const memory = await pool.welcome(who, { whenGone() {} });
    for (let number = 1; number <= clients; number += 1) {
      const { link } = new ClientPeer(poll, requests(mode, number));
      // The link holds it as its handler.
      void new Session(host, {
        link,
        who,
        number,
        secret,
        welcome: memory,
        options: relayOptions,
        pool,
      });
    }
    return new Scene(poll);
  }

  /**
   * Runs until so many more requests have been answered; nanoseconds of processor time for each, the runtime's other threads
   * included. Rejects where nobody can go on.
   */
  async run(requests: number): Promise<number> {
    const poll = this.#poll;
    const from = poll.answers;
    const before = process.cpuUsage();
    for (let waits = 0; poll.answers - from < requests;) {
      if (poll.turn()) continue;
      waits += 1;
      if (waits > PATIENCE) throw new Error('the clients wait for each other');
      await new Promise(setImmediate);
    }
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / (poll.answers - from);
  }
}

function partsFor(poll: Poll) {
  const engine = postgresEngine();
  const network: Network = {
    dial: () => Promise.resolve(new ServerPeer(poll).link),
    talk: (_link, conversation) => rehearse(conversation, [welcome]),
  };
  const password = new SecretText('');
  const entrance = new Entrance({
    ...{ engine, network, random: systemRandom, settings: entranceSettings },
    credentials: {
      current: () => Promise.resolve(password),
      refresh: () => Promise.resolve(password),
    },
  });
  return {
    ...{ engine, network, entrance, counters: new Counters(), observer: new Notes() },
    ...{ clock: systemClock, random: systemRandom },
  };
}
