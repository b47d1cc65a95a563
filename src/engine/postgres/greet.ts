import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, i32be, latin1, u8, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { endPointOf } from '../../auth/channel-binding.ts';
import { md5Matches } from '../../auth/md5.ts';
import type { SaltedPasswords } from '../../auth/salted-passwords.ts';
import type { Refused } from '../../auth/scram.ts';
import {
  makeServerFirst,
  mockVerifier,
  readClientFinal,
  readClientFirst,
  SCRAM,
  SCRAM_PLUS,
} from '../../auth/scram.ts';
import type { AgreedTls, Conversation } from '../../core/conversation.ts';
import { outcome, peeking, reading, sending, startTls } from '../../core/conversation.ts';
import type { Door, Entry, LoginRule } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import * as backend from '../../wire/postgres/backend.ts';
import { readPasswordMessage, readSaslInitialResponse } from '../../wire/postgres/frontend-read.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';
import { frontend } from '../../wire/postgres/message-types.ts';
import type { StartupMessage } from '../../wire/postgres/startup.ts';
import { checkLength, NEWEST_MINOR, readStartup } from '../../wire/postgres/startup.ts';
import type { ParameterSet, PostgresMemory } from './memory.ts';
import type { Outfit } from './outfit.ts';
import { outfitOf } from './outfit.ts';
import type { PostgresPrincipal } from './principal.ts';
import { principalOf, withAddress } from './principal.ts';
import type { Realms } from './realm.ts';

type PostgresDoor = Door<PostgresMemory, PostgresPrincipal>;
type PostgresEntry = Entry<PostgresMemory, PostgresPrincipal>;

/** What a start-up packet begins with; it counts itself. */
const LENGTH_BYTES = 4;
/** The first byte of a TLS record that carries a handshake. */
const TLS_HANDSHAKE = 0x16;
// Steps that are the same each time.
const FIRST_BYTE = peeking(1);
const START = peeking(LENGTH_BYTES);
const HEADER = peeking(HEADER_BYTES);
const ALPN_PROTOCOL = 'postgresql';
/** As PostgreSQL has them. A long secret is for clients of protocol 3.2 (trap PG-27). */
const SALT_BYTES = 16;
const NONCE_BYTES = 18;
const SCRAM_ITERATIONS = 4096;
const SECRET_BYTES = { short: 4, long: 32 } as const;
/** `replication` with one of these is an ordinary connection. */
const NO_REPLICATION: readonly string[] = ['', 'false', 'off', 'no', '0'];

/** A client arrives: encryption, start-up, sign-in, and all that it is told before its first request. */
export function* greet(
  door: PostgresDoor,
  salted: SaltedPasswords,
  realms: Realms,
): Conversation<PostgresEntry> {
  const arrival = yield* readArrival(door, realms);
  if (arrival.kind === 'cancel') return arrival;
  const { startup, tls } = arrival;
  const offer = counterOffer(startup);
  if (offer !== undefined) yield sending(offer);
  const refusal = checkStartup(door, startup, tls !== undefined);
  if (refusal !== undefined) throw new FaultError(refusal);

  let signedIn: SignedIn | undefined;
  try {
    signedIn = yield* signIn(door, startup.user, tls, salted);
  } catch (error) {
    throw spoken(error);
  }
  if (signedIn === undefined) return { kind: 'end' };

  const who = withAddress(principalOf(startup, realms), door.shownAddress());
  const opened = door.open(who);
  const welcome = opened instanceof Promise ? yield* outcome(opened) : opened;
  const { short, long } = SECRET_BYTES;
  const secret = door.random(startup.minor < NEWEST_MINOR ? short : long);
  yield sending(welcomeBytes(signedIn.last, outfitOf(who, welcome), door.cancelNumber, secret));
  return { kind: 'session', who, welcome, method: signedIn.method, secret };
}

type Arrival =
  | { readonly kind: 'cancel'; readonly number: number; readonly secret: Uint8Array }
  | {
      readonly kind: 'startup';
      readonly startup: StartupMessage;
      /** Undefined where the connection is not encrypted. */
      readonly tls: AgreedTls | undefined;
    };

