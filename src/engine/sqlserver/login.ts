import { Violation } from '../../base/assert.ts';
import { EMPTY, utf16 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { endTls, send, startTls } from '../../core/conversation.ts';
import type { Gate, TlsMode } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import { Elsewhere } from '../../core/network.ts';
import type { Feature } from '../../wire/tds/features.ts';
import { feature } from '../../wire/tds/features.ts';
import { login7 } from '../../wire/tds/login7.ts';
import {
  DEFAULT_PACKET_BYTES,
  MAX_PACKET_BYTES,
  message,
  MIN_PACKET_BYTES,
  packetBytes,
  packetType,
} from '../../wire/tds/packets.ts';
import type { Prelogin } from '../../wire/tds/prelogin.ts';
import { encryption, prelogin, readPrelogin } from '../../wire/tds/prelogin.ts';
import { TlsEnvelope } from '../../wire/tds/tls-envelope.ts';
import { readMessage } from './ask.ts';
import type { SqlServerPrincipal } from './principal.ts';
import { OWN_NAME } from './principal.ts';
import { refusedBy } from './refusal.ts';
import type { Target } from './target.ts';
import type { Welcome } from './welcome.ts';
import { readLoginAnswer } from './welcome.ts';

/** What came of knocking at a database: it has let us in. */
export interface LetIn {
  readonly spid: number;
  readonly welcome: Welcome;
  readonly packetBytes: number;
}

/** What we say of ourselves where a version is asked for: all of TDS 7.4. */
const OWN_VERSION = Uint8Array.of(16, 0, 0, 0, 0, 0);
/** The same in a LOGIN7, and who the interface is. */
const CLIENT_VERSION = 0x10000000;
const CLIENT_ID = new Uint8Array(6);

/** Says who we are, up to the database's word that we are in. Throws a `FaultError` with its errors where we are not, or `Elsewhere`. */
export function* knock(gate: Gate<SqlServerPrincipal>, target: Target): Conversation<LetIn> {
  const { who } = gate;
  const agreed = yield* agreeOnTls(gate, target);
  const login = loginOf(gate);
  if (agreed === 'for the login') {
    // It is the first packet that is encrypted, and nothing behind it (trap TD-12).
    const first = packetBytes(login, 0);
    yield* send(login.subarray(0, first));
    yield* endTls();
    if (first < login.length) yield* send(login.subarray(first));
  } else yield* send(login);
  const reply = yield* readMessage(limits.tdsLoginBytes.value);
  if (reply.type !== packetType.result)
    throw new Violation(`a message of type ${reply.type} in answer to a login`);
  const answer = readLoginAnswer(reply.payload, who.tdsVersion);
  if (answer.routing !== undefined) throw new Elsewhere(answer.routing);
  const { welcome, errors } = answer;
  if (welcome === undefined) throw refusedBy(errors, who.tdsVersion);
  return { spid: reply.spid, welcome, packetBytes: answer.packetBytes };
}

/** What TLS is there for, on either side. */
export type Encrypted = 'wholly' | 'for the login' | 'not at all';

/** Asks for TLS as the mode says, and has it start. [MS-TDS] 2.2.6.5 */
function* agreeOnTls(
  { tlsMode: mode, tlsFirst }: Gate<SqlServerPrincipal>,
  target: Target,
): Conversation<Encrypted> {
  const isStrict = tlsFirst === true && mode !== 'disable';
  if (isStrict) yield* startTls('client'); // trap TD-13
  const wanted = isStrict || mode === 'disable' ? encryption.notSupported : encryption.on;
  yield* send(message(packetType.prelogin, prelogin(sayingPrelogin(wanted)), DEFAULT_PACKET_BYTES));
  const reply = yield* readMessage(limits.tdsPreloginBytes.value);
  if (reply.type !== packetType.result && reply.type !== packetType.prelogin)
    throw new Violation(`a message of type ${reply.type} in answer to a PRELOGIN`);
  const said = readPrelogin(reply.payload);
  target.version = said.version;
  // Within TLS it does not matter what is said of it.
  if (isStrict) return 'wholly';
  const encrypted = judge(mode, said.encryption ?? encryption.notSupported);
  if (encrypted !== 'not at all')
    yield* startTls('client', false, new TlsEnvelope(encrypted === 'for the login'));
  return encrypted;
}

function judge(mode: TlsMode, said: number): Encrypted {
  const isOffered = said !== encryption.notSupported;
  if (mode === 'disable') {
    if (said === encryption.on || said === encryption.required)
      throw refused('the database requires TLS, which its settings switch off');
    return 'not at all';
  }
  if (!isOffered) {
    if (mode === 'prefer') return 'not at all';
    throw refused('the database does not offer TLS, which its settings require');
  }
  if (said !== encryption.off) return 'wholly';
  if (mode === 'prefer') return 'for the login';
  throw refused('the database offers TLS for the login only, and its settings require it for all');
}

function refused(detail: string): FaultError {
  return new FaultError({ name: 'databaseRefused', refusal: 'later', detail });
}

function sayingPrelogin(wanted: number): Prelogin {
  return {
    version: OWN_VERSION,
    encryption: wanted,
    instance: '',
    threadId: new Uint8Array(4),
    mars: false,
    traceId: undefined,
    fedAuthRequired: undefined,
    nonce: undefined,
  };
}

/** The LOGIN7 as packets. */
function loginOf({ who, password }: Gate<SqlServerPrincipal>): Uint8Array {
  const { options, features } = who;
  const payload = login7({
    tdsVersion: who.tdsVersion,
    packetBytes: askedPacketBytes(who.packetBytes),
    clientVersion: CLIENT_VERSION,
    clientPid: 0,
    connectionId: 0,
    ...options,
    timeZone: 0,
    lcid: who.lcid,
    hostName: OWN_NAME,
    userName: who.user,
    password: utf16(password.reveal()),
    appName: who.appName,
    serverName: '',
    libraryName: OWN_NAME,
    language: who.language,
    database: who.database,
    clientId: CLIENT_ID,
    sspi: EMPTY,
    attachFile: '',
    newPassword: EMPTY,
    features,
  });
  return message(packetType.login, payload, DEFAULT_PACKET_BYTES);
}

/** What a login that asks for `bytes` gets: 0 leaves it to the server. */
export function askedPacketBytes(bytes: number): number {
  if (bytes === 0) return DEFAULT_PACKET_BYTES;
  return Math.min(MAX_PACKET_BYTES, Math.max(MIN_PACKET_BYTES, bytes));
}

/** Whether rows may have encrypted columns. */
export function encryptsColumns(features: readonly Feature[]): boolean {
  return features.some(({ id }) => id === feature.columnEncryption);
}
