import { drainMicrotasks } from 'bun:jsc';
import { must } from '../../src/base/assert.ts';
import { concat, EMPTY, latin1, u16be, utf8 } from '../../src/base/bytes.ts';
import { ManualClock } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { Doorkeeper, Principal } from '../../src/core/engine.ts';
import type { Credentials } from '../../src/core/entrance.ts';
import { Entrance } from '../../src/core/entrance.ts';
import type { Lot } from '../../src/core/lot.ts';
import { Counters } from '../../src/core/observer.ts';
import type { PoolSettings } from '../../src/core/pool-parts.ts';
import type { ClientSettings, ProxyParts } from '../../src/core/proxy.ts';
import type { Gauges } from '../../src/core/observer.ts';
import { Pool } from '../../src/core/pool.ts';
import { Proxy } from '../../src/core/proxy.ts';
import { Targets } from '../../src/core/targets.ts';
import type { Target } from '../../src/core/targets.ts';
import type { Session } from '../../src/core/session.ts';
import { Backend } from './backend.ts';
import { MemoryLink } from './memory-link.ts';
import type { Dial } from './memory-network.ts';
import { MemoryNetwork } from './memory-network.ts';
import { Notes } from './notes.ts';
import type { ToyMemory } from './toy-engine.ts';
import { principal, ToyEngine } from './toy-engine.ts';

/** Times far enough apart that each can pass without the next. */
const poolSettings: PoolSettings = {
  maxConnectionsPercent: 100,
  maxIdleConnectionsPercent: 100,
  borrowTimeoutMs: 3_000,
  idleTimeoutMs: 300_000,
  lifetimeMs: 86_400_000,
  pingIntervalMs: 0,
  connectTimeoutMs: 10_000,
  maxConnecting: 8,
};

const clientSettings: ClientSettings = {
  maxClientConnections: 100,
  idleClientTimeoutMs: 1_800_000,
  clientLoginTimeoutMs: 60_000,
  clientSendTimeoutMs: 20_000,
  applicationNameAddHost: false,
  relay: { pinning: 'minimal', maxPreparedStatements: 200, ignoreSetsForPinning: false },
};

const keeper: Doorkeeper = {
  offersTls: false,
  requiresTls: false,
  rule: () => ({ kind: 'token' }),
  checkToken: () => Promise.resolve({ ok: true }),
  salt: () => EMPTY,
};

export interface WorldOptions {
  /** Connections that the database grants. */
  readonly granted?: number;
  readonly pool?: Partial<PoolSettings>;
  readonly clients?: Partial<ClientSettings>;
  readonly seed?: number;
  readonly initQuery?: string;
  readonly introduce?: ProxyParts<ToyMemory, Principal>['introduce'];
  /** Links close as soon as one side ends them. */
  readonly closesAtOnce?: boolean;
  /** How many databases there are; one of them is usual. */
  readonly targets?: number;
}

/** One proxy between clients and a database that the test plays, with time, chance and network in its hand. */
export class World {
  readonly clock = new ManualClock();
  readonly engine = new ToyEngine();
  readonly notes = new Notes();
  readonly counters = new Counters();
  readonly clients: Client[] = [];
  /** The database's side of every connection that was ever made to it. */
  readonly backends: Backend[] = [];
  /** Calls on hold while `answersCalls` is off. */
  readonly dials: Dial[] = [];
  answersCalls = true;
  readonly #closesAtOnce: boolean;
  /** Counts `retire`: what was made before must not be used after. */
  era = 0;
  /** What the database grants, as its watcher would measure it. */
  measured = 10;
  readonly network: MemoryNetwork;
  readonly entrance: Entrance<ToyMemory, Principal>;
  /** Of each target. */
  readonly pools: readonly Pool<ToyMemory, Principal>[];
  /** Which of them are there. */
  readonly up: boolean[];
  readonly targets: Targets<ToyMemory, Principal>;
  readonly proxy: Proxy<ToyMemory, Principal>;
  /** What happened that must never happen. */
  readonly breaches: string[] = [];
  password = 'one';
  readonly #lots = new Map<string, Lot<ToyMemory, Principal>>();
  #settings: { pool: PoolSettings; clients: ClientSettings; keeper: Doorkeeper };

