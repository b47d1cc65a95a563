import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { parse, stringify } from 'yaml';
import { listening } from '../../support/links.ts';
import { bytesOf, frontend } from '../../support/messages.ts';
import { extension, ipv6Addresses, TCP6, version1, version2 } from '../../support/proxy-header.ts';
import { RawClient } from '../../support/raw-client.ts';
import type { LogLine } from '../../support/sluice.ts';
import { passwordOf, withPostgres } from '../../support/sluice.ts';
import { transcript } from '../../support/transcript.ts';
import { eventually } from '../clients/stage.ts';
import { refusal, Scene } from '../faults/scene.ts';

const CLIENT = '192.0.2.1:50000';
const headers = {
  'version 1': version1('TCP4 192.0.2.1 192.0.2.2 50000 5432'),
  'version 2': version2({ extensions: [extension(0x04, new Uint8Array(300))], checksum: 'right' }),
} as const;
const versions = ['version 1', 'version 2'] as const;
const ways = ['none', 'startTls', 'direct'] as const;

/** Everybody here is a load balancer, and each coming and going is in the log. */
const everybody = { proxyProtocolNetworks: ['127.0.0.0/8'], debugLogging: true };
const nobody = { proxyProtocolNetworks: ['198.51.100.0/24'], debugLogging: true };

async function open(proxy: object): Promise<Scene> {
  return await Scene.open(await withPostgres(), { connections: 3, proxy });
}

/** The line about the connection that came from this port. */
function connectedFrom(scene: Scene, port: number): Promise<LogLine> {
  const via = `127.0.0.1:${port}`;
  return scene.sluice.waitForLog(
    (line) => line.event === 'clientConnected' && (line['via'] ?? line['peer']) === via,
  );
}

/** Says this as the first, and is closed without an answer; the line that the log has about it. */
async function turnedAway(scene: Scene, ...parts: readonly Uint8Array[]): Promise<LogLine> {
  const stranger = await scene.stranger();
  const peer = `127.0.0.1:${stranger.socket.localPort}`;
  stranger.send(...parts);
  expect(await stranger.readEnd()).toEqual([]);
  stranger.destroy();
  return await scene.sluice.waitForLog(
    (line) => line.event === 'introductionRefused' && line['peer'] === peer,
  );
}

test('the database is shown the client’s address, behind its name, if asked', async () => {
  const proxy = { proxyProtocol: 'optional', applicationNameAddHost: true, ...everybody };
  const scene = await open(proxy);
  const own = "SELECT current_setting('application_name')";
  const shown = 'SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()';
  const behind = await scene.client({ header: headers['version 2'] });
  const direct = await scene.client({ parameters: { application_name: 'shop' } });
  const address = `127.0.0.1:${direct.socket.localPort}`;
  for (const sql of [own, shown, shown]) {
    expect(await behind.value(sql)).toBe(`app - ${CLIENT}`);
    expect(await direct.value(sql)).toBe(`shop - ${address}`);
  }
  await behind.query("SET application_name TO 'another'");
  expect(await behind.value(shown)).toBe('another');
  await behind.query('RESET application_name');
  expect(await behind.value(shown)).toBe(`app - ${CLIENT}`);
  await Promise.all([behind.end(), direct.end()]);
  await scene.expectClean();
  await scene.close();
});

