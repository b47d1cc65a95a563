import { describe, expect, test } from 'bun:test';
import {
  recordedConversations,
  tdsMessages,
  tdsPayloads,
} from '../../../test/support/tds-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, ucs2, utf16, utf8 } from '../../base/bytes.ts';
import { byte, int32 } from './build.ts';
import { fedAuth, fedAuthInfo, fedAuthLibrary, readFedAuth, readFedAuthToken } from './fed-auth.ts';
import { feature, featureExtAck, readFeatureExtAck } from './features.ts';
import { flags3 } from './login-flags.ts';
import { login7, readLogin7 } from './login7.ts';
import type { Login7 } from './login7.ts';
import { packetType } from './packets.ts';
import { encryption, prelogin, readPrelogin } from './prelogin.ts';
import type { Prelogin } from './prelogin.ts';
import { isAtLeast, isWide, tdsVersion } from './versions.ts';

describe('a PRELOGIN', () => {
  const recorded = [
    ...recordedConversations.flatMap((name) => tdsMessages(name).slice(0, 2)),
    ...tdsMessages('freetds-tsql').slice(0, 2),
  ];
  const byName = recorded.map((one) => [
    `${one.from} ${Buffer.from(one.payload).toString('hex')}`,
    one,
  ]);

  test.each([...new Map(byName as [string, (typeof recorded)[0]][])])(
    '%s: read, and said again byte for byte',
    (_name, { payload }) => {
      expect(prelogin(readPrelogin(payload))).toEqual(payload);
      for (let cut = 0; cut < payload.length; cut += 1) {
        expect(() => readPrelogin(payload.subarray(0, cut))).toThrow(Violation);
      }
    },
  );

  test('says what it says', () => {
    const [ours, theirs] = tdsMessages('login-and-batch');
    expect(readPrelogin(ours!.payload)).toMatchObject({
      ...{ encryption: encryption.notSupported, instance: '', mars: false, fedAuthRequired: 1 },
      nonce: undefined,
    });
    expect(readPrelogin(theirs!.payload)).toMatchObject({
      version: Uint8Array.of(12, 0, 7, 0xd0, 0, 0),
      ...{ encryption: encryption.notSupported, threadId: EMPTY, traceId: EMPTY },
    });
  });

  test('with all that there is', () => {
    const said: Prelogin = {
      version: Uint8Array.of(16, 0, 3, 4, 0, 0),
      ...{ encryption: encryption.strict, instance: 'SQLEXPRESS', threadId: new Uint8Array(4) },
      ...{ mars: true, traceId: new Uint8Array(36), fedAuthRequired: 1, nonce: new Uint8Array(32) },
    };
    expect(readPrelogin(prelogin(said))).toEqual(said);
  });

  test('of a client with a certificate says the same of encryption', () => {
    const payload = concat([prelogin({ ...readPrelogin(tdsMessages('errors')[0]!.payload) })]);
    const at = (payload[6]! << 8) | payload[7]!;
    payload[at] = 0x81;
    expect(readPrelogin(payload).encryption).toBe(encryption.on);
  });

  test('options that we do not know are left out; one that comes twice is a violation', () => {
    const option = [0, 0, 16, 0, 6];
    const unknown = Uint8Array.from([
      ...option,
      0x42,
      0,
      16,
      0,
      1,
      0xff,
      0,
      0,
      0,
      0,
      0,
      1,
      2,
      3,
      4,
      5,
      6,
    ]);
    expect(readPrelogin(unknown).version).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
    const twice = Uint8Array.from([...option, ...option, 0xff, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
    expect(() => readPrelogin(twice)).toThrow('twice');
    expect(() => readPrelogin(Uint8Array.of(1, 0, 6, 0, 1, 0xff, 1))).toThrow('no version');
  });
});

const said: Login7 = {
  ...{ tdsVersion: tdsVersion.v74, packetBytes: 8_000, clientVersion: 7, clientPid: 4_242 },
  ...{ connectionId: 0, flags1: 0xf0, flags2: 3, typeFlags: 0x20, flags3: flags3.extension },
  ...{ timeZone: -120, lcid: 0x409, hostName: 'host', userName: 'Jürgen' },
  ...{ password: utf16('pässword'), appName: 'app', serverName: 'db.example.com' },
  ...{ libraryName: 'driver', language: 'Deutsch', database: 'shop' },
  ...{ clientId: Uint8Array.of(1, 2, 3, 4, 5, 6), sspi: EMPTY, attachFile: '' },
  newPassword: EMPTY,
  features: [
    { id: feature.utf8Support, data: Uint8Array.of(1) },
    { id: feature.dataClassification, data: Uint8Array.of(2) },
  ],
};

describe('a LOGIN7', () => {
  const recorded = tdsPayloads('client', packetType.login);
  const v71 = tdsMessages('tds-7_1').find(({ type }) => type === packetType.login)!.payload;

  test('recorded ones: read, and said again byte for byte', () => {
    expect(recorded.length).toBeGreaterThan(1);
    for (const payload of recorded) {
      const read = readLogin7(payload);
      // This driver lays it out for 7.2, whatever the version.
      if (isWide(read.tdsVersion)) expect(login7(read)).toEqual(payload);
      const hasFeatures = read.features.length > 0;
      const flags = hasFeatures ? read.flags3 : read.flags3 & ~flags3.extension;
      expect(readLogin7(login7(read))).toEqual({ ...read, flags3: flags });
      for (let cut = 0; cut < payload.length; cut += 1) {
        const part = payload.slice(0, cut);
        if (cut > 3) part.set(int32(cut));
        const isWithoutEnd = (): unknown => readLogin7(part);
        // Without the end of 7.1's, what is missing may be what nothing points to.
        if (payload !== v71 || cut < 86) expect(isWithoutEnd).toThrow(Violation);
      }
    }
  });

  test('TD-17: says who it is, and what the password is', () => {
    const read = readLogin7(recorded[0]!);
    expect(read).toMatchObject({
      ...{ tdsVersion: tdsVersion.v74, packetBytes: 4_096, userName: 'babelfish_user' },
      ...{ appName: 'Tedious', serverName: '127.0.0.1', language: 'us_english' },
      ...{ database: 'master', features: [{ id: feature.utf8Support, data: Uint8Array.of(1) }] },
    });
    expect(ucs2(read.password)).toBe('Secret-1');
    expect(readLogin7(v71)).toMatchObject({ tdsVersion: tdsVersion.v71rev1, features: [] });
  });

  test.each([
    ['all parts', said],
    ['none', { ...said, features: [], flags3: 0, hostName: '', userName: '', password: EMPTY }],
    ['another password', { ...said, newPassword: utf16('another'), flags3: 0x11 }],
    ['SSPI data', { ...said, sspi: new Uint8Array(200).fill(7) }],
    ['long SSPI data, a file behind it', { ...said, sspi: new Uint8Array(65_000) }],
    ['a token for a password', { ...said, password: utf16('t'.repeat(2_000)) }],
  ] as const)('%s: written and read', (_what, login) => {
    expect(readLogin7(login7(login))).toEqual(login);
  });

  test('before 7.2 it has no place for another password', () => {
    const old = { ...said, tdsVersion: tdsVersion.v71rev1, features: [], flags3: 0 };
    expect(readLogin7(login7({ ...old, newPassword: utf16('x') }))).toEqual(old);
  });

  test('very long SSPI data has its length elsewhere', () => {
    const login = { ...said, features: [], flags3: 0, sspi: new Uint8Array(70_000).fill(1) };
    const payload = login7({ ...login, attachFile: '' });
    expect(readLogin7(payload).sspi).toEqual(login.sspi);
  });

  test('a part outside of it, a feature twice, another length: violations', () => {
    const outside = login7(said);
    outside[40] = 0xff;
    outside[41] = 0xff;
    expect(() => readLogin7(outside)).toThrow(Violation);
    const twice = { ...said, features: [...said.features, ...said.features] };
    expect(() => readLogin7(login7(twice))).toThrow('twice');
    expect(() => readLogin7(concat([login7(said), byte(0)]))).toThrow(Violation);
  });
});

describe('sign-in by token', () => {
  test.each([
    { library: fedAuthLibrary.securityToken, echo: true, token: utf16('token') },
    { library: fedAuthLibrary.adal, echo: false, token: undefined },
  ])('a feature of %p', (said) => {
    expect(readFedAuth(fedAuth(said))).toEqual(said);
  });

  test('a nonce may follow the token; a token that is cut is a violation', () => {
    const data = fedAuth({ library: fedAuthLibrary.securityToken, echo: true, token: utf8('abc') });
    expect(readFedAuth(concat([data, new Uint8Array(32)])).token).toEqual(utf8('abc'));
    expect(() => readFedAuth(data.subarray(0, -1))).toThrow(Violation);
  });

  test('the message with the token', () => {
    const payload = concat([int32(7), int32(3), utf8('abc')]);
    expect(readFedAuthToken(payload)).toEqual(utf8('abc'));
    expect(() => readFedAuthToken(payload.subarray(0, -1))).toThrow(Violation);
    expect(() => readFedAuthToken(concat([int32(6), int32(3), utf8('abc')]))).toThrow(Violation);
  });

  test('where to get one', () => {
    const info = Buffer.from(fedAuthInfo('https://sts', 'spn'));
    expect(info.readUInt32LE(1)).toBe(info.length - 5);
    const at = (option: number): string => {
      const [length, offset] = [6 + 4, 6 + 8].map((from) => info.readUInt32LE(from + 9 * option));
      return ucs2(info, 5 + offset!, 5 + offset! + length!);
    };
    expect([at(0), at(1)]).toEqual(['https://sts', 'spn']);
  });

  test('what features are agreed to', () => {
    const bytes = featureExtAck(said.features);
    expect(readFeatureExtAck(bytes, 1, bytes.length)).toEqual(said.features);
    expect(() => readFeatureExtAck(bytes, 1, bytes.length - 1)).toThrow(Violation);
  });
});

test('8.0 is the latest version, although it is the smallest number', () => {
  const { v70, v71, v71rev1, v72, v73a, v73b, v74, v80 } = tdsVersion;
  const inOrder = [v70, v71, v71rev1, v72, v73a, v73b, v74, v80];
  for (const [at, version] of inOrder.entries()) {
    for (const [index, other] of inOrder.entries())
      expect(isAtLeast(version, other)).toBe(at >= index);
  }
  expect(inOrder.map(isWide)).toEqual([false, false, false, true, true, true, true, true]);
});
