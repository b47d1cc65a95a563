import { cachingSha2Response } from '../../src/auth/caching-sha2.ts';
import { ed25519Response } from '../../src/auth/ed25519-password.ts';
import { nativePasswordResponse } from '../../src/auth/native-password.ts';
import { EMPTY, u8 } from '../../src/base/bytes.ts';
import { seededRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { Door, Doorkeeper, Entry, LoginRule } from '../../src/core/engine.ts';
import type { Fault } from '../../src/core/fault.ts';
import { FaultError } from '../../src/core/fault.ts';
import { greet } from '../../src/engine/mysql/greet.ts';
import { MysqlMemory } from '../../src/engine/mysql/memory.ts';
import type { MysqlPrincipal } from '../../src/engine/mysql/principal.ts';
import { Principals, watcher } from '../../src/engine/mysql/principal.ts';
import { ServerKey } from '../../src/engine/mysql/server-key.ts';
import { SessionState } from '../../src/engine/mysql/state.ts';
import { Target } from '../../src/engine/mysql/target.ts';
import { readAuthRequest } from '../../src/wire/mysql/auth-packets.ts';
import { capability } from '../../src/wire/mysql/capabilities.ts';
import { readError } from '../../src/wire/mysql/err.ts';
import { HEADER_BYTES, packet, packetBytes } from '../../src/wire/mysql/framing.ts';
import { clientHeader, readHandshake } from '../../src/wire/mysql/handshake.ts';
import type { Handshake } from '../../src/wire/mysql/handshake.ts';
import type { HandshakeResponse } from '../../src/wire/mysql/handshake-response.ts';
import { handshakeResponse } from '../../src/wire/mysql/handshake-response.ts';
import { readOk } from '../../src/wire/mysql/ok.ts';
import { readSessionChanges } from '../../src/wire/mysql/session-track.ts';
import { recording } from '../support/mysql-recordings.ts';
import type { Peer } from '../support/rehearse.ts';
import { rehearse } from '../support/rehearse.ts';

// A client of MySQL's or MariaDB's signs in: what it says, and what it hears.

export const SECRET = 'correct horse';

type MysqlEntry = Entry<MysqlMemory, MysqlPrincipal>;

const passwords = [new SecretText('an older one'), new SecretText(SECRET)];

function ruleOf(method: string, known = true): LoginRule {
  return {
    kind: 'password',
    method,
    passwords: known ? passwords : [new SecretText('nobody knows')],
    known,
  };
}

const SHA2 = 'MYSQL_CACHING_SHA2_PASSWORD';
const rules: Readonly<Record<string, LoginRule>> = {
  alice: ruleOf(SHA2),
  nat: ruleOf('MYSQL_NATIVE_PASSWORD'),
  ed: ruleOf('MARIADB_ED25519'),
  token: { kind: 'token' },
};

export interface Setting {
  readonly keeper?: Partial<Doorkeeper>;
  readonly full?: Fault;
  readonly closed?: Fault;
  /** Why the target has not been seen. */
  readonly unmet?: Fault;
  readonly isMariaDb?: boolean;
  /** What the proxy shows, as DER. */
  readonly certificate?: Uint8Array;
}

export interface Visit {
  readonly entry: MysqlEntry | undefined;
  /** Each packet that the client was told, in a line, with its number. */
  readonly heard: readonly string[];
  readonly sent: readonly Uint8Array[];
  readonly leftover: Uint8Array;
  readonly steps: readonly string[];
  readonly fault: Fault | undefined;
  /** Why the log says that it was refused. */
  readonly why: readonly string[];
  readonly tokens: readonly string[];
}

export function greetingFor(isMariaDb: boolean): Handshake {
  return readHandshake(recording(isMariaDb ? 'mariadbHandshake' : 'mysqlHandshake'));
}

/** A connection as `enter` leaves it. */
export function freshMemory(
  isMariaDb = false,
  target = new Target().meet(greetingFor(isMariaDb)),
): MysqlMemory {
  const announced = isMariaDb
    ? ([
        { kind: 'systemVariable', name: 'autocommit', value: 'ON' },
        { kind: 'systemVariable', name: 'redirect_url', value: 'mariadb://elsewhere' },
      ] as const)
    : [];
  return new MysqlMemory({
    threadId: 4711,
    target,
    gate: {
      who: watcher('app', undefined),
      password: new SecretText(SECRET),
      tlsMode: 'disable',
      channelBinding: 'disable',
      lessons: new Set(),
      allowCleartext: false,
      random: (count) => new Uint8Array(count),
    },
    reports: { variables: 'autocommit', schema: true },
    announced,
    capabilities: target.capabilities,
    beginning: new Map(),
    status: 2,
    state: SessionState.fresh(undefined),
  });
}

const key = new ServerKey();

/** The proxy as a greeting sees it. */
export function stage(setting: Setting = {}) {
  const { isMariaDb = false, unmet, closed, full } = setting;
  const why: string[] = [];
  const tokens: string[] = [];
  const opened: MysqlPrincipal[] = [];
  const random = seededRandom(7);
  const target = new Target();
  const door: Door<MysqlMemory, MysqlPrincipal> = {
    keeper: {
      offersTls: true,
      requiresTls: false,
      rule: (user) => rules[user] ?? ruleOf(SHA2, false),
      checkToken: (_, token) => {
        tokens.push(token.reveal());
        const ok = token.reveal().startsWith('good');
        return Promise.resolve(ok ? { ok } : { ok: false, why: 'it is too old' });
      },
      salt: (_, count) => new Uint8Array(count),
      ...setting.keeper,
    },
    cancelNumber: 0x1000002,
    shownAddress: () => undefined,
    isEncrypted: () => false,
    admit: () => full,
    refused: (user, reason) => void why.push(`${user}: ${reason}`),
    meet: () => {
      if (unmet !== undefined) return Promise.reject(new FaultError(unmet));
      target.meet(greetingFor(isMariaDb));
      return Promise.resolve();
    },
    open: (who) => {
      opened.push(who);
      if (closed !== undefined) return Promise.reject(new FaultError(closed));
      return Promise.resolve(freshMemory(isMariaDb));
    },
    // As the proxy's own door, it is nothing without itself.
    random(count) {
      if (!('meet' in this)) throw new Error('random was taken from its door');
      return random.bytes(count);
    },
  };
  return { door, house: { target, principals: new Principals(), key }, why, tokens, opened };
}

/** Runs a greeting and says its fault to the client, as the proxy does. */
export async function visit(peer: Peer, setting: Setting = {}): Promise<Visit> {
  const { door, house, why, tokens } = stage(setting);
  let fault: Fault | undefined;
  function* told() {
    try {
      return yield* greet(door, house);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      fault = error.fault;
      yield { kind: 'send', bytes: error.words ?? EMPTY } as const;
      return undefined;
    }
  }
  const certificate = setting.certificate ?? EMPTY;
  const tls = { certificate: () => certificate };
  const { result, sent, leftover, steps } = await rehearse(told(), peer, tls);
  return { entry: result, heard: transcript(sent), sent, leftover, steps, fault, why, tokens };
}

interface Packet {
  readonly number: number;
  readonly payload: Uint8Array;
}

export function packetsIn(bytes: Uint8Array): readonly Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + HEADER_BYTES + packetBytes(bytes, at);
    packets.push({ number: u8(bytes, at + 3), payload: bytes.subarray(at + HEADER_BYTES, end) });
    at = end;
  }
  return packets;
}

