import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretText } from '../base/secret-text.ts';
import { DeclaredSecrets } from './declared.ts';
import { parseSecret, readSecretFile, readUpTo, SECRET_FILE_BYTES } from './secret-file.ts';
import type { SecretValue } from './source.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const value = (password: string): SecretValue => ({
  username: 'u',
  password: new SecretText(password),
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const directory = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('declared secrets', () => {
  test('one in the settings stays what it is', async () => {
    const secrets = new DeclaredSecrets([{ name: 'a', value: value('p'), file: undefined }]);
    expect((await secrets.current('a')).password.reveal()).toBe('p');
    expect((await secrets.refresh('a')).password.reveal()).toBe('p');
  });

  test('a file is read again once for all who ask at the same time, and again later', async () => {
    const reads: ((read: SecretValue) => void)[] = [];
    const secrets = new DeclaredSecrets(
      [{ name: 'a', value: value('old'), file: '/a.json' }],
      () => new Promise((resolve) => reads.push(resolve)),
    );
    const both = Promise.all([secrets.refresh('a'), secrets.refresh('a')]);
    expect((await secrets.current('a')).password.reveal()).toBe('old');
    expect(reads).toHaveLength(1);
    reads[0]?.(value('new'));
    expect((await both).map(({ password }) => password.reveal())).toEqual(['new', 'new']);
    expect((await secrets.current('a')).password.reveal()).toBe('new');
    void secrets.refresh('a');
    expect(reads).toHaveLength(2);
  });

  test('a rotation is seen in a real file; where it is broken the last value stays', async () => {
    const file = join(directory, 'rotated.json');
    const secrets = new DeclaredSecrets([{ name: 'a', value: value('old'), file }]);
    writeFileSync(file, '{"username":"u2","password":"new"}');
    expect(await secrets.refresh('a')).toMatchObject({ username: 'u2' });
    writeFileSync(file, '{"username":"u2","password":"hunter2');
    const error: unknown = await secrets.refresh('a').catch((reason: unknown) => reason);
    expect(String(error)).toBe(
      'Error: the file of the secret "a" is of no use: it is not JSON in UTF-8',
    );
    expect(Bun.inspect(error)).not.toContain('hunter2');
    expect((await secrets.current('a')).password.reveal()).toBe('new');
  });

  test('one that nobody declared is named', async () => {
    const secrets = new DeclaredSecrets([]);
    expect(await outcomeOf(secrets.current('x'))).toThrow('there is no secret named "x"');
    expect(await outcomeOf(secrets.refresh('x'))).toThrow('there is no secret named "x"');
  });
});

describe('a secret file', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['', 'it is not JSON in UTF-8'],
    ['hunter2', 'it is not JSON in UTF-8'],
    ['"hunter2"', 'it must hold a JSON object with "username" and "password"'],
    ['[]', 'it must hold a JSON object with "username" and "password"'],
    ['{"username":"u"}', 'it has no "password"'],
    ['{"password":"p"}', 'it has no "username"'],
    [
      '{"username":"u","password":""}',
      'its "password" must be text, not empty and without NUL characters',
    ],
    [
      '{"username":"a\\u0000b","password":"p"}',
      'its "username" must be text, not empty and without NUL characters',
    ],
    [' '.repeat(SECRET_FILE_BYTES + 1), 'it is larger than 65536 bytes'],
  ];
  for (const [content, why] of refused)
    test(`${why} (${content.slice(0, 40).trim()})`, () =>
      expect(() => parseSecret(bytes(content))).toThrow(new Error(why)));

  test('in the shape of RDS gives what is needed', () => {
    const content = '{"engine":"postgres","port":5432,"username":"u","password":"p","dbname":"d"}';
    expect(parseSecret(bytes(content))).toMatchObject({ username: 'u', dbname: 'd' });
    expect(parseSecret(bytes('{"username":"u","password":"p","dbname":""}'))).not.toHaveProperty(
      'dbname',
    );
  });

  test('that cannot be read says why; one that is too large is not read whole', async () => {
    expect(await outcomeOf(readSecretFile(join(directory, 'gone')))).toThrow(
      'there is no such file',
    );
    expect(await outcomeOf(readSecretFile(directory))).toThrow('it is a directory');
    expect(() => readUpTo(join(directory, 'gone', 'x'), 1)).toThrow('there is no such file');
    const large = join(directory, 'large');
    writeFileSync(large, 'x'.repeat(100));
    expect(readUpTo(large, 10)).toHaveLength(11);
    expect(readUpTo(large, 200)).toHaveLength(100);
  });
});
