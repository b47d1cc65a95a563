import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  LogBook,
  SettingsFolder,
  startObligingDatabase,
  surroundings,
} from '../../test/support/in-process.ts';
import type { ObligingDatabase } from '../../test/support/in-process.ts';
import { frontend } from '../../test/support/messages.ts';
import { RawClient } from '../../test/support/raw-client.ts';
import { passwordOf } from '../../test/support/sluice.ts';
import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { generateCertificate } from '../net/certificate.ts';
import { Server } from './server.ts';
import type { ProxySettings, Settings } from './settings/settings.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const MINUTE_MS = 60_000;

const folder = new SettingsFolder();
let database: ObligingDatabase;
let book: LogBook;
let server: Server;
/** What the server wants done once a minute. */
let everyMinute: () => void;
let stillTicking: boolean;

beforeEach(() => {
  database = startObligingDatabase();
  book = new LogBook();
  const clock: Clock = {
    ...systemClock,
    every(periodMs, work) {
      if (periodMs !== MINUTE_MS) return systemClock.every(periodMs, work);
      everyMinute = work;
      stillTicking = true;
      return () => {
        stillTicking = false;
      };
    },
  };
  server = new Server(surroundings(book.log, clock));
});
afterEach(async () => {
  await server.drain(0);
  database.stop();
});
afterAll(() => folder.remove());

/** Settings with proxies of these names; `rest` is for all of them. */
function settings(names: readonly string[], rest: Partial<ProxySettings> = {}): Settings {
  const usual = folder.settings(database);
  const [proxy] = usual.proxies;
  return {
    ...usual,
    proxies: names.map((name) => ({ ...proxy!, ...rest, name, id: `prx-${name}` })),
  };
}

function portOf(name: string): number {
  const found = server.proxies.find(({ plan }) => plan.proxy.name === name);
  return found?.listening.port ?? 0;
}

async function visit(port: number, tls: 'none' | 'startTls' = 'none'): Promise<RawClient> {
  return await RawClient.signIn({
    host: '127.0.0.1',
    port,
    tls,
    user: 'app',
    password: passwordOf('app'),
  });
}

async function available(...names: readonly string[]): Promise<void> {
  for (const name of names)
    await book.waitFor(
      'targetHealth',
      ({ proxy, state }) => proxy === name && state === 'AVAILABLE',
    );
}

