import { u8, utf8 } from '../../base/bytes.ts';
import { cachingSha2, cachingSha2Matches, cachingSha2Verifier } from '../../auth/caching-sha2.ts';
import { clearPasswordMatches } from '../../auth/clear-password.ts';
import { ed25519Matches, ed25519Verifier } from '../../auth/ed25519-password.ts';
import { nativePasswordMatches, nativePasswordVerifier } from '../../auth/native-password.ts';
import { decryptPassword } from '../../auth/rsa-password.ts';
import type { SecretText } from '../../base/secret-text.ts';
import type { Conversation } from '../../core/conversation.ts';
import { wait } from '../../core/conversation.ts';
import type { Door, LoginRule } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import {
  authMoreData,
  authSwitchRequest,
  readClearPassword,
} from '../../wire/mysql/auth-packets.ts';
import { error } from '../../wire/mysql/err.ts';
import type { Dialogue } from './dialogue.ts';
import { wordsOf } from './faults.ts';
import type { MysqlPrincipal } from './principal.ts';
import { CHALLENGE_BYTES, LONG_CHALLENGE_BYTES, plugin } from './plugins.ts';
import type { ServerKey } from './server-key.ts';

/** Whoever signs in, at the door or, by COM_CHANGE_USER, later on: who it says it is, and what it has sent to prove that. */
export interface Claim {
  readonly user: string;
  /** The plug-in that the answer is of; undefined where the client knows of none. */
  readonly plugin: string | undefined;
  readonly answer: Uint8Array;
  /** What the answer has been made with. */
  readonly challenge: Uint8Array;
  readonly isEncrypted: boolean;
  /** What both sides can do. */
  readonly flags: number;
}

/** What is asked of the proxy. */
export type Porter = Pick<Door<unknown, MysqlPrincipal>, 'keeper' | 'refused' | 'random'>;

export interface SignedIn {
  /** For the log. */
  readonly method: string;
  /** What a server would keep of the password for the plug-in; undefined where that proves nothing to clients. */
  readonly verifier: Uint8Array | undefined;
}

type PasswordRule = Extract<LoginRule, { kind: 'password' }>;

/**
 * Lets the client prove itself, up to but without the OK; a `FaultError` where it cannot. Unknown users take the same steps as
 * others, with a password that nobody knows.
 */
export function* signIn(
  porter: Porter,
  dialogue: Dialogue,
  claim: Claim,
  key: ServerKey,
): Conversation<SignedIn> {
  const rule = porter.keeper.rule(claim.user);
  if (rule.kind === 'token') return yield* signInByToken(porter, dialogue, claim);
  const wanted = pluginFor(rule);
  const answered = yield* answerBy(wanted, porter, dialogue, claim);
  if (isEmpty(answered.answer)) throw refuse(porter, dialogue, claim, rule, 'NO');
  const attempt = { dialogue, claim, key, ...answered };
  const found = yield* find(wanted, rule.passwords, attempt);
  if (found === undefined || !rule.known) throw refuse(porter, dialogue, claim, rule, 'YES');
  return { method: `${wanted} authentication`, verifier: verifierOf(wanted, found) };
}

/** The plug-in by which clients sign in under a rule. */
export function pluginFor(rule: LoginRule): string {
  if (rule.kind === 'token') return plugin.clear;
  switch (rule.method) {
    case 'MYSQL_CACHING_SHA2_PASSWORD':
      return plugin.cachingSha2;
    case 'MARIADB_ED25519':
      return plugin.ed25519;
    default:
      return plugin.native;
  }
}

/** Bytes for a challenge: some clients take it for text, so that neither NUL nor `$` may be in it. */
export function makeChallenge(porter: Pick<Porter, 'random'>, count = CHALLENGE_BYTES): Uint8Array {
  return porter.random(count).map((byte) => {
    const ascii = byte & 0x7f;
    return ascii === 0 || ascii === 0x24 ? ascii + 1 : ascii;
  });
}

interface Answered {
  readonly answer: Uint8Array;
  readonly challenge: Uint8Array;
}

/** What the client makes of its password by this plug-in: it may have said so already, or is asked to (trap MY-23). */
function* answerBy(
  wanted: string,
  porter: Porter,
  dialogue: Dialogue,
  claim: Claim,
): Conversation<Answered> {
  const own = claim.plugin ?? plugin.native;
  // The handshake's challenge is too short for client_ed25519.
  if (own === wanted && wanted !== plugin.ed25519) return claim;
  if (claim.plugin === undefined) throw tooOld(dialogue, claim, wanted);
  const count = wanted === plugin.ed25519 ? LONG_CHALLENGE_BYTES : CHALLENGE_BYTES;
  const challenge = makeChallenge(porter, count);
  yield* dialogue.say(authSwitchRequest(wanted, challenge));
  return { answer: yield* dialogue.hear(), challenge };
}

const SHA256_BYTES = 32;

interface Attempt extends Answered {
  readonly dialogue: Dialogue;
  readonly claim: Claim;
  readonly key: ServerKey;
}