/** Everything up to the start-up message: direct TLS, SSLRequest, GSSENCRequest, in any order that makes sense (trap PG-29). */
function* readArrival(door: PostgresDoor, realms: Realms): Conversation<Arrival> {
  let tls: AgreedTls | undefined;
  let tlsRefused = false;
  let gssRefused = false;
  let head = yield FIRST_BYTE;
  if (u8(head, 0) === TLS_HANDSHAKE) {
    // Direct TLS says by ALPN what it is; PostgreSQL insists on that too, and so keeps other protocols out (trap PG-31).
    if (!door.keeper.offersTls) throw new Violation('direct TLS where no TLS is offered');
    tls = yield* startTls('server', true);
    if (tls.protocol !== ALPN_PROTOCOL)
      throw new Violation('direct TLS without ALPN for PostgreSQL');
    head = EMPTY;
  }
  for (;;) {
    if (head.length < LENGTH_BYTES) head = yield START;
    const length = checkLength(i32be(head, 0));
    const bytes = yield reading(LENGTH_BYTES + length);
    head = EMPTY;
    const packet = recognise(bytes, realms) ?? readStartup(bytes.subarray(LENGTH_BYTES));
    switch (packet.kind) {
      case 'sslRequest':
        if (tlsRefused || tls !== undefined)
          throw new Violation('SSLRequest where it makes no sense');
        tlsRefused = !door.keeper.offersTls;
        yield sending(utf8(tlsRefused ? 'N' : 'S'));
        if (tlsRefused) break;
        tls = yield* startTls('server');
        break;
      case 'gssEncRequest':
        if (gssRefused || tls !== undefined)
          throw new Violation('GSSENCRequest where it makes no sense');
        gssRefused = true;
        yield sending(utf8('N'));
        break;
      case 'cancelRequest':
        return { kind: 'cancel', number: packet.pid, secret: packet.secret };
      case 'unsupportedProtocol':
        throw new FaultError({
          name: 'unsupported',
          detail: 'RDS Proxy supports only version 3 of the PostgreSQL messaging protocol.',
        });
      case 'startup':
        return { kind: 'startup', startup: packet, tls };
    }
  }
}

/** Whoever has signed in before says the same again. */
function recognise(bytes: Uint8Array, realms: Realms): StartupMessage | undefined {
  return realms.acquaintances.get(latin1(bytes, LENGTH_BYTES))?.startup;
}

function checkStartup(
  door: PostgresDoor,
  startup: StartupMessage,
  encrypted: boolean,
): Fault | undefined {
  if (startup.user === '') return { name: 'userMissing' };
  if (door.keeper.requiresTls && !encrypted) return { name: 'tlsRequired' };
  const replication = startup.parameters.get('replication')?.toLowerCase() ?? '';
  if (!NO_REPLICATION.includes(replication)) {
    return {
      name: 'unsupported',
      detail: "RDS Proxy currently doesn't support streaming replication mode.",
    };
  }
  return door.admit();
}

/** A client that wishes for more than there is gets told so, once and before all else (trap PG-26). */
function counterOffer({ minor, protocolOptions }: StartupMessage): Uint8Array | undefined {
  if (minor <= NEWEST_MINOR && protocolOptions.length === 0) return undefined;
  return backend.negotiateProtocolVersion(Math.min(minor, NEWEST_MINOR), protocolOptions);
}

/** From its start-up message on a client understands error messages: a violation is told before the connection closes. */
function spoken(error: unknown): unknown {
  if (!(error instanceof Violation)) return error;
  return new FaultError({ name: 'protocolViolation', detail: error.message });
}

/** What was said last, still to be sent, and how the client proved itself. */
interface SignedIn {
  readonly last: Uint8Array;
  readonly method: string;
}

/** Undefined where the client left. Throws a `FaultError` where it is refused. */
function signIn(
  door: PostgresDoor,
  user: string,
  tls: AgreedTls | undefined,
  salted: SaltedPasswords,
): Conversation<SignedIn | undefined> {
  const rule = door.keeper.rule(user);
  if (rule.kind === 'token') return signInByToken(door, user, tls !== undefined);
  if (rule.method === 'POSTGRES_MD5') return signInByMd5(door, user, rule);
  return signInByScram(door, user, rule, tls, salted);
}

function* signInByToken(
  door: PostgresDoor,
  user: string,
  encrypted: boolean,
): Conversation<SignedIn | undefined> {
  if (!encrypted) throw new FaultError({ name: 'iamNeedsTls' });
  yield sending(backend.authenticationCleartextPassword());
  const answer = yield* readAnswer();
  if (answer === undefined) return undefined;
  const token = readPasswordMessage(answer);
  const verdict = yield* outcome(door.keeper.checkToken(user, token));
  if (!verdict.ok) {
    door.refused(user, verdict.why);
    throw new FaultError({ name: verdict.fault ?? 'iamRefused', user });
  }
  return { last: EMPTY, method: 'IAM authentication' };
}

type PasswordRule = Extract<LoginRule, { kind: 'password' }>;

function* signInByMd5(
  door: PostgresDoor,
  user: string,
  rule: PasswordRule,
): Conversation<SignedIn | undefined> {
  const salt = door.random(4);
  yield sending(backend.authenticationMd5Password(salt));
  const answer = yield* readAnswer();
  if (answer === undefined) return undefined;
  const matches = md5Matches(user, rule.passwords, salt, readPasswordMessage(answer).reveal());
  if (!matches || !rule.known) throw refuse(door, user, rule, WRONG_PASSWORD);
  return { last: EMPTY, method: 'PostgreSQL native password authentication' };
}

