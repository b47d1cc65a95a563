import { timingSafeEqual } from 'node:crypto';
import { must, Violation } from '../base/assert.ts';
import { concat, EMPTY, fromLatin1, latin1, u8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';

// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), both sides, message by message. A malformed message is a
// `Violation`; a peer that fails to prove itself is a `Refused`. Messages are held as Latin-1, one
// character for each byte: what is signed is exact bytes, and a user name, which PostgreSQL ignores
// here, need not be UTF-8.

export const SCRAM = 'SCRAM-SHA-256';
/** The same, bound to the channel that it runs over. */
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS';

export const KEY_BYTES = 32;
const DEFAULT_ITERATIONS = 4096;
/** The one type of channel binding that PostgreSQL has (RFC 5929, section 4). */
const BINDING_TYPE = 'tls-server-end-point';

/** What clients say who bind to nothing. */
const UNBOUND = new Map(['n,,', 'y,,'].map((header) => [header, fromLatin1(header)]));

/** The peer is not let in, or not believed. `why` is for the log, and fit for the client's eyes. */
export interface Refused {
  readonly ok: false;
  /** What is wrong: the password, the channel that it is bound to, or that our offer to bind it has not been seen. */
  readonly about: 'proof' | 'binding' | 'offer';
  readonly why: string;
}

/** What a client says of channel binding: nothing, that it was not offered any, or to what data it binds. */
export type ClientBinding = 'none' | 'notOffered' | Uint8Array;

export interface ClientFirst {
  readonly message: Uint8Array;
  /** What the last message must repeat: what is said of channel binding, as in `n,,`, and the data bound to. */
  readonly bound: Uint8Array;
  /** The message without that header. */
  readonly bare: string;
  readonly nonce: string;
}

export interface ServerFirst {
  readonly message: Uint8Array;
  readonly bound: Uint8Array;
  /** The client's nonce with the server's behind it. */
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** Both first messages, as they enter every signature. */
  readonly transcript: string;
}

export interface ClientFinal {
  readonly message: Uint8Array;
  /** What a server that knows the password will answer. */
  readonly serverSignature: Uint8Array;
}

/** What a server needs to check a client and to prove itself to it: 32 bytes each. */
export interface ScramVerifier {
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** @param saltedPassword what `SaltedPasswords.derive` gave */
export function makeVerifier(saltedPassword: Uint8Array): ScramVerifier {
  return {
    storedKey: sha256(hmac(saltedPassword, 'Client Key')),
    serverKey: hmac(saltedPassword, 'Server Key'),
  };
}

/**
 * For a user who does not exist: a verifier that no password meets, at the cost of a real one
 * (PG-103).
 */
export function mockVerifier(chance: { random(count: number): Uint8Array }): ScramVerifier {
  return { storedKey: chance.random(KEY_BYTES), serverKey: chance.random(KEY_BYTES) };
}

/**
 * Server side, first step. The user name in it is ignored: the start-up packet has said who it is.
 * @param mechanism what the client has chosen of what was offered
 * @param endPoint the channel's binding data; undefined where SCRAM-SHA-256-PLUS was not offered
 */
export function readClientFirst(
  message: Uint8Array,
  mechanism: typeof SCRAM | typeof SCRAM_PLUS,
  endPoint: Uint8Array | undefined,
): { readonly ok: true; readonly first: ClientFirst } | Refused {
  const text = decode(message);
  // By their places: to take arrays apart by patterns costs each sign-in more.
  const header = GS2_HEADER.exec(text);
  const gs2Header = header?.[0];
  const flag = header?.[1];
  if (gs2Header === undefined || flag === undefined) throw malformed('no gs2 header');
  const binds = flag.startsWith('p');
  if (binds !== (mechanism === SCRAM_PLUS)) {
    const what = binds ? 'channel binding data' : 'no channel binding data';
    throw malformed(`the client chose ${mechanism} and sent ${what}`);
  }
  const type = flag.slice('p='.length);
  if (binds && type !== BINDING_TYPE) throw malformed(`unsupported channel-binding type "${type}"`);
  // The client would have bound the channel, had it seen our offer: somebody took it out (PG-101,
  // RFC 5802 section 6).
  if (flag === 'y' && endPoint !== undefined) {
    return refuse('offer', 'channel binding was offered, and the client did not see the offer');
  }
  if (header?.[2] !== undefined) throw malformed('an authorization identity is not supported');

  const bare = text.slice(gs2Header.length);
  const attributes = readAttributes(bare);
  valueOf(attributes[0], 'n');
  const nonce = readNonce(valueOf(attributes[1], 'r'));
  const bound = binds
    ? concat([fromLatin1(gs2Header), must(endPoint, `${SCRAM_PLUS} was chosen and not offered`)])
    : (UNBOUND.get(gs2Header) ?? fromLatin1(gs2Header));
  return { ok: true, first: { message, bound, bare, nonce } };
}

const GS2_HEADER = /^(n|y|p=[A-Za-z0-9.-]+),(a=[^,]+)?,/;

/** Server side, second step: the challenge. @param nonce fresh random bytes, 18 as in PostgreSQL */
export function makeServerFirst(
  first: ClientFirst,
  salt: Uint8Array,
  nonce: Uint8Array,
  iterations: number = DEFAULT_ITERATIONS,
): ServerFirst {
  const combined = first.nonce + base64(nonce);
  const text = `r=${combined},s=${base64(salt)},i=${iterations}`;
  return {
    message: fromLatin1(text),
    bound: first.bound,
    nonce: combined,
    salt,
    iterations,
    transcript: `${first.bare},${text}`,
  };
}

/**
 * Server side, last step: did the client use a password behind one of the verifiers? Then `message`
 * is the server's own proof. Takes the same time whichever verifier it is, or none.
 */
export function readClientFinal(
  serverFirst: ServerFirst,
  message: Uint8Array,
  verifiers: readonly ScramVerifier[],
): { readonly ok: true; readonly message: Uint8Array } | Refused {
  const text = decode(message);
  const attributes = readAttributes(text);
  const { bound } = serverFirst;
  if (valueOf(attributes[0], 'c') !== base64(bound)) {
    // Who ends TLS for the client is not us: somebody stands between (RFC 5802, section 6).
    if (latin1(bound).startsWith('p'))
      return refuse('binding', 'the client is bound to another channel');
    throw malformed('the channel binding data differs from the gs2 header');
  }
  if (valueOf(attributes[1], 'r') !== serverFirst.nonce) throw malformed('the nonce differs');
  const proof = readKey(valueOf(attributes.at(-1), 'p'));
  const signed = `${serverFirst.transcript},${text.slice(0, text.lastIndexOf(',p='))}`;

  let met: ScramVerifier | undefined;
  for (const verifier of verifiers) {
    const clientKey = xor(hmac(verifier.storedKey, signed), proof);
    if (timingSafeEqual(sha256(clientKey), verifier.storedKey)) met = verifier;
  }
  if (met === undefined) return refuse('proof', 'the password is wrong');
  return { ok: true, message: fromLatin1(`v=${base64(hmac(met.serverKey, signed))}`) };
}

/** Client side, first step. @param nonce fresh random bytes, 18 as in libpq */
export function makeClientFirst(nonce: Uint8Array, binding: ClientBinding): ClientFirst {
  const [gs2Header, data] =
    binding === 'none'
      ? ['n,,', EMPTY]
      : binding === 'notOffered'
        ? ['y,,', EMPTY]
        : [`p=${BINDING_TYPE},,`, binding];
  const text = base64(nonce);
  const bare = `n=,r=${text}`;
  const bound = concat([fromLatin1(gs2Header), data]);
  return { message: fromLatin1(gs2Header + bare), bound, bare, nonce: text };
}

/** Client side, second step: the challenge, which may come from a hostile server (PG-106). */
export function readServerFirst(first: ClientFirst, message: Uint8Array): ServerFirst {
  const text = decode(message);
  const attributes = readAttributes(text);
  const nonce = readNonce(valueOf(attributes[0], 'r'));
  if (!nonce.startsWith(first.nonce) || nonce.length === first.nonce.length) {
    throw malformed("the server's nonce does not extend ours");
  }
  const salt = readBase64(valueOf(attributes[1], 's'));
  if (salt.length === 0) throw malformed('the salt is empty');
  const iterations = valueOf(attributes[2], 'i');
  if (!/^[1-9]\d{0,9}$/.test(iterations)) throw malformed('the iteration count is not a number');
  if (Number(iterations) > limits.scramIterations.value) {
    throw malformed('too many iterations are asked for');
  }
  return {
    message,
    bound: first.bound,
    nonce,
    salt,
    iterations: Number(iterations),
    transcript: `${first.bare},${text}`,
  };
}

/**
 * Client side, third step: the proof.
 * @param saltedPassword derived with the challenge's salt and iterations
 */
export function makeClientFinal(serverFirst: ServerFirst, saltedPassword: Uint8Array): ClientFinal {
  const unproven = `c=${base64(serverFirst.bound)},r=${serverFirst.nonce}`;
  const signed = `${serverFirst.transcript},${unproven}`;
  const clientKey = hmac(saltedPassword, 'Client Key');
  const proof = xor(hmac(sha256(clientKey), signed), clientKey);
  return {
    message: fromLatin1(`${unproven},p=${base64(proof)}`),
    serverSignature: hmac(hmac(saltedPassword, 'Server Key'), signed),
  };
}

/**
 * Client side, last step: has the server proved that it knows the password too? One that has not
 * must not be talked to.
 */
export function readServerFinal(
  final: ClientFinal,
  message: Uint8Array,
): { readonly ok: true } | Refused {
  const [outcome] = readAttributes(decode(message));
  if (outcome?.startsWith('e') === true) {
    const value = valueOf(outcome, 'e');
    const known = /^[a-z-]{1,64}$/.test(value) ? value : 'in unknown words';
    return refuse('proof', `the server refused: ${known}`);
  }
  const signature = readKey(valueOf(outcome, 'v'));
  if (timingSafeEqual(signature, final.serverSignature)) return { ok: true };
  return refuse('proof', 'the server did not prove that it knows the password');
}

/**
 * The attributes of a message, as in `r=…`. Extensions behind those that it must have are allowed and ignored, as the RFC wants.
 */
function readAttributes(text: string): readonly string[] {
  if (!ATTRIBUTES.test(text)) throw malformed('not an attribute');
  return text.split(',');
}

const ATTRIBUTES = /^[A-Za-z]=[^\0,]*(?:,[A-Za-z]=[^\0,]*)*$/;

function valueOf(attribute: string | undefined, name: string): string {
  if (attribute?.startsWith(name) === true) return attribute.slice(2);
  // RFC 5802, section 5.1: reserved, and to be refused by those who do not know it.
  if (attribute?.startsWith('m') === true) throw malformed('it demands an unknown extension');
  throw malformed(`attribute ${name} is missing`);
}

function readNonce(value: string): string {
  if (value.length > limits.saslNonceBytes.value) throw malformed('the nonce is too long');
  if (!/^[!-~]+$/.test(value)) throw malformed('the nonce is empty or not printable');
  return value;
}

function readKey(value: string): Uint8Array {
  const key = readBase64(value);
  if (key.length !== KEY_BYTES) throw malformed('a proof or signature of the wrong length');
  return key;
}

function readBase64(value: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(value, CANONICAL);
  } catch {
    throw malformed('not base64');
  }
  // Blanks are passed over there: what has any is longer than it need be.
  if (value.length !== 4 * Math.ceil(bytes.length / 3)) throw malformed('not base64');
  return bytes;
}

/** There is one way to write the last bytes. */
const CANONICAL = { lastChunkHandling: 'strict' } as const;

function base64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

function decode(message: Uint8Array): string {
  if (message.length > limits.passwordMessageBytes.value) {
    throw malformed('the message is too long');
  }
  return latin1(message);
}

// Bun's own: every sign-in takes two of these and one of those, at half the price of what `node:crypto` has.

function hmac(key: Uint8Array, text: string): Uint8Array {
  return new Bun.CryptoHasher('sha256', key).update(text, 'latin1').digest();
}

function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(KEY_BYTES);
  Bun.SHA256.hash(bytes, digest);
  return digest;
}

/** Of two keys: the first is changed, and returned. */
function xor(key: Uint8Array, other: Uint8Array): Uint8Array {
  for (let at = 0; at < KEY_BYTES; at += 1) key[at] = u8(key, at) ^ u8(other, at);
  return key;
}

function malformed(problem: string): Violation {
  return new Violation(`SCRAM: ${problem}`);
}

function refuse(about: Refused['about'], why: string): Refused {
  return { ok: false, about, why };
}
