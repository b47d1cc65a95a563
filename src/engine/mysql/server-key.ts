import type { RsaKeys } from '../../auth/rsa-password.ts';
import { makeRsaKeys } from '../../auth/rsa-password.ts';

/** The RSA keys by which clients without TLS hide their passwords. They are made when one asks for them first. */
export class ServerKey {
  #keys: Promise<RsaKeys> | undefined;

  get(): Promise<RsaKeys> {
    this.#keys ??= makeRsaKeys();
    return this.#keys;
  }
}
