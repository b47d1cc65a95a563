import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../base/random.ts';
import type { SecretText } from '../base/secret-text.ts';
import { KEY_BYTES } from './sealed.ts';
import type { SealingKeys } from './sealed.ts';

/** In the data directory. */
export const KEY_FILE = 'key';

/** A key and some older ones, in base64. */
const LARGEST_FILE_BYTES = 4_096;

/**
 * The key that encrypts secrets at rest: from the text that is given, else from the file `key` in the data directory, which is made
 * where there is none. Both hold 32 bytes as base64; behind it, separated by white space, may stand older keys, that still open what
 * they have sealed. Throws an Error that says how to mend it where the file is readable by others, or is no such text.
 */
export function loadOrMakeKey(directory: string, random: Random, given?: SecretText): SealingKeys {
  if (given !== undefined) return readKeys(given.reveal(), 'the key that was given');
  const path = join(directory, KEY_FILE);
  const text = readPrivately(path) ?? makeFile(directory, path, random);
  return readKeys(text, `the key file ${path}`);
}

function readKeys(text: string, what: string): SealingKeys {
  const [key, ...older] = text
    .trim()
    .split(/\s+/)
    .map((word) => readKey(word, what));
  if (key === undefined) throw noKey(what);
  return { key, older };
}

function readKey(word: string, what: string): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(word, 'base64'));
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(word) || bytes.length !== KEY_BYTES) throw noKey(what);
  return bytes;
}

function noKey(what: string): Error {
  return new Error(
    `${what} must be ${KEY_BYTES} bytes in base64 (44 characters): bring back the one that the data was encrypted with, or, where there is no data yet, make one with "openssl rand -base64 ${KEY_BYTES}"`,
  );
}

/** Undefined where there is no file. */
function readPrivately(path: string): string | undefined {
  const file = openExisting(path);
  if (file === undefined) return undefined;
  try {
    const { mode, size } = fstatSync(file);
    if ((mode & 0o077) !== 0)
      throw new Error(
        `the key file ${path} may be read by others: forbid it with "chmod 600 ${path}", and if others may have read it, make a new key`,
      );
    if (size > LARGEST_FILE_BYTES) throw noKey(`the key file ${path}`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    throw new Error(`the key file ${path} cannot be read (${code}): mend its permissions`, {
      cause: error,
    });
  }
}

/** A file of this name is whole from its first moment, and is never written over: another process may be making it, too. */
function makeFile(directory: string, path: string, random: Random): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const suffix = Buffer.from(random.bytes(8)).toString('hex');
  const draft = join(directory, `${KEY_FILE}.${suffix}`);
  const text = `${Buffer.from(random.bytes(KEY_BYTES)).toString('base64')}\n`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  flushDirectory(directory);
  return readPrivately(path) ?? text;
}

function flushDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
