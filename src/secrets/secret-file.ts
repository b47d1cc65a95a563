import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { SecretText } from '../base/secret-text.ts';
import type { SecretValue } from './source.ts';

/** The largest secret file, in bytes: as much as AWS Secrets Manager keeps in one secret. */
export const SECRET_FILE_BYTES = 65_536;

/** Reads a JSON file with `username` and `password`. Rejects with a sentence part such as `there is no such file`. */
export async function readSecretFile(path: string): Promise<SecretValue> {
  const buffer = Buffer.alloc(SECRET_FILE_BYTES + 1);
  let length = 0;
  try {
    const file = await open(path, 'r');
    try {
      for (let taken = 1; taken > 0 && length < buffer.length; length += taken)
        ({ bytesRead: taken } = await file.read(buffer, length, buffer.length - length, null));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(whyUnreadable(error), { cause: error });
  }
  return parseSecret(buffer.subarray(0, length));
}

/** At most `limitBytes` + 1 bytes of the file: one more than allowed shows that it is too large. */
export function readUpTo(path: string, limitBytes: number): Uint8Array {
  const buffer = Buffer.alloc(limitBytes + 1);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let taken = 1; taken > 0 && length < buffer.length; length += taken)
        taken = readSync(file, buffer, length, buffer.length - length, null);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new Error(whyUnreadable(error), { cause: error });
  }
  return buffer.subarray(0, length);
}

/** `{"username": …, "password": …}`; other keys are ignored, as RDS Proxy does. What is thrown never shows the content. */
export function parseSecret(bytes: Uint8Array): SecretValue {
  if (bytes.length > SECRET_FILE_BYTES)
    throw new Error(`it is larger than ${SECRET_FILE_BYTES} bytes`);
  const value = parseJson(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('it must hold a JSON object with "username" and "password"');
  const fields = new Map<string, unknown>(Object.entries(value));
  const dbname = fields.get('dbname');
  return {
    username: textIn(fields, 'username'),
    password: new SecretText(textIn(fields, 'password')),
    ...(typeof dbname === 'string' && dbname !== '' ? { dbname } : {}),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes what it met: it must not travel, not even as a cause.
    throw new Error('it is not JSON in UTF-8');
  }
}

function textIn(fields: ReadonlyMap<string, unknown>, name: string): string {
  const value = fields.get(name);
  if (value === undefined) throw new Error(`it has no "${name}"`);
  if (typeof value !== 'string' || value === '' || value.includes('\0'))
    throw new Error(`its "${name}" must be text, not empty and without NUL characters`);
  return value;
}

/** What the system says, without the path. */
function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a directory';
    case 'EACCES':
    case 'EPERM':
      return 'there is no permission to read it';
    default:
      return `it cannot be read (${String(code)})`;
  }
}
