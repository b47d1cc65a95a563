import { describe, expect, test } from 'bun:test';
import { frontend } from './messages.ts';
import { RawClient, ServerError } from './raw-client.ts';
import { passwordOf, withPostgres } from './sluice.ts';
import { transcript } from './transcript.ts';
import { outcomeOf } from './outcome.ts';

async function login(version: 14 | 18, user: string, tls: 'none' | 'startTls' | 'direct') {
  const { host, port, certPem = '' } = await withPostgres(version);
  const ca = tls === 'none' ? {} : { ca: certPem };
  return { host, port, tls, ...ca, user, password: passwordOf(user), database: 'app' };
}

describe.each([14, 18] as const)('the raw client with PostgreSQL %d', (version) => {
  test.each(['app', 'old'])(
    'signs in as %s',
    async (user) => {
      const client = await RawClient.signIn(await login(version, user, 'none'));
      expect(client.welcome.parameters.get('server_version')).toStartWith(`${version}.`);
      expect(await client.value('SELECT pg_backend_pid()')).toBe(String(client.welcome.pid));
      await client.end();
    },
    30_000,
  );

  test('signs in over verified TLS', async () => {
    const client = await RawClient.signIn(await login(version, 'app', 'startTls'));
    const sql = 'SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    expect(await client.value(sql)).toBe('TLSv1.3');
    expect(client.socket.tlsVersion).toBe('TLSv1.3');
    await client.end();
  });

  test('shows what came back', async () => {
    const client = await RawClient.signIn(await login(version, 'app', 'none'));
    expect(transcript(await client.query("SELECT 1 AS a, NULL AS b, 'ü' AS c"))).toEqual([
      'T a:23,b:25,c:25',
      'D 1|NULL|ü',
      'C SELECT 1',
      'Z I',
    ]);
    expect(transcript(await client.query('SELEC'))).toEqual([
      'E ERROR 42601 syntax error at or near "SELEC" P=1',
      'Z I',
    ]);
    client.send(
      frontend.parse('', 'SELECT $1::int AS a'),
      frontend.bind('', '', ['7']),
      frontend.describe('P'),
      frontend.execute(),
      frontend.sync(),
      frontend.query('BEGIN'),
    );
    expect(transcript(await client.readUntilReady(2))).toEqual([
      '1',
      '2',
      'T a:23',
      'D 7',
      'C SELECT 1',
      'Z I',
      'C BEGIN',
      'Z T',
    ]);
    await client.end();
  });

  test('cancels by key', async () => {
    const options = await login(version, 'app', 'none');
    const client = await RawClient.signIn(options);
    const { pid, secret } = client.welcome;
    // The notice tells that the statement has begun: an earlier cancel request would be lost.
    client.send(frontend.query(`DO $$ BEGIN RAISE NOTICE 'now'; PERFORM pg_sleep(60); END $$`));
    await client.readUntil('N');
    const other = await RawClient.connect(options);
    other.send(frontend.cancelRequest(pid, secret));
    expect(await other.readEnd()).toEqual([]);
    const [error = ''] = transcript(await client.readUntilReady());
    expect(error).toStartWith('E ERROR 57014 canceling statement due to user request');
    client.destroy();
  });
});

test('the raw client negotiates protocol 3.2 and begins with the TLS hello (PostgreSQL 18)', async () => {
  const client = await RawClient.signIn({ ...(await login(18, 'app', 'direct')), minor: 2 });
  expect(client.socket.alpn).toBe('postgresql');
  expect(client.welcome.secret.length).toBe(32);
  await client.end();
});

test('the raw client says why it was refused', async () => {
  const options = await login(18, 'app', 'none');
  const refusal = RawClient.signIn({ ...options, password: 'wrong' });
  const outcome = await outcomeOf(refusal);
  expect(outcome).toThrow(ServerError);
  expect(outcome).toThrow(expect.objectContaining({ code: '28P01' }));
});