  constructor(options: WorldOptions = {}) {
    const { clock, engine } = this;
    const random = seededRandom(options.seed ?? 1);
    this.#closesAtOnce = options.closesAtOnce ?? false;
    this.network = new MemoryNetwork(clock, (dial) => this.#ring(dial));
    this.entrance = new Entrance<ToyMemory, Principal>({
      engine,
      network: this.network,
      random,
      credentials: this.#credentials(),
      settings: {
        tlsMode: 'disable',
        channelBinding: 'disable',
        allowCleartext: false,
        initQuery: options.initQuery ?? '',
      },
    });
    this.#settings = {
      pool: { ...poolSettings, ...options.pool },
      clients: { ...clientSettings, ...options.clients },
      keeper,
    };
    const { network, entrance, counters, notes: observer } = this;
    this.clock.advance(1_000); // zero means "never" in places
    const shared = { engine, network, counters, observer, clock, random };
    const count = options.targets ?? 1;
    this.up = Array.from({ length: count }, () => true);
    this.pools = this.up.map(
      () => new Pool<ToyMemory, Principal>({ ...shared, entrance }, this.#settings.pool),
    );
    this.targets = new Targets(
      this.pools.map((pool, index) => this.#target(pool, index)),
      'no target',
    );
    const parts = { ...shared, targets: this.targets };
    const { introduce } = options;
    this.proxy = new Proxy<ToyMemory, Principal>(
      introduce === undefined ? parts : { ...parts, introduce },
      this.#settings,
    );
    for (const pool of this.pools) pool.resize(options.granted ?? 10);
  }

  /** Runs all that has been promised. */
  settle(): void {
    drainMicrotasks();
  }

  /** Lets time pass and everything hear of it once. */
  pass(durationMs: number): void {
    this.clock.advance(durationMs);
    this.settle();
    for (const pool of this.pools) pool.tick();
    this.proxy.tick();
    this.settle();
  }

  /** The first one, and most often the only one. */
  get pool(): Pool<ToyMemory, Principal> {
    return must(this.pools[0], 'a world without a target');
  }

  #target(pool: Pool<ToyMemory, Principal>, index: number): Target<ToyMemory, Principal> {
    const { up } = this;
    return {
      pool,
      get isUp() {
        return up[index] === true;
      },
      met: () => Promise.resolve(),
    };
  }

  gauges(): Gauges {
    return { ...this.proxy.gauges(), ...this.pool.gauges() };
  }

  async drain(limitMs: number): Promise<void> {
    this.pool.drain();
    await this.proxy.drain(limitMs);
    this.pool.destroy();
  }

  get poolSettings(): PoolSettings {
    return this.#settings.pool;
  }

  reconfigure(pool: Partial<PoolSettings>): void {
    this.#settings = { ...this.#settings, pool: { ...this.#settings.pool, ...pool } };
    this.proxy.reconfigure(this.#settings);
    this.pool.reconfigure(this.#settings.pool);
    this.settle();
  }

  /** A client connects and says who it is; it is signed in once a connection has been seen. */
  arrive(letter: string): Client {
    const client = new Client(this, this.clients.length, letter);
    client.link.closesAtOnce = this.#closesAtOnce;
    this.clients.push(client);
    client.knock(utf8(letter));
    return client;
  }

  /** A client that is signed in, at the price of a first connection where there has been none. */
  signIn(letter: string): Client {
    const client = this.arrive(letter);
    if (client.number === undefined) this.answer('enter');
    must(client.number, `client ${letter} was not let in`);
    return client;
  }

  /** Connections as the database sees them, without those that carry cancel requests. */
  get connections(): readonly Backend[] {
    return this.backends.filter((one) => !one.link.isClosed && one.target === undefined);
  }

  /** The database deals with the first thing of this kind that it has been asked. */
  answer(beginning: string): Backend {
    const backend = must(
      this.backends.find((one) => !one.link.isClosed && one.todo[0]?.startsWith(beginning)),
      `the database was not asked to ${beginning}`,
    );
    backend.answer();
    return backend;
  }

  sessionOf(client: Client): Session<ToyMemory, Principal> | undefined {
    return client.number === undefined ? undefined : this.proxy.sessions.get(client.number);
  }

  /** Looks at a lot without counting as its use. */
  lot(letter: string): Lot<ToyMemory, Principal> {
    const known = this.#lots.get(letter);
    const usedAtMs = known?.usedAtMs;
    const lot = this.pool.lotOf(principal(letter));
    if (lot === known && usedAtMs !== undefined) lot.usedAtMs = usedAtMs;
    this.#lots.set(letter, lot);
    return lot;
  }

  #ring(dial: Dial): void {
    if (this.answersCalls) this.take(dial);
    else this.dials.push(dial);
  }

  /** The database has been asked how many connections it grants. */
  grant(connections: number): void {
    this.pool.resize(connections);
    this.settle();
  }

  /** The target or its credentials have changed. */
  retire(): void {
    this.era += 1;
    this.pool.retire(undefined);
    this.settle();
  }

  take(dial: Dial): Backend {
    const backend = new Backend(this, this.backends.length + 1);
    backend.link.closesAtOnce = this.#closesAtOnce;
    this.backends.push(backend);
    dial.take(backend.link);
    return backend;
  }

  #credentials(): Credentials {
    return {
      current: () => Promise.resolve(new SecretText(this.password)),
      refresh: () => Promise.resolve(new SecretText(this.password)),
    };
  }
}

const GREETING_BYTES = 6;
const CANCEL_LETTER = 'k';

/** An application's side of a connection to the proxy. */
export class Client {
  readonly world: World;
  readonly index: number;
  readonly letter: string;
  readonly link: MemoryLink;
  /** Requests sent, and answers to them. */
  asked = 0;
  /** All that it was told after it signed in. */
  heard = '';
  /** Its session's number and secret. */
  #greeting: Uint8Array = EMPTY;

