import { Violation } from '../../base/assert.ts';
import { latin1, u8, utf8 } from '../../base/bytes.ts';
import { SecretText } from '../../base/secret-text.ts';
import { endPointOf } from '../../auth/channel-binding.ts';
import { md5Response } from '../../auth/md5.ts';
import type { SaltedPasswords } from '../../auth/salted-passwords.ts';
import type { ClientBinding } from '../../auth/scram.ts';
import {
  makeClientFinal,
  makeClientFirst,
  readServerFinal,
  readServerFirst,
  SCRAM,
  SCRAM_PLUS,
} from '../../auth/scram.ts';
import type { AgreedTls, Conversation } from '../../core/conversation.ts';
import { peek, read, send, startTls, wait } from '../../core/conversation.ts';
import type { Gate } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import { PeerClosed } from '../../core/network.ts';
import type { AuthenticationRequest } from '../../wire/postgres/backend-read.ts';
import {
  readAuthentication,
  readBackendKeyData,
  readNegotiateProtocolVersion,
  readParameterStatus,
  readReadyForQuery,
  readReport,
} from '../../wire/postgres/backend-read.ts';
import {
  passwordMessage,
  saslInitialResponse,
  saslResponse,
} from '../../wire/postgres/frontend.ts';
import { errorResponse } from '../../wire/postgres/backend.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import type { Report } from '../../wire/postgres/report.ts';
import { NEWEST_MINOR, sslRequest, startupMessage } from '../../wire/postgres/startup.ts';
import { checkCount, PostgresMemory } from './memory.ts';
import { readMessage } from './messages.ts';
import type { PostgresPrincipal } from './principal.ts';
import type { Realm } from './realm.ts';

type PostgresGate = Gate<PostgresPrincipal>;

const NONCE_BYTES = 18;
const NO_KEY = { pid: 0, secret: new Uint8Array(0) };

/** A lesson: who asks this database for a newer protocol is sent away, instead of being told the newest that there is. */
const ONLY_3_0 = 'speaks protocol 3.0 only';
/** What such databases call it; some have no code for it, some just close. */
const REFUSES_VERSION = { codes: ['0A000', '08P01'], text: /protocol/i } as const;

/** Logs in to a database. Throws a `FaultError` with the database's own error where it says no. */
export function* enter(gate: PostgresGate, salted: SaltedPasswords): Conversation<PostgresMemory> {
  const tls = yield* agreeOnTls(gate.tlsMode);
  if (gate.channelBinding === 'require' && tls === undefined) throw unbound('it offers no TLS');
  const request = yield* introduce(gate);
  yield* authenticate(gate, request, tls, salted);
  return yield* readWelcome(gate.who.realm);
}

/** Asks for TLS as the mode says; undefined where the connection stays as it is. */
export function* agreeOnTls(mode: PostgresGate['tlsMode']): Conversation<AgreedTls | undefined> {
  if (mode === 'disable') return undefined;
  yield* send(sslRequest());
  const answer = String.fromCharCode(u8(yield* read(1), 0));
  if (answer === 'S') return yield* startTls('client');
  if (answer === 'N' && mode === 'prefer') return undefined;
  // 'E' begins the error message of a server that is too old for TLS, or cannot start a process for us (trap PG-32).
  throw new FaultError({
    name: 'databaseRefused',
    refusal: 'later',
    detail:
      answer === 'N'
        ? 'the database does not offer TLS, which its settings require'
        : 'the database refused to talk about TLS',
  });
}

/** Says who we are, in the newest protocol that the database is known to bear; returns the first that it asks for. */
function* introduce(gate: PostgresGate): Conversation<AuthenticationRequest> {
  const { lessons, who } = gate;
  const { user, database, parameters } = who;
  const minor = lessons.has(ONLY_3_0) ? 0 : NEWEST_MINOR;
  yield* send(startupMessage([['user', user], ['database', database], ...parameters], minor));
  const answer = yield* readFirstRequest(minor);
  if ('kind' in answer) return answer;
  if (minor === 0) {
    lessons.delete(ONLY_3_0); // it was not the protocol, then
    throw answer;
  }
  lessons.add(ONLY_3_0);
  throw new FaultError({
    name: 'databaseRefused',
    refusal: 'again',
    detail: `the database does not bear protocol 3.${minor}: ${answer.message}`,
  });
}

