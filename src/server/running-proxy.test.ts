import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  LogBook,
  SettingsFolder,
  startObligingDatabase,
  surroundings,
} from '../../test/support/in-process.ts';
import type { ObligingDatabase } from '../../test/support/in-process.ts';
import { RawClient } from '../../test/support/raw-client.ts';
import { passwordOf } from '../../test/support/sluice.ts';
import type { SettingsParts } from '../../test/support/sluice.ts';
import { postgresEngine } from '../engine/postgres/engine.ts';
import { generateCertificate } from '../net/certificate.ts';
import { DeclaredSecrets } from '../secrets/declared.ts';
import { startProxy } from './running-proxy.ts';
import { declaredKeys } from './plans.ts';
import type { ProxyPlan } from './plans.ts';
import type { RunningProxy } from './running-proxy.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const folder = new SettingsFolder();
let database: ObligingDatabase;
let elsewhere: ObligingDatabase;
beforeEach(() => {
  database = startObligingDatabase();
  elsewhere = startObligingDatabase();
});
const running: RunningProxy[] = [];
const clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(running.splice(0).map((proxy) => proxy.drain(0)));
  for (const one of [database, elsewhere]) one.stop();
});
afterAll(() => folder.remove());

function plan(parts: SettingsParts = {}, at = database): ProxyPlan {
  const settings = folder.settings(at, parts);
  return {
    settings,
    proxy: settings.proxies[0]!,
    database: settings.databases[0]!,
    readers: settings.databases.filter(({ role }) => role === 'reader'),
    secrets: new DeclaredSecrets(settings.secrets),
    keys: declaredKeys(settings),
  };
}

/** A proxy that has looked at its target. */
async function start(first: ProxyPlan): Promise<{ proxy: RunningProxy; book: LogBook }> {
  const book = new LogBook();
  const proxy = await startProxy(postgresEngine, first, surroundings(book.log));
  running.push(proxy);
  await book.waitFor('targetHealth', ({ state }) => state === 'AVAILABLE');
  return { proxy, book };
}

async function signIn(
  port: number,
  options: { readonly tls?: 'startTls'; readonly password?: string } = {},
): Promise<RawClient> {
  const { password = passwordOf('app'), ...rest } = options;
  const client = await RawClient.signIn({
    host: '127.0.0.1',
    port,
    user: 'app',
    password,
    ...rest,
  });
  clients.push(client);
  return client;
}

/** How the database's connections stand, in the order in which they came: `+` open, `-` closed, `t` with TLS. */
function connections(): string {
  return database.visitors.map(({ open, tls }) => `${open ? '+' : '-'}${tls ? 't' : ''}`).join(' ');
}

describe('a running proxy', () => {
  test('tells what it does and how its target is', async () => {
    const { proxy, book } = await start(plan());
    expect(proxy.readiness).toEqual([{ proxy: 'app', target: 'db', state: 'AVAILABLE' }]);
    const client = await signIn(proxy.listening.port);
    expect(await client.value('SELECT 1')).toBe('20');
    const source = proxy.sources[0]!;
    expect([source.proxy, source.target, source.targetUp]).toEqual(['app', 'db', true]);
    expect(source.gauges()).toMatchObject({
      clientConnections: 1,
      databaseConnections: 1,
      maxDatabaseConnectionsAllowed: 19, // one of the twenty is for watching
    });
    expect(book.messages('listening')).toEqual([
      `Proxy app listens on 127.0.0.1, port ${proxy.listening.port}.`,
    ]);
  });

  test('does not start where it cannot listen or lacks a file', async () => {
    const { proxy } = await start(plan());
    const taken = plan({ proxy: { listen: `127.0.0.1:${proxy.listening.port}` } });
    const { log } = new LogBook();
    const again = startProxy(postgresEngine, taken, surroundings(log));
    expect(await outcomeOf(again)).toThrow('the address is in use already (EADDRINUSE)');
    const tls = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
    const { proxy: settings, ...rest } = plan();
    const without = startProxy(
      postgresEngine,
      { ...rest, proxy: { ...settings, tls } },
      surroundings(log),
    );
    expect(await outcomeOf(without)).toThrow('cannot read /nowhere/key.pem');
  });

  test('says why its target is not there, and notices that it has come', async () => {
    const absent = { host: '127.0.0.1', port: 1 };
    const book = new LogBook();
    const settings = folder.settings(absent);
    const secrets = new DeclaredSecrets(settings.secrets);
    const parts = {
      settings,
      secrets,
      keys: declaredKeys(settings),
      proxy: settings.proxies[0]!,
      database: settings.databases[0]!,
      readers: [],
    };
    const proxy = await startProxy(postgresEngine, parts, surroundings(book.log));
    running.push(proxy);
    expect(proxy.readiness[0]?.state).toBe('REGISTERING');
    await book.waitFor('targetHealth');
    expect(proxy.readiness).toEqual([
      {
        proxy: 'app',
        target: 'db',
        state: 'UNAVAILABLE',
        reason: 'UNREACHABLE',
        description: 'no connection to 127.0.0.1:1: nothing listens there (ECONNREFUSED)',
      },
    ]);
    await proxy.apply(plan());
    await book.waitFor('targetHealth', ({ state }) => state === 'AVAILABLE');
  });

  test('drain ends it: nobody gets in, nothing stays open', async () => {
    const { proxy } = await start(plan());
    const client = await signIn(proxy.listening.port);
    await client.query('SELECT 1');
    await proxy.drain(5_000);
    const [last] = await client.readEnd();
    expect(last?.type).toBe('E');
    expect(await outcomeOf(signIn(proxy.listening.port))).toThrow();
    expect(proxy.sources[0]!.gauges()).toMatchObject({
      clientConnections: 0,
      databaseConnections: 0,
    });
  });
});

