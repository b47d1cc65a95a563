import { afterAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import type { End } from '../../test/support/links.ts';
import { listening, listenTo } from '../../test/support/links.ts';
import { ManualClock, systemClock } from '../base/clock.ts';
import { generateCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { dial } from './dial.ts';
import type { TlsClient } from './tls.ts';
import { tlsClient } from './tls.ts';

// The other half of the guard in `tls.test.ts`: what Bun says of a server's certificate.

const good = generateCertificate(['localhost', '127.0.0.1']);
const stranger = generateCertificate(['localhost']);
const nameOnly = generateCertificate(['localhost']);
const addressOnly = generateCertificate(['10.0.0.1']);
const expired = generateCertificate(['localhost'], new ManualClock(Date.UTC(2020, 0, 1)));

const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers) close();
});

const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
closers.push(() => rmSync(folder, { recursive: true }));

/** A certificate of OpenSSL's make, signed by `issuer` or by itself. */
function issue(name: string, extensions: readonly string[], issuer?: string): Certificate {
  const path = (end: string, of = name): string => join(folder, `${of}.${end}`);
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-days', '2', '-subj', `/CN=${name}`, '-keyout', path('key'), '-out', path('pem')],
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...(issuer === undefined ? [] : ['-CA', path('pem', issuer), '-CAkey', path('key', issuer)]),
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
  return {
    keyPem: readFileSync(path('key'), 'utf8'),
    certPem: readFileSync(path('pem'), 'utf8'),
  };
}

const authority = ['basicConstraints=critical,CA:TRUE'];
const root = issue('root', authority);
const intermediate = issue('intermediate', authority, 'root');
const leaf = issue(
  'leaf',
  ['basicConstraints=CA:FALSE', 'subjectAltName=DNS:localhost'],
  'intermediate',
);
const chained = { keyPem: leaf.keyPem, certPem: leaf.certPem + intermediate.certPem };

interface Database {
  readonly port: number;
  /** What SNI told, latest last. */
  readonly names: (string | false | null)[];
}

async function database(
  { keyPem: key, certPem: cert }: Certificate,
  options: tls.TlsOptions = {},
): Promise<Database> {
  const names: Database['names'] = [];
  const started = tls.createServer({ key, cert, ...options }, (socket) => {
    names.push((socket as unknown as { servername: string | false | null }).servername);
    socket.on('error', () => {});
    socket.write('welcome');
  });
  closers.push(() => started.close());
  return { port: await listening(started), names };
}

/** A connection after its handshake: `tlsVersion` of the link, or why not. */
async function reach({ port }: Database, client: TlsClient): Promise<End & { outcome: string }> {
  const end = listenTo(await dial({ host: '127.0.0.1', port }, 5_000, systemClock.after));
  closers.push(() => end.link.destroy());
  try {
    await end.link.startTlsAsClient(client);
    return { ...end, outcome: String(end.link.tlsVersion) };
  } catch (error) {
    expect(end.link.tlsVersion).toBeUndefined();
    return { ...end, outcome: (error as Error).message };
  }
}

