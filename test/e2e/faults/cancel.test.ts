import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { makeCertificate } from '../../support/certificates.ts';
import { startInterceptor } from '../../support/interceptor.ts';
import { backend, errorFields, frontend } from '../../support/messages.ts';
import type { Message } from '../../support/messages.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { readQuery, welcome } from '../../support/scripted-server.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import { eventually } from '../clients/stage.ts';
import { Scene, scriptedDatabase } from './scene.ts';

/** In every one of these rounds a cancel request and the end of its statement meet; by TLS to the database. */
const races = { disable: 1_200, require: 300 } as const;
/** So many lengths of statement are tried in turn. */
const LENGTHS = 30;
const STORM = 500;
const SLEEP = 'SELECT pg_sleep(30)';

describe('a cancel request', () => {
  let scene: Scene;
  let server: Awaited<ReturnType<typeof withPostgres>>;

  beforeAll(async () => {
    server = await withPostgres();
    scene = await Scene.open(server, { connections: 2 });
  });

  afterAll(() => scene.close());

  /** Resolves when so many of the pool's connections run this statement. */
  async function running(sql: string, count: number): Promise<void> {
    await eventually(
      async () => {
        const rows = await server.query(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query = '${sql}'`,
        );
        return rows[0]?.['n'];
      },
      (n) => n === count,
    );
  }

  test.each([
    ['none', 0],
    ['none', 2],
    ['startTls', 0],
    ['startTls', 2],
    ['direct', 2],
  ] as const)(
    'reaches its own statement and no other, TLS %s, protocol 3.%d (PG-27, PG-40, PG-46)',
    async (tls, minor) => {
      const [mine, other] = [
        await scene.client({ tls, minor }),
        await scene.client({ tls, minor }),
      ];
      expect(mine.welcome.secret.length).toBe(minor === 2 ? 32 : 4);
      mine.send(frontend.query(SLEEP));
      other.send(frontend.query('SELECT pg_sleep(0.7), 2'));
      await running(SLEEP, 1);
      await scene.cancel(mine.welcome.pid, mine.welcome.secret, tls);
      expect(codes(await mine.readUntilReady())).toEqual(['57014']);
      expect(codes(await other.readUntilReady())).toEqual([]);
      expect(await mine.value('SELECT 7')).toBe('7');
      await Promise.all([mine.end(), other.end()]);
      await scene.expectClean();
    },
  );

  test('comes from psycopg as well (PG-46)', async () => {
    const script = `
import psycopg, threading, sys
c = psycopg.connect(sys.argv[1], autocommit=True)
threading.Timer(0.3, c.cancel).start()
try:
    c.execute("SELECT pg_sleep(20)")
    print("not cancelled")
except psycopg.errors.QueryCanceled:
    print(c.execute("SELECT 5").fetchone()[0])
`;
    const { port } = scene.sluice;
    for (const mode of ['disable', 'require']) {
      const dsn = `host=127.0.0.1 port=${port} user=app dbname=app sslmode=${mode}`;
      const child = Bun.spawn(['/usr/bin/python3', '-c', script, dsn], {
        env: { ...process.env, PGPASSWORD: passwordOf('app') },
        stdout: 'pipe',
        stderr: 'inherit',
        timeout: 15_000,
      });
      expect(await new Response(child.stdout).text()).toBe('5\n');
    }
    await scene.expectClean();
  });

  test('comes from psql by Ctrl-C', async () => {
    const child = Bun.spawn(['psql', '-X', '-c', SLEEP], {
      env: {
        ...process.env,
        PGHOST: '127.0.0.1',
        PGPORT: String(scene.sluice.port),
        PGUSER: 'app',
        PGDATABASE: 'app',
        PGPASSWORD: passwordOf('app'),
      },
      stdout: 'ignore',
      stderr: 'pipe',
      timeout: 15_000,
    });
    await running(SLEEP, 1);
    child.kill('SIGINT');
    expect(await new Response(child.stderr).text()).toContain(
      'canceling statement due to user request',
    );
    await scene.expectClean();
  });

  test.each([0, 2])('with a wrong key does nothing, in 3.%d (PG-27, PG-47)', async (minor) => {
    const client = await scene.client({ minor });
    const { pid, secret } = client.welcome;
    client.send(frontend.query('SELECT pg_sleep(0.8)'));
    await running('SELECT pg_sleep(0.8)', 1);
    const wrong = Uint8Array.from(secret, (byte) => byte ^ 1);
    await scene.cancel(pid, wrong);
    await scene.cancel(pid + 1_000_000, secret);
    await scene.cancel(0, secret);
    for (const length of [4, 5, 32, 33, 256]) await scene.cancel(pid, new Uint8Array(length));
    await scene.cancel(pid, secret.subarray(0, secret.length === 4 ? 3 : 4));
    const last = secret.length - 1;
    await scene.cancel(pid, secret.with(last, (secret[last] ?? 0) ^ 0x80));
    await scene.cancel(pid, Uint8Array.of(...secret, 0));
    const rude = await scene.stranger();
    // A cancel request that is too short, and one without any secret.
    rude.send(Uint8Array.of(0, 0, 0, 8, 4, 0xd2, 0x16, 0x2e));
    expect(await rude.readEnd()).toEqual([]);
    expect(codes(await client.readUntilReady())).toEqual([]);
    await client.end();
    expect(scene.sluice.logs('cancelled').filter((line) => line['client'] === pid)).toEqual([]);
    await scene.expectClean();
  });

  test('of an idle session, or one idle in its transaction, is a no-op (PG-43)', async () => {
    const client = await scene.client();
    const { pid, secret } = client.welcome;
    await scene.cancel(pid, secret);
    expect(await client.value('SELECT 1')).toBe('1');
    await client.query('BEGIN');
    await scene.cancel(pid, secret);
    expect(await client.value('SELECT 2')).toBe('2');
    await client.query('COMMIT');
    await client.end();
    await scene.expectClean();
  });

  test('storm is bounded towards the database, and all are answered (PG-44)', async () => {
    const client = await scene.client();
    client.send(frontend.query(SLEEP));
    await running(SLEEP, 1);
    const { pid, secret } = client.welcome;
    await Promise.all(Array.from({ length: STORM }, () => scene.cancel(pid, secret)));
    expect(codes(await client.readUntilReady())).toEqual(['57014']);
    await client.end();
    await scene.expectClean();
  });
});

describe('with a pool of one', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(await withPostgres());
  });
  afterAll(() => scene.close());

  test.each(['simple', 'extended'])(
    'a cancel of a client in the queue answers 57014, and the client goes on (PG-43), %s protocol',
    async (protocol) => {
      const [holder, waiter] = [await scene.client(), await scene.client()];
      await holder.query('BEGIN');
      if (protocol === 'simple') waiter.send(frontend.query('SELECT 1'));
      else waiter.send(frontend.parse('', 'SELECT 1'), frontend.bind('', ''), frontend.execute());
      if (protocol !== 'simple') waiter.send(frontend.sync());
      await scene.untilMetric('clients_waiting', 1);
      await scene.cancel(waiter.welcome.pid, waiter.welcome.secret);
      expect(transcript(await waiter.readUntilReady())).toEqual([
        'E ERROR 57014 canceling statement due to user request',
        'Z I',
      ]);
      await scene.untilMetric('clients_waiting', 0);
      waiter.send(frontend.query('SELECT 8'));
      await scene.untilMetric('clients_waiting', 1);
      await holder.query('COMMIT');
      expect(transcript(await waiter.readUntilReady())).toContain('D 8');
      await Promise.all([holder.end(), waiter.end()]);
      await scene.expectClean();
    },
  );
});

describe.each(['disable', 'require'] as const)('with a pool of one, TLS to it: %s', (tls) => {
  let scene: Scene;
  const rounds = races[tls];
  beforeAll(async () => {
    const database = { maxConnections: 2, tls };
    scene = await Scene.open(await withPostgres(), { rest: { database } });
  });
  afterAll(() => scene.close());

  test(`of ${rounds} cancels that meet the end of their statement none hits the next client (PG-40, PG-41)`, async () => {
    const [hasty, innocent] = [await scene.client(), await scene.client()];
    const { pid, secret } = hasty.welcome;
    let hits = 0;
    for (let round = 0; round < rounds; round += 1) {
      // From over before anybody can stop it to long enough that it is stopped, in small steps.
      const rows = Math.round(1_000 * 1.25 ** (round % LENGTHS));
      hasty.send(frontend.query(`SELECT count(*) FROM generate_series(1, ${rows})`));
      innocent.send(frontend.query('SELECT pg_sleep(0.001), 2'));
      const [answer, fate] = await Promise.all([
        hasty.readUntilReady(),
        innocent.readUntilReady(),
        scene.cancel(pid, secret),
      ]);
      hits += codes(answer).length;
      if (codes(fate).length > 0) throw new Error(`round ${round}: ${transcript(fate).join(' ')}`);
    }
    // Some came in time and some did not: so others came in the very moment.
    expect(hits).toBeGreaterThan(0);
    expect(hits).toBeLessThan(rounds);
    await Promise.all([hasty.end(), innocent.end()]);
    await scene.expectClean();
  });
});

test('a cancel request goes to the database over TLS where its settings say so (PG-46)', async () => {
  const certificate = makeCertificate('ECDSA P-256 with SHA-256');
  // Understands nothing but TLS, and so does not pass on a cancel request in the clear.
  const between = startInterceptor({ to: await withPostgres(), certificate });
  const database = { maxConnections: 2, tls: 'require', channelBinding: 'disable' };
  const scene = await Scene.open(between, { rest: { database } });
  const client = await scene.client({ minor: 2 });
  client.send(frontend.query(SLEEP));
  await scene.untilMetric('database_connections_currently_borrowed', 1);
  await scene.cancel(client.welcome.pid, client.welcome.secret);
  expect(codes(await client.readUntilReady())).toEqual(['57014']);
  expect(scene.sluice.logs('serverFailed')).toEqual([]);
  await client.end();
  await scene.expectClean();
  await scene.close();
  between.stop();
});

describe('a database of its own kind', () => {
  test('that gives no cancel key makes a cancel a no-op (PG-28)', async () => {
    const gate = Promise.withResolvers<void>();
    const database = scriptedDatabase(async (peer) => {
      // AuthenticationOk and ReadyForQuery only.
      await peer.readUntyped();
      peer.send(backend.authenticationOk(), backend.ready());
      await readQuery(peer);
      await gate.promise;
      peer.send(backend.complete('DO'), backend.ready());
      await peer.closedByPeer;
    });
    const scene = await Scene.open(database);
    const client = await scene.client();
    client.send(frontend.query('DO'));
    await scene.untilMetric('database_connections_currently_borrowed', 1);
    await scene.cancel(client.welcome.pid, client.welcome.secret);
    gate.resolve();
    expect(transcript(await client.readUntilReady())).toEqual(['C DO', 'Z I']);
    await client.end();
    await scene.expectClean();
    await scene.close();
    database.stop();
  });

  test('that is slow to cancel keeps the connection from the next client until it has closed (PG-41, PG-44)', async () => {
    let [cancelsOpen, mostCancels] = [0, 0];
    const release = Promise.withResolvers<void>();
    const database = startCancelWatching(async (closed) => {
      cancelsOpen += 1;
      mostCancels = Math.max(mostCancels, cancelsOpen);
      await Promise.race([release.promise, closed]);
      cancelsOpen -= 1;
    });
    const scene = await Scene.open(database, { connections: 24 });
    const clients: RawClient[] = [];
    for (let i = 0; i < 24; i += 1) clients.push(await scene.client());
    for (const client of clients) client.send(frontend.query('wait'));
    await scene.untilMetric('database_connections_currently_borrowed', 24);
    for (const { welcome: it } of clients) await scene.cancel(it.pid, it.secret);
    await eventually(
      async () => cancelsOpen,
      (open) => open === 16,
    );
    release.resolve();
    for (const client of clients) await client.readUntilReady();
    expect(mostCancels).toBe(16);
    for (const client of clients) client.destroy();
    await scene.expectClean();
    await scene.close();
    database.stop();
  });
});

/** Answers each query once a cancel request for its connection is over. */
function startCancelWatching(
  cancel: (closed: Promise<void>) => Promise<void>,
): ReturnType<typeof scriptedDatabase> {
  const stops = new Map<number, () => void>();
  return scriptedDatabase(
    async (peer, connection) => {
      await welcome(peer, { pid: connection });
      for (;;) {
        await readQuery(peer);
        await new Promise<void>((resolve) => stops.set(connection, resolve));
        peer.send(backend.error({ S: 'ERROR', V: 'ERROR', C: '57014', M: 'cancelled' }));
        peer.send(backend.ready());
      }
    },
    async (peer) => {
      const request = Buffer.from(await peer.readUntyped());
      await cancel(peer.closedByPeer);
      stops.get(request.readInt32BE(4))?.();
    },
  );
}

function codes(messages: readonly Message[]): readonly (string | undefined)[] {
  return messages.filter(({ type }) => type === 'E').map(({ body }) => errorFields(body)['C']);
}