/** Or the error, where it may be the protocol's version that is refused. Notices may come before (trap PG-12). */
function* readFirstRequest(asked: number): Conversation<AuthenticationRequest | Error> {
  try {
    yield* peek(1);
  } catch (error) {
    if (error instanceof PeerClosed) return error;
    throw error;
  }
  for (let negotiated = false; ;) {
    const { type, body } = yield* readMessage();
    switch (type) {
      case backend.authentication:
        return readAuthentication(body);
      case backend.errorResponse: {
        const report = readReport(body);
        const isSuspect =
          REFUSES_VERSION.codes.some((code) => code === report.code) ||
          REFUSES_VERSION.text.test(report.message);
        if (isSuspect) return refusedBy(report);
        throw refusedBy(report);
      }
      case backend.negotiateProtocolVersion: {
        // Less than 3.2 is 3.0: there is no 3.1; and we have asked for no options.
        const { minor, unknownOptions } = readNegotiateProtocolVersion(body);
        if (negotiated || asked === 0 || minor !== 0 || unknownOptions.length > 0)
          throw new Violation('a negotiation of the protocol that makes no sense');
        negotiated = true;
        break;
      }
      case backend.noticeResponse:
        break;
      default:
        throw new Violation(`message type ${type} before authentication`);
    }
  }
}

function* authenticate(
  gate: PostgresGate,
  first: AuthenticationRequest,
  tls: AgreedTls | undefined,
  salted: SaltedPasswords,
): Conversation<void> {
  const encrypted = tls !== undefined;
  // Before anything about the password is sent, and also where none is asked for.
  if (gate.channelBinding === 'require' && first.kind !== 'sasl')
    throw unbound('it does not offer SCRAM');
  for (let request = first, answered = false; ; request = yield* readRequest(), answered = true) {
    if (request.kind === 'ok') return;
    // A database that asks again after an answer wants more than to let us in.
    if (answered) throw new Violation(`${request.kind} after the password had been given`);
    switch (request.kind) {
      case 'cleartextPassword':
        if (!encrypted && !gate.allowCleartext) {
          throw refused(
            'the database asks for the password in the clear, on a connection without TLS',
          );
        }
        yield* send(passwordMessage(gate.password));
        break;
      case 'md5Password': {
        const response = md5Response(gate.who.user, gate.password, request.salt);
        yield* send(passwordMessage(new SecretText(response)));
        break;
      }
      case 'sasl':
        yield* authenticateByScram(gate, request.mechanisms, tls, salted);
        break;
      case 'unsupported':
        throw refused(`the database asks for ${request.method}, which is not supported`);
      case 'saslContinue':
      case 'saslFinal':
        throw new Violation('a SASL message outside a SASL exchange');
    }
  }
}

function* authenticateByScram(
  gate: PostgresGate,
  mechanisms: readonly string[],
  tls: AgreedTls | undefined,
  salted: SaltedPasswords,
): Conversation<void> {
  const binding = bindingFor(gate, mechanisms, tls);
  const mechanism = typeof binding === 'string' ? SCRAM : SCRAM_PLUS;
  if (!mechanisms.includes(mechanism)) {
    throw refused(`the database offers only ${mechanisms.join(', ')} for authentication`);
  }
  const first = makeClientFirst(gate.random(NONCE_BYTES), binding);
  yield* send(saslInitialResponse(mechanism, latin1(first.message)));
  const challenge = yield* readRequest();
  if (challenge.kind !== 'saslContinue')
    throw new Violation(`${challenge.kind} in the middle of a SASL exchange`);
  const serverFirst = readServerFirst(first, utf8(challenge.data));
  const saltedPassword = yield* wait(() =>
    salted.derive(gate.password, serverFirst.salt, serverFirst.iterations),
  );
  const final = makeClientFinal(serverFirst, saltedPassword);
  yield* send(saslResponse(latin1(final.message)));
  const outcome = yield* readRequest();
  // Without its own proof this may be anybody: AuthenticationOk alone is not enough.
  if (outcome.kind !== 'saslFinal')
    throw new Violation(`${outcome.kind} where the database must prove itself`);
  const verdict = readServerFinal(final, utf8(outcome.data));
  if (!verdict.ok) throw refused(verdict.why);
}

