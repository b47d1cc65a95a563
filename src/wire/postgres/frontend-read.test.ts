import { describe, expect, test } from 'bun:test';
import { Violation } from '../../base/assert.ts';
import { concat, i32be, text, utf8 } from '../../base/bytes.ts';
import { SecretText } from '../../base/secret-text.ts';
import { byte, cstring, int32 } from './build.ts';
import { checkMessageLength, HEADER_BYTES } from './framing.ts';
import * as say from './frontend.ts';
import * as read from './frontend-read.ts';

const body = (bytes: Uint8Array) => bytes.subarray(HEADER_BYTES);

/** Puts a body among other bytes and reads it there: nothing outside may matter. */
function within<T>(
  whole: Uint8Array,
  reader: (bytes: Uint8Array, start: number, end: number) => T,
): T {
  const around = concat([utf8('ab\0'), whole, utf8('cd\0')]);
  return reader(around, 3, 3 + whole.length);
}

describe('what a client says', () => {
  test('passwords and SASL messages are read as they were said', () => {
    const password = read.readPasswordMessage(
      body(say.passwordMessage(new SecretText('pässword'))),
    );
    expect(password.reveal()).toBe('pässword');
    for (const response of ['', 'n,,n=,r=x', undefined]) {
      const message = body(say.saslInitialResponse('SCRAM-SHA-256', response));
      expect(read.readSaslInitialResponse(message)).toEqual({
        mechanism: 'SCRAM-SHA-256',
        response: response === undefined ? undefined : utf8(response),
      });
    }
  });

  test('each message announces its own length', () => {
    for (const bytes of [
      say.query('select 1'),
      say.sync(),
      say.terminate(),
      say.saslResponse(''),
    ]) {
      expect(i32be(bytes, 1)).toBe(bytes.length - 1);
    }
  });

  test('offsets point at names and SQL within a chunk', () => {
    expect(within(body(say.query('select 1')), read.readQuery)).toBe(11);
    const parse = concat([cstring('s1'), cstring('select $1'), Uint8Array.of(0, 1), int32(23)]);
    expect(within(parse, read.readParse)).toEqual({ nameEnd: 5, sqlStart: 6, sqlEnd: 15 });
    const bind = concat([cstring('p'), cstring('s1'), Uint8Array.of(0, 0, 0, 0, 0, 0)]);
    expect(within(bind, read.readBind)).toEqual({
      portalEnd: 4,
      statementStart: 5,
      statementEnd: 7,
    });
    expect(within(cstring('Ss1'), read.readNamedThing)).toEqual({
      kind: 'statement',
      nameStart: 4,
      nameEnd: 6,
    });
    expect(within(cstring('P'), read.readNamedThing)).toEqual({
      kind: 'portal',
      nameStart: 4,
      nameEnd: 4,
    });
    expect(within(concat([cstring('p'), int32(0)]), read.readExecute)).toBe(4);
  });

  const exact: [string, Uint8Array, (bytes: Uint8Array, start: number, end: number) => unknown][] =
    [
      [
        'PasswordMessage',
        cstring('x'),
        (bytes, start, end) => read.readPasswordMessage(bytes.subarray(start, end)),
      ],
      [
        'SASLInitialResponse',
        body(say.saslInitialResponse('M', 'data')),
        (bytes, start, end) => read.readSaslInitialResponse(bytes.subarray(start, end)),
      ],
      ['Query', cstring('select 1'), read.readQuery],
      [
        'Parse',
        concat([cstring('a'), cstring('b'), Uint8Array.of(0, 2), int32(1), int32(2)]),
        read.readParse,
      ],
      ['Describe', cstring('Sname'), read.readNamedThing],
      ['Execute', concat([cstring('p'), int32(1)]), read.readExecute],
    ];
  for (const [name, whole, reader] of exact) {
    test(`${name}: PG-18, every truncation and any surplus is a violation`, () => {
      for (let cut = 0; cut < whole.length; cut += 1) {
        expect(() => within(whole.subarray(0, cut), reader)).toThrow(Violation);
      }
      expect(() => within(concat([whole, byte(0)]), reader)).toThrow(Violation);
    });
  }

  test('Bind: names must end within the message', () => {
    const names = concat([cstring('p'), cstring('s')]);
    for (let cut = 0; cut < names.length; cut += 1) {
      expect(() => within(names.subarray(0, cut), read.readBind)).toThrow(Violation);
    }
  });

  test('a NUL inside a query is refused, since a database would not look past it', () => {
    expect(() => within(utf8('select 1\0; set x = 1\0'), read.readQuery)).toThrow(Violation);
  });

  test('neither statement nor portal', () => {
    expect(() => within(cstring('Xname'), read.readNamedThing)).toThrow(Violation);
  });

  test('non-UTF-8 is read without complaint', () => {
    expect(text(Uint8Array.of(0xff))).toBe('\ufffd');
    expect(read.readPasswordMessage(Uint8Array.of(0xff, 0)).reveal()).toBe('\ufffd');
  });
});

test('PG-16: lengths that no message can have', () => {
  for (const length of [-2147483648, -1, 0, 3]) {
    expect(() => checkMessageLength(length)).toThrow(Violation);
  }
  expect(() => checkMessageLength(2147483647)).toThrow(Violation);
  expect(() => checkMessageLength(105, 100)).toThrow(Violation);
  expect(checkMessageLength(104, 100)).toBe(100);
  expect(checkMessageLength(4)).toBe(0);
});