describe('a server', () => {
  test('runs what the settings say, and tells how it is', async () => {
    expect(await server.apply(settings(['one', 'two']))).toEqual([]);
    expect(server.readiness().ready).toBe(false);
    await available('one', 'two');
    expect(server.readiness()).toEqual({
      ready: true,
      targets: ['one', 'two'].map((proxy) => ({ proxy, target: 'db', state: 'AVAILABLE' })),
    });
    expect(server.sources().map(({ proxy }) => proxy)).toEqual(['one', 'two']);
    for (const name of ['one', 'two']) {
      const client = await visit(portOf(name));
      expect(await client.value('SELECT 1')).toBe('20');
      client.destroy();
    }
  });

  test('new settings start and end proxies, and leave those that stay alone', async () => {
    await server.apply(settings(['one', 'two']));
    const [before, ended] = [portOf('one'), portOf('two')];
    const staying = await visit(before);
    const leaving = await visit(ended);
    expect(await server.apply(settings(['three', 'one']))).toEqual([]);
    expect(server.proxies.map(({ plan }) => plan.proxy.name)).toEqual(['one', 'three']);
    expect(portOf('one')).toBe(before);
    expect(await staying.value('SELECT 1')).toBe('20');
    expect((await leaving.readEnd()).at(0)?.type).toBe('E');
    expect(await outcomeOf(visit(ended))).toThrow();
    (await visit(portOf('three'))).destroy();
    staying.destroy();
  });

  test('a proxy under a new name takes over the address', async () => {
    await server.apply(settings(['one']));
    const port = portOf('one');
    const renamed = settings(['renamed'], { listen: { host: '127.0.0.1', port } });
    expect(await server.apply(renamed)).toEqual([]);
    const client = await visit(port);
    expect(await client.value('SELECT 1')).toBe('20');
    client.destroy();
  });

  test('what cannot be done is told in sentences, and the rest is done', async () => {
    await server.apply(settings(['one']));
    const taken = { host: '127.0.0.1', port: portOf('one') };
    const { proxies, ...rest } = settings(['one', 'two', 'three', 'four']);
    const broken: Settings = {
      ...rest,
      proxies: [
        { ...proxies[1]!, listen: taken },
        { ...proxies[2]!, listen: taken },
        proxies[0]!,
        proxies[3]!,
      ],
    };
    expect(await server.apply(broken)).toEqual([
      `proxy two: cannot listen on 127.0.0.1:${taken.port}: the address is in use already (EADDRINUSE)`,
      `proxy three: cannot listen on 127.0.0.1:${taken.port}: the address is in use already (EADDRINUSE)`,
    ]);
    expect(server.proxies.map(({ plan }) => plan.proxy.name)).toEqual(['one', 'four']);
    (await visit(portOf('four'))).destroy();
    expect(await server.apply(settings(['one', 'two']))).toEqual([]); // as soon as it can be done
    (await visit(portOf('two'))).destroy();
  });

  test('what the API has made and that cannot run keeps nothing else from running, and is told of', async () => {
    const { proxies, databases, ...rest } = settings(['one', 'two', 'three']);
    const listen = { host: '127.0.0.1', port: 0 };
    const [one, two, three] = proxies;
    const database = {
      ...databases[0]!,
      identifier: 'odd',
      tlsMode: 'require',
      tlsCa: 'no PEM',
    } as const;
    const made = { revision: 7, listen, target: 'odd' };
    const broken: Settings = {
      ...rest,
      databases: [...databases, database],
      proxies: [{ ...two!, ...made }, one!, { ...three!, revision: 1 }],
    };
    expect(await server.apply(broken)).toEqual([]);
    expect(server.troubles).toEqual([expect.stringContaining('proxy two: cannot use')]);
    expect(server.facts().map(({ id, stage, revision }) => [id, stage, revision])).toEqual([
      ['prx-one', 'running', undefined],
      ['prx-three', 'running', 1],
      ['prx-two', 'failed', undefined],
    ]);
    expect(server.readiness().targets.at(-1)).toMatchObject({ proxy: 'two', state: 'UNAVAILABLE' });
    const mended = { ...broken, proxies: [{ ...two!, ...made, target: 'db' }, one!] };
    expect(await server.apply(mended)).toEqual([]);
    expect(server.troubles).toEqual([]);
    const facts = server.facts().find(({ id }) => id === 'prx-two');
    expect([facts?.stage, facts?.revision]).toEqual(['running', 7]);
    // A change that cannot be made leaves what runs, and is told of.
    await server.apply({ ...broken, proxies: [{ ...two!, ...made, revision: 8 }, one!] });
    const kept = server.facts().find(({ id }) => id === 'prx-two');
    expect([kept?.stage, kept?.revision, typeof kept?.trouble]).toEqual(['running', 7, 'string']);
  });

  test('a proxy that lets its clients end is told of until they have', async () => {
    await server.apply({ ...settings(['one']), drainTimeoutMs: 60_000 });
    const client = await visit(portOf('one'));
    client.send(frontend.query('BEGIN'));
    await client.readUntilReady();
    await server.apply({ ...settings([]), drainTimeoutMs: 60_000 });
    expect(server.facts().map(({ stage }) => stage)).toEqual(['ending']);
    client.destroy();
    while (server.facts().length > 0) await Bun.sleep(5);
  });

  test('reads certificates again every minute, and tells where it cannot', async () => {
    const tls = { certFile: `${folder.path}/proxy.pem`, keyFile: `${folder.path}/proxy.key` };
    const install = (name: string): void => {
      const { certPem, keyPem } = generateCertificate([name, '127.0.0.1']);
      folder.write('proxy.pem', certPem);
      folder.write('proxy.key', keyPem);
    };
    const shown = async (name: string): Promise<string> => {
      const client = await visit(portOf(name), 'startTls');
      const { subject } = client.socket.peerCertificate;
      client.destroy();
      return String(subject.CN);
    };
    install('first');
    await server.apply(settings(['one', 'two'], { tls }));
    expect(await shown('one')).toBe('first');
    folder.write('proxy.pem', 'half a certi');
    everyMinute();
    await book.waitFor('certificateTrouble', ({ proxy }) => proxy === 'two');
    expect(book.messages('certificateTrouble')[0]).toStartWith(
      `The certificate of proxy one could not be read again; the old one stays: cannot use ${tls.certFile} with ${tls.keyFile}: the certificate is not PEM`,
    );
    expect(await shown('one')).toBe('first');
    install('second');
    everyMinute();
    for (const name of ['one', 'two']) {
      // The files are read off to the side: some client will be the first to see the new one.
      let cn = await shown(name);
      for (let tries = 0; cn === 'first' && tries < 100; tries += 1) cn = await shown(name);
      expect(cn).toBe('second');
    }
  });

  test('drain ends all proxies, and the minutes', async () => {
    await server.apply(settings(['one', 'two']));
    const client = await visit(portOf('one'));
    await server.drain(5_000);
    expect((await client.readEnd()).at(0)?.type).toBe('E');
    for (const name of ['one', 'two']) expect(await outcomeOf(visit(portOf(name)))).toThrow();
    expect(stillTicking).toBe(false);
  });
});
