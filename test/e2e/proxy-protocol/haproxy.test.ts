import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startHaproxy } from '../../support/haproxy.ts';
import type { Haproxy } from '../../support/haproxy.ts';
import { RawClient } from '../../support/raw-client.ts';
import { passwordOf } from '../../support/sluice.ts';
import { eventually, Stage } from '../clients/stage.ts';

/** Where HAProxy's connections come from: not where clients do. */
const BALANCER = '127.0.0.9';
const PSQL = ['psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1'] as const;

/** HAProxy cannot let the system choose its ports. */
const firstPort = 30_000 + (process.pid % 500) * 4;
const senders = {
  'send-proxy': { port: firstPort, server: 'send-proxy' },
  'send-proxy-v2': { port: firstPort + 1, server: 'send-proxy-v2' },
  'send-proxy-v2 with all that it can tell': {
    port: firstPort + 2,
    server: 'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn,cert-key',
  },
} as const;
const names = Object.keys(senders) as (keyof typeof senders)[];

function configuration(sluicePort: number): string {
  const sections = Object.values(senders).map(
    ({ port, server }) => `
listen proxy-${port}
  bind 127.0.0.1:${port}
  bind [::1]:${port}
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  server sluice 127.0.0.1:${sluicePort} source ${BALANCER} ${server} check inter 200
`,
  );
  return `
global
  maxconn 200
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${sections.join('')}`;
}

describe('behind HAProxy', () => {
  let stage: Stage;
  let haproxy: Haproxy;

  beforeAll(async () => {
    stage = await Stage.open({
      proxy: {
        tls: { certFile: 'proxy.crt', keyFile: 'proxy.key' },
        proxyProtocol: 'required',
        proxyProtocolNetworks: [BALANCER],
        debugLogging: true,
      },
    });
    const ports = Object.values(senders).map(({ port }) => port);
    haproxy = await startHaproxy(configuration(stage.port), ports);
  });
  afterAll(async () => {
    const written = await haproxy.stop();
    await stage.expectClean();
    await stage.close();
    expect(written).not.toContain('ALERT');
  });

  const through = (name: keyof typeof senders): { PGPORT: string } => ({
    PGPORT: String(senders[name].port),
  });

  for (const name of names) {
    describe(name, () => {
      test.each(['disable', 'require', 'verify-full'])('psql, sslmode=%s', async (mode) => {
        const env = { ...through(name), PGHOST: '127.0.0.1', PGSSLMODE: mode };
        const script = `BEGIN; SELECT 'a'; COMMIT; SELECT repeat('x', 100000);`;
        const out = await stage.succeed([...PSQL, '-c', '\\conninfo'], { env });
        expect(out.includes('SSL connection (protocol: TLSv1.3')).toBe(mode !== 'disable');
        const rows = await stage.succeed([...PSQL], { env, stdin: script });
        expect(rows).toBe(`a\n${'x'.repeat(100_000)}\n`);
      });

      test.each([
        ['127.0.0.1', 'none'],
        ['127.0.0.1', 'startTls'],
        ['127.0.0.1', 'direct'],
        ['::1', 'none'],
      ] as const)("the client's own address is logged, from %s, TLS %s", async (host, tls) => {
        const client = await RawClient.signIn({
          host,
          port: senders[name].port,
          tls,
          user: 'app',
          password: passwordOf('app'),
        });
        const { localPort } = client.socket;
        const peer = host === '::1' ? `[::1]:${localPort}` : `${host}:${localPort}`;
        const line = await stage.sluice.waitForLog(
          (one) => one.event === 'clientConnected' && one['peer'] === peer,
        );
        expect(line['via']).toStartWith(`${BALANCER}:`);
        expect(await client.value('SELECT 7')).toBe('7');
        await client.end();
      });

      test.each(['disable', 'require'])("psql's Ctrl-C cancels, sslmode=%s", async (mode) => {
        const sql = `SELECT pg_sleep(${30 + names.indexOf(name)})`;
        const psql = Bun.spawn([...PSQL, '-c', sql], {
          env: {
            ...process.env,
            ...stage.environment({ ...through(name), PGHOST: '127.0.0.1', PGSSLMODE: mode }),
          },
          stdout: 'ignore',
          stderr: 'pipe',
        });
        await eventually(
          async () => {
            const [row] = await stage.server.query(
              `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query = '${sql}'`,
            );
            return row?.['n'];
          },
          (n) => n === 1,
        );
        psql.kill('SIGINT');
        expect(await new Response(psql.stderr).text()).toContain(
          'ERROR:  canceling statement due to user request',
        );
        expect(await psql.exited).not.toBe(0);
      });

      test('many come and go, each with its own address', async () => {
        const seen = (): readonly unknown[] =>
          stage.sluice
            .logs('clientConnected')
            .filter(({ via }) => via !== undefined)
            .map(({ peer }) => peer);
        const before = seen().length;
        const all = Array.from({ length: 20 }, async (_, n) =>
          stage.succeed([...PSQL, '-c', `SELECT ${n}`], { env: through(name) }),
        );
        expect(await Promise.all(all)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}\n`));
        // The line of a cancel request of the test before may be among them, which nobody waits for.
        const addresses = new Set(seen().slice(before));
        expect(addresses.size).toBeGreaterThanOrEqual(20);
      });
    });
  }

  test('its health checks are let in by their header, and leave no line but at debug', async () => {
    const isCheck = (line: object): boolean =>
      'peer' in line && String(line.peer).startsWith(`${BALANCER}:`);
    await eventually(
      async () => stage.sluice.logs('clientConnected').filter(isCheck).length,
      (checks) => checks > names.length,
    );
    expect(stage.sluice.logs('introductionRefused').filter(isCheck)).toEqual([]);
  });

  test('whoever goes past it is turned away', async () => {
    const { code, stderr } = await stage.run([...PSQL, '-c', 'SELECT 1'], {
      env: { PGHOST: '127.0.0.1' },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/server closed the connection unexpectedly|Connection reset by peer/);
    const { message } = await stage.sluice.waitForLog(
      ({ event }) => event === 'introductionRefused',
    );
    expect(message).toContain('Its address is in none of proxyProtocolNetworks');
  });
});
