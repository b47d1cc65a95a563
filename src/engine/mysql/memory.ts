import { EMPTY } from '../../base/bytes.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import type { Beginning, SessionState } from './state.ts';
import { intern } from './state.ts';
import type { TargetGreeting } from './target.ts';

/** What the database reports of a session's changes unless it is told otherwise. */
export interface Reports {
  /** `session_track_system_variables` */
  readonly variables: string;
  /** `session_track_schema` */
  readonly schema: boolean;
}

/** What the engine remembers of one connection to a database. */
export class MysqlMemory {
  /** The number by which the database knows it. */
  readonly threadId: number;
  readonly target: TargetGreeting;
  /** What it would report if we had not had it report more. */
  readonly reports: Reports;
  /** What we and the database have agreed on. */
  readonly capabilities: Capabilities;
  /** The values that session variables had when all was ready, as SQL writes them. */
  readonly beginning: Beginning;
  /** The status flags as the database told them last. */
  status: number;
  /** What the last session has left on it. */
  state: SessionState;
  /** Whose request was the last. */
  lastUsedBy: object | undefined;
  /** An error came last: what changed before it is told with the next reply that is none. */
  mayOweReports = false;
  /** Nobody knows yet what the last session has left on it. */
  unsettled = false;
  /** The beginning of a packet that must be looked at as a whole; or a part of a header. */
  held: Uint8Array = EMPTY;
  /** Bytes still to come of a packet that is passed on as it arrives. */
  remaining = 0;
  /** The next packet goes on with the payload of the one before. */
  continues = false;

  constructor(parts: {
    threadId: number;
    target: TargetGreeting;
    reports: Reports;
    capabilities: Capabilities;
    beginning: ReadonlyMap<string, string>;
    status: number;
    state: SessionState;
  }) {
    this.threadId = parts.threadId;
    this.target = parts.target;
    this.reports = parts.reports;
    this.capabilities = parts.capabilities;
    this.beginning = intern(parts.beginning);
    this.status = parts.status;
    this.state = parts.state;
  }

  /** The database has begun a packet and not ended it: what comes next belongs to nobody else. */
  get inMessage(): boolean {
    return this.remaining > 0 || this.held.length > 0 || this.continues;
  }
}