/** Of a client that can do all: what it is told, in lines. */
export function transcript(sent: readonly Uint8Array[]): readonly string[] {
  return sent.flatMap(packetsIn).map(({ number, payload }, at) => {
    const isFirst = at === 0 && u8(payload, 0) === 10;
    return `${number} ${isFirst ? handshakeLine(payload) : lineOf(payload)}`;
  });
}

function handshakeLine(payload: Uint8Array): string {
  const { serverVersion, plugin, connectionId } = readHandshake(payload);
  return `handshake ${serverVersion} ${plugin} ${connectionId.toString(16)}`;
}

function lineOf(payload: Uint8Array): string {
  const request = readAuthRequest(payload);
  switch (request.kind) {
    case 'ok': {
      const { status, info, sessionState } = readOk(payload, 0, payload.length, ALL);
      const changes = readSessionChanges(sessionState).map((change) => {
        if (change.kind === 'systemVariable') return ` ${change.name}=${change.value}`;
        return change.kind === 'schema' ? ` schema=${change.name}` : ` ${change.kind}`;
      });
      return `OK ${status.toString(16)}${info === '' ? '' : ` ${info}`}${changes.join('')}`;
    }
    case 'error': {
      const { code, sqlState, message } = readError(payload);
      return `ERR ${code} ${sqlState} ${message}`;
    }
    case 'moreData':
      return request.data.length === 1 ? `more ${u8(request.data, 0)}` : 'more …';
    case 'switch':
      return `switch ${request.plugin} ${request.challenge.length}`;
    default:
      return request.kind;
  }
}

