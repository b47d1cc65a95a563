import { Violation } from '../../base/assert.ts';
import { EMPTY } from '../../base/bytes.ts';
import type { Fit, Relay, RelayOptions, RelaySink } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { ClientStatements } from './client-statements.ts';
import { say } from './faults.ts';
import type { House } from './greet.ts';
import type { MysqlMemory, Reports } from './memory.ts';
import type { Party } from './party.ts';
import type { MysqlPrincipal } from './principal.ts';
import { Service } from './service.ts';
import { SessionState } from './state.ts';

/** One session after login: what it keeps while it does nothing, and who serves it while it does something. */
export class MysqlRelay implements Relay<MysqlMemory>, Party {
  readonly sink: RelaySink<MysqlMemory, MysqlPrincipal>;
  readonly house: House;
  readonly options: RelayOptions;
  who: MysqlPrincipal;
  welcome: MysqlMemory;
  stay: number | undefined;
  wanted: SessionState;
  reports: Reports;
  lastInsertId = '0';
  status: number;
  warnings = 0;
  statements: ClientStatements | undefined;
  /** Only while something is under way, or the session has a connection. */
  #service: Service | undefined;
  /** Called, and not returned yet. */
  #atWork = false;

  constructor(
    sink: RelaySink<MysqlMemory, MysqlPrincipal>,
    house: House,
    who: MysqlPrincipal,
    welcome: MysqlMemory,
    options: RelayOptions,
  ) {
    this.sink = sink;
    this.house = house;
    this.options = options;
    this.who = who;
    this.welcome = welcome;
    this.wanted = SessionState.fresh(who.schema);
    this.reports = welcome.reports;
    this.status = welcome.firstStatus;
  }

  begin(who: MysqlPrincipal, welcome: MysqlMemory): void {
    this.who = who;
    this.welcome = welcome;
    this.stay = undefined;
    this.wanted = this.wanted.anew(who.schema);
    this.reports = welcome.reports;
    this.lastInsertId = '0';
    this.status = welcome.firstStatus;
    this.warnings = 0;
    if (this.statements !== undefined) this.statements = new ClientStatements(this.statements);
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

  /** The client waits for a reply, or for the rest of it, that the database owes. */
  get owesReply(): boolean {
    return this.#service?.owesReply === true;
  }

  /** Of the next packet to the client; 0 between its commands. */
  get nextNumber(): number {
    return this.#service?.nextNumber ?? 0;
  }

  fit(memory: MysqlMemory): Fit {
    if (this.#service?.prefersLast === true)
      return memory.stay === this.stay ? 'as wanted' : 'other';
    if (memory.state === this.wanted) return 'as wanted';
    return memory.state.isFresh ? 'fresh' : 'other';
  }

  attached(memory: MysqlMemory): void {
    this.#open.attached(memory);
  }

  fromClient(bytes: Uint8Array): number {
    const isOutermost = this.#enter();
    const taken = this.#open.fromClient(bytes);
    if (isOutermost) this.#leave();
    return taken;
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
    return this.#service?.canSpeak === false
      ? EMPTY
      : say(fault, this.nextNumber, this.who.capabilities.flags);
  }

  cancel(): boolean {
    return this.#service?.cancel() === true;
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
