import { afterAll, describe, expect, test } from 'bun:test';
import { connect, createServer } from 'node:net';
import type { End } from '../../test/support/links.ts';
import { listening, listenTo, openPorch } from '../../test/support/links.ts';
import { concat, EMPTY, u8, utf8 } from '../base/bytes.ts';
import { systemClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { TlsEnvelope } from '../wire/tds/tls-envelope.ts';
import { generateCertificate } from './certificate.ts';
import { dial } from './dial.ts';
import type { TlsClient } from './tls.ts';
import { tlsClient, tlsServer } from './tls.ts';

// What `enveloped-tls` asks of Bun's node:tls is in no document: these tests are its guard.

const good = generateCertificate(['localhost', '127.0.0.1']);
const stranger = generateCertificate(['localhost']);
const server = tlsServer(good.keyPem, good.certPem, ['tds/8.0']);
const anyServer = tlsClient('require', 'localhost', {});

const porch = openPorch();
afterAll(() => porch.stop());

interface Pair {
  readonly near: End;
  readonly far: End;
}

/** TLS in packets between two links: `near` is the server. */
async function encrypt({ near, far }: Pair, ends = false, client = anyServer): Promise<void> {
  await Promise.all([
    near.link.startTlsIn(new TlsEnvelope(ends), server, EMPTY),
    far.link.startTlsIn(new TlsEnvelope(ends), client, EMPTY),
  ]);
}

async function encryptedPair(ends = false): Promise<Pair> {
  const pair = await porch.pair();
  await encrypt(pair, ends);
  return pair;
}

/** Two links with somebody between them who hands on what he wants, as he wants: `change` is given each chunk, and who has sent it. */
async function pairBy(
  change: (chunk: Uint8Array, from: 'near' | 'far') => Iterable<Uint8Array>,
): Promise<Pair & { readonly stop: () => void }> {
  const relay = createServer((socket) => {
    const onward = connect(porch.port, '127.0.0.1');
    socket.setNoDelay(true);
    onward.setNoDelay(true);
    socket.on('error', () => {}).on('close', () => onward.destroy());
    onward.on('error', () => {}).on('close', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      for (const part of change(new Uint8Array(chunk), 'far')) onward.write(part);
    });
    onward.on('data', (chunk: Buffer) => {
      for (const part of change(new Uint8Array(chunk), 'near')) socket.write(part);
    });
  });
  const port = await listening(relay);
  const link = await dial({ host: '127.0.0.1', port }, 5_000, systemClock.after);
  const far = listenTo(link);
  return { near: await porch.arrival(), far, stop: () => relay.close() };
}

async function say(from: End, to: End, text: string): Promise<void> {
  from.link.write(utf8(text));
  expect(String(await to.ear.bytes.take(text.length))).toBe(text);
}

