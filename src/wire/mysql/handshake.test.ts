import { describe, expect, test } from 'bun:test';
import { recording } from '../../../test/support/mysql-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { byte, cstring, int16, int32, lenencInt, lenencString } from './build.ts';
import { capability, common, extension, tellsExtensions } from './capabilities.ts';
import {
  clientHeader,
  handshake,
  isSslRequest,
  readClientHeader,
  readHandshake,
} from './handshake.ts';
import { handshakeResponse, readHandshakeResponse } from './handshake-response.ts';
import type { HandshakeResponse } from './handshake-response.ts';

const everything = { flags: ~0, extensions: ~0 };

describe('a handshake', () => {
  test("MySQL's: read, and said again byte for byte", () => {
    const bytes = recording('mysqlHandshake');
    const read = readHandshake(bytes);
    expect(read).toMatchObject({
      ...{ serverVersion: '9.7.4-2', connectionId: 15, collation: 255, status: 2 },
      plugin: 'caching_sha2_password',
      capabilities: { flags: 0xdfffffff | 0, extensions: 0 },
    });
    expect(Buffer.from(read.authData).toString('hex')).toBe(
      '6f6f627b3e014d72074b017e2f4f72330533600e',
    );
    expect(handshake(read)).toEqual(bytes);
  });

  test("MY-06: MariaDB's, with extensions where MySQL has filler", () => {
    const bytes = recording('mariadbHandshake');
    const read = readHandshake(bytes);
    expect(read).toMatchObject({
      ...{ serverVersion: '11.8.9-MariaDB-4 from Debian', connectionId: 12, collation: 45 },
      plugin: 'mysql_native_password',
      capabilities: {
        extensions:
          extension.progress |
          extension.stmtBulkOperations |
          extension.extendedMetadata |
          extension.cacheMetadata |
          extension.bulkUnitResults,
      },
    });
    expect(read.authData.length).toBe(20);
    expect(tellsExtensions(read.capabilities.flags)).toBe(true);
    expect(handshake(read)).toEqual(bytes);
  });

  test('of old MariaDB begins with another version, which is left as it is', () => {
    const said = {
      ...readHandshake(recording('mariadbHandshake')),
      serverVersion: '5.5.5-10.11.18',
    };
    expect(readHandshake(handshake(said))).toEqual(said);
  });

  test('MY-23: a challenge may be longer, and end in a NUL of its own', () => {
    const said = readHandshake(recording('mysqlHandshake'));
    for (const authData of [new Uint8Array(32), new Uint8Array(20), new Uint8Array(20).fill(1)]) {
      expect(readHandshake(handshake({ ...said, authData })).authData).toEqual(authData);
    }
  });

  test('without plug-ins names none', () => {
    const { capabilities, ...said } = readHandshake(recording('mysqlHandshake'));
    const flags = capabilities.flags & ~capability.pluginAuth;
    const bytes = handshake({ ...said, capabilities: { flags, extensions: 0 } });
    expect(readHandshake(bytes)).toMatchObject({ plugin: '', authData: said.authData });
  });

  test('every truncation and any surplus is a violation', () => {
    const bytes = recording('mysqlHandshake');
    // The name of the plug-in needs no NUL.
    const name = bytes.length - cstring('caching_sha2_password').length;
    for (let cut = 0; cut < name; cut += 1) {
      expect(() => readHandshake(bytes.subarray(0, cut))).toThrow(Violation);
    }
    expect(() => readHandshake(concat([bytes, byte(0)]))).toThrow('1 bytes too many');
  });

  test('of another version of the protocol, or too old a server, is refused in words', () => {
    const old = recording('mysqlHandshake').with(0, 9);
    expect(() => readHandshake(old)).toThrow('protocol version 9 where 10 is spoken');
    const said = readHandshake(recording('mysqlHandshake'));
    const capabilities = { flags: ~capability.protocol41, extensions: 0 };
    expect(() => readHandshake(handshake({ ...said, capabilities }))).toThrow('before MySQL 4.1');
  });

  test('the name of a plug-in has a limit', () => {
    const said = readHandshake(recording('mysqlHandshake'));
    const most = limits.authPluginNameBytes.value;
    expect(readHandshake(handshake({ ...said, plugin: 'x'.repeat(most) })).plugin.length).toBe(
      most,
    );
    const long = handshake({ ...said, plugin: 'x'.repeat(most + 1) });
    expect(() => readHandshake(long)).toThrow('too long');
  });
});

