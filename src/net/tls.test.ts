import { afterAll, describe, expect, test } from 'bun:test';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { makeSignedCertificate } from '../../test/support/certificates.ts';
import type { End } from '../../test/support/links.ts';
import { listening, listenTo, openPorch } from '../../test/support/links.ts';
import { shownWhere } from '../../test/support/shown.ts';
import { EMPTY, utf8 } from '../base/bytes.ts';
import { systemClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { generateCertificate } from './certificate.ts';
import { dial } from './dial.ts';
import type { SocketLink } from './link.ts';
import { tlsClient, tlsServer } from './tls.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

// Much of what `link` asks of Bun is in no document and in no type: these tests are its guard.

const good = generateCertificate(['localhost', '127.0.0.1']);
const stranger = generateCertificate(['localhost']);
const server = tlsServer(good.keyPem, good.certPem, ['postgresql']);
const anyServer = tlsClient('require', 'localhost', {});

const porch = openPorch();
afterAll(() => porch.stop());

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
    expect(agreed.map(({ protocol }) => protocol)).toEqual(['', '']);
    // What both can bind a login to (PG-100).
    for (const { certificate } of agreed)
      expect(Buffer.from(certificate())).toEqual(new X509Certificate(good.certPem).raw);
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
      expect((await agreed).protocol).toBe('postgresql');
      client.write('through');
      expect(String(await ear.bytes.take(7))).toBe('through');
      client.destroy();
      relay.close();
    }
  });

  test('TD-13: asks by ALPN for the protocol that it is to speak', async () => {
    const { near, far } = await porch.pair();
    const client = tlsClient('require', 'localhost', {}, ['postgresql']);
    const agreed = await Promise.all([
      near.link.startTlsAsServer(server, EMPTY),
      far.link.startTlsAsClient(client),
    ]);
    expect(agreed.map(({ protocol }) => protocol)).toEqual(['postgresql', 'postgresql']);
    far.link.destroy();
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
      expect((await link.startTlsAsServer(server, EMPTY)).protocol).toBe(agreed);
      client.destroy();
    }
    clientOf({ ALPNProtocols: ['h2'] });
    const { link } = await porch.arrival();
    expect(await outcomeOf(link.startTlsAsServer(server, EMPTY))).toThrow(
      'NO_APPLICATION_PROTOCOL',
    );
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
    expect(await outcomeOf(end.link.startTlsAsServer(server, EMPTY))).toThrow(
      'UNSUPPORTED_PROTOCOL',
    );
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
      expect(await outcomeOf(end.link.startTlsAsServer(server, EMPTY))).toThrow();
      end.link.destroy();
      expect(end.ear.closings.length).toBe(1);
      expect(end.ear.received).toBe(0);
      socket.destroy();
    }
  });

  test('shows the certificates of its file, and looks for none among those of the system', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-trusted-'));
    try {
      const { signer, signerHash, ...signed } = makeSignedCertificate();
      writeFileSync(join(folder, `${signerHash}.0`), signer.certPem);
      const alone = shownWhere(folder, signed);
      expect([alone.includes(signed.der), alone.includes(signer.der)]).toEqual([true, false]);
      const certPem = signed.certPem + signer.certPem;
      const both = shownWhere(folder, { ...signed, certPem });
      expect([both.includes(signed.der), both.includes(signer.der)]).toEqual([true, true]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('needs a key and a certificate that belong together', () => {
    expect(() => tlsServer(good.keyPem, stranger.certPem, [])).toThrow("not the certificate's");
    expect(() => tlsServer('', good.certPem, [])).toThrow('the key is not PEM');
    expect(() => tlsServer(good.keyPem, 'x', [])).toThrow('the certificate is not PEM');
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
    relay.close();
  }, 20_000);

  /** What a caller does: it destroys a link whose handshake failed. Otherwise the cut comes while it writes. */
  async function shake({ link, ear }: End, start: () => Promise<unknown>): Promise<void> {
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
