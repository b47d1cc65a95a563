import type { RelaySink } from '../../core/engine.ts';
import { Assembly } from '../../base/assembly.ts';
import { Doubts } from './doubts.ts';
import { Ledger } from './ledger.ts';
import { Outbox } from './outbox.ts';
import type { PostgresMemory } from './memory.ts';
import { OwnReplies } from './own-replies.ts';
import type { Parameters } from './parameters.ts';
import { Replies } from './replies.ts';
import { Requests } from './requests.ts';
import type { SequenceGuard } from './sequence-guard.ts';
import type { Way } from './state.ts';
import type { Statement, Variant } from './statement.ts';
import type { Statements } from './statements.ts';
import type { Tracker } from './tracker.ts';
import { NOBODYS } from './unnamed.ts';

/** What belongs to a session and outlives its requests. */
export interface Party {
  readonly sink: RelaySink;
  readonly tracker: Tracker;
  readonly statements: Statements;
  readonly parameters: Parameters;
  readonly sequences: SequenceGuard;
}

/**
 * What is needed while a session has messages under way, and only then. Of thousands of sessions few are busy at a time: these
 * use the same few objects in turn, which stay in the processor's caches, and the idle ones cost little.
 */
export class Traffic implements Party {
  sink: RelaySink;
  tracker: Tracker;
  statements: Statements;
  parameters: Parameters;
  sequences: SequenceGuard;
  readonly ledger = new Ledger();
  readonly outbox = new Outbox((bytes) => this.sink.toServer(bytes));
  /** The first bytes of a message of which nobody can tell yet what it means. */
  readonly assembly = new Assembly();
  readonly doubts = new Doubts(this.ledger);
  /** Statements that were made while settings were in doubt, under names of their own, up to the request's end. */
  readonly privates = new Map<Statement, Variant>();
  /** Whose these names are, also where a statement has been given another one since: errors speak of them. */
  readonly privateNames = new Map<string, Statement>();
  /** What the client called a statement in this request that may have that name no longer: errors speak of it. */
  readonly callings = new Map<string, Statement>();
  /** What was made in this request to be deallocated in place of statements that others share, by their names. */
  readonly passing = new Map<string, Variant>();
  readonly own = new OwnReplies(this);
  readonly replies = new Replies(this);
  readonly requests = new Requests(this);

  private constructor({ sink, tracker, statements, parameters, sequences }: Party) {
    this.sink = sink;
    this.tracker = tracker;
    this.statements = statements;
    this.parameters = parameters;
    this.sequences = sequences;
  }

  static of(party: Party): Traffic {
    const traffic = spare.pop() ?? new Traffic(party);
    traffic.sink = party.sink;
    traffic.tracker = party.tracker;
    traffic.statements = party.statements;
    traffic.parameters = party.parameters;
    traffic.sequences = party.sequences;
    return traffic;
  }

  /** Sends statements of ours ahead of the message at `at`, in the same write. */
  ahead({ bytes, owed }: Way, at: number, memory: PostgresMemory): void {
    this.outbox.upTo(at);
    this.outbox.put(bytes);
    for (const code of owed) this.ledger.push(code);
    memory.unnamed = NOBODYS;
  }

  /** To be called by who has it, once it is clear. */
  release(): void {
    if (spare.length < SPARES) spare.push(this);
  }

  /** Nothing that the client has sent is without its answer. */
  get isOver(): boolean {
    return this.replies.nothingOwed && !this.requests.isUnsynced;
  }

  /** All is as if it were new: only then may it go to somebody else. */
  get isClear(): boolean {
    return (
      this.ledger.isEmpty &&
      this.outbox.isEmpty &&
      this.assembly.length === 0 &&
      this.doubts.areNone &&
      this.privates.size === 0 &&
      this.privateNames.size === 0 &&
      this.callings.size === 0 &&
      this.passing.size === 0 &&
      this.own.isClear &&
      this.replies.isClear &&
      this.requests.isClear
    );
  }

  /** A statement has this name for the client alone, up to the request's end. */
  keepPrivate(statement: Statement, variant: Variant): void {
    this.privates.set(statement, variant);
    this.privateNames.set(variant.name, statement);
  }

  /** A request is over. */
  endRequest(): void {
    if (this.privates.size > 0) this.privates.clear();
    if (this.privateNames.size > 0) this.privateNames.clear();
    if (this.callings.size > 0) this.callings.clear();
    if (this.passing.size > 0) this.passing.clear();
    this.doubts.clear();
    this.requests.end();
  }
}

const SPARES = 256;
const spare: Traffic[] = [];
