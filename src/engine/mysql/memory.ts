import { EMPTY } from '../../base/bytes.ts';
import type { Gate } from '../../core/engine.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import type { SessionChange } from '../../wire/mysql/session-track.ts';
import type { MysqlPrincipal } from './principal.ts';
import { LastInsertId } from './last-insert-id.ts';
import type { Beginning, SessionState } from './state.ts';
import { intern } from './state.ts';
import type { TargetGreeting } from './target.ts';
import { PreparedOnServer } from './template.ts';

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
  /** How we came in: a cancel request comes the same way. */
  readonly gate: Gate<MysqlPrincipal>;
  /** What it would report if we had not had it report more. */
  readonly reports: Reports;
  /** The system variables that it told of when it let us in. */
  readonly announced: readonly SessionChange[];
  /** What we and the database have agreed on. */
  readonly capabilities: Capabilities;
  /** The values that session variables had when all was ready, as SQL writes them. */
  beginning: Beginning;
  /** The status flags as they were then. */
  firstStatus: number;
  /** The status flags as the database told them last. */
  status: number;
  /** What the last session has left on it. */
  state: SessionState;
  /** Whether those who share it are in a schema: there is no way back to none. */
  isInSchema: boolean;
  readonly prepared = new PreparedOnServer();
  /** The number of the latest stay: of a session that comes back before any other, and has been nowhere else, it is the same. */
  stay = 0;
  lastInsertId = new LastInsertId();
  /** An error came last: what changed before it is told with the next reply that is none. */
  mayOweReports = false;
  /** The beginning of a packet that must be looked at as a whole; or a part of a header. */
  held: Uint8Array = EMPTY;
  /** Bytes still to come of a packet that is passed on as it arrives. */
  remaining = 0;
  /** The next packet goes on with the payload of the one before. */
  continues = false;

  constructor(parts: {
    threadId: number;
    target: TargetGreeting;
    gate: Gate<MysqlPrincipal>;
    reports: Reports;
    announced: readonly SessionChange[];
    capabilities: Capabilities;
    beginning: ReadonlyMap<string, string>;
    status: number;
    state: SessionState;
  }) {
    this.threadId = parts.threadId;
    this.target = parts.target;
    this.gate = parts.gate;
    this.reports = parts.reports;
    this.announced = parts.announced;
    this.capabilities = parts.capabilities;
    this.beginning = intern(parts.beginning);
    this.firstStatus = parts.status;
    this.status = parts.status;
    this.state = parts.state;
    this.isInSchema = parts.gate.who.schema !== undefined;
  }

  /** Sessions begin like this from here on, in the schema that is in use now: nothing of earlier ones is left. */
  begin(beginning: Beginning): void {
    this.beginning = intern(beginning);
    this.firstStatus = this.status;
    this.state = this.state.anew(this.state.schema);
    this.prepared.clear();
    this.stay = 0;
    this.lastInsertId = new LastInsertId();
    this.mayOweReports = false;
  }

  /** The database has begun a packet and not ended it: what comes next belongs to nobody else. */
  get inMessage(): boolean {
    return this.remaining > 0 || this.held.length > 0 || this.continues;
  }
}
