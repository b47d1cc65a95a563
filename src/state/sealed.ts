import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { Random } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';

/** Encrypts what must not stand in the clear in the database. */
export interface Sealer {
  /** @param about what it belongs to: only with the same words can it be opened, so that it cannot be moved to another row */
  seal(text: SecretText, about: string): Uint8Array;
  /** Throws an Error that says what to do where the key is another one, or where the bytes are not those that were sealed. */
  open(sealed: Uint8Array, about: string): SecretText;
}

/** The key that seals, and those that sealed before and still open. */
export interface SealingKeys {
  readonly key: Uint8Array;
  readonly older?: readonly Uint8Array[];
}

export const KEY_BYTES = 32;
const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** AES-256-GCM: a version byte, the key's id (8 bytes), a random nonce (12), the ciphertext, the tag (16). */
export class AesSealer implements Sealer {
  readonly #keys = new Map<string, Uint8Array>();
  readonly #keyId: Uint8Array;
  readonly #key: Uint8Array;
  readonly #random: Random;

  /** Throws where a key has not 32 bytes. */
  constructor({ key, older = [], random }: SealingKeys & { readonly random: Random }) {
    for (const one of [key, ...older]) {
      if (one.length !== KEY_BYTES) throw new Error(`a key must have ${KEY_BYTES} bytes`);
      this.#keys.set(keyId(one).toString('hex'), one);
    }
    this.#key = key;
    this.#keyId = keyId(key);
    this.#random = random;
  }

  seal(text: SecretText, about: string): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(about));
    const body = [cipher.update(text.reveal(), 'utf8'), cipher.final()];
    const parts = [Uint8Array.of(VERSION), this.#keyId, nonce, ...body, cipher.getAuthTag()];
    return new Uint8Array(Buffer.concat(parts));
  }

  open(sealed: Uint8Array, about: string): SecretText {
    const bytes = Buffer.from(sealed);
    if (bytes.length < HEADER_BYTES + TAG_BYTES) throw altered();
    if (bytes[0] !== VERSION)
      throw new Error(
        `encrypted data has the unknown format ${bytes[0]}: it was written by a newer version of Sluice, use that one`,
      );
    const id = bytes.toString('hex', 1, 1 + KEY_ID_BYTES);
    const key = this.#keys.get(id);
    if (key === undefined)
      throw new Error(
        `the data was encrypted with another key (its id is ${id}): bring back the key that the data directory had, or give it as an older key behind the new one`,
      );
    const nonce = bytes.subarray(1 + KEY_ID_BYTES, HEADER_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(about));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const body = [decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()];
      return new SecretText(Buffer.concat(body).toString('utf8'));
    } catch {
      throw altered();
    }
  }
}

/** Tells keys apart, and nothing of what they are. */
function keyId(key: Uint8Array): Buffer {
  return createHash('sha256')
    .update('sluice sealing key id\0')
    .update(key)
    .digest()
    .subarray(0, KEY_ID_BYTES);
}

function altered(): Error {
  return new Error(
    'encrypted data is not what was written at this place: the database was altered or damaged, use a backup',
  );
}
