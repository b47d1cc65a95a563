import { describe, expect, test } from 'bun:test';
import { Violation } from '../../base/assert.ts';
import { concat, i32be, utf8 } from '../../base/bytes.ts';
import * as say from './backend.ts';
import * as read from './backend-read.ts';
import { byte, cstring, int32, message } from './build.ts';
import { HEADER_BYTES } from './framing.ts';
import { backend } from './message-types.ts';
import { reportDetails } from './report.ts';
import type { Report } from './report.ts';

const body = (bytes: Uint8Array) => bytes.subarray(HEADER_BYTES);

const everyField: Report = {
  severity: 'FATAL',
  code: '28P01',
  message: 'größer',
  ...Object.fromEntries(reportDetails.map(([name]) => [name, `the ${name}`])),
};

const int16 = (value: number) => Uint8Array.of(value >> 8, value);
const rowDescription = concat([
  int16(2),
  cstring('name'),
  new Uint8Array(18),
  cstring(''),
  new Uint8Array(18),
]);
const dataRow = concat([int16(3), int32(2), utf8('on'), int32(-1), int32(0)]);

/** A whole message, its reader, and what it must say. */
const cases: [string, Uint8Array, (body: Uint8Array) => unknown, unknown][] = [
  ['AuthenticationOk', say.authenticationOk(), read.readAuthentication, { kind: 'ok' }],
  [
    'cleartext',
    say.authenticationCleartextPassword(),
    read.readAuthentication,
    { kind: 'cleartextPassword' },
  ],
  [
    'MD5',
    say.authenticationMd5Password(Uint8Array.of(1, 2, 3, 4)),
    read.readAuthentication,
    { kind: 'md5Password', salt: Uint8Array.of(1, 2, 3, 4) },
  ],
  [
    'SASL',
    say.authenticationSasl(['A', 'B-PLUS']),
    read.readAuthentication,
    { kind: 'sasl', mechanisms: ['A', 'B-PLUS'] },
  ],
  [
    'ParameterStatus',
    say.parameterStatus('TimeZone', 'UTC'),
    read.readParameterStatus,
    { name: 'TimeZone', value: 'UTC' },
  ],
  ['ReadyForQuery', say.readyForQuery('T'), read.readReadyForQuery, 'T'],
  ['ErrorResponse', say.errorResponse(everyField), read.readReport, everyField],
  [
    'NoticeResponse',
    say.noticeResponse({ severity: 'NOTICE', message: '' }),
    read.readReport,
    { severity: 'NOTICE', message: '' },
  ],
  [
    'NegotiateProtocolVersion',
    say.negotiateProtocolVersion(2, ['_pq_.a', '_pq_.b']),
    read.readNegotiateProtocolVersion,
    { minor: 2, unknownOptions: ['_pq_.a', '_pq_.b'] },
  ],
  [
    'CommandComplete',
    message(backend.commandComplete, cstring('SELECT 1')),
    read.readCommandComplete,
    'SELECT 1',
  ],
  [
    'RowDescription',
    message(backend.rowDescription, rowDescription),
    read.readRowDescription,
    ['name', ''],
  ],
  ['DataRow', message(backend.dataRow, dataRow), read.readDataRow, ['on', null, '']],
];

describe('what a database says', () => {
  for (const [name, bytes, reader, said] of cases) {
    test(`${name}: read as it was said, and announces its own length`, () => {
      expect(reader(body(bytes))).toEqual(said);
      expect(i32be(bytes, 1)).toBe(bytes.length - 1);
    });

    test(`${name}: PG-18, every truncation and any surplus is a violation`, () => {
      const whole = body(bytes);
      for (let cut = 0; cut < whole.length; cut += 1) {
        expect(() => reader(whole.subarray(0, cut))).toThrow(Violation);
      }
      expect(() => reader(concat([whole, byte(0)]))).toThrow(Violation);
    });
  }

  test('SASL data is all that follows', () => {
    expect(read.readAuthentication(body(say.authenticationSaslContinue(utf8('r=1'))))).toEqual({
      kind: 'saslContinue',
      data: 'r=1',
    });
    expect(read.readAuthentication(body(say.authenticationSaslFinal(utf8('v=1'))))).toEqual({
      kind: 'saslFinal',
      data: 'v=1',
    });
  });

  test('methods we do not speak are named', () => {
    const names = [2, 7, 8, 9, 99].map((code) => read.readAuthentication(int32(code)));
    expect(names).toEqual(
      ['Kerberos V5', 'GSSAPI', 'GSSAPI', 'SSPI', 'method 99'].map((method) => ({
        kind: 'unsupported',
        method,
      })),
    );
  });

  test('PG-17: an error without code, severity or text is still an error', () => {
    expect(read.readReport(byte(0))).toEqual({ severity: '', message: '' });
    expect(read.readReport(concat([cstring('MHelp'), byte(0)]))).toEqual({
      severity: '',
      message: 'Help',
    });
  });

  test('a severity in the words of the server counts only where there is no other', () => {
    const translated = concat([
      cstring('SFEHLER'),
      cstring('VERROR'),
      cstring('Zunknown'),
      byte(0),
    ]);
    expect(read.readReport(translated)).toEqual({ severity: 'ERROR', message: '' });
    expect(read.readReport(concat([cstring('SFATAL'), byte(0)]))).toMatchObject({
      severity: 'FATAL',
    });
  });

  test('PG-27: secrets of 4 to 256 bytes, copied', () => {
    for (const length of [4, 32, 256]) {
      const bytes = say.backendKeyData(0xfffffffe, new Uint8Array(length).fill(9));
      const told = read.readBackendKeyData(body(bytes));
      bytes.fill(0);
      expect(told).toEqual({ pid: 0xfffffffe, secret: new Uint8Array(length).fill(9) });
    }
    for (const length of [0, 3, 257]) {
      const bytes = body(say.backendKeyData(1, new Uint8Array(length)));
      expect(() => read.readBackendKeyData(bytes)).toThrow(Violation);
    }
  });

  test('a version without its major half is understood', () => {
    const bytes = concat([int32(2), int32(0)]);
    expect(read.readNegotiateProtocolVersion(bytes)).toEqual({ minor: 2, unknownOptions: [] });
  });

  test('a status that does not exist', () => {
    expect(() => read.readReadyForQuery(utf8('X'))).toThrow(Violation);
  });

  test('a column of negative length is no column', () => {
    expect(() => read.readDataRow(concat([int16(1), int32(-2)]))).toThrow(Violation);
  });

  test('a NUL in a field is our own bug, not a second field', () => {
    expect(() => say.parameterStatus('a\0b', 'c')).toThrow('NUL');
  });
});
