import type { RelayOptions, RelaySink } from '../../core/engine.ts';
import type { SqlServerMemory } from './memory.ts';
import type { SqlServerPrincipal } from './principal.ts';
import type { SessionState } from './state.ts';
import type { Statements } from './statements.ts';

/** What belongs to a session and outlives its requests: of thousands of sessions most do nothing, so it is little. */
export interface Party {
  readonly sink: RelaySink<SqlServerMemory, SqlServerPrincipal>;
  readonly who: SqlServerPrincipal;
  /** What its connections look like when nobody has done anything on them. */
  readonly welcome: SqlServerMemory;
  readonly options: RelayOptions;
  /** As agreed with the client. */
  readonly packetBytes: number;
  readonly tdsVersion: number;
  /** What it began with. */
  readonly home: SessionState;
  /** What it has set: any connection that it gets is brought to this. */
  wanted: SessionState;
  /** Where the session was last, unless others have been there since: `SqlServerMemory.stay`. */
  stay: number | undefined;
  /** What it has prepared; undefined as long as it never has. */
  statements: Statements | undefined;
}
