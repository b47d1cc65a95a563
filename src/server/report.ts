import type { Clock } from '../base/clock.ts';
import type { Log, LogContext, LogFields, LogLevel } from '../base/log.ts';
import { quoted } from '../base/log.ts';
import type { DiscardReason } from '../core/discard.ts';
import { discardReasons } from '../core/discard.ts';
import type { RelayOptions } from '../core/engine.ts';
import type { Fault, FaultName } from '../core/fault.ts';
import { faultFacts } from '../core/fault.ts';
import type { Link } from '../core/link.ts';
import type { Observer } from '../core/observer.ts';
import type { PinReason } from '../core/pin.ts';
import { passingReasons, pinReasons } from '../core/pin.ts';
import { Throttle } from './throttle.ts';

export interface ReportOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** What every line carries: the proxy, and the endpoint or the target that it is about. */
  readonly about: LogContext;
  /** The proxy's DebugLogging, asked each time: it can be switched while the proxy runs. */
  readonly debugLogging: () => boolean;
  /** What ties a session to its connection, likewise. */
  readonly pinning: () => RelayOptions['pinning'];
}

const TOO_LATE =
  'Nothing, or a part of a PROXY protocol header only, came within clientLoginTimeout: see that the load balancer sends one.';

/**
 * Turns what happens at one endpoint or target into log lines, in the sentences of Amazon RDS Proxy where they are known. What every
 * short connection causes is only told at debug; of the rest, no kind of line can drown the log (see `Throttle`).
 */
export class Report implements Observer {
  readonly #log: Log;
  readonly #verbose: Log;
  readonly #debugLogging: () => boolean;
  readonly #pinning: ReportOptions['pinning'];
  readonly #throttle: Throttle;
  /** The client that was refused last: the fault that follows has been explained already. */
  #refused: number | undefined;

  constructor({ log, clock, about, debugLogging, pinning }: ReportOptions) {
    this.#log = log.with(about);
    this.#verbose = log.with(about, 'debug');
    this.#debugLogging = debugLogging;
    this.#pinning = pinning;
    this.#throttle = new Throttle(clock, ({ level, event, reason, lines, seconds }) =>
      this.#log.event(level, 'linesLeftOut', {
        message: `${lines} more ${event} lines were left out in ${seconds} s.`,
        of: event,
        reason,
        lines,
      }),
    );
  }

  /** Tells at once what was left out so far. Nothing is scheduled afterwards. */
  stop(): void {
    this.#throttle.settle();
  }

  clientConnected(client: number, link: Pick<Link, 'peer'>, via?: string): void {
    if (!this.#isVerbose()) return;
    const { peer } = link;
    this.#say('debug', 'clientConnected', {
      message: `A new client connected from ${peer}${via === undefined ? '' : ` through ${via}`}.`,
      client,
      peer,
      via,
    });
  }

  introductionRefused(client: number, peer: string, why = TOO_LATE): void {
    this.#say('warn', 'introductionRefused', {
      message: `The connection from ${peer} was closed before it began. ${why}`,
      client,
      peer,
      detail: why,
    });
  }

  clientSignedIn(client: number, user: string, method: string): void {
    if (!this.#isVerbose()) return;
    this.#say('debug', 'clientSignedIn', {
      message: `Proxy authentication with ${method} succeeded for user ${quoted(user)}.`,
      client,
      user,
      method,
    });
  }

  clientRefused(client: number, peer: string, user: string, why: string): void {
    this.#refused = client;
    this.#say('warn', 'clientRefused', {
      message: `Proxy authentication failed for user ${quoted(user)}. Reason: ${why}`,
      client,
      peer,
      user,
      detail: why,
    });
  }

  clientClosed(client: number, why: string): void {
    if (!this.#isVerbose()) return;
    this.#say('debug', 'clientClosed', {
      message: `The client connection closed. Reason: ${why}`,
      client,
      detail: why,
    });
  }

  serverConnected(server: number, user: string, detail: string): void {
    this.#say('info', 'serverConnected', {
      message: `A TCP connection was established from the proxy to the database at ${detail} for user ${quoted(user)}.`,
      server,
      user,
      detail,
    });
  }

  serverFailed(user: string, why: string): void {
    this.#say('warn', 'serverFailed', {
      message: `The proxy could not use the database as user ${quoted(user)}. Reason: ${why}`,
      user,
      detail: why,
    });
  }

  serverDiscarded(server: number, reason: DiscardReason, detail: string): void {
    this.#say(discardLevels[reason], 'serverDiscarded', {
      message: sentences(
        `The database connection closed. Reason: ${discardReasons[reason]}`,
        detail,
      ),
      server,
      reason,
      detail: detail === '' ? undefined : detail,
    });
  }

  pinned(client: number, server: number, reason: PinReason, digest: string): void {
    const passes = this.#pinning() === 'minimal' && passingReasons.has(reason);
    const [howLong, until] = passes
      ? ['until what pins it is gone', 'then']
      : ['for the remainder of the session', 'the session ends'];
    this.#say('warn', 'pinned', {
      message:
        `The client session was pinned to the database connection [dbConnection=${server}] ${howLong}. ` +
        `The proxy can't reuse this connection until ${until}. Reason: ${pinSentence(reason, digest)}`,
      client,
      server,
      reason,
      digest: digest === '' ? undefined : digest,
    });
  }

  unpinned(client: number, server: number, reason: PinReason): void {
    this.#say('info', 'unpinned', {
      message: `What pinned the client session to the database connection [dbConnection=${server}] is gone: ${pinReasons[reason]}`,
      client,
      server,
      reason,
    });
  }

  fault(client: number, fault: Fault): void {
    const { name, user, limit, detail } = fault;
    const { level, side } = faultFacts[name];
    const isExplained = client === this.#refused;
    if (isExplained) this.#refused = undefined;
    const about = limit === undefined ? '' : `Limit: ${limit}.`;
    const whom = user === undefined ? '' : `User: ${quoted(user)}.`;
    this.#say(isExplained ? 'debug' : level, 'fault', {
      message: sentences(faultSentences[name], about, whom, detail ?? ''),
      client,
      reason: name,
      side,
      user,
      limit,
      detail,
    });
  }

  cancelled(client: number, server: number | undefined): void {
    this.#say('info', 'cancelled', {
      message: "The client's request was cancelled at its own wish.",
      client,
      server,
    });
  }

  bug(where: string, error: unknown): void {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#say('error', 'bug', {
      message: `A bug in Sluice, at ${where}: ${what}`,
      where,
      stack: error instanceof Error ? error.stack : undefined,
    });
  }

  #isVerbose(): boolean {
    return this.#log.enabled('debug') || this.#debugLogging();
  }

  #say(level: LogLevel, event: string, fields: LogFields & { readonly reason?: string }): void {
    if (this.#isVerbose()) this.#verbose.event(level, event, fields);
    else if (!this.#log.enabled(level)) return;
    else if (this.#throttle.allows({ level, event, reason: fields.reason }))
      this.#log.event(level, event, fields);
  }
}

function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}

