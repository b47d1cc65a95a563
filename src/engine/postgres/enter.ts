import { Violation } from '../../base/assert.ts';
import { latin1, u8, utf8 } from '../../base/bytes.ts';
import { SecretText } from '../../base/secret-text.ts';
import { md5Response } from '../../auth/md5.ts';
import type { SaltedPasswords } from '../../auth/scram.ts';
import {
  makeClientFinal,
  makeClientFirst,
  readServerFinal,
  readServerFirst,
} from '../../auth/scram.ts';
import type { Conversation } from '../../core/conversation.ts';
import { read, send, startTls, wait } from '../../core/conversation.ts';
import type { Gate } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import type { AuthenticationRequest } from '../../wire/postgres/backend-read.ts';
import {
  readAuthentication,
  readBackendKeyData,
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
import { sslRequest, startupMessage } from '../../wire/postgres/startup.ts';
import { checkCount, PostgresMemory } from './memory.ts';
import { readMessage } from './messages.ts';
import type { PostgresPrincipal } from './principal.ts';
import type { Realm } from './realm.ts';

type PostgresGate = Gate<PostgresPrincipal>;

const SCRAM = 'SCRAM-SHA-256';
const NONCE_BYTES = 18;
const NO_KEY = { pid: 0, secret: new Uint8Array(0) };

/** Logs in to a database. Throws a `FaultError` with the database's own error where it says no. */
export function* enter(gate: PostgresGate, salted: SaltedPasswords): Conversation<PostgresMemory> {
  const encrypted = yield* agreeOnTls(gate.tlsMode);
  const { user, database, parameters } = gate.who;
  yield* send(startupMessage([['user', user], ['database', database], ...parameters]));
  yield* authenticate(gate, encrypted, salted);
  return yield* readWelcome(gate.who.realm);
}

/** Asks for TLS as the mode says; true where the connection is encrypted now. */
export function* agreeOnTls(mode: PostgresGate['tlsMode']): Conversation<boolean> {
  if (mode === 'disable') return false;
  yield* send(sslRequest());
  const answer = String.fromCharCode(u8(yield* read(1), 0));
  if (answer === 'S') {
    yield* startTls('client');
    return true;
  }
  if (answer === 'N' && mode === 'prefer') return false;
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

function* authenticate(
  gate: PostgresGate,
  encrypted: boolean,
  salted: SaltedPasswords,
): Conversation<void> {
  for (let answered = false; ; answered = true) {
    const request = yield* readRequest();
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
        yield* authenticateByScram(gate, request.mechanisms, salted);
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
  salted: SaltedPasswords,
): Conversation<void> {
  if (!mechanisms.includes(SCRAM)) {
    throw refused(`the database offers only ${mechanisms.join(', ')} for authentication`);
  }
  const first = makeClientFirst(gate.random(NONCE_BYTES));
  yield* send(saslInitialResponse(SCRAM, latin1(first.message)));
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
      case backend.negotiateProtocolVersion:
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

function refused(detail: string): FaultError {
  return new FaultError({ name: 'databaseRefused', refusal: 'credentials', detail });
}
