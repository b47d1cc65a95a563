import type { SecretText } from '../base/secret-text.ts';
import type { Conversation } from './conversation.ts';
import type { Fault } from './fault.ts';
import type { PinReason } from './pin.ts';

export type EngineFamily = 'POSTGRESQL' | 'MYSQL' | 'SQLSERVER';

/**
 * What a protocol must be able to do. `Who` is a signed-in client as the engine sees it; `Memory` is what the engine
 * remembers of one server connection. The core hands both around and looks into neither beyond what is declared here.
 */
export interface Engine<Memory, Who extends Principal> {
  readonly family: EngineFamily;
  readonly defaultPort: number;
  /** A client arrives; we play the server, up to its first request. */
  greet(door: Door<Memory, Who>): Conversation<Entry<Memory, Who>>;
  /** We log in; we play the client. A `FaultError` says why the database did not let us in, `Elsewhere` where we are to go. */
  enter(gate: Gate<Who>): Conversation<Memory>;
  /** Is the idle connection alive? Throws where it is not. */
  ping(memory: Memory): Conversation<void>;
  /** How many connections the database grants to ordinary users. */
  measure(memory: Memory): Conversation<Capacity>;
  /** Brings a quiet connection back to the state it had after `enter`; undefined where only closing it can. */
  reset(memory: Memory, pins: ReadonlySet<PinReason>): Conversation<void> | undefined;
  /** Runs statements once after `enter` (the target group's InitQuery). A `FaultError` where one fails. */
  initialise(memory: Memory, statements: string): Conversation<void>;
  /**
   * On a connection of its own: asks the database to stop what `memory`'s connection is doing, and returns when it has heard. Not
   * there where a request can only be stopped on its own connection: then the relay does so, and closing it does.
   */
  cancel?(memory: Memory, gate: Pick<Gate<Who>, 'tlsMode'>): Conversation<void>;
  /** Everything after login. */
  relay(
    sink: RelaySink<Memory, Who>,
    who: Who,
    welcome: Memory,
    options: RelayOptions,
  ): Relay<Memory>;
  /** Whether it is known how sessions of this principal begin, beyond what `welcome` tells of all of them. */
  isAcquainted(welcome: Memory, who: Who): boolean;
  /** Asks the database, on a connection that nobody uses. Returns why it does not accept what the client wants, if so. */
  acquaint(memory: Memory, who: Who): Conversation<Fault | undefined>;
  /** Bytes that an idle connection sent. Returns why it must be discarded, or undefined where they do no harm. */
  overhear(memory: Memory, bytes: Uint8Array): string | undefined;
  /** Has an idle connection sent a part of a message only? Then nobody may have it. */
  inMessage?(memory: Memory): boolean;
  /** The principal as which the proxy itself watches a target. */
  watcher(user: string, database: string | undefined): Who;
  /** A fault that ends a login, in the protocol's words, where its error has none. */
  sayFatal(fault: Fault): Uint8Array;
  /** What a polite client says before it closes an idle connection. */
  goodbye(): Uint8Array;
}

/** A signed-in client. Connections are shared only among sessions of one `poolKey`. */
export interface Principal {
  readonly user: string;
  readonly poolKey: string;
}

export type Entry<Memory, Who> =
  | {
      readonly kind: 'session';
      readonly who: Who;
      readonly welcome: Memory;
      readonly method: string;
      /** What a cancel request for this session must name beside its number. */
      readonly secret: Uint8Array;
    }
  | { readonly kind: 'cancel'; readonly number: number; readonly secret: Uint8Array }
  /** The client left, or was refused and told so. */
  | { readonly kind: 'end' };

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** Whether a login at the database is bound to the TLS connection: never, where it can be, or else there is no login. */
export type ChannelBinding = 'disable' | 'prefer' | 'require';

/** How a login proves itself. */
export type LoginRule =
  /** A password; `method` is the RDS ClientPasswordAuthType. Unknown users get a rule too, with a password nobody knows. */
  | {
      readonly kind: 'password';
      readonly method: string;
      readonly passwords: readonly SecretText[];
      readonly known: boolean;
      /** A token does as well, where the engine can tell the two apart. */
      readonly orToken?: true;
    }
  | { readonly kind: 'token' };

/** Who may come in, and how: the proxy's settings as a login sees them. Replaced as a whole at reload. */
export interface Doorkeeper {
  readonly offersTls: boolean;
  readonly requiresTls: boolean;
  /** How this user signs in. */
  rule(user: string): LoginRule;
  /** Checks an IAM token and the policy behind it; the reason why not is for the log, the fault, else `iamRefused`, for the client. */
  checkToken(
    user: string,
    token: SecretText,
  ): Promise<
    | { readonly ok: true }
    | { readonly ok: false; readonly why: string; readonly fault?: 'iamExpected' }
  >;
  /** A stable salt for this user that does not tell whether the user exists. */
  salt(user: string, count: number): Uint8Array;
}

/** What `greet` may ask of the proxy. */
export interface Door<Memory, Who extends Principal> {
  readonly keeper: Doorkeeper;
  /** The number by which this session can be cancelled. */
  readonly cancelNumber: number;
  /** Nobody reads along between the client and us. */
  isEncrypted(): boolean;
  /** The client's address, where the database is to be shown it. */
  shownAddress(): string | undefined;
  /** Is there room for one more client? Returns the fault to say where there is none. */
  admit(): Fault | undefined;
  /** Notes why a login was refused: for the log, not for the client. */
  refused(user: string, why: string): void;
  /** The target has been seen at least once. Throws a `FaultError` that says why it has not been. */
  meet(): Promise<void>;
  /**
   * Signed in: makes sure that the database lets this principal in, and tells what its connections look like; at once where that
   * is known. Throws `FaultError`.
   */
  open(who: Who): Memory | Promise<Memory>;
  /** Bytes fit for nonces and secrets. */
  random(count: number): Uint8Array;
}