function pinSentence(reason: PinReason, digest: string): string {
  const why =
    reason === 'setting'
      ? "SQL changed session settings that the proxy doesn't track. Consider moving session configuration to the proxy's initialization query."
      : pinReasons[reason];
  return sentences(why, digest === '' ? '' : `Digest: ${quoted(digest)}.`);
}

/** Housekeeping is news for nobody; a warning is what somebody may want to mend. */
const discardLevels = {
  bytesWhileIdle: 'warn',
  clientGoneMidRequest: 'info',
  clientTooSlow: 'warn',
  databaseClosed: 'warn',
  draining: 'debug',
  evicted: 'info',
  idleLimit: 'debug',
  lifetime: 'debug',
  loginFailed: 'warn',
  overBudget: 'info',
  pingFailed: 'warn',
  resetFailed: 'warn',
  resetImpossible: 'info',
  restoreFailed: 'warn',
  retired: 'info',
  violation: 'warn',
} as const satisfies Record<DiscardReason, LogLevel>;

/** What the log says of each fault; what the client reads is the engine's affair. */
const faultSentences = {
  borrowTimeout: 'Timed-out waiting to acquire database connection.',
  cancelled: 'The client cancelled its request while it waited for a database connection.',
  channelBindingFailed:
    "A client's sign-in was bound to another TLS connection than ours: somebody may stand between.",
  channelBindingUnseen:
    'A client did not see that channel binding is offered: somebody may have taken the offer out.',
  clientLimit: 'The maximum number of client connections to the proxy was reached.',
  clientTooSlow: 'The client stopped reading its result.',
  databaseLost: 'The database connection was lost while a client used it.',
  databaseRefused: 'The database refused the connection that the client needs.',
  draining: 'The client was sent away because the proxy is stopping.',
  iamExpected: 'A client gave a password where only IAM tokens are taken.',
  iamNeedsTls: 'A client tried IAM authentication without TLS.',
  iamRefused: 'The IAM authentication of a client failed.',
  idleClient: 'The client was idle for longer than it may be.',
  internal: 'The client was sent away because of a bug in Sluice.',
  killed: 'The client was sent away because another client had its connection killed.',
  loginRefused: 'A client gave wrong credentials.',
  loginTimeout: 'A client took too long to sign in.',
  protocolViolation: 'The client broke its protocol.',
  restoreFailed:
    "The session's settings could not be restored on a database connection. Nothing was run.",
  tlsRequired: 'A client came without TLS, which this proxy requires.',
  tooManyStatements: 'The client has too many prepared statements.',
  unsupported: 'The client asked for something that the proxy does not support.',
  userMissing: 'A client gave no user name.',
} as const satisfies Record<FaultName, string>;
