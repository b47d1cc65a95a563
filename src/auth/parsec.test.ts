import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { recording } from '../../test/support/mysql-recordings.ts';
import { Violation } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import { SecretText } from '../base/secret-text.ts';
import { PARSEC, PARSEC_NONCE_BYTES, parsecKey, parsecResponse, readParsecSalt } from './parsec.ts';

const challenge = recording('mariadbSwitchToParsec').slice(`?${PARSEC}\0`.length);
const salt = recording('mariadbParsecSalt').slice(1);
const answer = recording('mariadbParsecSignature');

test("MY-32: answers as MariaDB's client did", async () => {
  const from = readParsecSalt(salt);
  expect(from).toMatchObject({ iterations: 1024 });
  expect(from.salt).toHaveLength(18);
  expect(challenge).toHaveLength(PARSEC_NONCE_BYTES);
  const key = await parsecKey(new SecretText('Secret-1'), from);
  const clientNonce = answer.slice(0, PARSEC_NONCE_BYTES);
  expect(parsecResponse(key, challenge, clientNonce)).toEqual(answer);
});

test('a salt that is none is a violation', () => {
  expect(() => readParsecSalt(salt.slice(0, 1))).toThrow('no salt');
  expect(() => readParsecSalt(salt.with(0, 0x51))).toThrow('unknown key derivation');
  const most = Math.log2(limits.parsecIterations.value / 1024);
  expect(readParsecSalt(salt.with(1, most)).iterations).toBe(limits.parsecIterations.value);
  for (const factor of [most + 1, 22, 255]) {
    expect(() => readParsecSalt(salt.with(1, factor))).toThrow('too many iterations');
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
      try {
        readParsecSalt(data);
      } catch (error) {
        expect(error).toBeInstanceOf(Violation);
      }
    }),
  );
});