describe('TLS in packets of TDS', () => {
  test('TD-11: is wrapped up to the end of its handshake, and then as it is', async () => {
    const heard = { near: [] as Uint8Array[], far: [] as Uint8Array[] };
    const pair = await pairBy((chunk, from) => {
      heard[from].push(chunk);
      return [chunk];
    });
    const agreed = await Promise.all([
      pair.near.link.startTlsIn(new TlsEnvelope(false), server, EMPTY),
      pair.far.link.startTlsIn(new TlsEnvelope(false), anyServer, EMPTY),
    ]);
    expect(agreed.map(({ protocol }) => protocol)).toEqual(['', '']);
    for (const { certificate } of agreed)
      expect(Buffer.from(certificate())).toEqual(Buffer.from(server.certificate));
    expect([pair.near.link.tlsVersion, pair.far.link.tlsVersion]).toEqual(['TLSv1.2', 'TLSv1.2']);
    const starts = [...heard.near, ...heard.far].map((chunk) => u8(chunk, 0));
    expect(new Set(starts)).toEqual(new Set([0x12]));
    heard.near.length = 0;
    heard.far.length = 0;
    await say(pair.far, pair.near, 'a question');
    await say(pair.near, pair.far, 'an answer');
    expect([...heard.near, ...heard.far].map((chunk) => u8(chunk, 0))).toEqual([23, 23]);
    expect([pair.near.ear.received, pair.far.ear.received]).toEqual([10, 9]);
    pair.far.link.end();
    expect(await pair.near.ear.closing).toBeUndefined();
    expect(await pair.far.ear.closing).toBeUndefined();
    pair.stop();
  });

  test('comes in whatever pieces', async () => {
    const pair = await pairBy(function* (chunk) {
      for (const byte of chunk) yield Uint8Array.of(byte);
    });
    await encrypt(pair);
    await say(pair.far, pair.near, 'a question');
    await say(pair.near, pair.far, 'an answer');
    pair.near.link.end();
    expect(await pair.far.ear.closing).toBeUndefined();
    pair.stop();
  });

  test('starts with a hello that has been read already', async () => {
    const { near, far } = await porch.pair();
    const agreed = far.link.startTlsIn(new TlsEnvelope(false), anyServer, EMPTY);
    const hello = await near.ear.bytes.take(9);
    const rest = near.ear.bytes;
    await porch.roundTrips(2);
    const held = concat([hello, await rest.take(near.ear.received - 9)]);
    await near.link.startTlsIn(new TlsEnvelope(false), server, held);
    await agreed;
    await say(far, near, 'there');
    far.link.destroy();
  });

  test.each([
    ['the server', 'near'],
    ['the client', 'far'],
  ] as const)('carries much from %s without keeping it', async (_, from) => {
    const pair = await encryptedPair();
    const [source, sink] = from === 'near' ? [pair.near, pair.far] : [pair.far, pair.near];
    const chunk = new Uint8Array(60_000).map((__, at) => at % 251);
    const total = 64 << 20;
    let received = 0;
    let isRight = true;
    const done = Promise.withResolvers<void>();
    sink.link.handler = {
      data(bytes) {
        for (let at = 0; at < bytes.length; at += 997)
          if (bytes[at] !== ((received + at) % 60_000) % 251) isRight = false;
        received += bytes.length;
        if (received >= total) done.resolve();
      },
      drained() {},
      closed: (problem) => done.reject(new Error(problem)),
    };
    let sent = 0;
    let most = 0;
    let pauses = 0;
    const go = (): void => {
      while (sent < total && source.link.queuedBytes < 262_144) {
        source.link.write(chunk);
        sent += chunk.length;
        most = Math.max(most, source.link.queuedBytes);
      }
      pauses += 1;
    };
    source.link.handler = { data() {}, drained: go, closed() {} };
    sink.link.pause();
    go();
    await porch.roundTrips(20);
    const before = sent;
    await porch.roundTrips(20);
    expect(sent).toBe(before); // who does not read is felt
    sink.link.resume();
    await done.promise;
    expect(isRight).toBe(true);
    expect(pauses).toBeGreaterThan(2);
    expect(most).toBeLessThan(262_144 + 2 * 70_000);
    source.link.destroy();
  });

  test('says what is queued before it ends', async () => {
    const { near, far } = await encryptedPair();
    far.link.pause();
    const bytes = new Uint8Array(4 << 20).fill(7);
    near.link.write(bytes);
    near.link.end();
    await porch.roundTrips(5);
    far.link.resume();
    expect(await far.ear.closing).toBeUndefined();
    expect(far.ear.received).toBe(bytes.length);
    expect(await near.ear.closing).toBeUndefined();
  });
});

describe('TD-12: TLS that ends behind the login', () => {
  test('leaves a plain connection', async () => {
    const heard: Uint8Array[] = [];
    const pair = await pairBy((chunk) => {
      heard.push(chunk);
      return [chunk];
    });
    await encrypt(pair, true);
    await say(pair.far, pair.near, 'the login');
    heard.length = 0;
    await Promise.all([pair.far.link.endTls(), pair.near.link.endTls()]);
    expect([pair.near.link.tlsVersion, pair.far.link.tlsVersion]).toEqual([undefined, undefined]);
    await say(pair.near, pair.far, '\x04 in clear');
    await say(pair.far, pair.near, '\x01 as well');
    await say(pair.far, pair.near, '\x17 whatever');
    expect(Buffer.from(concat(heard)).toString('latin1')).toBe(
      '\x04 in clear\x01 as well\x17 whatever',
    );
    pair.near.link.end();
    expect(await pair.far.ear.closing).toBeUndefined();
    pair.stop();
  });

  test('has what is in clear wait for that, and hears no alert of the past', async () => {
    const { near, far } = await encryptedPair(true);
    far.link.write(utf8('login'));
    await far.link.endTls();
    far.link.write(utf8('\x10 more'));
    expect(String(await near.ear.bytes.take(5))).toBe('login');
    await porch.roundTrips(3);
    expect(near.ear.received).toBe(5);
    await near.link.endTls();
    expect(String(await near.ear.bytes.take(6))).toBe('\x10 more');
    // An alert that nobody can read, in two parts.
    near.link.write(Uint8Array.of(21, 3, 3));
    await porch.roundTrips(1);
    near.link.write(concat([Uint8Array.of(0, 2, 1, 0), utf8('\x04 fine')]));
    expect(String(await far.ear.bytes.take(6))).toBe('\x04 fine');
    await say(far, near, '\x01 fine');
    near.link.destroy();
  });

  test('does not wait for it with anything', async () => {
    const { near, far } = await encryptedPair(true);
    await far.link.endTls();
    far.link.write(new Uint8Array(1 << 20));
    expect(await near.ear.closing).toBe('TLS failed: too much was sent in clear');
    await far.ear.closing;
  });

  test('hears a peer out who ends it later', async () => {
    const { near, far } = await encryptedPair(true);
    await say(far, near, 'login');
    await near.link.endTls();
    await say(far, near, 'and more of it');
    await far.link.endTls();
    await say(far, near, '\x10 in clear');
    await say(near, far, '\x04 in clear');
    near.link.destroy();
  });
});

