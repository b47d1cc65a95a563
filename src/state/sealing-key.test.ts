import { afterAll, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { seededRandom, systemRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { loadOrMakeKey } from './sealing-key.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-key-'));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
const freshDirectory = (): string => join(root, String((count += 1)));
const text = (seed: number): string => Buffer.from(seededRandom(seed).bytes(32)).toString('base64');

describe('the key file', () => {
  test('is made once, whole, and for its owner only', () => {
    const directory = freshDirectory();
    const made = loadOrMakeKey(directory, systemRandom);
    expect(made.key).toHaveLength(32);
    expect(statSync(join(directory, 'key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(directory, 'key'), 'utf8')).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(readdirSync(directory)).toEqual(['key']);
    expect(loadOrMakeKey(directory, systemRandom)).toEqual(made);
  });

  test('may hold older keys behind the new one', () => {
    const directory = freshDirectory();
    loadOrMakeKey(directory, systemRandom);
    writeFileSync(join(directory, 'key'), `${text(1)}\n${text(2)}\n`);
    expect(loadOrMakeKey(directory, systemRandom)).toEqual({
      key: seededRandom(1).bytes(32),
      older: [seededRandom(2).bytes(32)],
    });
  });

  test.each([0o640, 0o604, 0o660, 0o644])('is refused where others may read it (%o)', (mode) => {
    const directory = freshDirectory();
    loadOrMakeKey(directory, systemRandom);
    chmodSync(join(directory, 'key'), mode);
    expect(() => loadOrMakeKey(directory, systemRandom)).toThrow('chmod 600');
  });

  test.each(['', 'short', `${text(1)}A`, `${text(1)}\nnonsense`, '='.repeat(5_000)])(
    'is refused where it holds something else (%#)',
    (content) => {
      const directory = freshDirectory();
      loadOrMakeKey(directory, systemRandom);
      writeFileSync(join(directory, 'key'), content);
      expect(() => loadOrMakeKey(directory, systemRandom)).toThrow('must be 32 bytes in base64');
    },
  );
});

describe('a key that is given', () => {
  test('is taken, and no file is made', () => {
    const directory = freshDirectory();
    const { key, older } = loadOrMakeKey(directory, systemRandom, new SecretText(` ${text(3)} `));
    expect(key).toEqual(seededRandom(3).bytes(32));
    expect(older).toEqual([]);
    expect(readdirSync(root)).not.toContain(String(count));
  });

  test('any text is a key or is refused, and is not shown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String({ maxLength: 50 })), (given) => {
        try {
          expect(loadOrMakeKey(root, systemRandom, new SecretText(given)).key).toHaveLength(32);
        } catch (error) {
          expect(String(error)).toStartWith('Error: the key that was given must be 32 bytes');
        }
      }),
    );
  });
});
