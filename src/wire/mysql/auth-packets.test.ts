import { describe, expect, test } from 'bun:test';
import { recording } from '../../../test/support/mysql-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, text, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { SecretText } from '../../base/secret-text.ts';
import {
  authMoreData,
  authSwitchRequest,
  changeUser,
  clearPassword,
  readAuthRequest,
  readChangeUser,
  readClearPassword,
} from './auth-packets.ts';
import type { ChangeUser } from './auth-packets.ts';
import { byte, cstring } from './build.ts';
import { capability } from './capabilities.ts';

describe('what a server asks for', () => {
  test('MY-23: a switch: 20 bytes of challenge have a NUL behind them, 32 have none', () => {
    for (const [name, plugin, length] of [
      ['mysqlSwitchToSha256', 'sha256_password', 20],
      ['mariadbSwitchToEd25519', 'client_ed25519', 32],
      ['mariadbSwitchToParsec', 'parsec', 32],
    ] as const) {
      const request = readAuthRequest(recording(name));
      expect(request).toMatchObject({ kind: 'switch', plugin });
      if (request.kind !== 'switch') throw new Error('no switch');
      expect(request.challenge).toHaveLength(length);
      expect(authSwitchRequest(plugin, request.challenge)).toEqual(recording(name));
    }
    const zeros = new Uint8Array(32);
    const request = readAuthRequest(authSwitchRequest('parsec', zeros));
    expect(request).toEqual({ kind: 'switch', plugin: 'parsec', challenge: zeros });
  });

  test('a switch without a challenge, and one without a name', () => {
    const clear = authSwitchRequest('mysql_clear_password', EMPTY);
    expect(readAuthRequest(clear)).toMatchObject({
      plugin: 'mysql_clear_password',
      challenge: EMPTY,
    });
    expect(readAuthRequest(byte(0xfe))).toEqual({ kind: 'oldSwitch' });
  });

  test('more data, as a copy, with or without the byte that says so', () => {
    const bytes = authMoreData(utf8('PEM'));
    const request = readAuthRequest(bytes);
    bytes.fill(0);
    expect(request).toEqual({ kind: 'moreData', data: utf8('PEM') });
    const key = readAuthRequest(recording('mysqlPublicKey'));
    expect(key.kind === 'moreData' && text(key.data)).toStartWith('-----BEGIN PUBLIC KEY-----');
    expect(readAuthRequest(utf8('P'))).toEqual({ kind: 'moreData', data: utf8('P') });
  });

  test('it is over, or another factor is asked for', () => {
    expect(readAuthRequest(recording('mysqlLoginOk'))).toEqual({ kind: 'ok' });
    expect(readAuthRequest(recording('mysqlError'))).toEqual({ kind: 'error' });
    expect(readAuthRequest(concat([byte(2), cstring('webauthn')]))).toEqual({
      kind: 'nextFactor',
      plugin: 'webauthn',
    });
    expect(() => readAuthRequest(EMPTY)).toThrow(Violation);
  });
});

describe('a password in the clear', () => {
  test('is read as it was said, with its NUL or without', () => {
    const password = new SecretText('größer');
    expect(readClearPassword(clearPassword(password)).reveal()).toBe('größer');
    expect(readClearPassword(utf8('größer')).reveal()).toBe('größer');
    expect(readClearPassword(EMPTY).reveal()).toBe('');
  });

  test('has a limit, and no NUL in it', () => {
    const most = limits.passwordMessageBytes.value;
    expect(readClearPassword(new Uint8Array(most).fill(0x61)).reveal()).toHaveLength(most);
    expect(() => readClearPassword(new Uint8Array(most + 1).fill(0x61))).toThrow('too long');
    expect(() => readClearPassword(utf8('a\0b\0'))).toThrow(Violation);
  });
});

describe('MY-24: COM_CHANGE_USER', () => {
  const flags = capability.secureConnection | capability.pluginAuth | capability.connectAttrs;
  const said: ChangeUser = {
    ...{ user: 'ann', authData: Uint8Array.of(0, 1, 2), database: 'db', collation: 2304 },
    ...{ plugin: 'mysql_native_password', attributes: [['a', 'b']] },
  };

  test('is read as it was said', () => {
    expect(readChangeUser(changeUser(said, flags), flags)).toEqual(said);
    const authData = utf8('no NUL');
    const old: ChangeUser = {
      ...said,
      authData,
      database: undefined,
      plugin: undefined,
      attributes: [],
    };
    expect(readChangeUser(changeUser(old, 0), 0)).toEqual(old);
  });

  test('may end behind the database, the collation or the plug-in', () => {
    const bytes = changeUser(said, flags);
    const whole = readChangeUser(bytes, flags);
    const database = 1 + 'ann\0'.length + 1 + 3 + 'db\0'.length;
    const parts: [end: number, missing: Partial<ChangeUser>][] = [
      [database, { collation: undefined, plugin: undefined, attributes: [] }],
      [database + 2, { plugin: undefined, attributes: [] }],
      [database + 2 + 'mysql_native_password\0'.length, { attributes: [] }],
    ];
    for (const [end, missing] of parts) {
      expect(readChangeUser(bytes.subarray(0, end), flags)).toEqual({ ...whole, ...missing });
    }
    for (let cut = 0; cut < database; cut += 1) {
      expect(() => readChangeUser(bytes.subarray(0, cut), flags)).toThrow(Violation);
    }
  });
});