const OFFER = backend.authenticationSasl([SCRAM]);
const OFFER_WITH_BINDING = backend.authenticationSasl([SCRAM_PLUS, SCRAM]);

/** An unknown user takes the same steps, with a verifier that no password meets (trap PG-103). */
function* signInByScram(
  door: PostgresDoor,
  user: string,
  rule: PasswordRule,
  tls: AgreedTls | undefined,
  salted: SaltedPasswords,
): Conversation<SignedIn | undefined> {
  // Only TLS can be bound to, and only a certificate that has a hash (trap PG-100).
  const endPoint = tls === undefined ? undefined : endPointOf(tls.certificate());
  yield sending(endPoint === undefined ? OFFER : OFFER_WITH_BINDING);
  const initial = yield* readAnswer();
  if (initial === undefined) return undefined;
  const { mechanism, response } = readSaslInitialResponse(initial);
  const chosen = mechanism === SCRAM || (mechanism === SCRAM_PLUS && endPoint !== undefined);
  if (!chosen || response === undefined)
    throw new Violation(`an unknown SASL mechanism: ${mechanism}`);
  const opening = readClientFirst(response, mechanism, endPoint);
  if (!opening.ok) throw refuse(door, user, rule, opening);

  const salt = door.keeper.salt(user, SALT_BYTES);
  const challenge = makeServerFirst(
    opening.first,
    salt,
    door.random(NONCE_BYTES),
    SCRAM_ITERATIONS,
  );
  yield sending(backend.authenticationSaslContinue(challenge.message));
  // While the client works on its answer: nobody sees by the clock whether there is a key, and strangers cost nothing.
  const derived = rule.known
    ? salted.verifiers(rule.passwords, salt, SCRAM_ITERATIONS)
    : [mockVerifier(door)];
  const verifiers = derived instanceof Promise ? yield* outcome(derived) : derived;
  const proof = yield* readAnswer();
  if (proof === undefined) return undefined;
  const verdict = readClientFinal(challenge, proof, verifiers);
  if (!verdict.ok) throw refuse(door, user, rule, verdict);
  return {
    last: backend.authenticationSaslFinal(verdict.message),
    method: 'PostgreSQL native password authentication',
  };
}

type Objection = Pick<Refused, 'about' | 'why'>;

const WRONG_PASSWORD: Objection = { about: 'proof', why: 'the password is wrong' };

/** The log learns what was wrong; of a password, the client does not. */
function refuse(
  door: PostgresDoor,
  user: string,
  rule: PasswordRule,
  { about, why }: Objection,
): FaultError {
  door.refused(user, rule.known ? why : 'the proxy has no credentials for this user');
  switch (about) {
    case 'proof':
      return new FaultError({ name: 'loginRefused', user });
    case 'binding':
      return new FaultError({ name: 'channelBindingFailed' });
    case 'offer':
      return new FaultError({
        name: 'channelBindingUnseen',
        detail:
          'The client supports SCRAM channel binding but thinks the server does not.  ' +
          'However, this server does support channel binding.',
      });
  }
}

/**
 * The body of the client's next password message; undefined where it says goodbye instead. What is neither, such as a second
 * start-up packet, is known by its first byte: its length may mean nothing (trap PG-105).
 */
function* readAnswer(): Conversation<Uint8Array | undefined> {
  let arrived = yield FIRST_BYTE;
  const type = u8(arrived, 0);
  if (type === frontend.terminate) return undefined;
  if (type !== frontend.password) {
    throw new FaultError({
      name: 'protocolViolation',
      detail: `expected password response, got message type ${type}`,
    });
  }
  if (arrived.length < HEADER_BYTES) arrived = yield HEADER;
  const bodyBytes = checkMessageLength(i32be(arrived, 1), limits.passwordMessageBytes.value);
  // A copy: of few bytes that is cheaper than a view.
  return (yield reading(HEADER_BYTES + bodyBytes)).slice(HEADER_BYTES);
}

function welcomeBytes(
  last: Uint8Array,
  { told }: Outfit,
  cancelNumber: number,
  cancelSecret: Uint8Array,
): Uint8Array {
  const key = backend.backendKeyData(cancelNumber, cancelSecret);
  return concat([last, greetingOf(told), key, READY]);
}

const AUTHENTICATION_OK = backend.authenticationOk();
const READY = backend.readyForQuery('I');
const greetings = new WeakMap<ParameterSet, Uint8Array>();

/** The messages that let a client in and tell it a set of parameters. */
function greetingOf(parameters: ParameterSet): Uint8Array {
  let bytes = greetings.get(parameters);
  if (bytes === undefined) {
    const statuses = [...parameters].map(([name, value]) => backend.parameterStatus(name, value));
    bytes = concat([AUTHENTICATION_OK, ...statuses]);
    greetings.set(parameters, bytes);
  }
  return bytes;
}
