import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concat } from '../base/bytes.ts';

// RFC 8410: what stands before the 32 bytes of an Ed25519 key in DER.

const PRIVATE_KEY = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_KEY = Buffer.from('302a300506032b6570032100', 'hex');

/** @param seed 32 bytes */
export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  const key = Buffer.from(concat([PRIVATE_KEY, seed]));
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** @param point 32 bytes */
export function ed25519PublicKey(point: Uint8Array): KeyObject {
  const key = Buffer.from(concat([PUBLIC_KEY, point]));
  return createPublicKey({ key, format: 'der', type: 'spki' });
}
