import { Violation } from '../../base/assert.ts';
import { EMPTY, latin1, u8 } from '../../base/bytes.ts';
import { cachingSha2, cachingSha2Response } from '../../auth/caching-sha2.ts';
import { ed25519Response } from '../../auth/ed25519-password.ts';
import { nativePasswordResponse } from '../../auth/native-password.ts';
import {
  PARSEC_NONCE_BYTES,
  parsecKey,
  parsecResponse,
  readParsecSalt,
} from '../../auth/parsec.ts';
import { encryptPassword, SHA256_PUBLIC_KEY_REQUEST } from '../../auth/rsa-password.ts';
import type { SecretText } from '../../base/secret-text.ts';
import type { Conversation } from '../../core/conversation.ts';
import { wait } from '../../core/conversation.ts';
import { FaultError } from '../../core/fault.ts';
import { clearPassword, readAuthRequest } from '../../wire/mysql/auth-packets.ts';
import { byte } from '../../wire/mysql/build.ts';
import type { Dialogue } from './dialogue.ts';
import { plugin } from './plugins.ts';
import { refusedBy } from './refusal.ts';

/** What a login needs of us to prove itself. */
export interface Proof {
  readonly password: SecretText;
  readonly isEncrypted: boolean;
  /** A password may be sent in the clear outside TLS. */
  readonly allowCleartext: boolean;
  random(count: number): Uint8Array;
}

/** How often a database may come back before it lets us in. */
const MOST_TURNS = 6;

/** Those that go by the handshake's challenge; who has another is asked to switch. */
const expectable: readonly string[] = [plugin.native, plugin.cachingSha2, plugin.sha256];

/** The plug-in for the first answer, and that answer, for a database that expects `expected`. */
export function firstAnswer(
  expected: string,
  challenge: Uint8Array,
  proof: Proof,
): { readonly plugin: string; readonly answer: Uint8Array } {
  const first = expectable.includes(expected) ? expected : plugin.native;
  return { plugin: first, answer: answerTo(first, challenge, proof) };
}

/** Answers what the database asks for, up to its OK, whose payload is returned. Throws a `FaultError` where it says no. */
export function* authenticate(
  dialogue: Dialogue,
  first: { readonly plugin: string; readonly challenge: Uint8Array },
  proof: Proof,
): Conversation<Uint8Array> {
  let { plugin: current, challenge } = first;
  let switched = false;
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const payload = yield* dialogue.hear();
    const request = readAuthRequest(payload);
    switch (request.kind) {
      case 'ok':
        return payload;
      case 'error':
        throw refusedBy(payload);
      case 'switch':
        // A database that changes its mind twice only wants to see what it can get.
        if (switched) throw new Violation('a second change of the authentication plug-in');
        switched = true;
        current = request.plugin;
        challenge = request.challenge;
        yield* dialogue.say(answerTo(current, challenge, proof));
        break;
      case 'moreData':
        yield* goOn(dialogue, current, { data: request.data, challenge, proof });
        break;
      case 'oldSwitch':
        throw refused('the database asks for mysql_old_password, which is not supported');
      case 'nextFactor':
        throw refused('the database asks for a second factor, which is not supported');
    }
  }
  throw new Violation('a login that does not end');
}

function refused(detail: string): FaultError {
  return new FaultError({ name: 'databaseRefused', refusal: 'credentials', detail });
}

function answerTo(current: string, challenge: Uint8Array, proof: Proof): Uint8Array {
  const { password, isEncrypted, allowCleartext } = proof;
  switch (current) {
    case plugin.native:
      return nativePasswordResponse(password, challenge);
    case plugin.cachingSha2:
      return cachingSha2Response(password, challenge);
    case plugin.ed25519:
      return ed25519Response(password, challenge);
    case plugin.parsec:
      return EMPTY; // it tells how the key is derived then
    case plugin.sha256:
      return isEncrypted ? clearPassword(password) : byte(SHA256_PUBLIC_KEY_REQUEST);
    case plugin.clear:
    case plugin.dialog:
      if (!isEncrypted && !allowCleartext) {
        throw refused(
          'the database asks for the password in the clear, on a connection without TLS',
        );
      }
      return clearPassword(password);
    default:
      throw refused(
        `the database asks for the authentication plug-in ${current}, which is not supported`,
      );
  }
}

/** What the database wants beside the first answer. */
function* goOn(
  dialogue: Dialogue,
  current: string,
  said: { readonly data: Uint8Array; readonly challenge: Uint8Array; readonly proof: Proof },
): Conversation<void> {
  const { data, challenge, proof } = said;
  const { password, isEncrypted } = proof;
  switch (current) {
    case plugin.cachingSha2:
      if (data.length !== 1) break;
      if (u8(data, 0) === cachingSha2.fastSuccess) return;
      if (u8(data, 0) !== cachingSha2.fullExchange)
        throw new Violation('an unknown word of a plug-in');
      yield* dialogue.say(
        isEncrypted ? clearPassword(password) : byte(cachingSha2.publicKeyRequest),
      );
      return;
    case plugin.sha256:
      break;
    case plugin.parsec:
      yield* dialogue.say(yield* parsecAnswer(data, challenge, proof));
      return;
    case plugin.dialog:
      throw refused('the database asks for more than the password');
    default:
      throw new Violation(`more data for ${current}`);
  }
  if (isEncrypted) throw new Violation('a key that nobody has asked for');
  yield* dialogue.say(encryptPassword(password, challenge, data));
}

/** The key that was derived last, with its salt: deriving is meant to be dear, and the salt rarely changes. */
const keys = new WeakMap<SecretText, { readonly from: string; readonly key: Uint8Array }>();

function* parsecAnswer(
  data: Uint8Array,
  challenge: Uint8Array,
  { password, random }: Proof,
): Conversation<Uint8Array> {
  const from = latin1(data);
  let known = keys.get(password);
  if (known?.from !== from) {
    const salt = readParsecSalt(data);
    known = { from, key: yield* wait(() => parsecKey(password, salt)) };
    keys.set(password, known);
  }
  return parsecResponse(known.key, challenge, random(PARSEC_NONCE_BYTES));
}
