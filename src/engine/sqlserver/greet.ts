import { Violation } from '../../base/assert.ts';
import { EMPTY, u32le, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { endTls, peek, send, startTls, wait } from '../../core/conversation.ts';
import type { Door, Doorkeeper, Entry } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { TalkTimeout } from '../../core/network.ts';
import { flags1, flags2, flags3 } from '../../wire/tds/login-flags.ts';
import type { Login7 } from '../../wire/tds/login7.ts';
import { readLogin7 } from '../../wire/tds/login7.ts';
import { DEFAULT_PACKET_BYTES, message, packetType } from '../../wire/tds/packets.ts';
import { encryption, prelogin, readPrelogin } from '../../wire/tds/prelogin.ts';
import { TlsEnvelope } from '../../wire/tds/tls-envelope.ts';
import { isAtLeast, tdsVersion } from '../../wire/tds/versions.ts';
import { MOST_PACKET_BYTES, readMessage, readPacket, readRest } from './ask.ts';
import { say } from './faults.ts';
import type { Encrypted } from './login.ts';
import { askedPacketBytes } from './login.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Principals, SqlServerPrincipal } from './principal.ts';
import { signIn } from './sign-in.ts';
import type { Target } from './target.ts';
import { welcomeReply } from './welcome.ts';

type SqlServerDoor = Door<SqlServerMemory, SqlServerPrincipal>;
type SqlServerEntry = Entry<SqlServerMemory, SqlServerPrincipal>;

/** What all clients of a proxy share. */
export interface House {
  readonly target: Target;
  readonly principals: Principals;
}

/** A client arrives: PRELOGIN, encryption, LOGIN7, and what lets it in. */
export function* greet(door: SqlServerDoor, house: House): Conversation<SqlServerEntry> {
  const visit = new Visit();
  try {
    return yield* receive(door, house, visit);
  } catch (error) {
    throw inWords(error, visit);
  }
}

/** How far a client has come, as far as it matters to what it can be told. */
class Visit {
  /** The version of TDS that the client speaks; undefined before its LOGIN7, up to which it understands no errors. */
  version: number | undefined;
}

/** What ends the greeting, with the bytes that tell the client, if it can be told. */
function inWords(error: unknown, { version }: Visit): unknown {
  if (error instanceof FaultError && error.words !== undefined) return error;
  const fault = faultIn(error, version);
  if (fault === undefined) return error;
  return new FaultError(fault, version === undefined ? EMPTY : say(fault, version));
}

function faultIn(error: unknown, version: number | undefined): Fault | undefined {
  if (error instanceof FaultError) return error.fault;
  if (error instanceof TalkTimeout) return { name: 'loginTimeout' };
  const isTold = error instanceof Violation && version !== undefined;
  return isTold ? { name: 'protocolViolation', detail: error.message } : undefined;
}

function* receive(door: SqlServerDoor, house: House, visit: Visit): Conversation<SqlServerEntry> {
  const { encrypted, trouble } = yield* begin(door, house.target);
  const first = yield* readPacket(MOST_PACKET_BYTES);
  if (first.type !== packetType.login)
    throw new Violation(`a message of type ${first.type} in place of a LOGIN7`);
  // It is the first packet that was encrypted, and nothing behind it (trap TD-12).
  if (encrypted === 'for the login') yield* endTls();
  const { payload } = yield* readRest(first, limits.tdsLoginBytes.value);
  visit.version = versionFor(payload.length < VERSION_AT + 4 ? 0 : u32le(payload, VERSION_AT));
  const login = readLogin7(payload);
  const full = door.admit();
  if (full !== undefined) throw new FaultError(full);
  if (trouble !== undefined) throw new FaultError(trouble);
  refuseUnsupported(login);
  if (door.keeper.requiresTls && encrypted !== 'wholly')
    throw new FaultError({ name: 'tlsRequired' });
  return yield* admit(door, house, { login, isEncrypted: encrypted !== 'not at all' });
}

/** Where a LOGIN7 has the version. */
const VERSION_AT = 4;

interface Begun {
  readonly encrypted: Encrypted;
  /** Why the target has not been seen: told when the client can hear it. */
  readonly trouble: Fault | undefined;
}

const TLS_HANDSHAKE = 22;

/** Up to where the LOGIN7 is to come, over TLS where that has been agreed on. */
function* begin(door: SqlServerDoor, target: Target): Conversation<Begun> {
  let first = u8(yield* peek(1), 0);
  const isStrict = first === TLS_HANDSHAKE && door.keeper.offersTls;
  if (isStrict) {
    // TDS 8.0: TLS comes before all else (trap TD-13).
    yield* startTls('server', true);
    first = u8(yield* peek(1), 0);
  }
  const bare = isStrict ? 'wholly' : 'not at all';
  if (first === packetType.login) return { encrypted: bare, trouble: yield* meet(door, target) };
  if (first !== packetType.prelogin) throw new Violation(`${first} in place of a PRELOGIN`);
  const { payload } = yield* readMessage(limits.tdsPreloginBytes.value);
  const wanted = readPrelogin(payload).encryption ?? encryption.notSupported;
  const trouble = yield* meet(door, target);
  const answer = isStrict ? wanted : answerTo(wanted, door.keeper);
  yield* send(message(packetType.result, ours(target, answer), DEFAULT_PACKET_BYTES));
  if (isStrict) return { encrypted: 'wholly', trouble };
  return { encrypted: yield* encrypt(wanted, answer), trouble };
}

/** What clients are shown is the target's, so that it must have been seen once. */
function* meet(door: SqlServerDoor, target: Target): Conversation<Fault | undefined> {
  if (target.version !== undefined) return undefined;
  try {
    yield* wait(() => door.meet());
    return undefined;
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return error.fault;
  }
}

/** What is answered to a client that says so of encryption. Nobody who wants it is let in without it (trap TD-14). [MS-TDS] 2.2.6.5 */
function answerTo(wanted: number, { offersTls, requiresTls }: Doorkeeper): number {
  if (!offersTls) return encryption.notSupported;
  switch (wanted) {
    case encryption.off:
    case encryption.notSupported:
      return requiresTls ? encryption.required : wanted;
    case encryption.on:
    case encryption.required:
      return encryption.on;
    default:
      throw new Violation(`encryption of kind ${wanted}`);
  }
}

/** Nobody says that it begins: what comes next is the hello. */
function* encrypt(wanted: number, answer: number): Conversation<Encrypted> {
  if (answer === encryption.notSupported) return 'not at all';
  // Whoever cannot, and must, should leave; it is told why if it goes on.
  if (wanted === encryption.notSupported) {
    const next = u8(yield* peek(1), 0);
    if (next !== packetType.prelogin) return 'not at all';
  }
  const isForLogin = answer === encryption.off;
  yield* startTls('server', true, new TlsEnvelope(isForLogin));
  return isForLogin ? 'for the login' : 'wholly';
}

const UNSEEN_VERSION = new Uint8Array(6);

/** The payload of our PRELOGIN: several requests at a time are not on offer (trap TD-22). */
function ours({ version = UNSEEN_VERSION }: Target, answer: number): Uint8Array {
  return prelogin({
    version,
    encryption: answer,
    instance: '',
    threadId: EMPTY,
    mars: false,
    traceId: undefined,
    fedAuthRequired: undefined,
    nonce: undefined,
  });
}

const VERSIONS: readonly number[] = [
  tdsVersion.v74,
  tdsVersion.v73b,
  tdsVersion.v73a,
  tdsVersion.v72,
  tdsVersion.v71rev1,
  tdsVersion.v71,
];

/** The version to speak with a client that asks for another one: the latest that both know. */
function versionFor(asked: number): number {
  return VERSIONS.find((one) => isAtLeast(asked, one)) ?? tdsVersion.v71;
}

/** What has no part in this proxy, each in a sentence. */
function refuseUnsupported(login: Login7): void {
  const told = unsupported.find(({ is }) => is(login));
  if (told !== undefined) throw new FaultError({ name: 'unsupported', detail: told.detail });
}

const unsupported: readonly { readonly is: (login: Login7) => boolean; readonly detail: string }[] =
  [
    {
      is: (login) => !isAtLeast(login.tdsVersion, tdsVersion.v71),
      detail: 'TDS before version 7.1. Use a later version of the driver, or of its protocol.',
    },
    {
      // There is no password to take elsewhere (trap TD-28).
      is: (login) => (login.flags2 & flags2.integratedSecurity) !== 0 || login.sspi.length > 0,
      detail:
        'Windows authentication. Sign in with a user name and a password, or with an IAM token.',
    },
    {
      is: (login) => (login.flags3 & flags3.changePassword) !== 0 || login.newPassword.length > 0,
      detail:
        'changing the password while signing in. Change it in the database, and in the secret.',
    },
    { is: (login) => login.attachFile !== '', detail: 'attaching a database file.' },
    {
      is: (login) => (login.flags3 & flags3.userInstance) !== 0,
      detail: "instances of a user's own.",
    },
    {
      is: (login) => (login.flags1 & (flags1.bigEndian | flags1.ebcdic)) !== 0,
      detail: 'big-endian numbers, and EBCDIC.',
    },
  ];

interface Arrival {
  readonly login: Login7;
  /** Its LOGIN7 was. */
  readonly isEncrypted: boolean;
}

function* admit(
  door: SqlServerDoor,
  { principals }: House,
  { login, isEncrypted }: Arrival,
): Conversation<SqlServerEntry> {
  const { user, method, usedFeature } = yield* signIn(door, login, isEncrypted);
  const packetBytes = askedPacketBytes(login.packetBytes);
  const who = principals.of({
    user,
    database: login.database,
    language: login.language,
    tdsVersion: versionFor(login.tdsVersion),
    appName: login.appName,
    lcid: login.lcid,
    packetBytes,
    options: {
      flags1: login.flags1,
      flags2: login.flags2,
      typeFlags: login.typeFlags,
      flags3: login.flags3,
    },
    features: login.features,
  });
  const memory = yield* wait(() => door.open(who));
  yield* send(
    welcomeReply(memory.welcome, {
      version: login.tdsVersion,
      packetBytes,
      usedToken: usedFeature,
      spid: spidOf(door.cancelNumber),
    }),
  );
  return { kind: 'session', who, welcome: memory, method, secret: EMPTY };
}

/** Above those of the server's own processes. It says nothing of which connection a request runs on (trap TD-29). */
function spidOf(number: number): number {
  return FIRST_SPID + (number % SPIDS);
}

const FIRST_SPID = 51;
const SPIDS = 32_000;
