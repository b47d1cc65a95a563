import { afterAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import type { End } from '../../test/support/links.ts';
import { listenTo, openPorch } from '../../test/support/links.ts';
import { EMPTY, utf8 } from '../base/bytes.ts';
import { ManualClock, systemClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { generateCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { dial } from './dial.ts';
import type { SocketLink } from './link.ts';
import type { TlsClient } from './tls.ts';
import { tlsClient, tlsServer } from './tls.ts';

// Much of what `link` asks of Bun is in no document and in no type: these tests are its guard.

const good = generateCertificate(['localhost', '127.0.0.1']);
const stranger = generateCertificate(['localhost']);
const nameOnly = generateCertificate(['localhost']);
const addressOnly = generateCertificate(['10.0.0.1']);
const expired = generateCertificate(['localhost'], new ManualClock(Date.UTC(2020, 0, 1)));
const server = tlsServer(good.keyPem, good.certPem, ['postgresql']);
const anyServer = tlsClient('require', 'localhost', {});

const porch = openPorch();
const closers: (() => void)[] = [() => porch.stop()];
afterAll(() => {
  for (const close of closers) close();
});

/** Two links with TLS between them. */
async function encryptedPair(): Promise<{ readonly near: End; readonly far: End }> {
  const pair = await porch.pair();
  await Promise.all([
    pair.near.link.startTlsAsServer(server, EMPTY),
    pair.far.link.startTlsAsClient(anyServer),
  ]);
  return pair;
}

/** A client of another make. */
function clientOf(options: tls.ConnectionOptions): tls.TLSSocket {
  const socket = tls.connect({
    host: '127.0.0.1',
    port: porch.port,
    rejectUnauthorized: false,
    ...options,
  });
  socket.on('error', () => {});
  return socket;
}

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port;
}

async function listening(started: Server): Promise<number> {
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  closers.push(() => started.close());
  return portOf(started);
}

describe('TLS as the server', () => {
  test('starts after plaintext, and the plain socket is not heard any more', async () => {
    const { near, far } = await porch.pair();
    far.link.write(utf8('tls?'));
    await near.ear.bytes.take(4);
    near.link.write(utf8('S'));
    await far.ear.bytes.take(1);
    const agreed = await Promise.all([
      near.link.startTlsAsServer(server, EMPTY),
      far.link.startTlsAsClient(anyServer),
    ]);
    expect(agreed).toEqual(['', '']);
    expect([near.link.tlsVersion, far.link.tlsVersion]).toEqual(['TLSv1.3', 'TLSv1.3']);
    far.link.write(utf8('question'));
    expect(String(await near.ear.bytes.take(8))).toBe('question');
    near.link.write(utf8('answer'));
    expect(String(await far.ear.bytes.take(6))).toBe('answer');
    expect([near.ear.received, far.ear.received]).toEqual([12, 7]); // nothing of the ciphertext
    far.link.end();
    expect(await near.ear.closing).toBeUndefined();
    expect([near.ear.closings, far.ear.closings]).toEqual([[undefined], [undefined]]);
  });

  test('PG-31: begins with a hello that has been read already, whole or in part', async () => {
    for (const held of [0, 1, 4, 5, 6, 50]) {
      const more = Promise.withResolvers<void>();
      const relay = createServer((socket) => {
        const onward = connect(porch.port, '127.0.0.1');
        onward.pipe(socket);
        socket.once('data', (hello: Buffer) => {
          onward.write(hello.subarray(0, held || hello.length));
          void more.promise.then(() => {
            if (held > 0) onward.write(hello.subarray(held));
            socket.pipe(onward);
          });
        });
      });
      const options = { port: await listening(relay), ALPNProtocols: ['postgresql'] };
      const client = clientOf(options);
      const { link, ear } = await porch.arrival();
      await ear.bytes.peek(Math.max(1, held));
      const agreed = link.startTlsAsServer(server, await ear.bytes.take(ear.bytes.length));
      more.resolve();
      expect(await agreed).toBe('postgresql');
      client.write('through');
      expect(String(await ear.bytes.take(7))).toBe('through');
      client.destroy();
    }
  });

  test('PG-31: says which protocol ALPN agreed on, and refuses a client without one in common', async () => {
    const offers = [
      { offered: ['postgresql'], agreed: 'postgresql' },
      { offered: ['h2', 'postgresql'], agreed: 'postgresql' },
      { offered: undefined, agreed: '' },
    ];
    for (const { offered, agreed } of offers) {
      const client = clientOf(offered === undefined ? {} : { ALPNProtocols: offered });
      const { link } = await porch.arrival();
      expect(await link.startTlsAsServer(server, EMPTY)).toBe(agreed);
      client.destroy();
    }
    clientOf({ ALPNProtocols: ['h2'] });
    const { link } = await porch.arrival();
    await expect(link.startTlsAsServer(server, EMPTY)).rejects.toThrow('NO_APPLICATION_PROTOCOL');
    expect(link.tlsVersion).toBeUndefined();
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const client = clientOf({ minVersion: version, maxVersion: version });
    const { link, ear } = await porch.arrival();
    await link.startTlsAsServer(server, EMPTY);
    expect(link.tlsVersion).toBe(version);
    client.write('x');
    await ear.bytes.take(1);
    client.destroy();
  });

  test.each([
    ['SSL 3.0', 0],
    ['TLS 1.0', 1],
    ['TLS 1.1', 2],
  ])('refuses %s', async (_name, minor) => {
    const { socket, end } = await porch.visit();
    const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.write(oldHello(minor));
    await expect(end.link.startTlsAsServer(server, EMPTY)).rejects.toThrow('UNSUPPORTED_PROTOCOL');
    end.link.destroy();
    const alert = [...(await answer)];
    expect([alert[0], ...alert.slice(5)]).toEqual([21, 2, 70]); // fatal: protocol_version
    socket.destroy();
  });

  test('ends with garbage instead of a handshake', async () => {
    const garbage = [
      'GET / HTTP/1.1\r\n\r\n',
      '\0\0\0\x08\x04\xd2\x16\x2f',
      '\x16\x03\x01\xff\xff',
    ];
    for (const bytes of garbage) {
      const { socket, end } = await porch.visit();
      socket.end(bytes, 'latin1');
      await expect(end.link.startTlsAsServer(server, EMPTY)).rejects.toThrow();
      end.link.destroy();
      expect(end.ear.closings.length).toBe(1);
      expect(end.ear.received).toBe(0);
      socket.destroy();
    }
  });

  test('needs a key and a certificate that belong together', () => {
    expect(() => tlsServer(good.keyPem, stranger.certPem, [])).toThrow("not the certificate's");
    expect(() => tlsServer('', good.certPem, [])).toThrow('the key cannot be read');
    expect(() => tlsServer(good.keyPem, 'x', [])).toThrow('the certificate cannot be read');
    const files = { certPem: good.certPem, keyPem: stranger.keyPem };
    expect(() => tlsClient('prefer', 'x', files)).toThrow("not the certificate's");
  });
});

/** A hello of SSL 3.0 (`minor` 0) up to TLS 1.1 (2), RFC 4346 7.4.1.2. */
function oldHello(minor: number): Uint8Array {
  const ciphers = [0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f]; // each fits one of the versions
  const body = [3, minor, ...new Uint8Array(32), 0, 0, ciphers.length, ...ciphers, 1, 0];
  return Uint8Array.of(22, 3, minor, 0, body.length + 4, 1, 0, 0, body.length, ...body);
}

describe('a connection that is cut in the middle of the handshake', () => {
  test('leaves nothing open', async () => {
    const random = seededRandom(4711);
    let limit = 0;
    let reset = false;
    const gone: Promise<unknown>[] = [];
    /** Passes `limit` bytes on, then leaves. */
    const relay = createServer((socket) => {
      const onward = connect(porch.port, '127.0.0.1');
      let left = limit;
      const cut = (one: Socket): void => void (reset ? one.resetAndDestroy() : one.destroy());
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        gone.push(new Promise((resolve) => from.once('close', resolve)));
        from.on('error', () => {});
        from.on('data', (bytes: Buffer) => {
          if (left > 0) to.write(bytes.subarray(0, left));
          left -= bytes.length;
          if (left <= 0) [from, to].forEach(cut);
        });
        from.on('close', () => cut(to));
      }
    });
    const port = await listening(relay);
    const filesBefore = openFiles();
    for (let round = 0; round < 100; round += 1) {
      limit = Math.floor(random.fraction() * 1_600); // a whole handshake takes about 1 400 bytes
      reset = random.fraction() < 0.5;
      const client = listenTo(await dial({ host: '127.0.0.1', port }, 5_000, systemClock.after));
      const accepted = await porch.arrival();
      await Promise.all([
        shake(client, () => client.link.startTlsAsClient(anyServer)),
        shake(accepted, () => accepted.link.startTlsAsServer(server, EMPTY)),
      ]);
      expect([client.ear.closings.length, accepted.ear.closings.length]).toEqual([1, 1]);
    }
    await Promise.all(gone);
    expect(openFiles()).toBe(filesBefore);
  }, 20_000);

  /** What a caller does: it destroys a link whose handshake failed. Otherwise the cut comes while it writes. */
  async function shake({ link, ear }: End, start: () => Promise<string>): Promise<void> {
    try {
      await start();
      link.write(new Uint8Array(2_000));
    } catch {
      link.destroy();
    }
    await ear.closing;
    expect(link.isOpen).toBe(false);
  }

  function openFiles(): number {
    return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
  }
});

describe('bulk under TLS', () => {
  test('PG-111: both sides write at once, faster than they read, and nothing is lost', async () => {
    const { near, far } = await encryptedPair();
    const sent = seededRandom(1).bytes(1_000_000);
    const rounds = 16;
    const heard = [near, far].map(({ link }) => hear(link, sent.length * rounds));
    for (let round = 0; round < rounds; round += 1)
      for (const { link } of [near, far]) link.write(sent);
    expect(near.link.queuedBytes + far.link.queuedBytes).toBeGreaterThan(10_000_000);
    const expected = createHash('sha256');
    for (let round = 0; round < rounds; round += 1) expected.update(sent);
    const digest = expected.digest('hex');
    expect(await Promise.all(heard)).toEqual([digest, digest]);
    expect([near.link.queuedBytes, far.link.queuedBytes]).toEqual([0, 0]);
    near.link.destroy();
  });

  test('PG-112: a reader that pauses after each 16 kB record gets them all', async () => {
    const { near, far } = await encryptedPair();
    const sent = seededRandom(2).bytes(16_384);
    const count = 100;
    const heard = hear(far.link, sent.length * count, (link) => {
      link.pause();
      setImmediate(() => link.resume());
    });
    for (let record = 0; record < count; record += 1) near.link.write(sent);
    const expected = createHash('sha256');
    for (let record = 0; record < count; record += 1) expected.update(sent);
    expect(await heard).toBe(expected.digest('hex'));
    near.link.destroy();
  });

  /** The digest of the next `count` bytes. */
  function hear(
    link: SocketLink,
    count: number,
    each: (link: SocketLink) => void = () => {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const hash = createHash('sha256');
      let left = count;
      link.handler = {
        data(bytes) {
          hash.update(bytes);
          left -= bytes.length;
          if (left === 0) resolve(hash.digest('hex'));
          else each(link);
        },
        drained() {},
        closed: (problem) => reject(new Error(`closed with ${left} bytes to come: ${problem}`)),
      };
    });
  }
});

// ---- the client's side ------------------------------------------------------------------------------------------------

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
        const target = { port: await listening(strange), names: [] };
        const { outcome, link, ear } = await reach(target, tlsClient(mode, 'localhost', {}));
        expect(outcome).toContain('TLS handshake');
        link.destroy();
        expect([ear.closings.length, ear.received]).toEqual([1, 0]);
      }
    },
  );

  test('a bundle that is none is a failure of its own', async () => {
    const [target] = await databases;
    const client = tlsClient('verify-ca', 'localhost', { caPem: 'nonsense' });
    expect((await reach(target!, client)).outcome).toContain('Invalid CA');
  });
});