describe('new settings', () => {
  test('PG-109: that change nothing about the database recycle nothing', async () => {
    const { proxy, book } = await start(plan());
    const { port } = proxy.listening;
    const client = await signIn(port);
    await client.query('SELECT 1');
    expect(connections()).toBe('+t +t'); // the watcher's and a session's
    const changes: readonly SettingsParts[] = [
      {},
      { proxy: { idleClientTimeout: 60, requireTls: false, debugLogging: true } },
      { drainTimeout: 1 },
      { secrets: rotated('reader') },
    ];
    for (const change of changes) {
      await proxy.apply(plan(change));
      await client.query('SELECT 1');
      await (await signIn(port)).query('SELECT 1');
    }
    expect(proxy.listening.port).toBe(port);
    expect(connections()).toBe('+t +t');
    expect(book.messages('listening').length).toBe(1);
    expect(book.messages('serverDiscarded')).toEqual([]);
  });

  test('PG-109: a changed password lets clients in with it at once, and closes nothing before it is tried', async () => {
    const { proxy } = await start(plan());
    const { port } = proxy.listening;
    const client = await signIn(port);
    await client.query('SELECT 1');
    await proxy.apply(plan({ secrets: rotated('app') }));
    await client.query('SELECT 1');
    expect(await outcomeOf(signIn(port))).toThrow('28P01');
    await (await signIn(port, { password: 'rotated' })).query('SELECT 1');
    await database.visited(3);
    expect(connections()).toMatch(/^[+-]t \+t [+-]t/);
  });

  test('PG-109: a changed number of connections closes none', async () => {
    const { proxy } = await start(plan());
    const client = await signIn(proxy.listening.port);
    await client.query('SELECT 1');
    const measured = database.visited(3);
    await proxy.apply(plan({ database: { maxConnections: 11 } }));
    await measured; // the watcher looks again, on a connection of its own
    await client.query('SELECT 1');
    expect(database.visitors[1]).toMatchObject({ open: true });
    expect(proxy.sources[0]!.gauges().databaseConnections).toBe(1);
  });

  test('a changed mode of TLS retires what is idle, and what is borrowed at its boundary', async () => {
    const { proxy, book } = await start(plan({ database: { tls: 'disable' } }));
    const { port } = proxy.listening;
    const [busy, idle] = [await signIn(port), await signIn(port)];
    await busy.query('BEGIN');
    await idle.query('SELECT 1');
    expect(connections()).toBe('+ + +');
    const watching = database.visited(5);
    await proxy.apply(plan({ database: { tls: 'require' } }));
    await book.waitFor('serverDiscarded', ({ reason }) => reason === 'retired');
    await idle.query('SELECT 1');
    await watching;
    await busy.query('SELECT 1'); // where it began
    expect(connections()).toMatch(/^- \+ - \+t \+t$/);
    await busy.query('COMMIT');
    await busy.query('SELECT 1');
    expect(connections()).toMatch(/^- - - \+t \+t$/);
  });

  test('another target: its clients stay and are served there', async () => {
    const { proxy } = await start(plan());
    const client = await signIn(proxy.listening.port);
    await client.query('SELECT 1');
    await proxy.apply(plan({}, elsewhere));
    expect(await client.value('SELECT 1')).toBe('20');
    expect(elsewhere.visitors.length).toBeGreaterThan(0);
  });

  test('another address: new clients go there, those who are in stay in', async () => {
    const { proxy, book } = await start(plan());
    const before = proxy.listening.port;
    const client = await signIn(before);
    await proxy.apply(plan({ proxy: { listen: 'localhost:0' } }));
    const { port } = proxy.listening;
    expect(port).not.toBe(before);
    expect(book.messages('listening').length).toBe(2);
    expect(await client.value('SELECT 1')).toBe('20');
    expect(await outcomeOf(signIn(before))).toThrow();
    const other = await RawClient.signIn({
      host: 'localhost',
      port,
      user: 'app',
      password: passwordOf('app'),
    });
    clients.push(other);
    expect(await other.value('SELECT 1')).toBe('20');
  });

  test('that cannot be used leave everything as it was', async () => {
    const { proxy } = await start(plan());
    const other = await start(plan());
    const { port } = proxy.listening;
    const first = proxy.plan;
    const client = await signIn(port);
    await client.query('SELECT 1');
    const taken = plan({ proxy: { listen: `127.0.0.1:${other.proxy.listening.port}` } });
    expect(await outcomeOf(proxy.apply(taken))).toThrow('the address is in use already');
    const { proxy: settings, ...rest } = plan({ database: { tls: 'disable' } });
    const tls = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
    const lacking = { ...rest, proxy: { ...settings, tls } };
    expect(await outcomeOf(proxy.apply(lacking))).toThrow('cannot read /nowhere/key.pem');
    expect(proxy.plan).toBe(first);
    expect(proxy.listening.port).toBe(port);
    await client.query('SELECT 1');
    await (await signIn(port)).query('SELECT 1');
    expect(connections()).toBe('+t +t +t'); // two watch
  });

  /** The usual secrets, one with a new password. */
  function rotated(user: string): readonly object[] {
    return ['app', 'reader', 'old'].map((username) => ({
      name: username,
      value: { username, password: username === user ? 'rotated' : passwordOf(username) },
    }));
  }
});