  constructor(world: World, index: number, letter: string) {
    this.world = world;
    this.index = index;
    this.letter = letter;
    this.link = new MemoryLink(`client:${index}`);
    this.link.ear = { hear: (bytes) => this.#hear(bytes), ended() {} };
  }

  /** Its session's number, once it is signed in. */
  get number(): number | undefined {
    return this.#greeting.length === 0 ? undefined : u16be(this.#greeting, 0);
  }

  get answered(): number {
    return this.heard.replaceAll(/#\w*|d/g, '').length;
  }

  /** Requests that it still waits for; none once its connection is over. */
  get owed(): number {
    return this.isOver ? 0 : this.asked - this.answered;
  }

  get isOver(): boolean {
    return !this.link.isOpen;
  }

  knock(bytes: Uint8Array): void {
    this.world.proxy.accept(this.link);
    this.link.send(bytes);
    this.world.settle();
  }

  send(letters: string): void {
    if (this.link.isOpen) this.asked += letters.replaceAll(/[^qbcpu]/g, '').length;
    this.link.send(utf8(letters));
    this.world.settle();
  }

  leave(): void {
    this.link.hangUp();
    this.world.settle();
  }

  /** Asks, on a connection of its own, that its request be stopped. */
  cancel(): void {
    this.cancelWith((key) => key);
  }

  /** The same with a key that the test makes of the right one. */
  cancelWith(change: (key: Uint8Array) => Uint8Array): void {
    const messenger = new Client(this.world, -1, CANCEL_LETTER);
    messenger.knock(concat([utf8(CANCEL_LETTER), change(this.#greeting)]));
    messenger.leave();
  }

  #hear(bytes: Uint8Array): void {
    const isGreeting = this.#greeting.length === 0 && bytes.length === GREETING_BYTES;
    if (isGreeting) this.#greeting = bytes.slice();
    else this.heard += latin1(bytes);
  }
}
