import { generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const BITS = 2048;

/** The RSA key by which clients without TLS hide their passwords. It is made when one asks for it first. */
export class ServerKey {
  #pair: Promise<{ readonly privateKey: KeyObject; readonly pem: string }> | undefined;

  get(): Promise<{ readonly privateKey: KeyObject; readonly pem: string }> {
    this.#pair ??= make();
    return this.#pair;
  }
}

async function make(): Promise<{ readonly privateKey: KeyObject; readonly pem: string }> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: BITS,
  });
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}
