import { Commands } from './commands.ts';
import { Errands } from './errands.ts';
import type { Party } from './party.ts';
import { Replies } from './replies.ts';
import { Statements } from './statements.ts';
import { Told } from './told.ts';
import { Tracker } from './tracker.ts';

/** Those who serve a session while something is under way: they share this one object. */
export class Crew {
  /** Whom they serve. */
  party: Party;
  readonly tracker = new Tracker(this);
  readonly replies = new Replies(this);
  readonly errands = new Errands(this);
  readonly statements = new Statements(this);
  readonly commands = new Commands(this);

  constructor(party: Party) {
    this.party = party;
  }

  /** What the client hears of changes. */
  get told(): Told {
    return Told.of(this.party.who.capabilities, this.party.reports);
  }

  /** The session needs them no more, and all that they know of it may be forgotten. */
  get isClear(): boolean {
    const { tracker, replies, statements, commands } = this;
    return replies.isClear && tracker.isClear && statements.isClear && commands.isClear;
  }

  forget(): void {
    this.tracker.forget();
    this.replies.forget();
    this.commands.forget();
  }
}
