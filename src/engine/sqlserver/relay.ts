import { Violation } from '../../base/assert.ts';
import { EMPTY } from '../../base/bytes.ts';
import type { Fit, Relay, RelayOptions, RelaySink } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { say } from './faults.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Party } from './party.ts';
import type { SqlServerPrincipal } from './principal.ts';
import { Service } from './service.ts';
import { SessionState } from './state.ts';
import type { Statements } from './statements.ts';

/** One session after login: what it keeps while it does nothing, and who serves it while it does something. */
export class SqlServerRelay implements Relay<SqlServerMemory>, Party {
  readonly sink: RelaySink<SqlServerMemory, SqlServerPrincipal>;
  readonly who: SqlServerPrincipal;
  readonly welcome: SqlServerMemory;
  readonly options: RelayOptions;
  readonly home: SessionState;
  wanted: SessionState;
  stay: number | undefined;
  statements: Statements | undefined;
  /** Only while something is under way, or the session has a connection. */
  #service: Service | undefined;
  /** Called, and not returned yet. */
  #atWork = false;

  constructor(
    sink: RelaySink<SqlServerMemory, SqlServerPrincipal>,
    who: SqlServerPrincipal,
    welcome: SqlServerMemory,
    options: RelayOptions,
  ) {
    this.sink = sink;
    this.who = who;
    this.welcome = welcome;
    this.options = options;
    this.home = SessionState.fresh(welcome.welcome.database);
    this.wanted = this.home;
  }

  get packetBytes(): number {
    return this.who.packetBytes;
  }

  get tdsVersion(): number {
    return this.welcome.tdsVersion;
  }

  get quiet(): boolean {
    return this.#service?.quiet !== false;
  }

  get inTransaction(): boolean {
    return this.#service?.inTransaction === true;
  }

  get tidy(): boolean {
    return this.#service?.tidy !== false;
  }

  fit(memory: SqlServerMemory): Fit {
    return this.#open.fit(memory);
  }

  attached(memory: SqlServerMemory): void {
    this.#open.attached(memory);
  }

  fromClient(bytes: Uint8Array): number {
    const isOutermost = this.#enter();
    const taken = this.#open.fromClient(bytes);
    if (isOutermost) this.#leave();
    return taken;
  }

  givesUp(bytes: Uint8Array): boolean {
    return this.#service?.givesUp(bytes) === true;
  }

  fromServer(bytes: Uint8Array): void {
    const service = this.#service;
    if (service === undefined) throw new Violation('a reply without a request');
    const isOutermost = this.#enter();
    service.fromServer(bytes);
    if (isOutermost) this.#leave();
  }

  refuse(fault: Fault): void {
    this.#open.refuse(fault);
  }

  lost(fault: Fault): Uint8Array {
    return this.#service?.canSpeak === true ? say(fault, this.tdsVersion) : EMPTY;
  }

  /** An attention goes the way of the request; here it can only be that the request has not gone yet. */
  cancel(): boolean {
    return false;
  }

  relax(): void {
    const isOutermost = this.#enter();
    this.#service?.relax();
    if (isOutermost) this.#leave();
  }

  get #open(): Service {
    return (this.#service ??= Service.of(this));
  }

  /** The relay can be called while it is at work: the pool may have an answer at once. Returns whether it is not. */
  #enter(): boolean {
    const isOutermost = !this.#atWork;
    this.#atWork = true;
    return isOutermost;
  }

  /** Who has no more to do serves whoever needs it next. */
  #leave(): void {
    this.#atWork = false;
    const service = this.#service;
    if (service?.isClear !== true) return;
    this.#service = undefined;
    service.release();
  }
}
