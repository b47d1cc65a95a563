import { expect, test } from 'bun:test';
import { recording } from '../../test/support/mysql-recordings.ts';
import { text } from '../base/bytes.ts';
import { SecretText } from '../base/secret-text.ts';
import { certificateProof } from './certificate-proof.ts';
import { ed25519Verifier } from './ed25519-password.ts';
import { nativePasswordVerifier } from './native-password.ts';

const secret = new SecretText('Secret-1');
/** Of the certificate that the recorded server had. */
const fingerprint = Buffer.from(
  '88bb0599ef376fd4855d242629287556641e375b145039a121d648c5a4567bf5',
  'hex',
);

test('proves what MariaDB proved', () => {
  const handshake = recording('mariadbHandshake');
  const at = Buffer.from(handshake).indexOf('Debian\0') + 'Debian\0'.length + 4;
  const native = Buffer.concat([handshake.slice(at, at + 8), handshake.slice(at + 27, at + 39)]);
  const other = Buffer.from('353f7e222638275a724c65392c6e66367777704d', 'hex');
  const info = 8;
  for (const [hash, nonce, ok] of [
    [nativePasswordVerifier(secret), native, recording('mariadbLoginOk')],
    [ed25519Verifier(secret), other, recording('mariadbEd25519Ok')],
  ] as const) {
    const proof = certificateProof(hash, nonce, fingerprint);
    expect(proof).toHaveLength(65);
    expect(proof).toBe(text(ok, info, info + 65));
  }
});
