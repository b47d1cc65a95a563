import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { generateCertificate } from '../../../src/net/certificate.ts';
import type { LogLine } from '../../support/sluice.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { eventually } from '../clients/stage.ts';
import { refusal, Scene } from '../faults/scene.ts';

/** The settings file, loosely: a test changes what it likes. */
interface Settings {
  secrets: object[];
  proxies: { [key: string]: unknown; auth: object[]; pool: object }[];
  databases: { maxConnections: number }[];
}

const first = generateCertificate(['127.0.0.1']);
let scene: Scene;
let client: RawClient;

beforeAll(async () => {
  scene = await Scene.open(await withPostgres(), {
    connections: 4,
    proxy: { tls: { certFile: 'proxy.crt', keyFile: 'proxy.key' } },
    files: { 'proxy.crt': first.certPem, 'proxy.key': first.keyPem },
  });
  client = await scene.client();
});
afterAll(async () => {
  await client.end();
  await scene.close();
});

/** Sends SIGHUP and waits for what the log says to it. */
async function hangUp(event: 'reloaded' | 'reloadFailed'): Promise<LogLine> {
  const before = scene.sluice.logs(event).length;
  scene.sluice.signal('SIGHUP');
  await eventually(
    async () => scene.sluice.logs(event).length,
    (count) => count > before,
  );
  const line = scene.sluice.logs(event).at(-1);
  if (line === undefined) throw new Error('no line');
  return line;
}

async function rewrite(change: (settings: Settings) => void): Promise<void> {
  const settings: Settings = parse(await Bun.file(scene.sluice.settingsPath).text());
  change(settings);
  await writeFile(scene.sluice.settingsPath, stringify(settings));
}

async function pidOf(one: RawClient): Promise<unknown> {
  return await one.value('SELECT pg_backend_pid()');
}

describe('SIGHUP', () => {
  test('that changes nothing keeps clients and their connections (PG-109)', async () => {
    const pid = await pidOf(client);
    await hangUp('reloaded');
    expect(await pidOf(client)).toBe(pid);
    expect(scene.sluice.logs('serverDiscarded')).toEqual([]);
  });

  test('changes the size of the pool for those who are connected (PG-110)', async () => {
    await rewrite((settings) => {
      for (const proxy of settings.proxies)
        proxy.pool = { ...proxy.pool, maxConnectionsPercent: 50 };
    });
    await hangUp('reloaded');
    await scene.untilMetric('max_database_connections_allowed', 2);
    expect(await client.value('SELECT 1')).toBe('1');
  });

  test.each([
    ['that is no YAML', '{{{'],
    ['with a mistake', 'region: 5\n'],
    ['that is empty', ''],
  ])('of a file %s leaves everything as it was, and says why', async (_, content) => {
    const good = await Bun.file(scene.sluice.settingsPath).text();
    await writeFile(scene.sluice.settingsPath, content);
    const line = await hangUp('reloadFailed');
    expect(line['level']).toBe('error');
    expect(String(line['message']).length).toBeGreaterThan(10);
    expect(await client.value('SELECT 1')).toBe('1');
    expect(await scene.ask('SELECT 2')).toBe('2');
    await writeFile(scene.sluice.settingsPath, good);
  });

  test('adds a proxy, and ends one without harm to the others (PG-110)', async () => {
    await rewrite((settings) => {
      const [proxy] = settings.proxies;
      if (proxy !== undefined) settings.proxies.push({ ...proxy, name: 'second' });
    });
    await hangUp('reloaded');
    const { port } = scene.sluice.endpoint('second');
    const guest = await scene.client({ port });
    expect(await guest.value('SELECT 3')).toBe('3');
    await rewrite((settings) => {
      settings.proxies.length = 1;
    });
    await hangUp('reloaded');
    const last = await guest.readEnd();
    expect(Buffer.from(last[0]?.body ?? []).toString()).toContain('57P01');
    guest.destroy();
    expect(await refusal(scene.client({ port }))).not.toBe('let in');
    expect(await client.value('SELECT 4')).toBe('4');
  });

  test('changes who may sign in; those who are in stay (PG-110)', async () => {
    const reader = await scene.client({ user: 'reader' });
    await rewrite((settings) => {
      for (const proxy of settings.proxies) proxy.auth = proxy.auth.slice(0, 1);
    });
    await hangUp('reloaded');
    expect(await reader.value('SELECT 5')).toBe('5');
    expect(await refusal(scene.client({ user: 'reader' }))).toStartWith('FATAL 28P01');
    expect(await scene.ask('SELECT 6')).toBe('6');
    await reader.end();
  });

  test('reads the certificate again', async () => {
    const renewed = generateCertificate(['127.0.0.1']);
    const { directory } = scene.sluice;
    await writeFile(join(directory, 'proxy.key'), renewed.keyPem);
    await writeFile(join(directory, 'proxy.crt'), renewed.certPem);
    expect(await scene.ask('SELECT 1', { tls: 'startTls', ca: first.certPem })).toBe('1');
    await hangUp('reloaded');
    expect(await scene.ask('SELECT 1', { tls: 'startTls', ca: renewed.certPem })).toBe('1');
    expect(await refusal(scene.ask('SELECT 1', { tls: 'startTls', ca: first.certPem }))).not.toBe(
      'let in',
    );
    expect(await client.value('SELECT 7')).toBe('7');
  });

  test('requires TLS from then on; who is in without stays', async () => {
    await rewrite((settings) => {
      for (const proxy of settings.proxies) proxy['requireTls'] = true;
    });
    await hangUp('reloaded');
    expect(await refusal(scene.client())).toBe(
      'FATAL 28000 This RDS Proxy requires TLS connections.',
    );
    expect(await scene.ask('SELECT 1', { tls: 'startTls' })).toBe('1');
    expect(await client.value('SELECT 8')).toBe('8');
  });

  test('never writes a password to the log (GX-11)', () => {
    const log = JSON.stringify(scene.sluice.logs());
    expect(log).not.toContain(passwordOf('app'));
    expect(log).not.toContain(passwordOf('reader'));
  });
});