describe('endpoints', () => {
  const reading = { name: 'reading', targetRole: 'READ_ONLY', listen: '127.0.0.1:0' };

  /** The proxy with these endpoints beside its own; its readers are these. */
  function withEndpoints(endpoints: readonly object[], readers = [elsewhere]): ProxyPlan {
    const databases = [database, ...readers].map(({ host, port }, index) => ({
      identifier: `db-${index}`,
      engine: 'postgres',
      memberOf: 'cluster',
      host,
      port,
      role: index === 0 ? 'writer' : 'reader',
    }));
    return plan({ databases, proxy: { target: 'cluster', endpoints } });
  }

  const portsIn = (book: LogBook): readonly number[] =>
    book.lines.filter(({ event }) => event === 'listening').map((line) => Number(line['port']));
  const served = (by: ObligingDatabase): number =>
    by.visitors.filter(({ user, open }) => user === 'app' && open).length;

  test('lead to the readers, and come and go with the settings', async () => {
    const { proxy, book } = await start(withEndpoints([reading]));
    const [, port = 0] = portsIn(book);
    await book.waitFor(
      'targetHealth',
      ({ target, state }) => `${target} ${state}` === 'db-1 AVAILABLE',
    );
    expect(proxy.readiness).toEqual([
      { proxy: 'app', target: 'db-0', state: 'AVAILABLE' },
      { proxy: 'app', target: 'db-1', role: 'READ_ONLY', state: 'AVAILABLE' },
    ]);
    const client = await signIn(port);
    await client.query('SELECT 1');
    expect([served(database), served(elsewhere)]).toEqual([1, 2]);
    expect(proxy.sources.map(({ endpoint, target }) => [endpoint, target])).toEqual([
      ['default', 'db-0'],
      ['reading', undefined],
      [undefined, 'db-1'],
    ]);
    const other = { name: 'writing', listen: '127.0.0.1:0' };
    await proxy.apply(withEndpoints([reading, other]));
    const writing = await signIn(portsIn(book)[2] ?? 0);
    await writing.query('SELECT 1');
    expect([served(database), served(elsewhere)]).toEqual([2, 2]);
    expect(portsIn(book)).toHaveLength(3);
    await proxy.apply(withEndpoints([other]));
    await client.readEnd();
    expect(await outcomeOf(signIn(port))).toThrow();
    await writing.query('SELECT 1');
    expect(proxy.readiness).toHaveLength(1);
    expect(proxy.sources).toHaveLength(2);
  });

  test('of which one cannot listen leave everything as it was', async () => {
    const { proxy, book } = await start(withEndpoints([reading]));
    const [own = 0, port = 0] = portsIn(book);
    const client = await signIn(port);
    const taken = [
      { ...reading, name: 'first' },
      { ...reading, name: 'second', listen: `127.0.0.1:${own}` },
    ];
    expect(await outcomeOf(proxy.apply(withEndpoints(taken)))).toThrow(
      'the address is in use already',
    );
    expect(proxy.plan.proxy.endpoints.map(({ name }) => name)).toEqual(['reading']);
    expect(proxy.sources).toHaveLength(3);
    await client.query('SELECT 1');
    const again = await signIn(portsIn(book).at(-1) ?? 0);
    await again.query('SELECT 1');
    const first = startProxy(postgresEngine, withEndpoints(taken), surroundings(book.log));
    expect(await outcomeOf(first)).toThrow('the address is in use already');
  });

  test('whose readers change drop no client', async () => {
    const third = startObligingDatabase();
    const { proxy, book } = await start(withEndpoints([reading]));
    const [, port = 0] = portsIn(book);
    const [idle, busy] = [await signIn(port), await signIn(port)];
    await busy.query('BEGIN');
    await proxy.apply(withEndpoints([reading], [third]));
    await idle.query('SELECT 1');
    await busy.query('SELECT 1');
    expect(served(elsewhere)).toBe(1);
    await busy.query('COMMIT');
    await elsewhere.visited(1);
    expect(served(third)).toBeGreaterThan(0);
    await proxy.drain(0);
    third.stop();
  });
});