/** What to bind the login to, as libpq decides it. A database that does not offer to be bound to is told so, and objects if it does. */
function bindingFor(
  { channelBinding }: PostgresGate,
  mechanisms: readonly string[],
  tls: AgreedTls | undefined,
): ClientBinding {
  if (channelBinding === 'disable') return 'none';
  const isOffered = mechanisms.includes(SCRAM_PLUS);
  if (tls === undefined) {
    // It thinks that there is TLS: somebody between us has taken it off (trap PG-101).
    if (isOffered) throw unbound(`it offers ${SCRAM_PLUS} on a connection without TLS`);
    return 'none';
  }
  const endPoint = endPointOf(tls.certificate());
  if (isOffered && endPoint !== undefined) return endPoint;
  if (channelBinding === 'require') {
    throw unbound(isOffered ? 'its certificate has no hash' : `it does not offer ${SCRAM_PLUS}`);
  }
  return endPoint === undefined ? 'none' : 'notOffered';
}

/** The next authentication request; notices may come before it (trap PG-12). */
function* readRequest(): Conversation<AuthenticationRequest> {
  for (;;) {
    const { type, body } = yield* readMessage();
    switch (type) {
      case backend.authentication:
        return readAuthentication(body);
      case backend.errorResponse:
        throw refusedBy(readReport(body));
      case backend.noticeResponse:
        break;
      default:
        throw new Violation(`message type ${type} during authentication`);
    }
  }
}

/** What the database tells of itself before it is ready. */
function* readWelcome(realm: Realm): Conversation<PostgresMemory> {
  const parameters = new Map<string, string>();
  let key: { readonly pid: number; readonly secret: Uint8Array } = NO_KEY;
  for (;;) {
    const { type, body } = yield* readMessage();
    switch (type) {
      case backend.parameterStatus: {
        const { name, value } = readParameterStatus(body);
        checkCount(parameters.set(name, value));
        break;
      }
      case backend.backendKeyData:
        key = readBackendKeyData(body);
        break;
      case backend.readyForQuery:
        readReadyForQuery(body);
        return new PostgresMemory({ parameters, ...key, realm });
      case backend.errorResponse:
        throw refusedBy(readReport(body));
      case backend.noticeResponse:
        break;
      default:
        throw new Violation(`message type ${type} before the database was ready`);
    }
  }
}

/** SQLSTATE classes and codes by which a database says that another attempt may succeed. */
const LATER = ['08', '53', '57', '58', 'XX'];
const CREDENTIALS = ['28000', '28P01'];

/** The database's own error, as the client shall see it. */
export function refusedBy(report: Report): FaultError {
  const { code } = report;
  const credentials = code !== undefined && CREDENTIALS.includes(code);
  const later = code === undefined || LATER.includes(code.slice(0, 2));
  const message = report.message === '' ? 'the database gave no reason' : report.message;
  const detail = `${message}${code === undefined ? '' : ` (${code})`}`;
  return new FaultError({
    name: 'databaseRefused',
    refusal: credentials ? 'credentials' : later ? 'later' : 'final',
    detail,
    ...(later || credentials ? {} : { original: errorResponse({ ...report, severity: 'FATAL' }) }),
  });
}

function unbound(why: string): FaultError {
  const detail = `the login at the database cannot be bound to its TLS connection: ${why}`;
  return new FaultError({ name: 'databaseRefused', refusal: 'later', detail });
}

function refused(detail: string): FaultError {
  return new FaultError({ name: 'databaseRefused', refusal: 'credentials', detail });
}
