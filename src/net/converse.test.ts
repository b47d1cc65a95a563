import { afterAll, describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import type { End } from '../../test/support/links.ts';
import { openPorch } from '../../test/support/links.ts';
import { Bug, Violation } from '../base/assert.ts';
import { EMPTY, text, utf8 } from '../base/bytes.ts';
import { ManualClock, systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Conversation } from '../core/conversation.ts';
import { endTls, peek, read, readEnd, send, startTls, wait } from '../core/conversation.ts';
import { PeerClosed, TalkTimeout } from '../core/network.ts';
import type { Talked } from '../core/network.ts';
import { TlsEnvelope } from '../wire/tds/tls-envelope.ts';
import { generateCertificate } from './certificate.ts';
import { converse } from './converse.ts';
import { tlsClient, tlsServer } from './tls.ts';

const { keyPem, certPem } = generateCertificate(['localhost']);
const tls = {
  server: tlsServer(keyPem, certPem, []),
  client: tlsClient('require', 'localhost', {}),
};
const porch = openPorch();
afterAll(() => porch.stop());

function talk<Result>(
  { link }: End,
  conversation: Conversation<Result>,
  clock: ManualClock | typeof systemClock = systemClock,
): Promise<Talked<Result>> {
  return converse(link, conversation, { timeoutMs: 5_000 }, tls, clock);
}

/** What a promise was rejected with. */
async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  );
}

describe('converse', () => {
  test('reads, looks ahead, sends, works, and hands over the rest', async () => {
    const { near, far } = await porch.pair();
    const talking = talk(
      near,
      (function* (): Conversation<readonly string[]> {
        const seen = text(yield* peek(2)).slice(0, 2);
        const nothing = yield* read(0);
        const word = text(yield* read(3));
        const worked = yield* wait(async () => word.toUpperCase());
        yield* send(utf8(`${worked}!`));
        yield* send(utf8('?'));
        return [seen, String(nothing.length), text(yield* read(1))];
      })(),
    );
    far.link.write(utf8('abcde'));
    expect(String(await far.ear.bytes.take(5))).toBe('ABC!?');
    const { result, leftover } = await talking;
    expect(result).toEqual(['ab', '0', 'd']);
    expect(text(leftover)).toBe('e');
    far.link.destroy();
  });

  test('PG-18: reads what comes byte by byte', async () => {
    const { near, far } = await porch.pair();
    // An echo: a byte goes when the last one has come back.
    far.link.handler = { data: (byte) => far.link.write(byte), drained() {}, closed() {} };
    const { result } = await talk(
      near,
      (function* (): Conversation<string> {
        let all = '';
        for (const letter of 'dribble') {
          yield* send(utf8(letter));
          yield* peek(all.length + 1);
          all += letter;
        }
        return text(yield* read(all.length));
      })(),
    );
    expect(result).toBe('dribble');
    far.link.destroy();
  });

  test('a hundred thousand messages in one write do not exhaust the stack', async () => {
    const { near, far } = await porch.pair();
    const count = 100_000;
    const talking = talk(
      near,
      (function* (): Conversation<number> {
        let sum = 0;
        for (let left = count; left > 0; left -= 1) sum += (yield* read(1))[0] ?? 0;
        return sum;
      })(),
    );
    far.link.write(new Uint8Array(count).fill(1));
    expect((await talking).result).toBe(count);
    far.link.destroy();
  });

  test('waits for the peer to close', async () => {
    const { near, far } = await porch.pair();
    const talking = talk(
      near,
      (function* (): Conversation<string> {
        yield* readEnd();
        return 'closed';
      })(),
    );
    far.link.write(utf8('ignored'));
    far.link.end();
    expect((await talking).result).toBe('closed');
    expect(near.link.isOpen).toBe(false);
  });

  test('a conversation that wants more from a peer that has closed ends', async () => {
    const { near, far } = await porch.pair();
    const talking = talk(
      near,
      (function* (): Conversation<void> {
        yield* readEnd();
        yield* read(1);
      })(),
    );
    far.link.end();
    expect(await failure(talking)).toBeInstanceOf(PeerClosed);
  });

  test('what a conversation throws, or its work, comes out of it', async () => {
    const { near, far } = await porch.pair();
    const oops = new Violation('the peer is wrong');
    function* refuse(): Conversation<void> {
      yield* send(utf8('bye'));
      throw oops;
    }
    expect(await failure(talk(near, refuse()))).toBe(oops);
    expect(String(await far.ear.bytes.take(3))).toBe('bye');
    const work = wait(() => Promise.reject(oops));
    expect(await failure(talk(near, work))).toBe(oops);
    function* recover(): Conversation<string> {
      try {
        yield* wait(() => Promise.reject(oops));
      } catch (error) {
        return String(error);
      }
      return 'no error';
    }
    expect((await talk(near, recover())).result).toBe('Violation: the peer is wrong');
    expect(near.link.isOpen).toBe(true); // whose it is now is the caller's affair
    far.link.destroy();
  });

  test('asking for more than may be read ahead is a bug of ours', async () => {
    const { near, far } = await porch.pair();
    expect(await failure(talk(near, read(1_000_000)))).toBeInstanceOf(Bug);
    far.link.destroy();
  });

  test('a link that has closed before is a peer that has gone', async () => {
    const { near } = await porch.pair();
    near.link.destroy();
    expect(await failure(talk(near, read(1)))).toBeInstanceOf(PeerClosed);
  });
});