describe('files that are replaced', () => {
  const first = generateCertificate(['one', '127.0.0.1']);
  const second = generateCertificate(['two', '127.0.0.1']);

  function writeCertificate({ certPem, keyPem }: typeof first): void {
    folder.write('proxy.pem', certPem);
    folder.write('proxy.key', keyPem);
  }

  const withFiles = (): ProxyPlan => {
    writeCertificate(first);
    return plan({ proxy: { tls: { certFile: 'proxy.pem', keyFile: 'proxy.key' } } });
  };

  /** Whom the proxy says that it is. */
  async function shownAt(port: number): Promise<string> {
    const client = await signIn(port, { tls: 'startTls' });
    return String(client.socket.peerCertificate.subject.CN);
  }

  test('a renewed certificate is shown to new clients, without a restart', async () => {
    const { proxy } = await start(withFiles());
    const { port } = proxy.listening;
    const early = await signIn(port, { tls: 'startTls' });
    expect(await shownAt(port)).toBe('one');
    writeCertificate(second);
    expect(await shownAt(port)).toBe('one');
    await proxy.renew();
    expect(await shownAt(port)).toBe('two');
    expect(await early.value('SELECT 1')).toBe('20');
  });

  test('a certificate without its key yet is refused, and the old one stays', async () => {
    const { proxy } = await start(withFiles());
    folder.write('proxy.pem', second.certPem);
    expect(await outcomeOf(proxy.renew())).toThrow("the key is not the certificate's");
    expect(await shownAt(proxy.listening.port)).toBe('one');
    folder.write('proxy.key', second.keyPem);
    await proxy.renew();
    expect(await shownAt(proxy.listening.port)).toBe('two');
  });

  test('settings that come while files are read win over them', async () => {
    const { proxy } = await start(withFiles());
    const applied = proxy.apply(plan());
    await Promise.all([proxy.renew(), applied]);
    expect(await shownAt(proxy.listening.port)).toBe('127.0.0.1'); // the generated one
  });

  test('a secret is read again, too', async () => {
    folder.write('app.json', JSON.stringify({ username: 'app', password: 'old' }));
    const secrets = [{ name: 'app', file: 'app.json' }];
    const auth = [{ secret: 'app', iamAuth: 'DISABLED' }];
    const { proxy } = await start(plan({ secrets, proxy: { auth } }));
    const { port } = proxy.listening;
    await signIn(port, { password: 'old' });
    folder.write('app.json', JSON.stringify({ username: 'app', password: 'new' }));
    await proxy.renew();
    await signIn(port, { password: 'new' });
    expect(await outcomeOf(signIn(port, { password: 'old' }))).toThrow('28P01');
  });
});