/** The password that the client knows. */
function* find(
  wanted: string,
  passwords: readonly SecretText[],
  attempt: Attempt,
): Conversation<SecretText | undefined> {
  const { answer, challenge } = attempt;
  switch (wanted) {
    case plugin.cachingSha2:
      return yield* findByCachingSha2(passwords, attempt);
    case plugin.ed25519:
      return matching(passwords, (one) => ed25519Matches([one], challenge, answer));
    default:
      return matching(passwords, (one) => nativePasswordMatches([one], challenge, answer));
  }
}

/**
 * We know the passwords: a scramble is either right or wrong, and nothing has to be asked. Who sends none is asked for the
 * password itself, which TLS hides, or else a key of ours (trap MY-20).
 */
function* findByCachingSha2(
  passwords: readonly SecretText[],
  { answer, challenge, dialogue, claim, key }: Attempt,
): Conversation<SecretText | undefined> {
  if (answer.length === SHA256_BYTES) {
    const found = matching(passwords, (one) =>
      cachingSha2Matches([cachingSha2Verifier(one)], challenge, answer),
    );
    if (found !== undefined)
      yield* dialogue.say(authMoreData(Uint8Array.of(cachingSha2.fastSuccess)));
    return found;
  }
  let said = answer;
  if (!isKeyRequest(said)) {
    yield* dialogue.say(authMoreData(Uint8Array.of(cachingSha2.fullExchange)));
    said = yield* dialogue.hear();
  }
  if (claim.isEncrypted && !isKeyRequest(said)) return sameAs(passwords, readClearPassword(said));
  const { privateKey, publicPem } = yield* wait(() => key.get());
  if (isKeyRequest(said)) {
    yield* dialogue.say(authMoreData(utf8(publicPem)));
    said = yield* dialogue.hear();
  }
  const password = decryptPassword(said, challenge, privateKey);
  return password === undefined ? undefined : sameAs(passwords, password);
}

function isKeyRequest(said: Uint8Array): boolean {
  return said.length === 1 && u8(said, 0) === cachingSha2.publicKeyRequest;
}

function sameAs(passwords: readonly SecretText[], said: SecretText): SecretText | undefined {
  return matching(passwords, (one) => clearPasswordMatches([one], said));
}

/** All of them are looked at, so that the clock does not tell which it is. */
function matching(
  passwords: readonly SecretText[],
  matches: (one: SecretText) => boolean,
): SecretText | undefined {
  let found: SecretText | undefined;
  for (const one of passwords) if (matches(one)) found = one;
  return found;
}

function verifierOf(wanted: string, password: SecretText): Uint8Array | undefined {
  switch (wanted) {
    case plugin.native:
      return nativePasswordVerifier(password);
    case plugin.ed25519:
      return ed25519Verifier(password);
    default:
      return undefined;
  }
}

/** No password at all: nothing, or no more than the end of one. */
function isEmpty(answer: Uint8Array): boolean {
  return answer.length === 0 || (answer.length === 1 && u8(answer, 0) === 0);
}

/** A token is sent as it is, over TLS only; it may be some thousand bytes long. */
function* signInByToken(porter: Porter, dialogue: Dialogue, claim: Claim): Conversation<SignedIn> {
  const { user, isEncrypted } = claim;
  if (!isEncrypted) throw new FaultError({ name: 'iamNeedsTls' });
  const { answer } = yield* answerBy(plugin.clear, porter, dialogue, claim);
  const token = readClearPassword(answer);
  const verdict = yield* wait(() => porter.keeper.checkToken(user, token));
  if (!verdict.ok) {
    porter.refused(user, verdict.why);
    throw new FaultError({ name: verdict.fault ?? 'iamRefused', user });
  }
  return { method: 'IAM authentication', verifier: undefined };
}

/** The log learns what was wrong; the client does not. */
function refuse(
  porter: Porter,
  dialogue: Dialogue,
  { user, flags }: Claim,
  rule: PasswordRule,
  usedPassword: 'YES' | 'NO',
): FaultError {
  const why = usedPassword === 'YES' ? 'the password is wrong' : 'it gave no password';
  porter.refused(user, rule.known ? why : 'the proxy has no credentials for this user');
  const fault = { name: 'loginRefused', user } as const;
  if (usedPassword === 'YES') return new FaultError(fault);
  const { code, sqlState, message } = wordsOf(fault);
  const said = { code, sqlState, message: message.replace(/YES\)$/, 'NO)') };
  return new FaultError(fault, dialogue.packet(error(said, flags)));
}

/** In MySQL's words. Such clients know of mysql_native_password only, and of no other way to sign in (trap MY-32). */
function tooOld(dialogue: Dialogue, { flags }: Claim, wanted: string): FaultError {
  const detail = `the client knows of no authentication plug-ins, and the proxy asks for ${wanted}`;
  const said = {
    code: 1251,
    sqlState: '08004',
    message:
      'Client does not support authentication protocol requested by server; consider upgrading MySQL client',
  };
  return new FaultError({ name: 'unsupported', detail }, dialogue.packet(error(said, flags)));
}