describe('proxyProtocol: required', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await open({ proxyProtocol: 'required', clientLoginTimeout: 2, ...everybody });
  });
  afterAll(async () => {
    await scene.expectClean();
    await scene.close();
  });

  for (const version of versions) {
    const header = headers[version];

    test.each(ways)(`${version}, TLS %s: the log has the client's address`, async (tls) => {
      const client = await scene.client({ header, tls });
      expect(await client.value('SELECT 7')).toBe('7');
      expect(client.socket.tlsVersion).toBe(tls === 'none' ? undefined : 'TLSv1.3');
      expect(await connectedFrom(scene, client.socket.localPort)).toMatchObject({
        peer: CLIENT,
        message: `A new client connected from ${CLIENT} through 127.0.0.1:${client.socket.localPort}.`,
      });
      await client.end();
    });

    test.each(ways)(`${version}, TLS %s: glued to the client's first bytes`, async (tls) => {
      const balancer = glueing(scene.sluice.port, header);
      const client = await scene.client({ port: await listening(balancer), tls });
      expect(await client.value('SELECT 7')).toBe('7');
      await client.end();
      balancer.close();
    });

    test(`${version}: byte by byte`, async () => {
      const client = await scene.stranger();
      for (const byte of bytesOf(header, frontend.sslRequest())) client.send(Uint8Array.of(byte));
      expect(await client.socket.read(1)).toEqual(Buffer.from('S'));
      await client.startTls({ host: '127.0.0.1' });
      await client.signIn({ user: 'app', password: passwordOf('app'), database: 'app' });
      expect(await client.value('SELECT 7')).toBe('7');
      await client.end();
    });

    test.each(['none', 'startTls'] as const)(
      `${version}, TLS %s: a cancel request reaches its session`,
      async (tls) => {
        const client = await scene.client({ header, tls });
        const sleeping = client.query('SELECT pg_sleep(30)');
        await running('SELECT pg_sleep(30)');
        const canceller = await RawClient.connect({ ...scene.way({ header }), tls });
        canceller.send(frontend.cancelRequest(client.welcome.pid, client.welcome.secret));
        expect(await canceller.readEnd()).toEqual([]);
        canceller.destroy();
        expect(transcript(await sleeping)).toContain(
          'E ERROR 57014 canceling statement due to user request',
        );
        await client.end();
      },
    );
  }

  test('an IPv6 client behind an IPv4 load balancer', async () => {
    const header = version2({ family: TCP6, addresses: ipv6Addresses() });
    const client = await scene.client({ header });
    const line = await connectedFrom(scene, client.socket.localPort);
    expect(line['peer']).toBe('[2001:db8::1]:50000');
    await client.end();
  });

  test.each([
    ['UNKNOWN', version1('UNKNOWN')],
    ['LOCAL', version2({ command: 0x20, family: 0, addresses: bytesOf() })],
    ['a UNIX socket', version2({ family: 0x31, addresses: new Uint8Array(216) })],
  ])('%s: the client is who has connected', async (_, header) => {
    const client = await scene.client({ header });
    const { localPort } = client.socket;
    const line = await connectedFrom(scene, localPort);
    expect([line['peer'], line['via']]).toEqual([`127.0.0.1:${localPort}`, undefined]);
    await client.end();
  });

  test('a refused sign-in is logged with the address of the client', async () => {
    const header = version1('TCP4 192.0.2.77 192.0.2.2 50077 5432');
    expect(await refusal(scene.client({ header, password: 'wrong' }))).toContain('28P01');
    const { peer } = await scene.sluice.waitForLog(({ event }) => event === 'clientRefused');
    expect(peer).toBe('192.0.2.77:50077');
  });

  test.each([
    ['an SSLRequest', frontend.sslRequest()],
    ['a start-up message', frontend.startup({ user: 'app' })],
    ['a cancel request', frontend.cancelRequest(1, new Uint8Array(4))],
    ['a TLS hello', bytesOf(0x16, 0x03, 0x01, 0x02, 0x00)],
    ['HTTP (GX-08)', bytesOf('GET / HTTP/1.1\r\n\r\n')],
  ])('%s without a header: no answer, and a line that says what to do', async (_, first) => {
    const { level, message } = await turnedAway(scene, first);
    expect(level).toBe('warn');
    expect(message).toMatch(
      /^The connection from 127\.0\.0\.1:\d+ was closed before it began\. It sent no PROXY protocol header, which this proxy requires: switch it on at the load balancer, or set proxyProtocol to optional\.$/,
    );
  });

  test.each([
    ['a line with LF alone', bytesOf('PROXY UNKNOWN\n'), 'its line ends with LF instead of CRLF'],
    ['a line that is too long', bytesOf('PROXY ', 'x'.repeat(101)), 'not end within 107 bytes'],
    ['an address that is none', version1('TCP4 evil 192.0.2.2 1 2'), 'not one of TCP4'],
    ['a header beyond the limit', version2({ addresses: new Uint8Array(16_369) }), '16385 bytes'],
    ['a wrong checksum', version2({ checksum: 'wrong' }), 'its checksum is wrong'],
  ])('%s: closed at once', async (_, header, why) => {
    const { message } = await turnedAway(scene, header, frontend.sslRequest());
    expect(message).toContain(why);
    expect(message).not.toContain('evil');
  });

  test.each([
    ['nothing', bytesOf()],
    ['half a header', headers['version 2'].subarray(0, 20)],
  ])('%s within clientLoginTimeout: no answer', async (_, part) => {
    const { level, message } = await turnedAway(scene, part);
    expect(level).toBe('warn');
    expect(message).toContain('came within clientLoginTimeout');
  });

  test('a header, then nothing: the usual answer', async () => {
    const slow = await RawClient.connect(scene.way({ header: headers['version 1'] }));
    expect(transcript(await slow.readEnd())).toEqual([
      'E FATAL 08006 The client did not finish its login in time.',
    ]);
    slow.destroy();
  });

  test('a health check that only connects, or sends a header and leaves, leaves no line but at debug', async () => {
    const before = scene.sluice.logs('introductionRefused').length;
    for (const header of [undefined, version2({ command: 0x20 }), version1('UNKNOWN')]) {
      const way = scene.way(header === undefined ? {} : { header });
      const probe = await RawClient.connect(way);
      const { localPort } = probe.socket;
      probe.socket.end();
      const { client } = await connectedFrom(scene, localPort);
      const closed = await scene.sluice.waitForLog(
        (line) => line.event === 'clientClosed' && line['client'] === client,
      );
      expect(closed).toMatchObject({
        level: 'debug',
        detail: 'The client left before it signed in.',
      });
      probe.destroy();
    }
    expect(scene.sluice.logs('introductionRefused').length).toBe(before);
  });
});