describe("a client's answer", () => {
  test("MySQL's: read, and said again byte for byte", () => {
    const bytes = recording('mysqlResponse');
    const { capabilities: offered } = readHandshake(recording('mysqlHandshake'));
    const read = readHandshakeResponse(bytes, offered);
    expect(read).toMatchObject({
      ...{ user: 'app', database: 'bench', plugin: 'caching_sha2_password' },
      ...{ collation: 255, maxPacketBytes: 0x1000000, zstdLevel: undefined },
    });
    expect(read.authData.length).toBe(32);
    expect(read.attributes.slice(1, 4)).toEqual([
      ['_platform', 'x86_64'],
      ['_os', 'Linux'],
      ['_client_name', 'libmysql'],
    ]);
    expect(read.capabilities.flags & capability.queryAttributes).not.toBe(0);
    expect(handshakeResponse(read)).toEqual(bytes);
  });

  test("MariaDB's, with its extensions", () => {
    const bytes = recording('mariadbResponse');
    const { capabilities: offered } = readHandshake(recording('mariadbHandshake'));
    const read = readHandshakeResponse(bytes, offered);
    expect(read).toMatchObject({
      ...{ user: 'app', database: 'bench', plugin: 'mysql_native_password', collation: 45 },
      capabilities: { extensions: offered.extensions & 0x1d },
    });
    expect(handshakeResponse(read)).toEqual(bytes);
  });

  test('asks for TLS with its beginning alone', () => {
    const flags = capability.ssl | capability.protocol41;
    const said = { capabilities: { flags, extensions: 5 }, maxPacketBytes: 7, collation: 45 };
    const bytes = clientHeader(said);
    expect(isSslRequest(bytes)).toBe(true);
    expect(readClientHeader(bytes)).toEqual(said);
    expect(isSslRequest(concat([bytes, byte(0)]))).toBe(false);
    expect(isSslRequest(bytes.subarray(1))).toBe(false);
    const plain = { ...said, capabilities: { flags: capability.protocol41, extensions: 0 } };
    expect(isSslRequest(clientHeader(plain))).toBe(false);
  });

  test('means only what was offered', () => {
    const { attributes, ...said } = readHandshakeResponse(recording('mysqlResponse'), everything);
    const offered = { flags: ~capability.connectAttrs & ~capability.deprecateEof, extensions: 0 };
    const read = readHandshakeResponse(recording('mysqlResponse'), offered);
    expect(read).toEqual({
      ...said,
      attributes: [],
      capabilities: common(said.capabilities, offered),
    });
  });

  const flags = {
    plain: capability.protocol41,
    secure: capability.protocol41 | capability.secureConnection,
    lenenc: capability.protocol41 | capability.pluginAuthLenencClientData,
  };

  const said: HandshakeResponse = {
    capabilities: { flags: flags.lenenc, extensions: 0 },
    ...{ maxPacketBytes: 0, collation: 45, user: 'größer', authData: utf8('x') },
    ...{ database: undefined, plugin: undefined, attributes: [], zstdLevel: undefined },
  };

  test.each(Object.entries(flags))('MY-12: authentication data, %s', (name, which) => {
    const capabilities = { flags: which, extensions: 0 };
    const lengths = { plain: [0, 1, 300], secure: [0, 255], lenenc: [0, 250, 251, 65_536] }[name];
    for (const length of lengths ?? []) {
      const authData = new Uint8Array(length).fill(1);
      const bytes = handshakeResponse({ ...said, capabilities, authData });
      expect(readHandshakeResponse(bytes, everything)).toEqual({ ...said, capabilities, authData });
    }
  });

  test('MY-12: authentication data and attributes have limits', () => {
    const authData = new Uint8Array(limits.passwordMessageBytes.value + 1).fill(1);
    for (const which of [flags.plain, flags.lenenc]) {
      const capabilities = { flags: which, extensions: 0 };
      const bytes = handshakeResponse({ ...said, capabilities, authData });
      expect(() => readHandshakeResponse(bytes, everything)).toThrow('too long');
    }
    const capabilities = { flags: flags.lenenc | capability.connectAttrs, extensions: 0 };
    const withValue = (length: number) =>
      handshakeResponse({ ...said, capabilities, attributes: [['a', 'x'.repeat(length)]] });
    // Two bytes of the name, four of the value's length.
    const most = limits.connectAttributeBytes.value - 2 - 3;
    expect(readHandshakeResponse(withValue(most), everything).attributes).toHaveLength(1);
    expect(() => readHandshakeResponse(withValue(most + 1), everything)).toThrow('too long');
  });

  test('with all its parts fits the limit of a packet before the sign-in', () => {
    const bytes = handshakeResponse({
      ...said,
      capabilities: { flags: ~0, extensions: 0 },
      authData: new Uint8Array(limits.passwordMessageBytes.value),
      user: 'x'.repeat(512),
      database: 'x'.repeat(512),
      plugin: 'x'.repeat(limits.authPluginNameBytes.value),
      attributes: [['a', 'x'.repeat(limits.connectAttributeBytes.value - 5)]],
      zstdLevel: 3,
    });
    expect(bytes.length).toBeLessThan(limits.signInPacketBytes.value);
    expect(readHandshakeResponse(bytes, everything).zstdLevel).toBe(3);
  });

  test('MY-14: the number of its collation has eight bits, as servers read it', () => {
    for (const [collation, read] of [
      [1, 1],
      [255, 255],
      [309, 53],
      [2304, 0],
    ] as const) {
      const bytes = handshakeResponse({ ...said, collation });
      expect(readHandshakeResponse(bytes, everything).collation).toBe(read);
      expect(readHandshakeResponse(bytes.with(9, 1), everything).collation).toBe(read);
    }
  });

  test('from before MySQL 4.1 is refused in words', () => {
    const old = concat([
      int16(capability.longPassword),
      new Uint8Array(3),
      cstring('ann'),
      byte(0),
    ]);
    expect(() => readHandshakeResponse(old, everything)).toThrow('before MySQL 4.1');
    expect(() => readHandshakeResponse(byte(0), everything)).toThrow('before MySQL 4.1');
    const short = concat([int32(capability.protocol41), new Uint8Array(20)]);
    expect(() => readHandshakeResponse(short, everything)).toThrow('shorter than it says');
  });

  test('every truncation is a violation, or lacks what may be missing', () => {
    const bytes = recording('mysqlResponse');
    const { attributes, plugin, database, ...whole } = readHandshakeResponse(bytes, everything);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const read = settle(() => readHandshakeResponse(bytes.subarray(0, cut), everything));
      if (read === 'violation') continue;
      expect(read).toMatchObject({ ...whole, attributes: [] });
      expect(database?.startsWith(read.database ?? '')).toBe(true);
      expect(plugin?.startsWith(read.plugin ?? '')).toBe(true);
    }
    expect(attributes).toHaveLength(7);
  });

  test('attributes that do not fill their list are a violation', () => {
    const list = (...parts: Uint8Array[]) =>
      readHandshakeResponse(
        concat([
          clientHeader({
            ...said,
            capabilities: { flags: flags.lenenc | capability.connectAttrs, extensions: 0 },
          }),
          cstring(''),
          lenencString(''),
          ...parts,
        ]),
        everything,
      ).attributes;
    expect(list()).toEqual([]);
    expect(list(lenencInt(0))).toEqual([]);
    expect(() => list(lenencString(lenencString('a')))).toThrow(Violation);
    expect(() => list(lenencInt(5), lenencString('a'))).toThrow(Violation);
  });
});

/** What was read: anything thrown but a Violation fails the test. */
function settle<T>(work: () => T): T | 'violation' {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(Violation);
    return 'violation';
  }
}
