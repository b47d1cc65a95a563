import type { PinReason } from '../../core/pin.ts';

/** A setting that a statement changes for longer than its transaction. */
export interface Touch {
  /** In lower case, as PostgreSQL compares names. */
  readonly name: string;
  readonly how: 'set' | 'reset';
  /** The value as it is written, where it is a constant whose meaning depends on nothing else; otherwise undefined. */
  readonly literal: string | undefined;
}

/** Where a statement of SQL's own names a prepared statement: `start` and `end` are offsets into the text. */
export interface NameUse {
  readonly verb: 'prepare' | 'execute' | 'deallocate';
  /** Empty for all of them: DEALLOCATE ALL, DISCARD ALL. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Where the whole statement begins and ends. */
  readonly statementStart: number;
  readonly statementEnd: number;
}

/** What a text of one or more statements does beyond its transaction, as far as its words tell. */
export interface Effects {
  readonly touches: readonly Touch[];
  /** RESET ALL, DISCARD ALL. */
  readonly resets: 'none' | 'all' | 'everything';
  /** Settings change for the transaction only. */
  readonly isLocal: boolean;
  /** Settings change, and the text does not show which: any that the server knows, or even any at all. */
  readonly hidden: 'none' | 'known settings' | 'any setting';
  /** What ties the session to its connection. */
  readonly pins: readonly PinReason[];
  /** What may have ceased to tie it. */
  readonly releases: readonly PinReason[];
  readonly names: readonly NameUse[];
  /** Asks for the session's own view of sequences. */
  readonly readsSequences: boolean;
  /** Shows the names and texts of prepared statements. */
  readonly listsStatements: boolean;
  /** Holds transaction control: what it did may have been undone though it did not fail. */
  readonly isTransactional: boolean;
  /** What pins in Amazon RDS Proxy. */
  readonly awsPins: readonly PinReason[];
  /** The text without its values, for logs. */
  readonly digest: string;
}

/** Of nearly all texts. */
export const NO_EFFECTS: Effects = {
  touches: [],
  resets: 'none',
  isLocal: false,
  hidden: 'none',
  pins: [],
  releases: [],
  names: [],
  readsSequences: false,
  listsStatements: false,
  isTransactional: false,
  awsPins: [],
  digest: '',
};
