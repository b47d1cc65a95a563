import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Hash, Hmac } from 'node:crypto';
import type { SecretText } from '../base/secret-text.ts';

// What everything that is signed with Signature Version 4 has in common.

export const ALGORITHM = 'AWS4-HMAC-SHA256';
export const SCOPE_END = 'aws4_request';

/** What signs. */
export interface AccessKey {
  readonly secretAccessKey: SecretText;
  /** Temporary credentials have one, and what they sign must carry it. */
  readonly sessionToken?: SecretText;
}

/** Whose key has signed, and what for: `keyid/day/region/service/aws4_request`. */
export interface Scope {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly end: string;
}

/** A credential taken apart; nothing where it is malformed. */
export function readScope(credential: string): Scope | undefined {
  const [accessKeyId, day, region, service, end, ...more] = credential.split('/');
  if (accessKeyId === undefined || !/^\w{1,128}$/.test(accessKeyId) || more.length > 0) {
    return undefined;
  }
  if (day === undefined || region === undefined || service === undefined || end === undefined) {
    return undefined;
  }
  return { accessKeyId, day, region, service, end };
}

/** `yyyymmddThhmmssZ` in milliseconds since 1970. */
export function readDate(text: string): number | undefined {
  if (!/^\d{8}T\d{6}Z$/.test(text)) return undefined;
  const extended = text.replace(/^(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6.000Z');
  const dateMs = Date.parse(extended);
  if (Number.isNaN(dateMs)) return undefined;
  // Back and forth, so that February 30th does not pass for March.
  return new Date(dateMs).toISOString() === extended ? dateMs : undefined;
}

/** In a time that tells nothing but the lengths. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** SHA-256, or its HMAC where there is a secret, in the shape that the signer wants. */
export class Sha256 {
  readonly #start: () => Hash | Hmac;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = ArrayBuffer.isView(secret)
      ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
      : secret;
    this.#start = () => (key === undefined ? createHash('sha256') : createHmac('sha256', key));
    this.#hash = this.#start();
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#start();
  }
}
