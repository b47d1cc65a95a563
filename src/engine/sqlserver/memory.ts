import { EMPTY } from '../../base/bytes.ts';
import type { Gate } from '../../core/engine.ts';
import type { PinReason } from '../../core/pin.ts';
import type { SqlServerPrincipal } from './principal.ts';
import type { Beginning, SessionState } from './state.ts';
import { UNKNOWN } from './state.ts';
import { PreparedOnServer } from './prepared.ts';
import type { Reader } from './reader.ts';
import type { SettingName } from './sql/effects.ts';
import type { Target } from './target.ts';
import type { Welcome } from './welcome.ts';

const NONE: readonly PinReason[] = [];
const UNKNOWN_CONTEXT = [['context_info', UNKNOWN]] as const;

/** What the engine remembers of one connection to a database. */
export class SqlServerMemory {
  /** The number by which the database knows it. */
  readonly spid: number;
  /** How we came in. */
  readonly gate: Gate<SqlServerPrincipal>;
  readonly target: Target;
  /** As agreed with the database, in the order of LOGIN7. */
  readonly tdsVersion: number;
  /** As agreed with the database. */
  readonly packetBytes: number;
  /** What the database told at login. */
  readonly welcome: Welcome;
  /** Rows may have encrypted columns, which are described at greater length. */
  readonly hasColumnEncryption: boolean;
  /** The values that settings had when all was ready. */
  beginning: Beginning;
  /** What these have at login, and the init query has changed: a reset does not run it again. */
  undoneByReset: readonly (readonly [name: SettingName, value: string])[] = [];
  /** What the last session has left on it. */
  state: SessionState;
  /** The session may have set these to something else than `state` says, and a reset may not undo that (trap TD-03). */
  readonly doubted = new Set<SettingName>();
  /** The descriptor of the transaction that is open; 0 for none. */
  transaction = 0n;
  /** The database says that a transaction is open, be it that it has told its descriptor or not. */
  inTransaction = false;
  /** The next request's first packet asks for a reset. */
  resetDue = false;
  /** The reset that was asked for last leaves the transaction open. */
  resetSkipsTransaction = false;
  /** What the session may have left there: the database has not been asked yet. */
  suspected: readonly PinReason[] = NONE;
  readonly prepared = new PreparedOnServer();
  /** The number of the latest stay: of a session that comes back before any other, and has been nowhere else, it is the same. */
  stay = 0;
  /** The stay that has left an identity there; 0 where nobody has since the last reset. */
  identityOf = 0;
  /** Reads what it says; made when it first says something to a session. */
  reader: Reader | undefined;
  /** A packet of which the rest has not come yet. */
  held: Uint8Array = EMPTY;

  constructor(parts: {
    spid: number;
    gate: Gate<SqlServerPrincipal>;
    target: Target;
    tdsVersion: number;
    packetBytes: number;
    welcome: Welcome;
    hasColumnEncryption: boolean;
    beginning: Beginning;
    state: SessionState;
  }) {
    this.spid = parts.spid;
    this.gate = parts.gate;
    this.target = parts.target;
    this.tdsVersion = parts.tdsVersion;
    this.packetBytes = parts.packetBytes;
    this.welcome = parts.welcome;
    this.hasColumnEncryption = parts.hasColumnEncryption;
    this.beginning = parts.beginning;
    this.state = parts.state;
  }

  /** What it holds of a session's goes when the next request comes (trap TD-04). */
  reset(): void {
    // A session that asks for the reset itself goes on here, and has the database asked.
    if (this.doubted.delete('context_info')) this.state = this.state.with(UNKNOWN_CONTEXT);
    this.resetDue = true;
    this.resetSkipsTransaction = false;
    this.wasReset();
  }

  /** A request asks for a reset, and is on its way. */
  wasReset(): void {
    const { database } = this.welcome;
    const known = this.doubted.delete('isolation level')
      ? this.state.with([['isolation level', UNKNOWN]])
      : this.state;
    const isBabelfish = this.target.tellsTransactions === false;
    const keepsContext = isBabelfish && known.values.has('context_info');
    // Babelfish stays in the database that it is in: it is known only where that is the login's own.
    this.state = known
      .anew(known.database === database ? database : undefined)
      .with(this.undoneByReset)
      .with(keepsContext ? UNKNOWN_CONTEXT : []);
    this.suspected = isBabelfish ? this.suspected.filter((one) => one === 'sessionContext') : NONE;
    this.identityOf = 0;
    this.prepared.clear();
  }

  /** The database has begun a reply and not ended it: what comes next belongs to nobody else. */
  get inMessage(): boolean {
    return this.held.length > 0 || this.reader?.inReply === true;
  }
}
