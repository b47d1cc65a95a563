import { dlopen, ptr } from 'bun:ffi';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { End } from '../../test/support/links.ts';
import { listening, listenTo, openPorch } from '../../test/support/links.ts';
import { concat, EMPTY, utf8 } from '../base/bytes.ts';
import { systemClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { generateCertificate } from './certificate.ts';
import { dial } from './dial.ts';
import { receives } from './receives.ts';
import { sends } from './sends.ts';
import { tlsClient, tlsServer } from './tls.ts';

const certificate = generateCertificate(['localhost']);
const server = tlsServer(certificate.keyPem, certificate.certPem, []);
const porch = openPorch();
afterAll(() => porch.stop());

/** A link and the ordinary socket at its other end. */
interface Visit {
  readonly end: End;
  readonly socket: Socket;
}

/** The ring takes over with the first byte that comes. */
async function visitByRing(): Promise<Visit> {
  const visit = await porch.visit();
  const { ear } = visit.end;
  visit.socket.write('.');
  await ear.bytes.take(1);
  ear.received = 0;
  return visit;
}

async function visitByTls(): Promise<Visit> {
  const raw = connect({ host: '127.0.0.1', port: porch.port, allowHalfOpen: true });
  const socket = connectTls({ socket: raw, rejectUnauthorized: false });
  raw.on('error', () => {});
  socket.on('error', () => {});
  const end = await porch.arrival();
  await end.link.startTlsAsServer(server, EMPTY);
  return { end, socket };
}

/** The same the other way round: the link has dialled. */
async function reach(name: 'plain' | 'TLS'): Promise<Visit> {
  const secure = { key: certificate.keyPem, cert: certificate.certPem };
  const database = name === 'TLS' ? createTlsServer(secure) : createServer({ allowHalfOpen: true });
  const event = name === 'TLS' ? 'secureConnection' : 'connection';
  const accepted = new Promise<Socket>((resolve) => database.once(event, resolve));
  const port = await listening(database);
  const end = listenTo(await dial({ host: '127.0.0.1', port }, 5_000, systemClock.after));
  if (name === 'TLS') await end.link.startTlsAsClient(tlsClient('require', 'localhost', {}));
  const socket = await accepted;
  socket.on('error', () => {});
  database.close();
  return { end, socket };
}

const ways: readonly (readonly [name: string, visit: () => Promise<Visit>])[] = [
  ['plain', () => porch.visit()],
  ['plain, one by one', () => porch.visit()],
  ['plain, read by the ring', visitByRing],
  ['TLS', visitByTls],
];

/** How many bytes come before the end, and their digest. */
async function readAll(socket: Socket): Promise<{ length: number; digest: string }> {
  const hash = createHash('sha256');
  let length = 0;
  socket.on('data', (bytes: Buffer) => {
    hash.update(bytes);
    length += bytes.length;
  });
  await new Promise((resolve) => {
    socket.once('end', resolve);
    socket.once('close', resolve);
  });
  return { length, digest: hash.digest('hex') };
}

describe.each(ways)('a link, %s', (name, visit) => {
  beforeAll(() => {
    sends.allow(name !== 'plain, one by one');
    receives.insist(name === 'plain, read by the ring');
  });
  afterAll(() => {
    sends.allow(true);
    receives.insist(false);
  });

  test('PG-113: keeps what a slow reader does not take, in order, and drains', async () => {
    const { end, socket } = await visit();
    const { link, ear } = end;
    socket.pause();
    const whole = Buffer.alloc(50_000_000, seededRandom(3).bytes(999_983));
    let queuedBefore = 0;
    for (let at = 0; at < whole.length;) {
      const size = 1 + ((at * 7) % 3_000_000);
      const part = new Uint8Array(whole.subarray(at, at + size));
      link.write(part);
      part.fill(0); // the caller's to reuse
      expect(link.queuedBytes - queuedBefore).toBeLessThanOrEqual(size);
      queuedBefore = link.queuedBytes;
      at += size;
    }
    expect(link.queuedBytes).toBeGreaterThan(20_000_000);
    expect(link.queuedBytes).toBeLessThan(whole.length);
    const received = readAll(socket);
    socket.resume();
    await ear.drain;
    expect(link.queuedBytes).toBe(0);
    link.end();
    expect(await received).toEqual({
      length: whole.length,
      digest: createHash('sha256').update(whole).digest('hex'),
    });
    socket.destroy();
    await ear.closing;
  });

  test('a write that the system takes at once is not reported as drained', async () => {
    const { end, socket } = await visit();
    const told = new Promise((resolve) => socket.once('data', resolve));
    end.link.write(utf8('all of it'));
    end.link.write(EMPTY);
    expect(end.link.queuedBytes).toBe(0);
    expect(String(await told)).toBe('all of it');
    expect(end.ear.drains).toBe(0);
    socket.destroy();
  });

  test('what it hands over stays as it is, whatever comes later', async () => {
    const { end, socket } = await visit();
    const kept: Uint8Array[] = [];
    const hear = { data: (bytes: Uint8Array) => void kept.push(bytes), drained() {}, closed() {} };
    end.link.handler = hear;
    const count = 200;
    for (let i = 0; i < count; i += 1) {
      socket.write(new Uint8Array(1 + i * 50).fill(i));
      await porch.roundTrips(1);
    }
    const sizes = Array.from({ length: count }, (_, i) => 1 + i * 50);
    const whole = concat(sizes.map((size, i) => new Uint8Array(size).fill(i)));
    const left = (): number => whole.length - kept.reduce((sum, { length }) => sum + length, 0);
    while (left() > 0) await porch.roundTrips(1);
    expect(kept.length).toBeGreaterThan(count / 2);
    for (const one of kept) expect(Buffer.isBuffer(one)).toBe(false);
    expect(Buffer.compare(concat(kept), whole)).toBe(0);
    socket.destroy();
  });

  test('pause holds the peer back, and resume lets it go on', async () => {
    const { end, socket } = await visit();
    const { link, ear } = end;
    const size = 50_000_000;
    const sent = new Promise<void>((resolve) => {
      const more = new Uint8Array(1_000_000);
      let left = size;
      const go = (): void => {
        while (left > 0) {
          left -= more.length;
          if (!socket.write(more)) return void socket.once('drain', go);
        }
        resolve();
      };
      go();
    });
    await ear.bytes.peek(1);
    link.pause();
    link.pause();
    const heard = ear.received;
    await porch.roundTrips(20);
    expect(ear.received).toBe(heard);
    expect(heard).toBeLessThan(size);
    expect(socket.writableLength).toBeGreaterThan(0);
    link.resume();
    link.resume();
    await sent;
    await ear.bytes.take(size);
    socket.destroy();
  });

  test('end sends what is queued first, and hears nothing more', async () => {
    const { end, socket } = await visit();
    const { link, ear } = end;
    socket.pause();
    link.write(new Uint8Array(10_000_000));
    link.pause(); // as a session does whose database is slow
    expect(link.queuedBytes).toBeGreaterThan(0);
    link.end();
    link.end();
    expect(link.isOpen).toBe(false);
    link.write(utf8('too late'));
    socket.write('not heard');
    const received = readAll(socket);
    socket.resume();
    expect((await received).length).toBe(10_000_000);
    socket.end();
    expect(await ear.closing).toBeUndefined();
    expect(ear.closings).toEqual([undefined]);
    expect([ear.received, ear.drains, link.queuedBytes]).toEqual([0, 0, 0]);
  });

  test('end without a queue closes in good order', async () => {
    const { end, socket } = await visit();
    const received = readAll(socket);
    end.link.write(utf8('bye'));
    end.link.end();
    expect((await received).length).toBe(3);
    socket.end();
    expect(await end.ear.closing).toBeUndefined();
    expect(end.ear.closings.length).toBe(1);
  });

  test('destroy drops what is queued and tells at once', async () => {
    const { end, socket } = await visit();
    const { link, ear } = end;
    socket.pause();
    link.write(new Uint8Array(10_000_000));
    link.destroy();
    expect([ear.closings, link.queuedBytes, link.isOpen]).toEqual([[undefined], 0, false]);
    link.destroy();
    link.end();
    link.pause();
    link.resume();
    link.write(utf8('nothing'));
    const received = readAll(socket);
    socket.resume();
    expect((await received).length).toBeLessThan(10_000_000);
    expect([ear.closings.length, link.queuedBytes]).toEqual([1, 0]);
    socket.destroy();
  });

  test.each([false, true])(
    'hears once that the peer has closed its side (paused first: %p)',
    async (paused) => {
      const { end, socket } = await visit();
      const { link, ear } = end;
      if (paused) link.pause();
      socket.end('last words');
      if (paused) {
        await porch.roundTrips(3);
        expect([ear.received, ear.closings.length]).toEqual([0, 0]); // an end comes in its turn
        link.resume();
      }
      expect(String(await ear.bytes.rest())).toBe('last words');
      expect([ear.closings, link.isOpen]).toEqual([[undefined], false]);
      link.write(utf8('x'));
      link.destroy();
      expect(ear.closings.length).toBe(1);
      socket.destroy();
    },
  );

  test.each([false, true])(
    'hears once that the peer has reset the connection (paused: %p)',
    async (paused) => {
      const { end, socket } = await visit();
      const { link, ear } = end;
      if (paused) link.pause();
      link.write(utf8('unread'));
      socket.resetAndDestroy();
      const problem = await ear.closing;
      if (name !== 'TLS') expect(problem).toContain('ECONNRESET');
      link.resume();
      link.destroy();
      expect([ear.closings.length, link.isOpen, link.queuedBytes]).toEqual([1, false, 0]);
    },
  );

  test('a peer that has gone while much is queued leaves nothing behind', async () => {
    const { end, socket } = await visit();
    const { link, ear } = end;
    socket.pause();
    link.write(new Uint8Array(10_000_000));
    socket.resetAndDestroy();
    await ear.closing;
    expect([ear.closings.length, link.queuedBytes]).toEqual([1, 0]);
  });

  test('a handler that throws ends its own link and no other', async () => {
    const { end, socket } = await visit();
    const closing = Promise.withResolvers<string | undefined>();
    end.link.handler = {
      data() {
        throw new Error('a bug of ours');
      },
      drained() {},
      closed: closing.resolve,
    };
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.write('x');
    expect(await closing.promise).toBe('a bug of ours');
    expect(end.link.isOpen).toBe(false);
    socket.end();
    await gone;
  });

  test('its handler may end it while it hears', async () => {
    const { end, socket } = await visit();
    const { link } = end;
    let heard = 0;
    const closing = Promise.withResolvers<void>();
    link.handler = {
      data() {
        heard += 1;
        link.destroy();
      },
      drained() {},
      closed: () => closing.resolve(),
    };
    socket.write('x');
    await closing.promise;
    expect(heard).toBe(1);
    socket.destroy();
  });
});

test('PG-113, GX-02: end cuts off a peer that does not let it happen', async () => {
  const visits = [...ways.map(([, visit]) => visit()), reach('plain'), reach('TLS')];
  await Promise.all(
    visits.map(async (visit) => {
      const { end, socket } = await visit;
      socket.pause();
      end.link.write(new Uint8Array(10_000_000));
      end.link.end(1); // Bun counts in steps of four seconds
      expect(await end.ear.closing).toBe('the peer did not let the connection end');
      expect([end.ear.closings.length, end.link.queuedBytes]).toEqual([1, 0]);
      socket.destroy();
    }),
  );
}, 15_000);

describe.each(['plain', 'TLS'] as const)('a link that we opened, %s', (name) => {
  test('GX-02: is closed when the database has closed it, and not before', async () => {
    const { end, socket } = await reach(name);
    const { link, ear } = end;
    socket.pause();
    link.write(new Uint8Array(10_000_000));
    expect(link.queuedBytes).toBeGreaterThan(0);
    link.end();
    const received = readAll(socket);
    socket.resume();
    expect((await received).length).toBe(10_000_000);
    if (name === 'plain') {
      await porch.roundTrips(3);
      expect(ear.closings).toEqual([]); // Node's TLS sockets are never half open
    }
    socket.end('not heard');
    expect(await ear.closing).toBeUndefined();
    expect([ear.closings.length, ear.received]).toEqual([1, 0]);
  });
});

test.each([['accepted'], ['dialled']])('a link that is %s sends without delay', async (how) => {
  const { link } = (how === 'accepted' ? await porch.visit() : await reach('plain')).end;
  const [value, length] = [new Int32Array(new ArrayBuffer(4)), new Int32Array(new ArrayBuffer(4))];
  length[0] = 4;
  const { getsockopt } = dlopen('libc.so.6', {
    getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
  }).symbols;
  const [IPPROTO_TCP, TCP_NODELAY] = [6, 1];
  expect(getsockopt(link.fd, IPPROTO_TCP, TCP_NODELAY, ptr(value), ptr(length))).toBe(0);
  expect(value[0]).toBe(1);
  link.destroy();
});

describe('the peer of a link', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1', /^127\.0\.0\.1:\d+$/],
    ['::1', '::1', /^\[::1\]:\d+$/],
    ['::', '127.0.0.1', /^127\.0\.0\.1:\d+$/], // not ::ffff:127.0.0.1
  ])('listening on %s, called at %s', async (host, called, expected) => {
    const other = openPorch(host);
    const socket = connect({ host: called, port: other.port });
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    const { link } = await other.arrival();
    expect(link.peer).toMatch(expected);
    expect(link.peer).toEndWith(`:${socket.localPort}`);
    socket.destroy();
    other.stop();
  });

  test('is the address that was dialled', async () => {
    const { far } = await porch.pair();
    expect(far.link.peer).toBe(`127.0.0.1:${porch.port}`);
    far.link.destroy();
  });
});