/** What a client of today can do; what is not offered is left out by whoever reads it. */
export const ALL =
  capability.longPassword |
  capability.foundRows |
  capability.connectWithDb |
  capability.protocol41 |
  capability.transactions |
  capability.secureConnection |
  capability.multiResults |
  capability.pluginAuth |
  capability.connectAttrs |
  capability.pluginAuthLenencClientData |
  capability.sessionTrack |
  capability.deprecateEof;

/** Turns on the wire: a client says what is given, or what it makes of the packets that it has heard since. */
export type Say = Uint8Array | ((heard: readonly Packet[]) => Uint8Array);

export function clientOf(...says: readonly Say[]): Peer {
  const left = [...says];
  return (heard) => {
    const next = left.shift();
    return typeof next === 'function' ? next(packetsIn(heard)) : next;
  };
}

export interface Said extends Partial<HandshakeResponse> {
  readonly user: string;
  readonly password?: string;
}

/** The number for the client's next packet. */
const after = (heard: readonly Packet[]): number => (heard.at(-1)?.number ?? 0) + 1;

const answers: Readonly<Record<string, (password: SecretText, nonce: Uint8Array) => Uint8Array>> = {
  mysql_native_password: nativePasswordResponse,
  caching_sha2_password: cachingSha2Response,
  client_ed25519: ed25519Response,
  mysql_clear_password: (password) => Buffer.from(`${password.reveal()}\0`),
};

export function answerBy(plugin: string, password: string, nonce: Uint8Array): Uint8Array {
  const answer = answers[plugin];
  return answer === undefined || password === '' ? EMPTY : answer(new SecretText(password), nonce);
}

/** The answer to a handshake, by the plug-in that it names unless another one is given. */
export function response(said: Said, ssl?: { readonly challenge: () => Uint8Array }): Say {
  return (heard) => {
    const greeting = ssl === undefined ? readHandshake(heard[0]?.payload ?? EMPTY) : undefined;
    const { password = SECRET, ...rest } = said;
    const plugin = 'plugin' in rest ? rest.plugin : (greeting?.plugin ?? 'caching_sha2_password');
    const challenge = ssl === undefined ? (greeting?.authData ?? EMPTY) : ssl.challenge();
    const flags = rest.capabilities?.flags ?? ALL | (ssl === undefined ? 0 : capability.ssl);
    return packet(
      ssl === undefined ? after(heard) : 2,
      handshakeResponse({
        maxPacketBytes: 1 << 24,
        collation: 45,
        authData: answerBy(plugin ?? 'mysql_native_password', password, challenge),
        database: undefined,
        attributes: [],
        zstdLevel: undefined,
        ...rest,
        plugin,
        capabilities: { flags, extensions: rest.capabilities?.extensions ?? 0 },
      }),
    );
  };
}

/** The same over TLS: it asks for that first. */
export function overTls(said: Said): readonly Say[] {
  let challenge: Uint8Array = EMPTY;
  const request: Say = (heard) => {
    challenge = readHandshake(heard[0]?.payload ?? EMPTY).authData.slice();
    const capabilities = { flags: ALL | capability.ssl, extensions: 0 };
    return packet(1, clientHeader({ capabilities, maxPacketBytes: 1 << 24, collation: 45 }));
  };
  return [request, response(said, { challenge: () => challenge })];
}

/** The answer to a request to switch. */
export function switched(password = SECRET): Say {
  return (heard) => {
    const request = readAuthRequest(heard.at(-1)?.payload ?? EMPTY);
    if (request.kind !== 'switch') throw new Error(`${request.kind} instead of a switch`);
    return packet(after(heard), answerBy(request.plugin, password, request.challenge));
  };
}

/** Any payload, in its turn. */
export function saying(payload: Uint8Array | ((heard: readonly Packet[]) => Uint8Array)): Say {
  return (heard) => packet(after(heard), typeof payload === 'function' ? payload(heard) : payload);
}