describe('proxyProtocol: optional', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await open({ proxyProtocol: 'optional', ...everybody });
  });
  afterAll(async () => {
    await scene.expectClean();
    await scene.close();
  });

  test.each(ways)('with and without a header, TLS %s', async (tls) => {
    for (const header of [undefined, headers['version 1'], headers['version 2']]) {
      const client = await scene.client({ tls, ...(header === undefined ? {} : { header }) });
      expect(await client.value('SELECT 7')).toBe('7');
      const { localPort } = client.socket;
      const line = await connectedFrom(scene, localPort);
      expect(line['peer']).toBe(header === undefined ? `127.0.0.1:${localPort}` : CLIENT);
      await client.end();
    }
  });

  test('a wrong header is refused, not taken for a client', async () => {
    const { message } = await turnedAway(scene, version1('TCP4'));
    expect(message).toContain('Its PROXY protocol header is wrong');
  });
});

describe('from an address that is not in proxyProtocolNetworks', () => {
  test('optional: a client is served, a header is refused', async () => {
    const scene = await open({ proxyProtocol: 'optional', ...nobody });
    expect(await scene.ask('SELECT 7', { tls: 'startTls' })).toBe('7');
    for (const version of versions) {
      const { message } = await turnedAway(scene, headers[version], frontend.sslRequest());
      expect(message).toContain(
        'It sent a PROXY protocol header, but its address is in none of proxyProtocolNetworks',
      );
    }
    await scene.expectClean();
    await scene.close();
  });

  test('required: nobody is served', async () => {
    const scene = await open({ proxyProtocol: 'required', ...nobody });
    for (const header of [headers['version 1'], frontend.sslRequest()]) {
      // So soon that it may not even have seen that it was connected.
      expect(await refusal(scene.client({ header }))).toMatch(/closed|Failed to connect/);
    }
    await scene.expectClean();
    const lines = scene.sluice.logs('introductionRefused');
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
    for (const { message } of lines)
      expect(message).toContain('Its address is in none of proxyProtocolNetworks');
    await scene.close();
  });
});