test('what a conversation makes of a failure is what its caller hears', async () => {
  const { near, far } = await porch.pair();
  const meaning = new Error('the peer does not like us');
  function* interpreting(): Conversation<void> {
    try {
      yield* peek(1);
    } catch (error) {
      throw error instanceof PeerClosed ? meaning : error;
    }
  }
  const failed = failure(talk(near, interpreting()));
  far.link.end();
  expect(await failed).toBe(meaning);
});

/** Each kind of step that takes time. */
const steps: readonly (readonly [name: string, step: () => Conversation<unknown>])[] = [
  ['read', () => read(1)],
  ['peek', () => peek(1)],
  ['wait', () => wait(() => new Promise(() => {}))],
  ['startTls as the server', () => startTls('server')],
  ['startTls as the client', () => startTls('client')],
];

/** A conversation that says hello, then takes the step, and tells what was thrown into it there. */
function watched(step: () => Conversation<unknown>): {
  readonly conversation: Conversation<void>;
  readonly said: Promise<unknown>;
} {
  const said = Promise.withResolvers<unknown>();
  function* conversation(): Conversation<void> {
    yield* send(utf8('begun'));
    try {
      yield* step();
    } catch (error) {
      said.resolve(error);
      yield* send(utf8('perhaps nobody hears this'));
      throw error;
    }
  }
  return { conversation: conversation(), said: said.promise };
}

describe.each(steps)('in the middle of %s', (name, step) => {
  test('the peer closes', async () => {
    const { near, far } = await porch.pair();
    const { conversation, said } = watched(step);
    const failed = failure(talk(near, conversation));
    await far.ear.bytes.peek(5);
    far.link.end();
    const error = await failed;
    if (!name.startsWith('startTls')) expect(error).toBeInstanceOf(PeerClosed);
    else expect(String(error)).toContain('TLS');
    expect(await said).toBe(error);
    near.link.destroy();
  });

  test('the peer resets the connection', async () => {
    const { socket, end } = await porch.visit();
    const { conversation, said } = watched(step);
    const failed = failure(talk(end, conversation));
    await new Promise((resolve) => socket.once('data', resolve));
    socket.resetAndDestroy();
    const error = await failed;
    expect(error).toBeInstanceOf(PeerClosed);
    expect(await said).toBe(error);
  });
});

