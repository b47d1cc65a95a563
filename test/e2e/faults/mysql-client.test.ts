import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { deflateSync } from 'node:zlib';
import { concat, EMPTY, utf8 } from '../../../src/base/bytes.ts';
import { byte, int16, int24, int32 } from '../../../src/wire/mysql/build.ts';
import { capability } from '../../../src/wire/mysql/capabilities.ts';
import { command } from '../../../src/wire/mysql/commands.ts';
import { packet } from '../../../src/wire/mysql/framing.ts';
import { handshakeResponse } from '../../../src/wire/mysql/handshake-response.ts';
import type { MysqlLogin } from '../../support/mysql-client.ts';
import { MysqlClient, plainClient } from '../../support/mysql-client.ts';
import { passwordOf } from '../../support/sluice.ts';
import { packetsIn } from '../../transcripts/mysql-visit.ts';
import { scriptedMysql, settingsWith } from './mysql-database.ts';
import { Scene } from './scene.ts';

const database = scriptedMysql(async (visit) => {
  visit.admit(await visit.greet());
  await visit.serve((asked) => asked.startsWith('3 hang'));
  await visit.peer.closedByPeer;
});

let scene: Scene;
let control: MysqlClient;

beforeAll(async () => {
  scene = await Scene.open(database, {
    connections: 40,
    proxy: { clientLoginTimeout: 2, pool: { connectionBorrowTimeout: 2 } },
    settingsFor: settingsWith([]),
  });
  control = await signIn();
}, 30_000);
afterAll(async () => {
  control.destroy();
  await scene.close();
  database.stop();
});

const login = (more: Partial<MysqlLogin> = {}): MysqlLogin => ({
  ...{ host: '127.0.0.1', port: scene.sluice.port },
  ...{ user: 'app', password: passwordOf('app') },
  ...more,
});

const signIn = (more: Partial<MysqlLogin> = {}): Promise<MysqlClient> =>
  MysqlClient.signIn(login(more));

async function expectWell(): Promise<void> {
  const [first] = await control.query('DO 1');
  expect(first?.payload[0]).toBe(0);
  await scene.expectClean(1);
}

const header = (length: number, number = 0): Uint8Array => concat([int24(length), byte(number)]);
const said = (code: number, ...rest: readonly Uint8Array[]): Uint8Array =>
  packet(0, byte(code), ...rest);

/** What a client may send in the place of a command, and the number of the error that it hears; undefined for none. */
const commands: Readonly<Record<string, readonly [Uint8Array, number | undefined]>> = {
  'a packet out of order (MY-02)': [packet(1, byte(command.ping)), 0],
  'a packet of the last number there is (MY-02)': [packet(255, byte(command.ping)), 0],
  'nonsense that looks like a large packet': [utf8('GET / HTTP/1.1\r\n\r\n'), undefined],
  zeros: [new Uint8Array(4), 1],
  'an unknown command': [said(0x7f), 1],
  'a dump of the binary log': [said(command.binlogDump, int32(4)), 1],
  'a long command that goes on out of order (MY-02)': [
    concat([header(0xffffff), byte(3), new Uint8Array(0xfffffe).fill(0x61), header(1, 7), byte(1)]),
    undefined,
  ],
  'an execution of a statement that there is not (MY-60)': [said(command.stmtExecute, int32(9)), 1],
  'an execution of one byte': [said(command.stmtExecute), 1],
  'a COM_CHANGE_USER of one byte': [said(command.changeUser), 1],
  'a COM_CHANGE_USER without an end (MY-24)': [said(command.changeUser, utf8('app')), 1],
  'a COM_CHANGE_USER that is longer than any': [
    concat([header(0xfffff0), byte(command.changeUser), new Uint8Array(300_000)]),
    1,
  ],
  'a KILL of nothing (MY-30)': [said(command.processKill), 1],
};

