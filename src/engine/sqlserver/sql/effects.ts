import type { PinReason } from '../../../core/pin.ts';

/** What ties a session to its connection as long as a thing is there that has a name, or is counted. */
export type TieReason = Extract<
  PinReason,
  | 'setting'
  | 'temporaryObject'
  | 'cursor'
  | 'sessionLock'
  | 'sessionContext'
  | 'preparedStatement'
  | 'globalTransaction'
  | 'hiddenState'
>;

/**
 * Something by which a session is tied is made, or goes. A text does one after the other.
 *
 * `isWithin`, here and below: it ends with its text, which is no batch of its own. Babelfish keeps it where the text is one of the
 * protocol's calls, and keeps tables of others (`target.tellsTransactions` tells the two servers apart).
 */
export interface Tie {
  readonly does: 'takes' | 'drops' | 'dropsAll';
  readonly reason: TieReason;
  /**
   * As the database may be asked about it: a temporary object by its name, a lock by its resource, a key of the session's context.
   * Without a name nobody can tell when it goes, but for `dropsAll`.
   */
  readonly name: string | undefined;
  /** It happens if the text ends without an error; otherwise it may happen. */
  readonly isCertain: boolean;
  readonly isWithin?: true;
}

/** What a session sets for itself, and another connection can be given. */
export type SettingName = OptionName | ValueName;

/** Those that are ON or OFF. */
export type OptionName =
  | 'ansi_nulls'
  | 'ansi_padding'
  | 'ansi_warnings'
  | 'ansi_null_dflt_on'
  | 'ansi_null_dflt_off'
  | 'arithabort'
  | 'arithignore'
  | 'concat_null_yields_null'
  | 'cursor_close_on_commit'
  | 'implicit_transactions'
  | 'nocount'
  | 'numeric_roundabort'
  | 'quoted_identifier'
  | 'xact_abort';

/** Those that have values of their own. */
export type ValueName =
  | 'context_info'
  | 'datefirst'
  | 'dateformat'
  | 'deadlock_priority'
  | 'isolation level'
  | 'language'
  | 'lock_timeout'
  | 'query_governor_cost_limit'
  | 'rowcount'
  | 'textsize';

/** A setting that a text changes. */
export interface Setting {
  readonly name: SettingName;
  /** As `state.ts` holds it; undefined where the text does not show it. */
  readonly value: string | undefined;
  /** It has this value if the text ends without an error; otherwise it may have it. */
  readonly isCertain: boolean;
  readonly isWithin?: true;
}

/** What a text, or a call, does beyond its transaction, as far as its words tell. */
export interface Effects {
  /** It cannot be read for sure, and may do anything: then all the rest says so, too. */
  readonly isUnsure: boolean;
  /** In their order: of one that comes several times, the last counts. */
  readonly sets: readonly Setting[];
  /** The database of the last USE that stays in force; the server reports whether it has come to that. */
  readonly uses: string | undefined;
  /** What ties the session to its connection until that is reset; a reset does not undo `hiddenState`. */
  readonly pins: readonly PinReason[];
  /** What ties it, or no longer does, in its order. */
  readonly ties: readonly Tie[];
  /** What pins in Amazon RDS Proxy. */
  readonly awsPins: readonly PinReason[];
  /** Asks for what the statement before it has left behind: @@IDENTITY, SCOPE_IDENTITY(), @@ROWCOUNT, @@ERROR. */
  readonly asksForPrevious: boolean;
  /** Of these, for an identity, which anybody may have left on the connection. */
  readonly asksForIdentity: boolean;
  /** May leave an identity behind. */
  readonly mayInsert: boolean;
  /** May begin or end a transaction. */
  readonly mayChangeTransaction: boolean;
  /** INSERT BULK: what the client sends next is a bulk load. */
  readonly startsBulkLoad: boolean;
}

/** Of what cannot be read: it may do anything. */
export const UNSURE: Effects = {
  isUnsure: true,
  sets: [],
  uses: undefined,
  pins: ['hiddenState'],
  ties: [],
  awsPins: ['hiddenState'],
  asksForPrevious: true,
  asksForIdentity: true,
  mayInsert: true,
  mayChangeTransaction: true,
  startsBulkLoad: false,
};

/** Of what has not been read to its end yet. */
export const UNSEEN: Effects = { ...UNSURE, awsPins: [] };
