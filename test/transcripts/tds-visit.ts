import { EMPTY, utf16 } from '../../src/base/bytes.ts';
import { seededRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { Door, Doorkeeper, Entry, LoginRule } from '../../src/core/engine.ts';
import type { Fault } from '../../src/core/fault.ts';
import { FaultError } from '../../src/core/fault.ts';
import { greet } from '../../src/engine/sqlserver/greet.ts';
import type { SqlServerMemory } from '../../src/engine/sqlserver/memory.ts';
import type { SqlServerPrincipal } from '../../src/engine/sqlserver/principal.ts';
import { Principals } from '../../src/engine/sqlserver/principal.ts';
import { Target } from '../../src/engine/sqlserver/target.ts';
import { flags1, flags2 } from '../../src/wire/tds/login-flags.ts';
import type { Login7 } from '../../src/wire/tds/login7.ts';
import { login7 } from '../../src/wire/tds/login7.ts';
import { message, packetType } from '../../src/wire/tds/packets.ts';
import type { Prelogin } from '../../src/wire/tds/prelogin.ts';
import { encryption, prelogin } from '../../src/wire/tds/prelogin.ts';
import { tdsVersion } from '../../src/wire/tds/versions.ts';
import type { Peer, Rehearsal } from '../support/rehearse.ts';
import { rehearse } from '../support/rehearse.ts';
import { aMemory, messagesIn } from './tds-rig.ts';

// A client of SQL Server's signs in: what it says, and what it hears.

export const SECRET = 'correct horse';
/** As a token looks like: who checks it here is content with the user. */
export const TOKEN =
  'localhost:1433/?Action=connect&DBUser=token&X-Amz-Algorithm=AWS4-HMAC-SHA256' +
  '&X-Amz-Credential=AKIA%2F20260101%2Feu-central-1%2Frds-db%2Faws4_request' +
  '&X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=0';

type SqlServerEntry = Entry<SqlServerMemory, SqlServerPrincipal>;

const passwords = [new SecretText('an older one'), new SecretText(SECRET)];
const method = 'SQL_SERVER_AUTHENTICATION';
const rules: Readonly<Record<string, LoginRule>> = {
  alice: { kind: 'password', method, passwords, known: true },
  both: { kind: 'password', method, passwords, known: true, orToken: true },
  token: { kind: 'token' },
};
const stranger: LoginRule = {
  kind: 'password',
  method,
  passwords: [new SecretText('nobody knows')],
  known: false,
};

export interface Setting {
  readonly keeper?: Partial<Doorkeeper>;
  readonly full?: Fault;
  /** Why the target has not been seen; and why the database does not let this one in. */
  readonly unseen?: Fault;
  readonly closed?: Fault;
  readonly memory?: SqlServerMemory;
}

export interface Visit {
  readonly entry: SqlServerEntry | undefined;
  /** What ended it. */
  readonly error: unknown;
  readonly fault: Fault | undefined;
  /** Why the log says that it was refused. */
  readonly refusals: readonly string[];
  readonly steps: readonly string[];
  /** Messages to the client: of what came during the conversation, and the last words. */
  readonly heard: ReturnType<typeof messagesIn>;
  readonly said: readonly Uint8Array[];
}

export async function visit(peer: Peer, setting: Setting = {}): Promise<Visit> {
  const refusals: string[] = [];
  const target = new Target();
  if (setting.unseen === undefined) target.version = Uint8Array.of(16, 0, 16, 4, 0, 0);
  const door: Door<SqlServerMemory, SqlServerPrincipal> = {
    keeper: {
      offersTls: true,
      requiresTls: false,
      rule: (user) => rules[user] ?? stranger,
      checkToken: async (user, token) =>
        token.reveal().includes(`DBUser=${user}&`)
          ? { ok: true }
          : { ok: false, why: 'not its own' },
      salt: (_, count) => new Uint8Array(count),
      ...setting.keeper,
    },
    cancelNumber: 7,
    isEncrypted: () => false,
    shownAddress: () => undefined,
    admit: () => setting.full,
    refused: (user, why) => refusals.push(`${user}: ${why}`),
    meet: async () => {
      if (setting.unseen !== undefined) throw new FaultError(setting.unseen);
    },
    open: async (who) => {
      if (setting.closed !== undefined) throw new FaultError(setting.closed);
      return setting.memory ?? aMemory({ who });
    },
    random: (count) => seededRandom(1).bytes(count),
  };
  const said: Uint8Array[] = [];
  const steps: string[] = [];
  const greeting = greet(door, { target, principals: new Principals() });
  let result: Rehearsal<SqlServerEntry> | undefined;
  let error: unknown;
  try {
    result = await rehearse(noting(greeting, said, steps), peer);
  } catch (problem) {
    error = problem;
  }
  if (error instanceof FaultError && error.words !== undefined) said.push(error.words);
  return {
    entry: result?.result,
    error,
    fault: error instanceof FaultError ? error.fault : undefined,
    refusals,
    steps,
    heard: said.flatMap((bytes) => messagesIn(bytes)),
    said,
  };
}

/** How TLS begins, for all that the rehearsal knows. */
export const TLS_HELLO = Uint8Array.of(22);

/** What a conversation does is known even where it fails. */
function* noting(
  inner: ReturnType<typeof greet>,
  said: Uint8Array[],
  steps: string[],
): ReturnType<typeof greet> {
  let next = inner.next(EMPTY);
  while (next.done !== true) {
    const step = next.value;
    if (step.kind === 'send') said.push(step.bytes);
    const name = step.kind === 'startTls' ? `startTls ${step.side}` : step.kind;
    if (step.kind === 'startTls' && step.envelope !== undefined)
      steps.push(`${name} ${step.envelope.ends ? 'for the login' : 'in packets'}`);
    else if (['startTls', 'endTls'].includes(step.kind)) steps.push(name);
    try {
      // The rehearsal leaves a hello where it is: to take it is the network's part.
      const takesHello = step.kind === 'startTls' && step.envelope === undefined;
      if (takesHello) yield { kind: 'read', bytes: TLS_HELLO.length };
      next = inner.next(yield takesHello ? { ...step, helloIsBuffered: false } : step);
    } catch (problem) {
      next = inner.throw(problem);
    }
  }
  return next.value;
}

/** A client's PRELOGIN that asks for this of encryption. */
export function preloginPacket(
  wanted: number | undefined = encryption.notSupported,
  more: Partial<Prelogin> = {},
): Uint8Array {
  return message(
    packetType.prelogin,
    prelogin({
      version: Uint8Array.of(18, 0, 0, 0, 0, 0),
      encryption: wanted,
      instance: '',
      threadId: new Uint8Array(4),
      mars: false,
      traceId: new Uint8Array(36),
      fedAuthRequired: undefined,
      nonce: undefined,
      ...more,
    }),
    4_096,
  );
}

export type LoginParts = Omit<Partial<Login7>, 'password' | 'newPassword'> & {
  readonly password?: string;
  readonly newPassword?: string;
};

export function loginMessage(parts: LoginParts = {}): Login7 {
  const { password = SECRET, newPassword = '', ...rest } = parts;
  return {
    tdsVersion: tdsVersion.v74,
    packetBytes: 4_096,
    clientVersion: 1,
    clientPid: 4711,
    connectionId: 0,
    flags1: flags1.useDb | flags1.databaseFatal | flags1.setLang,
    flags2: flags2.languageFatal | flags2.odbc,
    typeFlags: 0,
    flags3: 0,
    timeZone: 0,
    lcid: 1033,
    hostName: 'laptop',
    userName: 'alice',
    appName: 'orders',
    serverName: 'localhost',
    libraryName: 'driver',
    language: 'us_english',
    database: 'app',
    clientId: new Uint8Array(6),
    sspi: EMPTY,
    attachFile: '',
    features: [],
    ...rest,
    password: utf16(password),
    newPassword: utf16(newPassword),
  };
}

/** A LOGIN7 in packets of this size. */
export function loginPackets(parts: LoginParts = {}, packetBytes = 4_096): Uint8Array {
  return message(packetType.login, login7(loginMessage(parts)), packetBytes);
}
