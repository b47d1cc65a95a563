import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PeerGone } from '../../support/byte-queue.ts';
import { bytesOf, cstring, errorFields, frontend, i32, message } from '../../support/messages.ts';
import { RawClient } from '../../support/raw-client.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import { eventually } from '../clients/stage.ts';
import { Scene } from './scene.ts';

const startup = frontend.startup({ user: 'app', database: 'app' });
const TLS_ALERT = '\x15';
const CLIENT_HELLO = Buffer.from('16030100050100000100', 'hex');

let server: Awaited<ReturnType<typeof withPostgres>>;
let scene: Scene;
let control: RawClient;
let descriptors: number;

beforeAll(async () => {
  server = await withPostgres();
  scene = await Scene.open(server, { connections: 2, proxy: { clientLoginTimeout: 1 } });
  control = await scene.client();
  await control.value('SELECT 1');
  await server.query('CREATE TABLE IF NOT EXISTS held (n int); GRANT ALL ON held TO app', 'app');
  descriptors = await scene.descriptors();
});
afterAll(async () => {
  await control.end();
  await eventually(
    () => scene.descriptors(),
    (count) => count <= descriptors,
  );
  await scene.close();
});

/** All that the proxy says to these bytes until it closes: SQLSTATEs, or the first byte where it is none of its messages. */
async function answerTo(...parts: readonly Uint8Array[]): Promise<readonly unknown[]> {
  const stranger = await scene.stranger();
  try {
    stranger.send(...parts);
    const answer: unknown[] = [];
    for (;;) {
      const { type, body } = await stranger.read();
      answer.push(type === 'E' ? errorFields(body)['C'] : type);
    }
  } catch (problem) {
    if (!(problem instanceof PeerGone)) throw problem;
    return stranger.socket.unread === 0 ? [] : [stranger.socket.unread];
  } finally {
    stranger.destroy();
  }
}

