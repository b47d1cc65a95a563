import { createHash } from 'node:crypto';
import { frontend, parseMessages } from '../support/messages.ts';
import { rehearse } from '../support/rehearse.ts';
import type { Peer } from '../support/rehearse.ts';
import { scramClient } from '../support/scram-client.ts';
import type { SaidBinding } from '../support/scram-client.ts';
import { transcript } from '../support/transcript.ts';
import { freshMemory } from './rig.ts';
import { SaltedPasswords } from '../../src/auth/salted-passwords.ts';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { seededRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { Conversation } from '../../src/core/conversation.ts';
import type { Door, Doorkeeper, Entry, LoginRule } from '../../src/core/engine.ts';
import type { Fault } from '../../src/core/fault.ts';
import { FaultError } from '../../src/core/fault.ts';
import { say } from '../../src/engine/postgres/faults.ts';
import { greet } from '../../src/engine/postgres/greet.ts';
import type { PostgresMemory } from '../../src/engine/postgres/memory.ts';
import type { PostgresPrincipal } from '../../src/engine/postgres/principal.ts';
import { Realms } from '../../src/engine/postgres/realm.ts';

type PostgresEntry = Entry<PostgresMemory, PostgresPrincipal>;

export const SECRET = 'correct horse';
/** The beginning of one, for a network that is not there. */
export const TLS_HELLO = Uint8Array.of(0x16, 3, 1);
export const KEY = Uint8Array.of(9, 8, 7, 6);

function passwordRule(method: string, known: boolean): LoginRule {
  const passwords = known ? [new SecretText('an older one'), new SecretText(SECRET)] : [];
  return {
    kind: 'password',
    method,
    passwords: known ? passwords : [new SecretText('nobody'), new SecretText('knows')],
    known,
  };
}

const rules: Readonly<Record<string, LoginRule>> = {
  alice: passwordRule('POSTGRES_SCRAM_SHA_256', true),
  nobody: passwordRule('POSTGRES_SCRAM_SHA_256', false),
  mdalice: passwordRule('POSTGRES_MD5', true),
  mdnobody: passwordRule('POSTGRES_MD5', false),
  token: { kind: 'token' },
};

export interface Setting {
  readonly keeper?: Partial<Doorkeeper>;
  readonly full?: Fault;
  readonly closed?: Fault;
  readonly shownAddress?: string;
  /** What ALPN agrees on when TLS starts. */
  readonly alpn?: string;
  /** What the proxy shows, as DER; by default one that cannot be bound to. */
  readonly certificate?: Uint8Array;
}

export interface Visit {
  readonly entry: PostgresEntry | undefined;
  /** All that the client was told, its last words included, in lines. */
  readonly heard: readonly string[];
  readonly sent: readonly Uint8Array[];
  readonly leftover: Uint8Array;
  readonly steps: readonly string[];
  /** Why the log says that it was refused. */
  readonly why: readonly string[];
  readonly tokens: readonly string[];
}

/** Runs a greeting and says its fault to the client, as the proxy does. */
export async function visit(peer: Peer, setting: Setting = {}): Promise<Visit> {
  const why: string[] = [];
  const tokens: string[] = [];
  const random = seededRandom(7);
  const door: Door<PostgresMemory, PostgresPrincipal> = {
    keeper: {
      offersTls: true,
      requiresTls: false,
      rule: (user) => rules[user] ?? passwordRule('POSTGRES_SCRAM_SHA_256', false),
      checkToken: (_, token) => {
        tokens.push(token.reveal());
        const ok = token.reveal().startsWith('good');
        return Promise.resolve(ok ? { ok } : { ok: false, why: 'it is too old' });
      },
      salt: (user, count) => createHash('sha256').update(user).digest().subarray(0, count),
      ...setting.keeper,
    },
    cancelNumber: 0xfffffff1,
    isEncrypted: () => false,
    shownAddress: () => setting.shownAddress,
    admit: () => setting.full,
    refused: (user, reason) => void why.push(`${user}: ${reason}`),
    meet: () => Promise.resolve(),
    open: () => {
      if (setting.closed !== undefined) return Promise.reject(new FaultError(setting.closed));
      return Promise.resolve(freshMemory());
    },
    random: (count) => random.bytes(count),
  };
  const { alpn = '', certificate = utf8('') } = setting;
  const greeting = takeHello(tellFault(greet(door, salted, realms)));
  const tls = { protocol: alpn, certificate: () => certificate };
  const { result, sent, leftover, steps } = await rehearse(greeting, peer, tls);
  const plain = sent.filter((bytes) => bytes.length > 1);
  return {
    ...{ entry: result, sent, leftover, steps, why, tokens },
    heard: transcript(parseMessages(concat(plain))),
  };
}

const salted = new SaltedPasswords();
const realms = new Realms();

function* tellFault(
  greeting: Conversation<PostgresEntry>,
): Conversation<PostgresEntry | undefined> {
  try {
    return yield* greeting;
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    yield { kind: 'send', bytes: say(error.fault, 'FATAL') };
    return undefined;
  }
}

/** The rehearsal leaves a hello where it is: to take it is the network's part. */
function* takeHello<Result>(inner: Conversation<Result>): Conversation<Result> {
  let next = inner.next(utf8(''));
  while (next.done !== true) {
    const step = next.value;
    try {
      const takesHello = step.kind === 'startTls' && step.helloIsBuffered;
      if (takesHello) yield { kind: 'read', bytes: TLS_HELLO.length };
      next = inner.next(yield takesHello ? { ...step, helloIsBuffered: false } : step);
    } catch (error) {
      next = inner.throw(error);
    }
  }
  return next.value;
}

type Say = (heard: Uint8Array) => Uint8Array;

/** A client that says one thing after the other, each knowing what it has heard since the last. */
export function clientOf(...says: readonly (Uint8Array | Say)[]): Peer {
  const left = [...says];
  return (heard) => {
    const next = left.shift();
    return typeof next === 'function' ? next(heard) : next;
  };
}

/** The text in the last authentication message. */
export function challengeIn(heard: Uint8Array): string {
  const { body } = parseMessages(heard).at(-1) ?? { body: heard };
  return Buffer.from(body).toString('utf8', 4);
}

export function scram(user: string, password: string, startup = frontend.startup({ user })): Peer {
  const client = scramClient(password, 'rOprNGfwEbeRWgbNEkqO');
  return clientOf(startup, frontend.saslInitial('SCRAM-SHA-256', client.first()), (heard) =>
    frontend.saslResponse(client.final(challengeIn(heard))),
  );
}

/** A client that comes over TLS, chooses a mechanism, and says this of channel binding. */
export function scramOverTls(
  user: string,
  password: string,
  mechanism: string,
  binding: SaidBinding,
): Peer {
  const client = scramClient(password, 'rOprNGfwEbeRWgbNEkqO', binding);
  return clientOf(
    ...[frontend.sslRequest(), frontend.startup({ user })],
    frontend.saslInitial(mechanism, client.first()),
    (heard) => frontend.saslResponse(client.final(challengeIn(heard))),
  );
}

export function md5(user: string, password: string): Peer {
  const digest = (...parts: readonly (string | Uint8Array)[]): string => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  return clientOf(frontend.startup({ user }), (heard) =>
    frontend.password(`md5${digest(digest(password, user), heard.subarray(9))}`),
  );
}

export const overTls = (...rest: readonly Uint8Array[]): Peer =>
  clientOf(frontend.sslRequest(), ...rest);
