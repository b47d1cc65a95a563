import { Cursors } from './cursors.ts';
import { Errands } from './errands.ts';
import { Inspector } from './inspector.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Party } from './party.ts';
import type { Hearer } from './replies.ts';
import { Replies } from './replies.ts';
import { Request } from './requests.ts';
import { Sending } from './sending.ts';
import { Tracker } from './tracker.ts';

/** Those who serve a session while something is under way: they share this one object. */
export class Crew implements Hearer {
  /** Whom they serve, and the connection that it has. */
  party: Party;
  memory: SqlServerMemory | undefined;
  /** The request at hand. */
  readonly request = new Request();
  readonly inspector = new Inspector();
  readonly tracker = new Tracker(this);
  readonly cursors = new Cursors();
  readonly replies = new Replies(this);
  readonly errands = new Errands(this);
  readonly sending = new Sending(this);

  constructor(party: Party) {
    this.party = party;
  }

  /** The session needs them no more, and all that they know of it may be forgotten. */
  get isClear(): boolean {
    const { memory, replies, tracker, cursors } = this;
    return memory === undefined && replies.isClear && tracker.isClear && cursors.isEmpty;
  }

  forget(): void {
    this.request.forget();
    this.tracker.forget();
    this.replies.forget();
  }

  changed(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.memory !== undefined) this.tracker.envChanged(this.memory, type, bytes, start, end);
  }

  called(call: number): void {
    if (this.memory !== undefined) this.sending.called(this.memory, call);
  }

  handleOf(call: number): number | undefined {
    return this.sending.handleOf(call);
  }

  prepared(call: number, original: number | undefined): void {
    if (this.memory !== undefined) this.sending.prepared(this.memory, call, original);
  }
}
