import type { PinReason } from '../../../core/pin.ts';

/** What ties a session to its connection as long as a thing with a name is there. */
export type TieReason = Extract<
  PinReason,
  | 'temporaryObject'
  | 'tableLock'
  | 'sessionLock'
  | 'handler'
  | 'preparedStatement'
  | 'globalTransaction'
>;

/** A name as the server compares it; without a schema of its own, it is in the session's. */
export interface TieName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** Something by which a session is tied is made, or goes. A statement does one after the other. */
export type Tie =
  /** Without a name nobody can tell when it goes, but for `dropsAll`. */
  | { readonly does: 'takes'; readonly reason: TieReason; readonly name: TieName | undefined }
  | { readonly does: 'drops'; readonly reason: TieReason; readonly name: TieName }
  | { readonly does: 'dropsAll'; readonly reason: TieReason }
  | {
      readonly does: 'renames';
      readonly reason: TieReason;
      readonly name: TieName;
      readonly to: TieName | undefined;
    };

/** What a statement leaves behind for the next one to ask for. */
export type Leftover = 'lastInsertId' | 'rowCount' | 'foundRows' | 'diagnostics';

/** A KILL. */
export interface Kill {
  readonly what: 'connection' | 'query' | 'queryId' | 'user';
  readonly isSoft: boolean;
  /** Of a connection or a query; `own` for CONNECTION_ID(), undefined where the text does not show it. */
  readonly id: number | 'own' | undefined;
}

/** What a text of one or more statements does beyond its transaction, as far as its words tell. */
export interface Effects {
  /** The text without its values, for logs; empty where nothing ties the session to its connection. */
  readonly digest: string;
  /** It cannot be read for sure, and may do anything: then all the rest says so, too. */
  readonly isUnsure: boolean;
  readonly hasSeveralStatements: boolean;
  /**
   * What ties the session to its connection until that is reset. Not every server's reset undoes `hiddenState`: neither MySQL's
   * nor MariaDB's takes a role away.
   */
  readonly pins: readonly PinReason[];
  /** What ties it, or no longer does, in its order. */
  readonly ties: readonly Tie[];
  /** What pins in Amazon RDS Proxy. Its filter EXCLUDE_VARIABLE_SETS takes `setting` and `userVariable` away. */
  readonly awsPins: readonly PinReason[];
  /** User variables that may get another value, in lower case; or any may. */
  readonly assigns: readonly string[] | 'any';
  /** Mentions user variables, or may. */
  readonly usesUserVariables: boolean;
  /** System variables set for the session, in lower case; SET NAMES is `names`, SET CHARACTER SET `character set`. */
  readonly sets: readonly string[];
  /** SET TRANSACTION without a scope: for the next transaction only. */
  readonly shapesNextTransaction: boolean;
  /** The server closes the connection afterwards: COMMIT RELEASE. */
  readonly endsSession: boolean;
  readonly asksFor: ReadonlySet<Leftover>;
  /** LAST_INSERT_ID(…) with a value, SET last_insert_id. */
  readonly setsLastInsertId: boolean;
  /** It may change LAST_INSERT_ID() without its reply telling: CALL, LOAD DATA. */
  readonly givesNumbers: boolean;
  readonly calculatesFoundRows: boolean;
  readonly kill: Kill | undefined;
  /** Calls what the server has been taught: procedures, functions, prepared statements. */
  readonly mayRunRoutines: boolean;
  readonly loadsLocalFile: boolean;
}