test('a reload switches it on for those who come, and lets those who are in stay in', async () => {
  const scene = await open({ debugLogging: true });
  const early = await scene.client();
  // The numbers are those of the guide to troubles.
  for (const [version, length] of [
    ['version 1', 1347571544],
    ['version 2', 218762506],
  ] as const) {
    expect(await refusal(scene.client({ header: headers[version] }))).not.toBe('let in');
    const why = `a start-up packet says that its length is ${length}`;
    await scene.sluice.waitForLog((line) => line.event === 'fault' && line['detail'] === why);
  }
  const settings: { proxies: object[] } = parse(await Bun.file(scene.sluice.settingsPath).text());
  for (const proxy of settings.proxies)
    Object.assign(proxy, { proxyProtocol: 'required', ...everybody });
  await writeFile(scene.sluice.settingsPath, stringify(settings));
  scene.sluice.signal('SIGHUP');
  await scene.sluice.waitForLog(({ event }) => event === 'reloaded');
  expect(await scene.ask('SELECT 7', { header: headers['version 2'] })).toBe('7');
  await turnedAway(scene, frontend.sslRequest());
  expect(await early.value('SELECT 8')).toBe('8');
  await early.end();
  await scene.expectClean();
  await scene.close();
});

describe('several workers', () => {
  /** Several processes share it, so the system cannot choose it. */
  const port = 10_000 + (process.pid % 10_000);
  let scene: Scene;
  beforeAll(async () => {
    const proxy = { listen: `127.0.0.1:${port}`, proxyProtocol: 'required', ...everybody };
    scene = await Scene.open(await withPostgres(), {
      connections: 12,
      proxy,
      rest: { workers: 3 },
    });
  });
  afterAll(async () => {
    await scene.sluice.stop();
  });

  test('all of them read the header, and pass cancel requests on (PG-45)', async () => {
    const header = headers['version 2'];
    const workers = new Set<unknown>();
    for (let round = 0; round < 12; round += 1) {
      const client = await scene.client({ header });
      const line = await connectedFrom(scene, client.socket.localPort);
      expect(line['peer']).toBe(CLIENT);
      workers.add(line['worker']);
      const sleeping = client.query('SELECT pg_sleep(31)');
      await running('SELECT pg_sleep(31)');
      const canceller = await RawClient.connect(scene.way({ header }));
      canceller.send(frontend.cancelRequest(client.welcome.pid, client.welcome.secret));
      await canceller.readEnd();
      canceller.destroy();
      expect(transcript(await sleeping)).toContain(
        'E ERROR 57014 canceling statement due to user request',
      );
      await client.end();
    }
    expect(workers.size).toBeGreaterThan(1);
  });
});

/** Passes connections on; the header and what the client says first are one write. */
function glueing(port: number, header: Uint8Array): Server {
  return createServer((client) => {
    client.once('data', (first: Buffer) => {
      const onward = connect(port, '127.0.0.1');
      onward.write(Buffer.concat([header, first]));
      client.pipe(onward).pipe(client);
    });
  });
}

/** Resolves when a connection of the pool runs this statement. */
async function running(sql: string): Promise<void> {
  const server = await withPostgres();
  await eventually(
    async () => {
      const rows = await server.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query = '${sql}'`,
      );
      return rows[0]?.['n'];
    },
    (n) => n === 1,
  );
}
