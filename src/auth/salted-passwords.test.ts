import { describe, expect, test } from 'bun:test';
import { utf8 } from '../base/bytes.ts';
import { seededRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { SaltedPasswords } from './salted-passwords.ts';
import { makeVerifier } from './scram.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const salt = seededRandom(1).bytes(16);

describe('salted passwords', () => {
  const secret = new SecretText('pencil');

  test('equal requests share one derivation, even while it is under way', async () => {
    const passwords = new SaltedPasswords();
    const first = passwords.derive(secret, salt, 3);
    expect(passwords.derive(new SecretText('pencil'), salt.slice(), 3)).toBe(first);
    const bytes = await first;
    expect(bytes).toHaveLength(32);
    expect(passwords.derive(secret, salt, 3)).toBe(first);
  });

  test('another password, salt or count is another derivation', () => {
    const passwords = new SaltedPasswords();
    const all = [
      passwords.derive(secret, salt, 3),
      passwords.derive(new SecretText('pencil2'), salt, 3),
      passwords.derive(secret, salt.slice(1), 3),
      passwords.derive(secret, salt, 4),
      // The same bytes with the border between salt and password elsewhere.
      passwords.derive(new SecretText('cd'), utf8('ab'), 3),
      passwords.derive(new SecretText('d'), utf8('abc'), 3),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test('the least recently used is forgotten at the limit', () => {
    const passwords = new SaltedPasswords(2);
    const a = passwords.derive(secret, salt, 1);
    const b = passwords.derive(secret, salt, 2);
    expect(passwords.derive(secret, salt, 1)).toBe(a);
    void passwords.derive(secret, salt, 3);
    expect(passwords.derive(secret, salt, 1)).toBe(a);
    expect(passwords.derive(secret, salt, 2)).not.toBe(b);
  });

  test('verifiers are there at once where all are known, and come together where one is not', async () => {
    const passwords = new SaltedPasswords();
    const secrets = [secret, new SecretText('pencil2')];
    const coming = passwords.verifiers(secrets, salt, 3);
    expect(coming).toBeInstanceOf(Promise);
    const verifiers = await coming;
    const salted = await Promise.all(secrets.map((one) => passwords.derive(one, salt, 3)));
    expect(verifiers).toEqual(salted.map(makeVerifier));
    expect(passwords.verifiers(secrets, salt.slice(), 3)).toEqual(verifiers);
    expect(passwords.verifiers([...secrets, new SecretText('c')], salt, 3)).toBeInstanceOf(Promise);
    expect(passwords.verifiers(secrets, salt.slice(1), 3)).toBeInstanceOf(Promise);
    expect(passwords.verifiers([], salt, 3)).toEqual([]);
    expect(await outcomeOf(passwords.verifiers(secrets, salt, 0))).toThrow();
  });

  test('a failure is not remembered', async () => {
    const passwords = new SaltedPasswords();
    const failed = passwords.derive(secret, salt, 0);
    expect(await outcomeOf(failed)).toThrow();
    const again = passwords.derive(secret, salt, 0);
    expect(again).not.toBe(failed);
    expect(await outcomeOf(again)).toThrow();
  });

  test('the event loop goes on meanwhile', async () => {
    let done = false;
    const work = new SaltedPasswords().derive(secret, salt, 300_000).then(() => {
      done = true;
    });
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    await work;
  });
});
