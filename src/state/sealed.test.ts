import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { AesSealer } from './sealed.ts';

const random = seededRandom(1);
const key = random.bytes(32);
const other = random.bytes(32);
const sealer = new AesSealer({ key, random });

describe('what is sealed', () => {
  test('is opened with the same words, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, about) => {
        expect(sealer.open(sealer.seal(new SecretText(text), about), about).reveal()).toBe(text);
      }),
    );
  });

  test('shows nothing of it, and is never the same twice', () => {
    const [one, two] = [0, 1].map(() => sealer.seal(new SecretText('hunter2'), 'a'));
    expect(Buffer.from(one!).includes('hunter2')).toBe(false);
    expect(one).not.toEqual(two);
  });

  test('cannot be moved to another place', () => {
    const sealed = sealer.seal(new SecretText('hunter2'), 'row 1');
    expect(() => sealer.open(sealed, 'row 2')).toThrow('is not what was written at this place');
  });

  test('is refused with any bit changed, or cut anywhere', () => {
    const sealed = sealer.seal(new SecretText('hunter2'), 'a');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => sealer.open(changed, 'a')).toThrow(Error);
    }
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => sealer.open(sealed.subarray(0, length), 'a')).toThrow(Error);
  });

  test('any bytes are refused with an Error that shows nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(() => sealer.open(bytes, 'a')).toThrow(Error);
      }),
    );
  });

  test('is opened by an older key, and sealed by the new one', () => {
    const before = sealer.seal(new SecretText('hunter2'), 'a');
    const renewed = new AesSealer({ key: other, older: [key], random });
    expect(renewed.open(before, 'a').reveal()).toBe('hunter2');
    const after = renewed.seal(new SecretText('hunter3'), 'a');
    expect(new AesSealer({ key: other, random }).open(after, 'a').reveal()).toBe('hunter3');
  });

  test('says what to do where the key is another one, or the format a newer one', () => {
    const sealed = sealer.seal(new SecretText('hunter2'), 'a');
    expect(() => new AesSealer({ key: other, random }).open(sealed, 'a')).toThrow(
      'was encrypted with another key',
    );
    sealed[0] = 2;
    expect(() => sealer.open(sealed, 'a')).toThrow('written by a newer version');
  });

  test('needs a key of the right size', () => {
    expect(() => new AesSealer({ key: new Uint8Array(16), random })).toThrow('must have 32 bytes');
    expect(() => new AesSealer({ key, older: [new Uint8Array(0)], random })).toThrow('32 bytes');
  });
});
