import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretText } from '../../../src/base/secret-text.ts';
import { startEmbeddedPostgres } from '../../../src/cli/embedded-postgres.ts';
import type { EmbeddedServer } from '../../../src/cli/embedded-server.ts';
import { probe } from '../../../src/server/probe.ts';
import type { CertificateKind } from '../../support/certificates.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { SettingsFolder } from '../../support/in-process.ts';
import { join as joinUp, startInterceptor } from '../../support/interceptor.ts';
import { backend } from '../../support/messages.ts';
import { RawClient } from '../../support/raw-client.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { Scene } from '../faults/scene.ts';

const folder = new SettingsFolder();
afterAll(() => folder.remove());

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What comes of one login at this database with these settings. */
async function logIn(server: Address, database: object): Promise<string> {
  const settings = folder.settings(server, {
    database,
    secrets: [{ name: 'app', value: { username: 'app', password: passwordOf('app') } }],
    proxy: { auth: [{ secret: 'app' }] },
  });
  const [result] = await probe(settings);
  return result?.detail ?? 'nothing';
}

const bound = { tls: 'require', channelBinding: 'require' } as const;
const LET_IN = /^PostgreSQL 1\d\.\d+, TLSv1\.3, /;
const UNBOUND = 'the login at the database cannot be bound to its TLS connection';

describe.each([18, 14] as const)('a login at PostgreSQL %d', (version) => {
  test.each(['disable', 'prefer', 'require'])('with channelBinding: %s (PG-100)', async (word) => {
    const server = await withPostgres(version);
    expect(await logIn(server, { ...bound, channelBinding: word })).toMatch(LET_IN);
  });

  test('with channelBinding: require, by every connection of a proxy', async () => {
    const server = await withPostgres(version);
    const database = { ...bound, maxConnections: 4 };
    const scene = await Scene.open(server, { rest: { database } });
    expect(await scene.ask('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toBe('t');
    await scene.expectClean();
    await scene.close();
  });

  test('that somebody intercepts is found out (PG-101)', async () => {
    const to = await withPostgres(version);
    const certificate = makeCertificate('ECDSA P-256 with SHA-256');
    const between = startInterceptor({ to, certificate });
    for (const channelBinding of ['prefer', 'require'])
      expect(await logIn(between, { ...bound, channelBinding })).toBe(
        'SCRAM channel binding check failed (28000)',
      );
    expect(await logIn(between, { ...bound, channelBinding: 'disable' })).toMatch(LET_IN);
    between.stop();
  });

  test('that somebody intercepts who takes the offer away is found out (PG-101)', async () => {
    const to = await withPostgres(version);
    const certificate = makeCertificate('ECDSA P-256 with SHA-256');
    const change = (said: Uint8Array): Uint8Array =>
      Buffer.from(said).includes('SCRAM-SHA-256-PLUS') ? backend.sasl('SCRAM-SHA-256') : said;
    const between = startInterceptor({ to, certificate, change });
    expect(await logIn(between, { ...bound, channelBinding: 'prefer' })).toBe(
      'SCRAM channel binding negotiation error (28000)',
    );
    expect(await logIn(between, bound)).toBe(`${UNBOUND}: it does not offer SCRAM-SHA-256-PLUS`);
    between.stop();
  });
});

describe('a login at a PostgreSQL whose certificate is', () => {
  let server: EmbeddedServer;
  beforeAll(async () => {
    const password = new SecretText(passwordOf('app'));
    server = await startEmbeddedPostgres({ tls: true, users: [{ name: 'app', password }] });
  });
  afterAll(() => server.destroy());

  async function show(kind: CertificateKind): Promise<void> {
    const { keyPem, certPem } = makeCertificate(kind);
    await writeFile(join(server.dataDir, 'server.key'), keyPem);
    await writeFile(join(server.dataDir, 'server.crt'), certPem);
    await server.restart();
  }

  const kinds = [
    'RSA with SHA-256',
    'RSA with SHA-1',
    'RSA with SHA-512',
    'RSA-PSS with SHA-256',
    'RSA-PSS with SHA-384',
    'ECDSA P-256 with SHA-256',
    'ECDSA P-384 with SHA-384',
  ] as const;
  test.each(kinds)('%s is bound to it (PG-100)', async (kind) => {
    await show(kind);
    expect(await logIn(server, bound)).toMatch(LET_IN);
  });

  test('Ed25519 is bound to nothing, or does not take place (PG-100)', async () => {
    await show('Ed25519');
    expect(await logIn(server, { ...bound, channelBinding: 'prefer' })).toMatch(LET_IN);
    expect(await logIn(server, bound)).toBe(`${UNBOUND}: its certificate has no hash`);
  });
});

describe('a login at a proxy of our own', () => {
  test('is bound to it, and in protocol 3.2 (PG-27, PG-100)', async () => {
    const inner = await Scene.open(await withPostgres(), { connections: 3 });
    const outer = await Scene.open(
      { host: '127.0.0.1', port: inner.sluice.port },
      { rest: { database: { ...bound, maxConnections: 2, database: 'app' } } },
    );
    expect(await outer.ask('SELECT 7')).toBe('7');
    await outer.close();
    await inner.close();
  });
});

/** In front of a real server: says what `answer` gives for a version of the protocol and closes, or lets it through. */
function startOldServer(
  to: Address,
  answer: (minor: number) => readonly Uint8Array[] | undefined,
): ScriptedServer {
  return startScriptedServer(async (client) => {
    const said = answer(Buffer.from(await client.peek(8)).readInt32BE(4) - 0x30000);
    if (said === undefined) await joinUp(client, (await RawClient.connect(to)).socket);
    else client.send(...said);
  });
}

describe('a database that knows protocol 3.0 only (PG-26)', () => {
  const refused = backend.error({
    ...{ S: 'FATAL', V: 'FATAL', C: '0A000' },
    M: 'unsupported frontend protocol 3.2: server supports 1.0 to 3.0',
  });

  test.each([
    ['and says so', [refused]],
    ['and closes without a word', []],
  ])('%s is asked for it from then on', async (_, said) => {
    const real = await withPostgres(14);
    const asked: number[] = [];
    const database = startOldServer(real, (minor) => {
      asked.push(minor);
      return minor === 0 ? undefined : said;
    });
    const settings = { maxConnections: 4, tls: 'disable' } as const;
    const scene = await Scene.open(database, { rest: { database: settings } });
    const clients = [await scene.client(), await scene.client()];
    for (const client of clients) expect(await client.value('BEGIN; SELECT 8')).toBe('8');
    // The proxy's watcher has found out, and nobody had to again.
    expect(asked).toEqual([2, 0, ...asked.slice(2).map(() => 0)]);
    expect(asked.length).toBeGreaterThanOrEqual(4);
    for (const client of clients) client.destroy();
    await scene.close();
    database.stop();
  });
});