async function problemOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const UNKNOWN =
  'the certificate was not accepted: unable to verify the first certificate (UNABLE_TO_VERIFY_LEAF_SIGNATURE)';

describe('TLS in packets that cannot be', () => {
  const judged = async (client: TlsClient): Promise<string> => {
    const { near, far } = await porch.pair();
    const accepting = near.link.startTlsIn(new TlsEnvelope(false), server, EMPTY).catch(() => {});
    const problem = await problemOf(far.link.startTlsIn(new TlsEnvelope(false), client, EMPTY));
    far.link.destroy();
    await accepting;
    near.link.destroy();
    return problem;
  };
  const ca = { caPem: good.certPem };

  test('judges certificates as the mode says', async () => {
    expect(await judged(tlsClient('prefer', 'localhost', {}))).toBe('none');
    expect(await judged(tlsClient('require', 'elsewhere', {}))).toBe('none');
    expect(await judged(tlsClient('verify-ca', 'elsewhere', ca))).toBe('none');
    expect(await judged(tlsClient('verify-full', 'localhost', ca))).toBe('none');
    expect(await judged(tlsClient('verify-full', '127.0.0.1', ca))).toBe('none');
    expect(await judged(tlsClient('verify-ca', 'localhost', {}))).toBe(UNKNOWN);
    const other = tlsClient('verify-full', 'localhost', { caPem: stranger.certPem });
    expect(await judged(other)).toBe(UNKNOWN);
    expect(await judged(tlsClient('verify-full', 'elsewhere', ca))).toMatch(
      /^the certificate was not accepted: .*elsewhere.* \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
    );
    expect(await judged(tlsClient('verify-full', '127.0.0.2', ca))).toBe(
      'the certificate was not accepted: it is not for 127.0.0.2',
    );
  });

  test('is a sentence', async () => {
    const { near, far } = await porch.pair();
    const failing = problemOf(near.link.startTlsIn(new TlsEnvelope(false), server, EMPTY));
    far.link.write(utf8('GET / HTTP/1.1\r\n\r\n'));
    expect(await failing).toBe(
      'the TLS handshake failed: 71 begins neither TLS nor a packet of it',
    );
    near.link.destroy();

    const second = await porch.pair();
    const given = problemOf(second.near.link.startTlsIn(new TlsEnvelope(false), server, EMPTY));
    second.far.link.write(
      concat([Uint8Array.of(0x12, 1, 0, 22, 0, 0, 0, 0), utf8('GET / HTTP/1.1')]),
    );
    expect(await given).toMatch(/^the TLS handshake failed: .*HTTP/);
    second.near.link.destroy();

    const third = await porch.pair();
    const left = problemOf(third.near.link.startTlsIn(new TlsEnvelope(false), server, EMPTY));
    third.far.link.end();
    expect(await left).toBe(
      'the TLS handshake failed: the peer closed the connection during the TLS handshake',
    );
  });

  test('is told to nobody who has gone', async () => {
    const { near, far } = await porch.pair();
    far.link.destroy();
    await near.ear.closing;
    expect(await problemOf(near.link.startTlsIn(new TlsEnvelope(false), server, EMPTY))).toBe(
      'the connection is closed',
    );
  });

  test('ends the connection where a record has been changed', async () => {
    let isOn = false;
    const pair = await pairBy((chunk) => {
      if (isOn) chunk[chunk.length - 1] = u8(chunk, chunk.length - 1) ^ 1;
      return [chunk];
    });
    await encrypt(pair);
    isOn = true;
    pair.far.link.write(utf8('a question'));
    expect(await pair.near.ear.closing).toMatch(/^TLS failed: .*BAD_RECORD_MAC/);
    expect(pair.near.ear.received).toBe(0);
    await pair.far.ear.closing;
    pair.stop();
  });

  test('GX-10: leaves nothing behind wherever it is cut', async () => {
    const random = seededRandom(11);
    for (let round = 0; round < 60; round += 1) {
      let left = Math.floor(random.fraction() * 4_000);
      const pair = await pairBy((chunk) => {
        left -= chunk.length;
        if (left < 0) (random.fraction() < 0.5 ? pair.near : pair.far).link.destroy();
        return left < 0
          ? [chunk.subarray(0, Math.floor(random.fraction() * chunk.length))]
          : [chunk];
      });
      await problemOf(encrypt(pair, random.fraction() < 0.5));
      for (let some = 0; some < 3; some += 1) {
        pair.far.link.write(new Uint8Array(700));
        pair.near.link.write(new Uint8Array(700));
        await porch.roundTrips(1);
      }
      pair.near.link.end();
      pair.far.link.destroy();
      await Promise.all([pair.near.ear.closing, pair.far.ear.closing]);
      expect([pair.near.ear.closings.length, pair.far.ear.closings.length]).toEqual([1, 1]);
      expect([pair.near.link.queuedBytes, pair.far.link.queuedBytes]).toEqual([0, 0]);
      pair.stop();
    }
  });
});
