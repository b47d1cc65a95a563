import type { Random } from '../base/random.ts';
import type { SecretText } from '../base/secret-text.ts';
import type { ChannelBinding, Engine, Principal, TlsMode } from './engine.ts';
import { FaultError } from './fault.ts';
import type { Link } from './link.ts';
import type { Address, Network } from './network.ts';
import { Elsewhere } from './network.ts';

/** Where database passwords come from. Both reject with a `FaultError` for a user that has none. */
export interface Credentials {
  current(user: string): Promise<SecretText>;
  /** Reads the source again, once for all who ask at the same time. */
  refresh(user: string): Promise<SecretText>;
}

export interface EntranceSettings {
  readonly tlsMode: TlsMode;
  /** TLS comes before all else: for engines that can be reached otherwise, too. */
  readonly tlsFirst?: boolean;
  readonly channelBinding: ChannelBinding;
  readonly allowCleartext: boolean;
  /** Statements to run once on every new connection; empty for none. */
  readonly initQuery: string;
}

/** How often a database may send us on to another. */
const MOST_HOPS = 3;

export interface Entered<Memory> {
  readonly link: Link;
  readonly memory: Memory;
}

/** The way into a target: dials, logs in, and reads the credentials again, once, where the database refuses them. */
export class Entrance<Memory, Who extends Principal> {
  readonly #engine: Engine<Memory, Who>;
  readonly #network: Network;
  readonly #random: Random;
  credentials: Credentials;
  #settings: EntranceSettings;
  #lessons = new Set<string>();

  constructor(parts: {
    engine: Engine<Memory, Who>;
    network: Network;
    random: Random;
    credentials: Credentials;
    settings: EntranceSettings;
  }) {
    this.#engine = parts.engine;
    this.#network = parts.network;
    this.#random = parts.random;
    this.credentials = parts.credentials;
    this.#settings = parts.settings;
  }

  get settings(): EntranceSettings {
    return this.#settings;
  }

  /** It may be another target from here on: what was learned about the old one is forgotten. */
  set settings(settings: EntranceSettings) {
    this.#settings = settings;
    this.#lessons = new Set();
  }

  /** A new connection, logged in. Rejects with a `FaultError` from the database, or a sentence for the log. */
  async enter(
    who: Who,
    timeoutMs: number,
    initQuery = this.settings.initQuery,
  ): Promise<Entered<Memory>> {
    const password = await this.credentials.current(who.user);
    try {
      return await this.#enterWith(who, password, timeoutMs, initQuery);
    } catch (error) {
      if (!(error instanceof FaultError) || error.fault.refusal !== 'credentials') throw error;
      const renewed = await this.credentials.refresh(who.user);
      if (renewed.sameAs(password)) throw error;
      return this.#enterWith(who, renewed, timeoutMs, initQuery);
    }
  }

  /** Signs in with the password that is the current one now, and with no other, and leaves again. Rejects as `enter` does. */
  async prove(who: Who, timeoutMs: number): Promise<void> {
    const password = await this.credentials.current(who.user);
    const { link } = await this.#enterWith(who, password, timeoutMs, '');
    link.write(this.#engine.goodbye());
    link.end();
  }

  async #enterWith(
    who: Who,
    password: SecretText,
    timeoutMs: number,
    initQuery: string,
  ): Promise<Entered<Memory>> {
    try {
      return await this.#enterWherever(who, password, timeoutMs, initQuery);
    } catch (error) {
      if (!(error instanceof FaultError) || error.fault.refusal !== 'again') throw error;
      return this.#enterWherever(who, password, timeoutMs, initQuery);
    }
  }

  /** Goes where it is sent, but not for ever. */
  async #enterWherever(
    who: Who,
    password: SecretText,
    timeoutMs: number,
    initQuery: string,
  ): Promise<Entered<Memory>> {
    let address: Address | undefined;
    for (let left = MOST_HOPS; ; left -= 1) {
      try {
        return await this.#enterOnce(who, password, timeoutMs, initQuery, address);
      } catch (error) {
        if (!(error instanceof Elsewhere)) throw error;
        if (left === 0)
          throw new Error('the database sends connections around in circles', { cause: error });
        address = error.address;
      }
    }
  }

  async #enterOnce(
    who: Who,
    password: SecretText,
    timeoutMs: number,
    initQuery: string,
    elsewhere?: Address,
  ): Promise<Entered<Memory>> {
    const { tlsMode, tlsFirst = false, channelBinding, allowCleartext } = this.#settings;
    const link = await this.#network.dial(timeoutMs, elsewhere);
    const gate = {
      who,
      password,
      tlsMode,
      tlsFirst,
      channelBinding,
      lessons: this.#lessons,
      allowCleartext,
      random: (count: number): Uint8Array => this.#random.bytes(count),
    };
    try {
      const { result: memory, leftover } = await this.#network.talk(
        link,
        this.#engine.enter(gate),
        { timeoutMs },
      );
      this.#overhear(memory, leftover);
      if (initQuery !== '') {
        const statements = this.#engine.initialise(memory, initQuery);
        this.#overhear(
          memory,
          (await this.#network.talk(link, statements, { timeoutMs })).leftover,
        );
      }
      return { link, memory };
    } catch (error) {
      link.destroy();
      throw error;
    }
  }

  /** What the database says beyond its answer must not be lost: it may be that it closes (trap PG-14). */
  #overhear(memory: Memory, leftover: Uint8Array): void {
    const objection = leftover.length === 0 ? undefined : this.#engine.overhear(memory, leftover);
    if (objection !== undefined) throw new Error(objection);
  }
}