describe('a client that sends', () => {
  test.each(Object.entries(commands))(
    '%s is told or left, and harms nobody else (GX-10)',
    async (_, [bytes, number]) => {
      const client = await signIn();
      client.socket.send(bytes);
      if (number === undefined) client.socket.end();
      else {
        const { payload, sequences } = await client.hear();
        expect([payload[0], sequences]).toEqual([0xff, [number]]);
      }
      client.destroy();
      await expectWell();
    },
  );

  test('queries with attributes that make no sense is told so (MY-11)', async () => {
    const flags = plainClient.flags | capability.queryAttributes;
    const client = await signIn({ capabilities: { flags, extensions: 0 } });
    client.socket.send(said(command.query, byte(200), byte(7)));
    expect((await client.hear()).payload[0]).toBe(0xff);
    client.destroy();
    await expectWell();
  });

  test('a part of a command and leaves, at each offset', async () => {
    const bytes = said(command.query, utf8('DO 1'));
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const client = await signIn();
      client.socket.send(bytes.subarray(0, cut));
      client.socket.end();
      await client.socket.readEnd();
    }
    await expectWell();
  });

  test('a command, and leaves before its reply', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => signIn()));
    for (const client of clients) client.send(concat([byte(3), utf8('hang')]));
    await scene.untilMetric('database_connections_currently_borrowed', 5);
    for (const client of clients) client.destroy();
    await expectWell();
  });

  test('announcements of 16 MB, and little of it, costs no more than that', async () => {
    const before = await scene.memoryBytes();
    const clients = await Promise.all(Array.from({ length: 30 }, () => signIn()));
    for (const [at, client] of clients.entries()) {
      const [code = command.query] = [command.query, command.stmtPrepare, command.changeUser].slice(
        at % 3,
      );
      client.socket.send(header(0xffffff), byte(code), new Uint8Array(1_000));
    }
    const [first] = await control.query('DO 1');
    expect(first?.payload[0]).toBe(0);
    expect((await scene.memoryBytes()) - before).toBeLessThan(60 << 20);
    for (const client of clients) client.destroy();
    await expectWell();
  });
});

describe('a client that compresses (MY-13)', () => {
  const capabilities = { flags: plainClient.flags | capability.compress, extensions: 0 };
  const pressed = (payload: Uint8Array, plainBytes: number): Uint8Array =>
    concat([header(payload.length), int24(plainBytes), payload]);

  const bombs: Readonly<Record<string, Uint8Array>> = {
    'what is not compressed': pressed(utf8('no zlib at all'), 14),
    'more than it says': pressed(deflateSync(new Uint8Array(1 << 20)), 100),
    'less than it says': pressed(deflateSync(new Uint8Array(100)), 1 << 20),
    'a command out of order': pressed(packet(3, byte(command.ping)), 0),
    'a command in clear': packet(0, byte(command.ping), new Uint8Array(20)),
  };

  test.each(Object.entries(bombs))('and sends %s is told or left', async (_, bytes) => {
    const client = await signIn({ capabilities });
    client.socket.send(bytes);
    client.socket.end();
    const heard = await client.socket.readEnd();
    // The error is compressed as well: a header of seven bytes, of which three are 0, before the packet.
    if (heard.length > 0)
      expect(packetsIn(heard.slice(7)).map(({ payload }) => payload[0])).toEqual([0xff]);
    await expectWell();
  });
});

describe('a client that signs in', () => {
  const greeted = async (): Promise<MysqlClient> => {
    const client = await MysqlClient.connect(login());
    await client.hear();
    return client;
  };

  const response = (plugin: string, authData: Uint8Array): Uint8Array =>
    handshakeResponse({
      capabilities: {
        flags:
          plainClient.flags |
          capability.protocol41 |
          capability.secureConnection |
          capability.pluginAuth,
        extensions: 0,
      },
      maxPacketBytes: 1 << 24,
      collation: 45,
      user: 'app',
      authData,
      database: undefined,
      plugin,
      attributes: [],
      zstdLevel: undefined,
    });

  const openings: Readonly<Record<string, Uint8Array>> = {
    'with a packet out of order (MY-02)': packet(2, response('mysql_native_password', EMPTY)),
    'with 16 MB': header(0xffffff, 1),
    'with more than a sign-in may be': concat([header(200_000, 1), new Uint8Array(200_000)]),
    'with nothing': packet(1),
    'with nonsense': utf8('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
    'without what everybody can do': packet(1, int16(0), int24(0), utf8('app\0')),
  };

  test.each(Object.entries(openings))('%s is told or left', async (_, bytes) => {
    const client = await greeted();
    client.socket.send(bytes);
    client.socket.end();
    const heard = packetsIn(await client.socket.readEnd());
    expect(heard.every(({ payload }) => payload[0] === 0xff)).toBe(true);
    expect(heard.length).toBeLessThan(2);
    await expectWell();
  });

  test.each([
    ['mysql_native_password', new Uint8Array(3)],
    ['mysql_native_password', new Uint8Array(255)],
    ['caching_sha2_password', new Uint8Array(20)],
    ['client_ed25519', new Uint8Array(64)],
    ['mysql_clear_password', utf8('a password\0')],
    ['sha256_password', utf8('a password\0')],
    ['there_is_none', utf8('a password\0')],
    ['', new Uint8Array(200)],
  ])('by %s with an answer of another is asked, and refused (MY-23)', async (plugin, authData) => {
    const client = await greeted();
    client.send(response(plugin, authData), 1);
    const first = await client.hear();
    // It may be asked to switch: to what it does not answer as it should.
    if (first.payload[0] !== 0xff) client.send(utf8('nothing of the kind'), 3);
    client.socket.end();
    const heard = packetsIn(await client.socket.readEnd());
    expect(heard.every(({ payload }) => payload[0] !== 0)).toBe(true);
    await expectWell();
  });
});