describe('the clock of a conversation', () => {
  test.each(steps.filter(([name]) => name !== 'wait'))(
    'runs during %s, and leaves the link for last words',
    async (_name, step) => {
      const { near, far } = await porch.pair();
      const clock = new ManualClock();
      const { conversation, said } = watched(step);
      const failed = failure(talk(near, conversation, clock));
      await far.ear.bytes.peek(5);
      clock.advance(4_999);
      clock.advance(1);
      const error = await failed;
      expect(error).toBeInstanceOf(TalkTimeout);
      expect(await said).toBe(error);
      expect(near.link.isOpen).toBe(true);
      near.link.destroy();
    },
  );

  test('stands still during our own work, and goes on with what was left', async () => {
    const { near, far } = await porch.pair();
    const clock = new ManualClock();
    const work = Promise.withResolvers<void>();
    const resumed = Promise.withResolvers<void>();
    function* working(): Conversation<void> {
      yield* read(1);
      yield* wait(() => work.promise);
      resumed.resolve();
      yield* read(1);
    }
    const failed = failure(talk(near, working(), clock));
    clock.advance(3_000);
    far.link.write(utf8('x'));
    await porch.roundTrips(3);
    clock.advance(60_000);
    work.resolve();
    await resumed.promise;
    clock.advance(1_999);
    expect(near.link.isOpen).toBe(true);
    let over = false;
    void failed.then(() => (over = true));
    await porch.roundTrips(1);
    expect(over).toBe(false);
    clock.advance(1);
    expect(await failed).toBeInstanceOf(TalkTimeout);
    far.link.destroy();
  });

  test('stops with it', async () => {
    const { near, far } = await porch.pair();
    const clock = new ManualClock();
    const talking = talk(near, read(1), clock);
    far.link.write(utf8('x'));
    expect(text((await talking).result)).toBe('x');
    clock.advance(10_000);
    expect(near.link.isOpen).toBe(true);
    far.link.destroy();
  });

  test('work that ends after the link has closed changes nothing', async () => {
    let resumed = 0;
    for (const end of ['resolve', 'reject'] as const) {
      const { near } = await porch.pair();
      const clock = new ManualClock();
      const work = Promise.withResolvers<unknown>();
      function* waiting(): Conversation<void> {
        yield* wait(() => work.promise);
        resumed += 1;
      }
      const failed = failure(talk(near, waiting(), clock));
      near.link.destroy();
      expect(await failed).toBeInstanceOf(PeerClosed);
      work[end](new Error('late'));
      await Promise.allSettled([work.promise]);
      clock.advance(10_000);
    }
    expect(resumed).toBe(0);
  });
});

describe('reading ahead', () => {
  const boundBytes = limits.passwordMessageBytes.value + 1024;

  test('is bounded: a peer that sends and sends is paused until its bytes are wanted', async () => {
    const { socket, end } = await porch.visit();
    const size = 50_000_000;
    const busy = Promise.withResolvers<void>();
    function* reading(): Conversation<number> {
      yield* wait(() => busy.promise);
      let sum = 0;
      while (sum < size) sum += (yield* read(50_000)).length;
      return sum;
    }
    let fed = 0;
    const { link } = end;
    const talking = talk(end, reading());
    const { handler } = link;
    link.handler = {
      data(bytes) {
        fed += bytes.length;
        handler.data(bytes);
      },
      drained: () => handler.drained(),
      closed: (problem) => handler.closed(problem),
    };
    socket.write(new Uint8Array(size));
    await porch.roundTrips(20);
    expect(fed).toBeLessThan(boundBytes + 1_000_000); // the bound, and what was read in one go
    expect(socket.writableLength).toBeGreaterThan(0);
    busy.resolve();
    expect((await talking).result).toBe(size);
    socket.destroy();
  });

  test('does not stop the link for whoever comes after', async () => {
    const { near, far } = await porch.pair();
    const busy = Promise.withResolvers<void>();
    const talking = talk(
      near,
      wait(() => busy.promise),
    );
    const size = 5_000_000;
    far.link.write(new Uint8Array(size));
    await porch.roundTrips(3);
    busy.resolve();
    const { leftover } = await talking;
    near.link.handler = near.ear;
    expect(leftover.length).toBeGreaterThan(boundBytes);
    await near.ear.bytes.take(size - leftover.length);
    far.link.destroy();
  });
});

