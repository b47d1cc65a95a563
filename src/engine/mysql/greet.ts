import { certificateProof } from '../../auth/certificate-proof.ts';
import { digest } from '../../auth/digests.ts';
import { must, Violation } from '../../base/assert.ts';
import { EMPTY } from '../../base/bytes.ts';
import type { AgreedTls, Conversation } from '../../core/conversation.ts';
import { startTls, wait } from '../../core/conversation.ts';
import type { Door, Entry } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { TalkTimeout } from '../../core/network.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { handshake, isSslRequest } from '../../wire/mysql/handshake.ts';
import type { HandshakeResponse } from '../../wire/mysql/handshake-response.ts';
import { readHandshakeResponse } from '../../wire/mysql/handshake-response.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { Dialogue } from './dialogue.ts';
import { say } from './faults.ts';
import type { MysqlMemory } from './memory.ts';
import { offeredBy } from './offered.ts';
import { plugin } from './plugins.ts';
import type { MysqlPrincipal, Principals } from './principal.ts';
import type { ServerKey } from './server-key.ts';
import { makeChallenge, pluginFor, signIn } from './sign-in.ts';
import type { Target, TargetGreeting } from './target.ts';
import { welcomeOk } from './welcome.ts';

type MysqlDoor = Door<MysqlMemory, MysqlPrincipal>;
type MysqlEntry = Entry<MysqlMemory, MysqlPrincipal>;

/** What all clients of a proxy share. */
export interface House {
  readonly target: Target;
  readonly principals: Principals;
  readonly key: ServerKey;
}

/** Above the numbers that databases give to connections: clients are told their session's, and this much more. */
export const CONNECTION_ID_BASE = 0x40000000;

/** A client arrives: handshake, encryption, sign-in, and the OK before its first command. */
export function* greet(door: MysqlDoor, house: House): Conversation<MysqlEntry> {
  const visit = new Visit();
  try {
    return yield* receive(door, house, visit);
  } catch (error) {
    throw inWords(error, visit);
  }
}

/** How far a client has come, as far as it matters to what it can be told. */
class Visit {
  readonly dialogue = new Dialogue();
  /** What both sides can do; nothing before the client has told. */
  flags = 0;
}

/** What ends the greeting, with the bytes that tell the client: their number depends on how far we have come (trap MY-02). */
function inWords(error: unknown, { dialogue, flags }: Visit): unknown {
  if (error instanceof FaultError && error.words !== undefined) return error;
  const fault = faultIn(error);
  return fault === undefined ? error : new FaultError(fault, say(fault, dialogue.next, flags));
}

function faultIn(error: unknown): Fault | undefined {
  if (error instanceof FaultError) return error.fault;
  return error instanceof TalkTimeout ? { name: 'loginTimeout' } : undefined;
}

function* receive(door: MysqlDoor, house: House, visit: Visit): Conversation<MysqlEntry> {
  const full = door.admit();
  if (full !== undefined) throw new FaultError(full);
  const { dialogue } = visit;
  const target = yield* known(door, house.target);
  const offered = offeredBy(target, door.keeper.offersTls);
  const challenge = makeChallenge(door);
  yield* dialogue.say(
    handshake({
      serverVersion: target.serverVersion,
      connectionId: CONNECTION_ID_BASE + door.cancelNumber,
      authData: challenge,
      capabilities: offered,
      collation: target.collation,
      status: serverStatus.autocommit,
      plugin: firstPlugin(door, target),
    }),
  );
  const { response, tls } = yield* readResponse(dialogue, offered);
  visit.flags = response.capabilities.flags;
  return yield* spoken(admit(door, house, { visit, response, tls, challenge, target }));
}

/** What is offered is what the target offers, so that it must have been seen once. */
function* known(door: MysqlDoor, target: Target): Conversation<TargetGreeting> {
  if (target.greeting === undefined) yield* wait(() => door.meet());
  return must(target.greeting, 'the target is there and has not greeted');
}

/** What most clients will be asked for, so that they need not be asked twice: who is unknown is treated as the first one. */
function firstPlugin(door: MysqlDoor, target: TargetGreeting): string {
  const first = pluginFor(door.keeper.rule(''));
  if (first === plugin.native || first === plugin.cachingSha2) return first;
  return target.plugin === plugin.cachingSha2 ? plugin.cachingSha2 : plugin.native;
}

/** The client's answer, over TLS if it has asked for that. Its packets are counted on from there (trap MY-28). */
function* readResponse(
  dialogue: Dialogue,
  offered: Capabilities,
): Conversation<{ readonly response: HandshakeResponse; readonly tls: AgreedTls | undefined }> {
  const first = yield* dialogue.hear();
  if (!isSslRequest(first)) return { response: understood(first, offered), tls: undefined };
  if ((offered.flags & capability.ssl) === 0)
    throw new Violation('a request for TLS where none is offered');
  // Nobody is told to begin: what has come with the request must be the hello, and is taken for nothing else.
  const tls = yield* startTls('server', true);
  return { response: understood(yield* dialogue.hear(), offered), tls };
}

/** By its length and number it was meant to be a packet: whoever has sent it hears what is wrong with it. */
function understood(body: Uint8Array, offered: Capabilities): HandshakeResponse {
  try {
    return readHandshakeResponse(body, offered);
  } catch (error) {
    throw told(error);
  }
}

/** From here on the client understands errors: a violation is told before the connection closes. */
function* spoken<T>(conversation: Conversation<T>): Conversation<T> {
  try {
    return yield* conversation;
  } catch (error) {
    throw told(error);
  }
}

function told(error: unknown): unknown {
  if (!(error instanceof Violation)) return error;
  return new FaultError({ name: 'protocolViolation', detail: error.message });
}

interface Arrival {
  readonly visit: Visit;
  readonly response: HandshakeResponse;
  /** Undefined where the connection is not encrypted. */
  readonly tls: AgreedTls | undefined;
  readonly challenge: Uint8Array;
  readonly target: TargetGreeting;
}

function* admit(
  door: MysqlDoor,
  { principals, key }: House,
  { visit, response, tls, challenge, target }: Arrival,
): Conversation<MysqlEntry> {
  const { dialogue, flags } = visit;
  const { user, collation, capabilities, zstdLevel, database: schema } = response;
  if (door.keeper.requiresTls && tls === undefined) throw new FaultError({ name: 'tlsRequired' });
  const claim = {
    user,
    plugin: response.plugin,
    answer: response.authData,
    challenge,
    isEncrypted: tls !== undefined,
    flags,
  };
  const signedIn = yield* signIn(door, dialogue, claim, key);
  const who = principals.of({ user, schema, capabilities, collation, zstdLevel });
  const welcome = yield* wait(() => door.open(who));
  const { method, verifier } = signedIn;
  const isProven = target.isMariaDb && verifier !== undefined && tls !== undefined;
  const proof = isProven ? certificateProof(verifier, challenge, fingerprintOf(tls)) : '';
  yield* dialogue.say(welcomeOk(who, welcome, proof));
  return { kind: 'session', who, welcome, method, secret: EMPTY };
}

function fingerprintOf(tls: AgreedTls): Uint8Array {
  return digest('sha256', tls.certificate());
}
