import { afterAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { ManualClock } from '../base/clock.ts';
import { Log } from '../base/log.ts';
import { Counters } from '../core/observer.ts';
import type { Gauges } from '../core/observer.ts';
import { renderMetrics } from '../metrics/render.ts';
import type { Readiness } from './admin.ts';
import { startAdmin } from './admin.ts';

const gauges: Gauges = {
  clientConnections: 100,
  clientConnectionsInSetup: 0,
  clientConnectionsTls: 0,
  clientConnectionsNoTls: 100,
  clientsWaiting: 90,
  databaseConnections: 10,
  databaseConnectionsWithTls: 0,
  databaseConnectionsIdle: 0,
  databaseConnectionsCurrentlyBorrowed: 10,
  databaseConnectionsCurrentlyInTransaction: 10,
  databaseConnectionsCurrentlySessionPinned: 0,
  maxDatabaseConnectionsAllowed: 10,
  longestWaitMs: 60_000,
};
const available = { proxy: 'p', target: 't', state: 'AVAILABLE' } as const;
const facts = {
  version: '1',
  runtime: 'bun',
  startedAtMs: 0,
  residentBytes: 1,
  cpuSeconds: 1,
  openFiles: undefined,
  loopLagMs: 0,
};
const lines: Record<string, unknown>[] = [];
const state = {
  readiness: (): Readiness => ({ ready: true, targets: [available] }),
  gauges: () => gauges,
};
const admin = startAdmin({
  listen: { host: '127.0.0.1', port: 0 },
  log: new Log({ level: 'info', format: 'json', clock: new ManualClock() }, (line) =>
    lines.push(JSON.parse(line) as Record<string, unknown>),
  ),
  readiness: async () => state.readiness(),
  metrics: async () => {
    const source = {
      proxy: 'p',
      endpoint: 'default',
      target: 't',
      counters: new Counters(),
      targetUp: true,
    };
    return renderMetrics([{ ...source, gauges: () => state.gauges() }], facts);
  },
});
afterAll(() => admin.stop());

const ask = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(`http://127.0.0.1:${admin.port}${path}`, init);

describe('the admin port', () => {
  test('says where it listens', () => {
    expect(admin.port).toBeGreaterThan(0);
    expect(lines[0]).toMatchObject({
      event: 'adminListening',
      host: '127.0.0.1',
      port: admin.port,
    });
  });

  test('/healthz', async () => {
    const response = await ask('/healthz');
    expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
  });

  test('GX-14: /metrics answers while every database connection is taken', async () => {
    const response = await ask('/metrics?x=1');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toContain(
      '\nsluice_clients_waiting{proxy="p",endpoint="default"} 90\n',
    );
  });

  test('GX-15: /readyz says which target is not there, and why', async () => {
    const response = await ask('/readyz');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ready: true, targets: [available] });
    const gone = {
      ...available,
      state: 'UNAVAILABLE',
      reason: 'AUTH_FAILURE',
      description: 'The password is wrong.',
    } as const;
    state.readiness = () => ({ ready: false, targets: [gone] });
    const worse = await ask('/readyz');
    expect(worse.status).toBe(503);
    expect(worse.headers.get('content-type')).toBe('application/json');
    expect(await worse.json()).toEqual({ ready: false, targets: [gone] });
  });

  test('/ is an index of the rest', async () => {
    const text = await (await ask('/')).text();
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect(text).toContain(`${path} `);
      expect((await ask(path)).status).not.toBe(404);
    }
  });

  test('HEAD has the status and the headers of GET, and no body', async () => {
    for (const path of ['/', '/healthz', '/readyz', '/metrics']) {
      const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })];
      expect(head.status).toBe(get.status);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(head.headers.get('content-length')).toBe(String((await get.bytes()).length));
      expect(await head.text()).toBe('');
    }
  });

  test('other paths and methods are refused', async () => {
    for (const path of ['/nope', '/healthz/', '/constructor', '/__proto__'])
      expect((await ask(path)).status).toBe(404);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await ask('/metrics', { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });

  test('a load balancer may ask in HTTP/1.0, and any Host will do', async () => {
    for (const head of [
      'HTTP/1.0\r\n',
      'HTTP/1.1\r\nHost: a b[\r\n',
      'HTTP/1.1\r\nHost: x:99999\r\n',
    ]) {
      const socket = connect(admin.port, '127.0.0.1');
      socket.write(`GET /healthz?x ${head}Connection: close\r\n\r\n`);
      let answer = '';
      for await (const bytes of socket) answer += String(bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok\n$/);
    }
  });

  test('a large body is not read', async () => {
    const response = await ask('/metrics', { method: 'POST', body: 'x'.repeat(100_000) });
    expect(response.status).toBe(413);
    expect((await ask('/healthz')).status).toBe(200);
  });

  test('a failure is logged and not shown', async () => {
    state.gauges = () => {
      throw new Error('inner matters');
    };
    const response = await ask('/metrics');
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
    expect(lines.at(-1)).toMatchObject({ event: 'adminFailed', level: 'error', path: '/metrics' });
    expect(lines.at(-1)?.['message']).toContain('inner matters');
  });

  test('an address that is taken is an error at start', () => {
    const options = { readiness: async () => state.readiness(), metrics: async () => '' };
    const log = new Log({ level: 'error', format: 'json', clock: new ManualClock() }, () => {});
    expect(() =>
      startAdmin({ ...options, log, listen: { host: '127.0.0.1', port: admin.port } }),
    ).toThrow();
  });
});
