import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import { Entrance } from '../../src/core/entrance.ts';
import type { Engine, Principal } from '../../src/core/engine.ts';
import type { Network } from '../../src/core/network.ts';
import { Counters } from '../../src/core/observer.ts';
import { Pool } from '../../src/core/pool.ts';
import { Session } from '../../src/core/session.ts';
import { Notes } from '../../test/sim/notes.ts';
import { rehearse } from '../../test/support/rehearse.ts';
import type { Peer } from './peers.ts';
import { Poll } from './peers.ts';

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

/** What is played: an engine between clients and a database of its protocol. */
export interface Play<Memory, Who extends Principal> {
  readonly engine: Engine<Memory, Who>;
  readonly who: Who;
  /** What a database says to those that it lets in. */
  readonly welcome: readonly Uint8Array[];
  /** The `number`th client. */
  client(poll: Poll, number: number): Peer;
  server(poll: Poll): Peer;
}

/** Sessions, pool and relay as in production, between clients and a database in memory. */
export class Scene {
  readonly #poll: Poll;

  private constructor(poll: Poll) {
    this.#poll = poll;
  }

  static async open<Memory, Who extends Principal>(
    play: Play<Memory, Who>,
    clients: number,
    connections: number,
  ): Promise<Scene> {
    const poll = new Poll();
    const parts = partsFor(poll, play);
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
    const { who } = play;
    const memory = await pool.welcome(who, { whenGone() {} });
    for (let number = 1; number <= clients; number += 1) {
      const { link } = play.client(poll, number);
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

function partsFor<Memory, Who extends Principal>(poll: Poll, play: Play<Memory, Who>) {
  const { engine } = play;
  const network: Network = {
    dial: () => Promise.resolve(play.server(poll).link),
    talk: (_link, conversation) => rehearse(conversation, [...play.welcome]),
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