describe('bytes that are no start-up message', () => {
  const openings: Readonly<Record<string, readonly Uint8Array[]>> = {
    'an HTTP request (GX-08)': [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    'zeros (PG-16)': [new Uint8Array(1024)],
    'a negative length (PG-16)': [i32(-1), startup],
    'length 0 (PG-16)': [i32(0)],
    'length 7 (PG-16)': [i32(7), new Uint8Array(3)],
    'a start-up message of 2 GB (PG-19)': [i32(0x7fff_ffff), i32(0x30000)],
    'a start-up message of 20 kB (PG-19)': [
      frontend.startup({ user: 'app', options: 'x'.repeat(20_000) }),
    ],
    'parameters without an end': [bytesOf(i32(12), i32(0x30000), 'user')],
    'TLS without ALPN (PG-31)': [CLIENT_HELLO, new Uint8Array(100)],
    'a TLS alert': [Buffer.from('15030100020228', 'hex')],
    'SSLRequest, then plaintext (PG-30)': [frontend.sslRequest(), startup],
    'random bytes': [Buffer.from('f3a90cc57be1102f44', 'hex')],
  };

  test.each(Object.keys(openings))('%s end the connection at once', async (name) => {
    const started = performance.now();
    const stranger = await scene.stranger();
    stranger.send(...(openings[name] ?? []));
    const said = Buffer.from(await stranger.socket.readEnd()).toString('latin1');
    // Nothing, the agreement on TLS, or one error.
    expect(['', 'E', TLS_ALERT]).toContain(said.replace(/^S/, '').slice(0, 1));
    expect(performance.now() - started).toBeLessThan(900);
    expect(await control.value('SELECT 1')).toBe('1');
    await scene.expectClean(1);
  });
});

test('a client that asks for TLS and is gone before the answer is no bug (PG-115)', async () => {
  for (let round = 0; round < 40; round += 1) {
    const strangers = await Promise.all(Array.from({ length: 25 }, () => scene.stranger()));
    for (const stranger of strangers) {
      stranger.send(frontend.sslRequest());
      stranger.destroy();
    }
  }
  await scene.expectClean(1);
});

describe('a login', () => {
  test.each([
    ['nothing at all', []],
    ['half a start-up message', [startup.subarray(0, 20)]],
    ['a start-up message and no proof', [startup]],
    ['half a TLS hello', [CLIENT_HELLO.subarray(0, 3)]],
    ['SSLRequest and no hello', [frontend.sslRequest()]],
  ] as const)('that is %s ends after clientLoginTimeout (GX-08)', async (_, parts) => {
    const started = performance.now();
    const stranger = await scene.stranger();
    if (parts.length > 0) stranger.send(...parts);
    await stranger.socket.readEnd();
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(performance.now() - started).toBeLessThan(2_000);
    await scene.expectClean(1);
  });

  test('whose bytes drip in ends after clientLoginTimeout all the same (GX-08)', async () => {
    const stranger = await scene.stranger();
    const drip = setInterval(() => stranger.send(Uint8Array.of(startup[dripped++] ?? 0)), 100);
    let dripped = 0;
    const started = performance.now();
    await stranger.socket.readEnd();
    clearInterval(drip);
    expect(performance.now() - started).toBeLessThan(2_000);
    await scene.expectClean(1);
  });

  test('and a query arrive byte by byte (PG-18)', async () => {
    const client = await RawClient.connect(scene.way());
    const whole = client.socket.send.bind(client.socket);
    client.socket.send = (...parts) => {
      for (const byte of Buffer.concat(parts)) whole(Uint8Array.of(byte));
    };
    await client.signIn({ user: 'app', database: 'app', password: passwordOf('app') });
    expect(await client.value(`SELECT '${'y'.repeat(500)}'`)).toBe('y'.repeat(500));
    await client.end();
    await scene.expectClean(1);
  });

  test('with a password of 60 kB is refused in good order (PG-20)', async () => {
    const stranger = await scene.stranger();
    stranger.send(startup);
    await stranger.read();
    const proof = `n,,n=,r=${'x'.repeat(60_000)}`;
    stranger.send(frontend.saslInitial('SCRAM-SHA-256', proof));
    const said = await stranger.readEnd();
    expect(said.filter(({ type }) => type !== 'E')).toEqual([]);
    expect(await control.value('SELECT 1')).toBe('1');
    await scene.expectClean(1);
  });

  test.each([
    ['a second start-up message', startup],
    ['a query', frontend.query('SELECT 1')],
    ['CopyData', frontend.copyData('x')],
    ['a password message of 2 GB', bytesOf('p', i32(0x7fff_ffff))],
    ['a password message of negative length', bytesOf('p', i32(-5))],
    ['an unknown SASL mechanism', frontend.saslInitial('PLAIN', 'x')],
    ['a SASL message of nonsense', message('p', cstring('SCRAM-SHA-256'), i32(999), 'x')],
  ])('with %s instead of a proof ends (PG-105)', async (_, instead) => {
    const answer = await answerTo(startup, instead);
    expect(['28P01', '08P01', undefined]).toContain(answer[1] as string | undefined);
    await scene.expectClean(1);
  });
});

describe('a client that breaks the protocol', () => {
  const breaches: Readonly<Record<string, Uint8Array>> = {
    'a negative length (PG-16)': bytesOf('Q', i32(-1), 'SELECT 1'),
    'length 3 (PG-16)': bytesOf('Q', i32(3)),
    'a length beyond 1 GB (PG-16)': bytesOf('Q', i32(0x7fff_ffff)),
    'an unknown type': message('z', 'x'),
    'a second start-up message (PG-105)': startup,
    'a query without its end': message('Q', 'SELECT 1'),
    'an empty query message': message('Q'),
    'a Parse without its end': message('P', 'x'),
  };

  test.each(Object.keys(breaches))('%s: told so once, and closed', async (name) => {
    for (const prelude of ['', 'BEGIN']) {
      const client = await scene.client();
      if (prelude !== '') await client.query(prelude);
      client.send(breaches[name] ?? new Uint8Array(0), frontend.sync());
      // What only the database can judge it does judge; the connection may then go on.
      const first = await client.read();
      expect(first.type).toBe('E');
      expect(errorFields(first.body)['C']).toStartWith('08P01');
      client.destroy();
      expect(await control.value('SELECT 1')).toBe('1');
    }
    await scene.expectClean(1);
  });
});

describe('a client that vanishes', () => {
  const lockers = `SELECT count(*)::int AS n FROM pg_locks WHERE relation = 'held'::regclass`;
  const unlocked = async (): Promise<void> => {
    await eventually(
      async () => (await server.query(lockers, 'app'))[0]?.['n'],
      (n) => n === 0,
    );
  };

  test('in an open transaction leaves no lock, and no row (PG-116)', async () => {
    const client = await scene.client();
    await client.query('BEGIN; INSERT INTO held VALUES (1); LOCK TABLE held');
    client.destroy();
    const started = performance.now();
    await unlocked();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await control.value('SELECT count(*) FROM held')).toBe('0');
    await scene.expectClean(1);
  });

  test('in a statement of its transaction leaves no lock (PG-116)', async () => {
    const client = await scene.client();
    await client.query('BEGIN; INSERT INTO held VALUES (1)');
    client.send(frontend.query('SELECT pg_sleep(60)'));
    await eventually(
      () =>
        server.query(
          "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'",
        ),
      (rows) => rows.length === 1,
    );
    client.destroy();
    await unlocked();
    expect(await control.value('SELECT count(*) FROM held')).toBe('0');
    await scene.expectClean(1);
  });

  test('in mid-result leaves none of its rows to the next (PG-115)', async () => {
    for (let round = 0; round < 20; round += 1) {
      const client = await scene.client();
      client.send(frontend.query("SELECT repeat('old', 1000) FROM generate_series(1, 100000)"));
      await client.socket.peek(100 + round * 997);
      client.destroy();
      expect(transcript(await control.query('SELECT 1'))).toEqual([
        'T ?column?:23',
        'D 1',
        'C SELECT 1',
        'Z I',
      ]);
    }
    await scene.expectClean(1);
  });

  test('in the middle of a message leaves a usable pool (PG-115)', async () => {
    for (const at of [1, 3, 5, 9]) {
      const client = await scene.client();
      client.send(frontend.query("SELECT 'half of it'").subarray(0, at));
      client.destroy();
      expect(await control.value('SELECT 1')).toBe('1');
    }
    await scene.expectClean(1);
  });

  test.each([
    'COPY held FROM STDIN',
    "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT",
  ])('in the middle of %s leaves nothing (PG-116)', async (copy) => {
    const client = await scene.client();
    client.send(frontend.query(copy));
    await client.socket.peek(5);
    client.send(frontend.copyData('1\n2\n'));
    client.destroy();
    await unlocked();
    expect(await control.value('SELECT count(*) FROM held')).toBe('0');
    await scene.expectClean(1);
  });

  test('in the queue is never handed a connection (GX-04, PG-120)', async () => {
    const holders = [await scene.client(), await scene.client()];
    for (const holder of holders) await holder.query('BEGIN');
    const waiters = await Promise.all(Array.from({ length: 10 }, () => scene.client()));
    for (const waiter of waiters) waiter.send(frontend.query('INSERT INTO held VALUES (7)'));
    await scene.untilMetric('clients_waiting', 10);
    for (const waiter of waiters) waiter.destroy();
    await scene.untilMetric('clients_waiting', 0);
    for (const holder of holders) await holder.query('COMMIT');
    for (const holder of holders) await holder.end();
    expect(await control.value('SELECT count(*) FROM held')).toBe('0');
    await scene.expectClean(1);
  });

  test('in the queue at the moment of the hand-over leaks no place (PG-120)', async () => {
    for (let round = 0; round < 50; round += 1) {
      const clients = await Promise.all(Array.from({ length: 4 }, () => scene.client()));
      for (const client of clients) client.send(frontend.query('SELECT pg_sleep(0.003)'));
      clients[0]?.destroy();
      await clients[1]?.readUntilReady();
      for (const client of clients) client.destroy();
    }
    await scene.expectClean(1);
    expect(await scene.metric('database_connections')).toBeLessThanOrEqual(2);
  });
});