/** What `enter` may ask of the proxy. */
export interface Gate<Who extends Principal> {
  readonly who: Who;
  readonly password: SecretText;
  readonly tlsMode: TlsMode;
  /** TLS comes before all else, where it comes. */
  readonly tlsFirst?: boolean;
  readonly channelBinding: ChannelBinding;
  /** What earlier logins have taught the engine about this target, in its own words; it adds to them and strikes them out. */
  readonly lessons: Set<string>;
  /** A password may be sent in the clear outside TLS. */
  readonly allowCleartext: boolean;
  random(count: number): Uint8Array;
}

export interface Capacity {
  /** Connections that ordinary users can have in all. */
  readonly connections: number;
  /** What the server is, for people: its name and version. */
  readonly product: string;
}

export interface RelayOptions {
  /** `minimal`: only what cannot be carried from one connection to another ties a session to its own. `aws`: as in RDS Proxy. */
  readonly pinning: 'minimal' | 'aws';
  /** How many prepared statements there may be on one database connection, shared by all sessions. */
  readonly maxPreparedStatements: number;
  /** Statements that do nothing but set something never tie a session: RDS Proxy's EXCLUDE_VARIABLE_SETS. */
  readonly ignoreSetsForPinning: boolean;
}

/** How well a connection suits a session: it has its state, or nobody's, or somebody else's. */
export type Fit = 'as wanted' | 'fresh' | 'other';

/** The engine's view of one session after login. Nothing here awaits. */
export interface Relay<Memory> {
  /**
   * Bytes from the client. Returns how many were dealt with: all of them, or fewer after `sink.wantServer()` said that
   * there is no connection yet; the session keeps the rest and gives it again.
   */
  fromClient(bytes: Uint8Array): number;
  /** Bytes from the borrowed connection. Calls `boundary()` at most once, when all of them have been dealt with. */
  fromServer(bytes: Uint8Array): void;
  /** Any connection will do: this tells what it would take to bring it to the session's state. */
  fit(memory: Memory): Fit;
  /** A connection has been borrowed for the session. */
  attached(memory: Memory): void;
  /** There will be no connection for the request that waits: answer it, and go on with the next. */
  refuse(fault: Fault): void;
  /** The borrowed connection is gone. Returns what the client must hear before its own connection is closed. */
  lost(fault: Fault): Uint8Array;
  /**
   * The client asked that its request be stopped. True where the database works on it now; otherwise `sink.cancelNow()` says
   * when it does, if it ever does.
   */
  cancel(): boolean;
  /**
   * More has come from the client while its request waits. True where it says that the request is to be stopped; what it has
   * said is given to `fromClient` in its turn all the same. Missing where a client says so on another connection.
   */
  givesUp?(bytes: Uint8Array): boolean;
  /**
   * The session has done nothing for a moment, which is shorter where others wait: what it keeps a connection for on mere
   * suspicion may go.
   */
  relax(): void;
  /** No reply is owed to the client, no message is half sent: only an open transaction or a pin may still hold the connection. */
  readonly quiet: boolean;
  readonly inTransaction: boolean;
  /** What the session has left on its connection is known, and nothing that we have asked the database is unanswered. */
  readonly tidy: boolean;
}

/** What a relay tells its session. */
export interface RelaySink<Memory = unknown, Who extends Principal = Principal> {
  toServer(bytes: Uint8Array): void;
  toClient(bytes: Uint8Array): void;
  /** A request begins. True where a connection is attached now; false where the session must wait for one. */
  wantServer(): boolean;
  /** The request is over, all its replies have been passed on, and no transaction is open. */
  boundary(): void;
  /** The request is over, but the session keeps its connection for the moment: up to its next one, or until it is told to relax. */
  rest(): void;
  /** What `fromClient` left where it was can be dealt with now. */
  again(): void;
  /** The request that the client wants stopped has come to the database. */
  cancelNow(): void;
  /** One statement of the client began (for statistics). */
  request(): void;
  /** The client said goodbye. */
  finish(): void;
  /** Something ties the session to its connection from here on. `digest` is the statement without its values. */
  pin(reason: PinReason, digest: string): void;
  unpin(reason: PinReason): void;
  /**
   * Talks to the client apart from the relay, which hears nothing before that is over. Where the conversation fails the session
   * ends.
   */
  converse(talk: (door: Door<Memory, Who>) => Conversation<void>): void;
  /** The session begins anew: what it has left on its connection goes, as if it had ended, and so does the connection. */
  surrender(): void;
  /** The session shares with others from here on; a connection that it has goes with it, and must be one of theirs by now. */
  become(who: Who): void;
  /**
   * Stops another session's request, or ends the session as well. False where there is none that `whose` says yes to, be it
   * by its number or by the connection that it has.
   */
  stop(
    whose: (number: number, who: Who, memory: Memory | undefined) => boolean,
    what: 'request' | 'session',
  ): boolean;
  /** The client broke the protocol: it is told and its connection closes. */
  fail(fault: Fault): void;
}
