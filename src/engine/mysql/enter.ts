import { must } from '../../base/assert.ts';
import { concat, utf8 } from '../../base/bytes.ts';
import type { Conversation } from '../../core/conversation.ts';
import { startTls } from '../../core/conversation.ts';
import type { Gate, TlsMode } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import { byte } from '../../wire/mysql/build.ts';
import type { Capabilities } from '../../wire/mysql/capabilities.ts';
import { capability, common } from '../../wire/mysql/capabilities.ts';
import { command } from '../../wire/mysql/commands.ts';
import { isError } from '../../wire/mysql/err.ts';
import type { ClientHeader, Handshake } from '../../wire/mysql/handshake.ts';
import { clientHeader, readHandshake } from '../../wire/mysql/handshake.ts';
import { handshakeResponse } from '../../wire/mysql/handshake-response.ts';
import { readOk } from '../../wire/mysql/ok.ts';
import { readSessionChanges } from '../../wire/mysql/session-track.ts';
import { ask, query } from './ask.ts';
import { Dialogue } from './dialogue.ts';
import { authenticate, firstAnswer } from './login.ts';
import { MysqlMemory } from './memory.ts';
import type { MysqlPrincipal } from './principal.ts';
import { refusedBy } from './refusal.ts';
import {
  beginningQuery,
  findTracked,
  readBeginning,
  readReports,
  reportQuery,
  reportsQuery,
} from './setup.ts';
import { SessionState } from './state.ts';
import type { Target, TargetGreeting } from './target.ts';

export type MysqlGate = Gate<MysqlPrincipal>;

/** What clients call themselves in performance_schema.session_connect_attrs. */
const ATTRIBUTES = [
  ['_client_name', 'sluice'],
  ['program_name', 'sluice'],
] as const;

/** The largest packet that we are ready to take: any. */
const MAX_PACKET_BYTES = 0x40000000;

/** Whatever is asked of us, we can do that much. */
const ALWAYS =
  capability.longPassword |
  capability.longFlag |
  capability.protocol41 |
  capability.transactions |
  capability.secureConnection |
  capability.pluginAuth |
  capability.connectAttrs |
  capability.pluginAuthLenencClientData |
  capability.sessionTrack;

/** What came of knocking at a database: it has let us in. */
interface LetIn {
  readonly greeting: TargetGreeting;
  readonly threadId: number;
  readonly capabilities: Capabilities;
  /** The payload of its OK. */
  readonly ok: Uint8Array;
}

/** Logs in to a database, and has it report what changes. Throws a `FaultError` with the database's own error where it says no. */
export function* enter(gate: MysqlGate, target: Target): Conversation<MysqlMemory> {
  const letIn = yield* knock(gate, target);
  const { greeting, capabilities, ok } = letIn;
  const { status, sessionState } = readOk(ok, 0, ok.length, capabilities.flags);
  const listener = { capabilities, status };
  const tracked = yield* findTracked(listener, target, greeting);
  const setting = reportQuery(tracked);
  const [told, begun, set] = yield* ask(
    listener,
    query(reportsQuery(greeting), capabilities),
    query(beginningQuery(greeting), capabilities),
    ...(setting === undefined ? [] : [query(setting, capabilities)]),
  );
  if (set?.error !== undefined) throw refusedBy(set.error);
  const { threadId, reports } = readReports(must(told, NO_ANSWER));
  const memory = new MysqlMemory({
    threadId,
    target: greeting,
    gate,
    reports,
    capabilities,
    announced: readSessionChanges(sessionState).filter(({ kind }) => kind === 'systemVariable'),
    beginning: readBeginning(greeting, must(begun, NO_ANSWER), tracked),
    status: listener.status,
    state: SessionState.fresh(undefined),
  });
  if (gate.who.schema !== undefined) yield* use(memory, target, gate.who.user, gate.who.schema);
  return memory;
}

const NO_ANSWER = 'an answer is missing';

/**
 * Goes into a schema; returns the payload of the database's error where it does not let us. That harms nobody but who wants it:
 * others of its lot want other schemas.
 */
export function* use(
  memory: MysqlMemory,
  target: Target,
  user: string,
  schema: string,
): Conversation<Uint8Array | undefined> {
  const [answer] = yield* ask(memory, concat([byte(command.initDb), utf8(schema)]));
  const { error, changes } = must(answer, NO_ANSWER);
  if (error !== undefined) {
    target.forgetSchema(user, schema);
    return error;
  }
  const name = changes.flatMap((change) => (change.kind === 'schema' ? [change.name] : [])).at(-1);
  target.learnSchema(user, schema, name ?? schema);
  memory.state = memory.state.in(name ?? schema);
  return undefined;
}

/** Says who we are, and proves it: up to the database's OK. */
export function* knock(gate: MysqlGate, target: Target): Conversation<LetIn> {
  const dialogue = new Dialogue();
  const first = yield* dialogue.hear();
  if (isError(first, 0, first.length)) throw refusedBy(first);
  const handshake = readHandshake(first);
  const greeting = target.meet(handshake);
  const capabilities = agree(gate, greeting);
  const { who, password, tlsMode, allowCleartext } = gate;
  const header = { capabilities, maxPacketBytes: MAX_PACKET_BYTES, collation: who.collation };
  const isEncrypted = yield* agreeOnTls(dialogue, tlsMode, header, handshake);
  const flags = isEncrypted ? capabilities.flags | capability.ssl : capabilities.flags;
  const agreed = { ...capabilities, flags };
  const proof = {
    password,
    isEncrypted,
    allowCleartext,
    random: (count: number) => gate.random(count),
  };
  const { plugin, answer } = firstAnswer(handshake.plugin, handshake.authData, proof);
  yield* dialogue.say(
    handshakeResponse({
      ...header,
      capabilities: agreed,
      user: who.user,
      authData: answer,
      database: undefined,
      plugin,
      attributes: ATTRIBUTES,
      zstdLevel: undefined,
    }),
  );
  const challenge = handshake.authData;
  const ok = yield* authenticate(dialogue, { plugin, challenge }, proof);
  return { greeting, capabilities: agreed, ok, threadId: handshake.connectionId };
}

/** What both sides can do. Clients have been told what the target could: another one may not stand in for it now. */
function agree({ who }: MysqlGate, { capabilities }: TargetGreeting): Capabilities {
  const { flags, extensions } = who.serverCapabilities;
  const lacksFlags = (flags & ~capabilities.flags) !== 0;
  if (lacksFlags || (extensions & ~capabilities.extensions) !== 0) {
    throw new FaultError({
      name: 'databaseRefused',
      refusal: 'final',
      detail: 'the database can do less than it could when the client connected; connect again',
    });
  }
  return common(capabilities, { flags: flags | ALWAYS, extensions });
}

/** Asks for TLS as the mode says. Returns whether the connection is encrypted from here on. */
function* agreeOnTls(
  dialogue: Dialogue,
  mode: TlsMode,
  header: ClientHeader,
  { capabilities: { flags } }: Handshake,
): Conversation<boolean> {
  if (mode === 'disable') return false;
  if ((flags & capability.ssl) === 0) {
    if (mode === 'prefer') return false;
    throw new FaultError({
      name: 'databaseRefused',
      refusal: 'later',
      detail: 'the database does not offer TLS, which its settings require',
    });
  }
  const { capabilities } = header;
  const asking = { ...capabilities, flags: capabilities.flags | capability.ssl };
  yield* dialogue.say(clientHeader({ ...header, capabilities: asking }));
  yield* startTls('client');
  return true;
}
