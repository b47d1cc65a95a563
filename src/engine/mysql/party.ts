import type { RelayOptions, RelaySink } from '../../core/engine.ts';
import type { ClientStatements } from './client-statements.ts';
import type { House } from './greet.ts';
import type { MysqlMemory, Reports } from './memory.ts';
import type { MysqlPrincipal } from './principal.ts';
import { withSchema } from './principal.ts';
import type { SessionState } from './state.ts';
import { NAMES } from './state.ts';

/** What belongs to a session and outlives its commands: of thousands of sessions most do nothing, so it is little. */
export interface Party {
  readonly sink: RelaySink<MysqlMemory, MysqlPrincipal>;
  readonly house: House;
  readonly options: RelayOptions;
  who: MysqlPrincipal;
  /** What its connections look like when nobody has done anything on them. */
  welcome: MysqlMemory;
  /** Where the session was last, unless others have been there since: `MysqlMemory.stay`. */
  stay: number | undefined;
  /** What it has set: any connection that it gets is brought to this. */
  wanted: SessionState;
  /** What the client wants to hear of: the database always tells us more. */
  reports: Reports;
  /** What LAST_INSERT_ID() is to it. */
  lastInsertId: string;
  /** The status flags as it was told them last. */
  status: number;
  /** Of its last statement. */
  warnings: number;
  /** What it has prepared; undefined as long as that is nothing. */
  statements: ClientStatements | undefined;
  /** Begins anew: not all that it was is gone. */
  begin(who: MysqlPrincipal, welcome: MysqlMemory): void;
}

/** The client begins again, in the schema that it is in: with nothing set, and nothing prepared (trap MY-25). */
export function beginAgain(party: Party): void {
  const { sink, welcome, wanted } = party;
  // It may have gone into the schema in a transaction: then nobody has been told yet.
  const who = withSchema(party.who, wanted.schema);
  sink.become(who);
  party.begin(who, welcome);
  // MySQL does not return to the character set of the handshake, but to the server's own.
  if (!welcome.target.isMariaDb && who.collation !== welcome.target.collation)
    party.wanted = party.wanted.with(SERVERS_OWN);
}

const SERVERS_OWN = NAMES.map((name) => [name, 'DEFAULT'] as const);