describe('limits', () => {
  test('a client without a request leaves after idleClientTimeout, one at work does not (GX-06)', async () => {
    const small = await Scene.open(server, { connections: 2, proxy: { idleClientTimeout: 1 } });
    // The idle one's time begins when it is let in.
    const started = performance.now();
    const [idle, busy] = [await small.client(), await small.client()];
    busy.send(frontend.query('SELECT pg_sleep(2.5), 1'));
    expect(transcript(await idle.readEnd())).toEqual([
      'E FATAL 57P05 terminating connection due to idle-session timeout',
    ]);
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(transcript(await busy.readUntilReady())).toContain('Z I');
    idle.destroy();
    busy.destroy();
    await small.expectClean();
    await small.close();
  });

  test('one client more than maxClientConnections is told so, and the others stay', async () => {
    const small = await Scene.open(server, { proxy: { maxClientConnections: 3 } });
    const clients = await Promise.all(Array.from({ length: 3 }, () => small.client()));
    const beyond = await RawClient.connect(small.way());
    beyond.send(startup);
    expect(transcript(await beyond.readEnd())).toEqual([
      'E FATAL 53300 The maximum number of client connections to the proxy exceeded 3.',
    ]);
    // A cancel request is not one of them.
    const [first] = clients;
    first?.send(frontend.query('SELECT pg_sleep(20)'));
    await small.untilMetric('database_connections_currently_borrowed', 1);
    await eventually(
      () => server.query("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)'"),
      (rows) => rows.length > 0,
    );
    if (first !== undefined) await small.cancel(first.welcome.pid, first.welcome.secret);
    expect(transcript((await first?.readUntilReady()) ?? []).join()).toContain('57014');
    for (const client of clients) await client.end();
    expect(await small.ask('SELECT 1')).toBe('1');
    await small.expectClean();
    await small.close();
  });
});