describe('startTls', () => {
  const shown = new X509Certificate(certPem).raw;
  function* answering(helloIsBuffered = false): Conversation<string> {
    if (!helloIsBuffered) {
      yield* read(8); // as long as an SSLRequest
      yield* send(utf8('S'));
    } else {
      yield* peek(1);
    }
    const { certificate } = yield* startTls('server', helloIsBuffered);
    expect(Buffer.from(certificate())).toEqual(shown);
    return text(yield* read(5));
  }

  function* asking(): Conversation<string> {
    yield* send(new Uint8Array(8));
    yield* read(1);
    const { certificate, protocol } = yield* startTls('client');
    expect([Buffer.from(certificate()), protocol]).toEqual([shown, '']);
    yield* send(utf8('hello'));
    return 'asked';
  }

  test('both sides talk on under TLS', async () => {
    const { near, far } = await porch.pair();
    const [served, asked] = await Promise.all([talk(near, answering()), talk(far, asking())]);
    expect([served.result, asked.result]).toEqual(['hello', 'asked']);
    expect([served.leftover, asked.leftover]).toEqual([EMPTY, EMPTY]);
    expect([near.link.tlsVersion, far.link.tlsVersion]).toEqual(['TLSv1.3', 'TLSv1.3']);
    far.link.destroy();
  });

  test('TD-11, TD-12: both sides talk under TLS in packets, and then in clear', async () => {
    function* serving(): Conversation<string> {
      expect(text(yield* read(5))).toBe('ready');
      const { certificate } = yield* startTls('server', true, new TlsEnvelope(true));
      expect(Buffer.from(certificate())).toEqual(shown);
      const login = text(yield* read(5));
      yield* endTls();
      const rest = text(yield* read(6));
      yield* send(utf8('\x04 yes'));
      return `${login}${rest}`;
    }
    function* entering(): Conversation<string> {
      yield* send(utf8('ready'));
      const { certificate } = yield* startTls('client', false, new TlsEnvelope(true));
      expect(Buffer.from(certificate())).toEqual(shown);
      yield* send(utf8('lo'));
      yield* send(utf8('gin'));
      yield* endTls();
      yield* send(utf8('\x10 more'));
      return text(yield* read(5));
    }
    const { near, far } = await porch.pair();
    const [served, entered] = await Promise.all([talk(near, serving()), talk(far, entering())]);
    expect([served.result, entered.result]).toEqual(['login\x10 more', '\x04 yes']);
    expect([near.link.tlsVersion, far.link.tlsVersion]).toEqual([undefined, undefined]);
    far.link.destroy();
  });

  test('TD-11: a handshake in packets that fails is a sentence', async () => {
    function* serving(): Conversation<void> {
      yield* startTls('server', true, new TlsEnvelope(false));
    }
    const { near, far } = await porch.pair();
    const failing = failure(talk(near, serving()));
    far.link.write(utf8('GET / HTTP/1.1\r\n\r\n'));
    expect(String(await failing)).toContain('the TLS handshake failed: 71 begins neither');
    near.link.destroy();
  });

  test('PG-31: a hello that is there already begins it', async () => {
    const { near, far } = await porch.pair();
    const served = talk(near, answering(true));
    await far.link.startTlsAsClient(tls.client);
    far.link.write(utf8('hello'));
    expect((await served).result).toBe('hello');
    far.link.destroy();
  });

  test('PG-30: plaintext in one segment with the request for TLS ends the conversation', async () => {
    const { near, far } = await porch.pair();
    const served = failure(talk(near, answering()));
    far.link.write(utf8('12345678and a query'));
    const error = await served;
    expect(error).toBeInstanceOf(Violation);
    expect(String(error)).toContain('plaintext');
    near.link.destroy();
  });

  test('PG-30: plaintext of the database after its answer ends the conversation', async () => {
    const { near, far } = await porch.pair();
    const asked = failure(talk(far, asking()));
    await near.ear.bytes.take(8);
    near.link.write(utf8('Sand more'));
    expect(await asked).toBeInstanceOf(Violation);
    near.link.destroy();
  });

  test('PG-30: plaintext after the answer is no handshake, and is never read', async () => {
    const { near, far } = await porch.pair();
    const served = failure(talk(near, answering()));
    far.link.write(new Uint8Array(8));
    await far.ear.bytes.take(1);
    far.link.write(utf8('hello, in the clear'));
    expect(String(await served)).toContain('the TLS handshake failed');
    near.link.destroy();
  });

  test('without a certificate it is a bug of ours', async () => {
    const { near, far } = await porch.pair();
    const nothing = { server: undefined, client: undefined };
    for (const side of ['server', 'client'] as const) {
      const talking = converse(
        near.link,
        startTls(side),
        { timeoutMs: 5_000 },
        nothing,
        systemClock,
      );
      expect(await failure(talking)).toBeInstanceOf(Bug);
    }
    far.link.destroy();
  });
});