describe('TLS as the client', () => {
  const databases = Promise.all(
    [good, expired, chained, nameOnly, addressOnly].map((one) => database(one)),
  );
  const ok = 'TLSv1.3';
  const untrusted = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
  const nobody = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  const misnamed = 'ERR_TLS_CERT_ALTNAME_INVALID';
  const bundle = stranger.certPem + root.certPem + expired.certPem;

  test.each([
    // the certificate, the name, what is trusted: the outcome with prefer and require, verify-ca, verify-full
    ['right', 0, 'localhost', good.certPem, ok, ok, ok],
    ['right, by address', 0, '127.0.0.1', good.certPem, ok, ok, ok],
    ['of another name', 0, 'db.example', good.certPem, ok, ok, misnamed],
    ['of another address', 0, '127.0.0.2', good.certPem, ok, ok, 'not for 127.0.0.2'],
    ['for a name only', 3, '127.0.0.1', nameOnly.certPem, ok, ok, 'not for 127.0.0.1'],
    ['for another address than the one dialled', 4, '10.0.0.1', addressOnly.certPem, ok, ok, ok],
    ['untrusted, by address', 0, '127.0.0.1', stranger.certPem, ok, untrusted, untrusted],
    ['untrusted', 0, 'localhost', stranger.certPem, ok, untrusted, untrusted],
    ['untrusted, without roots of ours', 0, 'localhost', undefined, ok, untrusted, untrusted],
    ['untrusted and of another name', 0, 'db.example', stranger.certPem, ok, untrusted, untrusted],
    ['expired', 1, 'localhost', expired.certPem, ok, 'CERT_HAS_EXPIRED', 'CERT_HAS_EXPIRED'],
    [
      'expired and of another name',
      1,
      'x',
      expired.certPem,
      ok,
      'CERT_HAS_EXPIRED',
      'CERT_HAS_EXPIRED',
    ],
    ['with its chain', 2, 'localhost', root.certPem, ok, ok, ok],
    ['with its chain, from a bundle of roots', 2, 'localhost', bundle, ok, ok, ok],
    ['with its chain, of another name', 2, 'db.example', root.certPem, ok, ok, misnamed],
    ['with the chain of a stranger', 2, 'localhost', good.certPem, ok, nobody, nobody],
  ])('the certificate is %s', async (_what, which, name, caPem, lax, verifyCa, verifyFull) => {
    const target = (await databases)[which]!;
    for (const [mode, expected] of [
      ['prefer', lax],
      ['require', lax],
      ['verify-ca', verifyCa],
      ['verify-full', verifyFull],
    ] as const) {
      const { outcome, link, ear } = await reach(target, tlsClient(mode, name, { caPem }));
      expect([mode, outcome]).toEqual([mode, expect.stringContaining(expected)]);
      if (expected === ok) expect(String(await ear.bytes.take(7))).toBe('welcome');
      else expect(outcome).toStartWith('the certificate was not accepted: ');
      link.destroy();
    }
  });

  test('TD-34: SNI tells the name, and never an address', async () => {
    const target = await database(good);
    for (const name of ['localhost', '127.0.0.1']) {
      const { link, ear } = await reach(target, tlsClient('require', name, {}));
      await ear.bytes.take(7);
      link.destroy();
    }
    const [first, ...others] = target.names;
    expect(first).toBe('localhost');
    expect(others.filter(Boolean)).toEqual([]);
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s with a database that asks for a certificate',
    (version) => {
      const target = database(good, {
        requestCert: true,
        ca: root.certPem,
        minVersion: version,
        maxVersion: version,
      });

      test('shows the right one', async () => {
        const own = issue(`client-${version}`, ['basicConstraints=CA:FALSE'], 'root');
        const client = tlsClient('verify-full', 'localhost', { caPem: good.certPem, ...own });
        const { outcome, ear, link } = await reach(await target, client);
        expect(outcome).toBe(version);
        expect(String(await ear.bytes.take(7))).toBe('welcome');
        link.destroy();
      });

      test.each(['require', 'verify-full'] as const)('has none to show: %s fails', async (mode) => {
        const client = tlsClient(mode, 'localhost', { caPem: good.certPem });
        const { outcome, ear, link } = await reach(await target, client);
        // TLS 1.3's client is done before the server has looked.
        if (version === 'TLSv1.2') expect(outcome).toContain('the TLS handshake failed: ');
        else expect(await ear.closing).toContain('CERTIFICATE_REQUIRED');
        link.destroy();
        expect(ear.closings.length).toBe(1);
        expect(ear.received).toBe(0);
      });
    },
  );

  test.each(['prefer', 'require', 'verify-full'] as const)(
    '%s: no TLS at all is a failure',
    async (mode) => {
      const answers = ['HTTP/1.1 400 Bad Request\r\n\r\n', '', '\x15\x03\x03\0\x02\x02\x28'];
      for (const answer of answers) {
        const strange = createServer((socket) =>
          socket.once('data', () => socket.end(answer, 'latin1')),
        );
        closers.push(() => strange.close());
        const target = { port: await listening(strange), names: [] };
        const { outcome, link, ear } = await reach(target, tlsClient(mode, 'localhost', {}));
        expect(outcome).toContain('TLS handshake');
        link.destroy();
        expect([ear.closings.length, ear.received]).toEqual([1, 0]);
      }
    },
  );

  test('a bundle that is none is refused before anybody connects', () => {
    const use = (caPem: string) => () => tlsClient('verify-ca', 'localhost', { caPem });
    expect(use('nonsense')).toThrow('there is no PEM certificate in it');
    const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(use(damaged)).toThrow('the certificate is not PEM, or is damaged');
  });
});
