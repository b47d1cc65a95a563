import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { X509Certificate, createPrivateKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import * as fc from 'fast-check';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { generateCertificate } from './certificate.ts';

const clock = new ManualClock(Date.UTC(2026, 5, 15, 12));
const names = [
  'db.example.com',
  '*.pool.example.com',
  '10.1.2.3',
  '::1',
  '2001:db8::ffff:10.0.0.1',
];
const certificate = generateCertificate(names, clock, seededRandom(1));
const parsed = new X509Certificate(certificate.certPem);

const openssl = (...args: string[]) => spawnSync('openssl', args, { encoding: 'utf8' });

describe('generateCertificate', () => {
  test('names hosts and addresses', () => {
    expect(parsed.checkHost('db.example.com')).toBe('db.example.com');
    expect(parsed.checkHost('a.pool.example.com')).toBe('*.pool.example.com');
    expect(parsed.checkHost('other.example.com')).toBeUndefined();
    for (const ip of ['10.1.2.3', '::1', '2001:db8::ffff:a00:1'])
      expect(parsed.checkIP(ip)).toBe(ip);
    expect(parsed.checkIP('10.1.2.4')).toBeUndefined();
    expect(parsed.subject).toBe('CN=db.example.com');
  });

  test('is self-signed by its own key, and no authority', () => {
    expect(parsed.checkPrivateKey(createPrivateKey(certificate.keyPem))).toBe(true);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.issuer).toBe(parsed.subject);
    expect(parsed.ca).toBe(false);
    expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('lives from a day ago for two years', () => {
    expect(parsed.validFrom).toBe('Jun 14 12:00:00 2026 GMT');
    expect(parsed.validTo).toBe('Jun 13 12:00:00 2028 GMT');
  });

  test('writes dates from 2050 on with four-digit years', () => {
    const late = generateCertificate(['a'], new ManualClock(Date.UTC(2049, 0, 1)));
    expect(new X509Certificate(late.certPem).validTo).toBe('Dec 31 00:00:00 2050 GMT');
  });

  test('never has the same key or serial number twice', () => {
    const other = new X509Certificate(generateCertificate(names, clock).certPem);
    expect(other.serialNumber).not.toBe(parsed.serialNumber);
    const sameSeed = generateCertificate(names, clock, seededRandom(1));
    expect(sameSeed.keyPem).not.toBe(certificate.keyPem);
  });

  test('takes many and long names', () => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.example`;
    const many = Array.from({ length: 200 }, (_, i) => `host-${i}.example.com`);
    const big = new X509Certificate(generateCertificate([long, ...many]).certPem);
    expect(big.checkHost(long)).toBe(long);
    expect(big.checkHost('host-199.example.com')).toBe('host-199.example.com');
    expect(big.subject).toBe('CN=host-0.example.com');
    expect(new X509Certificate(generateCertificate([long]).certPem).subject).toBe('CN=sluice');
  });

  test('names a name it cannot certify', () => {
    for (const bad of [
      '',
      'a b',
      'a..b',
      'bücher.example',
      'x\n',
      'fe80::1%eth0',
      `${'a.'.repeat(130)}b`,
    ])
      expect(() => generateCertificate([bad])).toThrow();
    expect(() => generateCertificate(['a b'])).toThrow('"a b"');
    expect(() => generateCertificate([])).toThrow('needs a name');
  });

  test('every address is found again, and every serial number is positive', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer(), (ip, seed) => {
        const one = generateCertificate([ip], clock, seededRandom(seed));
        const x509 = new X509Certificate(one.certPem);
        expect(x509.checkIP(ip)).toBe(ip);
        expect(x509.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      }),
      { numRuns: 200 },
    );
  });

  test('the signature covers exactly the body', () => {
    // tbsCertificate is the first element of the outer sequence; both lengths take two bytes here.
    const { raw } = parsed;
    const bodyLength = raw.readUInt16BE(6) + 4;
    const signature = raw.subarray(4 + bodyLength + 12 + 3);
    expect(verify('sha256', raw.subarray(4, 4 + bodyLength), parsed.publicKey, signature)).toBe(
      true,
    );
  });

  test('a client that trusts it verifies the server in full', async () => {
    const fresh = generateCertificate(['localhost', '127.0.0.1']);
    const server = createServer({ key: fresh.keyPem, cert: fresh.certPem }, (socket) =>
      socket.end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const authorized = await new Promise((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port, servername: 'localhost', ca: fresh.certPem },
        () => {
          resolve(socket.authorized);
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
    server.close();
    expect(authorized).toBe(true);
  });

  test('OpenSSL accepts it under its strict rules', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-certificate-'));
    try {
      const file = join(folder, 'cert.pem');
      writeFileSync(file, generateCertificate(['localhost', '::1']).certPem);
      const rules = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', file];
      expect(openssl('verify', ...rules, '-verify_hostname', 'localhost', file).stdout).toContain(
        ': OK',
      );
      expect(openssl('verify', ...rules, '-verify_ip', '::1', file).stdout).toContain(': OK');
      expect(openssl('verify', ...rules, '-verify_hostname', 'other', file).stderr).toContain(
        'mismatch',
      );
      const shown = openssl('x509', '-noout', '-text', '-in', file).stdout;
      for (const part of [
        'Version: 3',
        'CA:FALSE',
        'Digital Signature',
        'TLS Web Server Authentication',
      ])
        expect(shown).toContain(part);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
