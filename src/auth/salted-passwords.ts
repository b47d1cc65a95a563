import { createHash, pbkdf2 } from 'node:crypto';
import { utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import type { SecretText } from '../base/secret-text.ts';
import { saslprep } from './saslprep.ts';
import type { ScramVerifier } from './scram.ts';
import { KEY_BYTES, makeVerifier } from './scram.ts';

/** What a verifier that is known was made for. */
interface Known {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly verifier: ScramVerifier;
}

/**
 * Derived passwords, which cost thousands of hashes each and are wanted again at every login. The
 * work is done off the event loop, once for equal requests. The least recently used is forgotten
 * first.
 */
export class SaltedPasswords {
  readonly #capacity: number;
  /** By a digest of everything that goes in, so that no clear password stays behind. */
  readonly #derived = new Map<string, Promise<Uint8Array>>();
  /** The verifier that was asked for last for a password: clients are given the same salt each time. */
  readonly #verifiers = new WeakMap<SecretText, Known>();

  constructor(capacity: number = limits.derivedKeys.value) {
    this.#capacity = capacity;
  }

  /** What a server checks clients by: at once where the same object has been asked for with this salt before. */
  verifier(
    password: SecretText,
    salt: Uint8Array,
    iterations: number,
  ): ScramVerifier | Promise<ScramVerifier> {
    const known = this.#knownVerifier(password, salt, iterations);
    if (known !== undefined) return known;
    return this.derive(password, salt, iterations).then((salted) => {
      const verifier = makeVerifier(salted);
      this.#verifiers.set(password, { salt, iterations, verifier });
      return verifier;
    });
  }

  /** The same for several passwords, in their order. */
  verifiers(
    passwords: readonly SecretText[],
    salt: Uint8Array,
    iterations: number,
  ): readonly ScramVerifier[] | Promise<readonly ScramVerifier[]> {
    const all: ScramVerifier[] = [];
    for (const password of passwords) {
      const known = this.#knownVerifier(password, salt, iterations);
      if (known === undefined)
        return Promise.all(passwords.map(async (one) => this.verifier(one, salt, iterations)));
      all.push(known);
    }
    return all;
  }

  #knownVerifier(
    password: SecretText,
    salt: Uint8Array,
    iterations: number,
  ): ScramVerifier | undefined {
    const known = this.#verifiers.get(password);
    if (known?.iterations !== iterations) return undefined;
    return known.salt === salt || equal(known.salt, salt) ? known.verifier : undefined;
  }

  /** The RFC's SaltedPassword, 32 bytes that the caller must not change. */
  derive(password: SecretText, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
    const prepared = utf8(saslprep(password.reveal()));
    const key = createHash('sha256')
      .update(`${iterations} ${salt.length} `)
      .update(salt)
      .update(prepared)
      .digest('base64');
    const derived = this.#derived.get(key) ?? this.#start(key, prepared, salt, iterations);
    this.#derived.delete(key);
    this.#derived.set(key, derived);
    for (const oldest of this.#derived.keys()) {
      if (this.#derived.size <= this.#capacity) break;
      this.#derived.delete(oldest);
    }
    return derived;
  }

  #start(
    key: string,
    prepared: Uint8Array,
    salt: Uint8Array,
    iterations: number,
  ): Promise<Uint8Array> {
    const derived = new Promise<Uint8Array>((resolve, reject) => {
      pbkdf2(prepared, salt, iterations, KEY_BYTES, 'sha256', (error, bytes) => {
        if (error === null) resolve(bytes);
        else reject(error);
      });
    });
    derived.catch(() => this.#derived.delete(key));
    return derived;
  }
}

/** Of what is no secret: takes less time where the two differ. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
