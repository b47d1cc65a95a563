import { describe, expect, test } from 'bun:test';
import {
  recordedConversations,
  tdsMessages,
  versionOf,
} from '../../../test/support/tds-recordings.ts';
import {
  altMetadata,
  altRow,
  colMetadata,
  dataClassification,
  Heard,
  nbcRow,
  returnValue,
  row,
  testTypes,
  typesOf,
} from '../../../test/support/tds-tokens.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { byte, int16, int32 } from './build.ts';
import { fedAuthInfo } from './fed-auth.ts';
import { feature, featureExtAck } from './features.ts';
import { packetType } from './packets.ts';
import { TokenWalker } from './token-walker.ts';
import type { WalkerOptions } from './token-walker.ts';
import {
  done,
  doneStatus,
  envChangeText,
  error,
  info,
  returnStatus,
  returnValueInt,
  token,
} from './tokens.ts';
import { tdsVersion } from './versions.ts';

const V = tdsVersion.v74;
const END = done(token.done, 0, 0xc1, 3n, V);
const HEARD_END = [`done ${token.done} 0 193`];

/** What is heard of a payload that comes in these pieces; it must end where the last one does. */
function heard(
  pieces: readonly Uint8Array[],
  version: number = V,
  options: WalkerOptions & { readonly handle?: number } = {},
): readonly string[] {
  const visitor = new Heard();
  const walker = new TokenWalker(version, visitor, options);
  walker.expectHandle(options.handle);
  for (const piece of pieces) walker.feed(piece, 0, piece.length);
  expect(walker.isBetween).toBe(true);
  return visitor.lines;
}

/** That the payload, cut at every offset, and into single bytes, says the same as in one piece. Returns what that is. */
function heardInPieces(
  payload: Uint8Array,
  version: number = V,
  options: WalkerOptions = {},
): readonly string[] {
  const whole = heard([payload], version, options);
  for (let at = 0; at <= payload.length; at += 1) {
    const pieces = [payload.slice(0, at), payload.slice(at)];
    expect(heard(pieces, version, options)).toEqual(whole);
  }
  const bytes = Array.from(payload, (value) => byte(value));
  expect(heard(bytes, version, options)).toEqual(whole);
  return whole;
}

const row1 = testTypes.map(({ value }) => value);
const rowOfNulls = testTypes.map(({ none, value }) => none ?? value);

describe('recorded replies', () => {
  test.each(recordedConversations)('%s: the same in one piece and cut anywhere', (name) => {
    const version = versionOf(name);
    const replies = tdsMessages(name).filter(({ from, type }, index) => {
      // The first one is the answer to a PRELOGIN, which has no tokens.
      return from === 'server' && type === packetType.result && index > 1;
    });
    const seen = new Set<string>();
    for (const { payload } of replies) {
      if (payload[0] === 0 || seen.has(String(payload))) continue;
      seen.add(String(payload));
      const lines =
        payload.length > 4_000 ? heard([payload], version) : heardInPieces(payload, version);
      expect(lines.at(-1)).toMatch(/^done (?:253|254) /);
    }
    expect(seen.size).toBeGreaterThan(0);
  });
});

describe('rows', () => {
  const payload = concat([
    colMetadata(V, testTypes),
    row(row1),
    row(rowOfNulls),
    nbcRow(row1),
    nbcRow(testTypes.map(({ value, none }) => (none === undefined ? value : undefined))),
    row(row1),
    END,
  ]);

  test('of all types, with and without NULLs, are stepped over, in pieces as whole', () => {
    expect(heardInPieces(payload)).toEqual(HEARD_END);
  });

  test.each(testTypes.map((type) => [type.name, type] as const))('of %s', (_name, type) => {
    const rows = concat([row([type.value]), row([type.none ?? type.value]), nbcRow([undefined])]);
    const whole = concat([colMetadata(V, [type]), rows, nbcRow([type.value]), rows, END]);
    expect(heardInPieces(whole)).toEqual(HEARD_END);
  });

  test.each([tdsVersion.v70, tdsVersion.v71, tdsVersion.v72, tdsVersion.v80])(
    'as version %d has them',
    (version) => {
      const types = typesOf(version);
      const values = types.map(({ value }) => value);
      const last = done(token.done, doneStatus.count, 0xc1, 1n, version);
      const whole = concat([colMetadata(version, types), row(values), row(values), last]);
      expect(heardInPieces(whole, version)).toEqual([`done ${token.done} 16 193`]);
    },
  );

  test('TD-38: of encrypted columns, which name their keys', () => {
    const encrypted = new Map([
      ['varbinary', { ordinal: 0, algorithm: '' }],
      ['image', { ordinal: 1, algorithm: 'CUSTOM' }],
    ]);
    const types = testTypes.filter(({ name }) => ['int4', 'varbinary', 'image'].includes(name));
    const values = types.map(({ value }) => value);
    const varbinary = types.find(({ name }) => name === 'varbinary')!;
    const whole = concat([
      colMetadata(V, types, 2, encrypted),
      row(values),
      returnValue(V, varbinary, false, { ordinal: 0, algorithm: 'CUSTOM' }),
      // A result in which nothing is encrypted, of no keys.
      colMetadata(V, types, 0),
      row(values),
      END,
    ]);
    expect(heardInPieces(whole, V, { columnEncryption: true })).toEqual(HEARD_END);
    expect(() => heard([whole])).toThrow();
  });

  test('of several results, of which the columns are the last ones described', () => {
    const [first, second] = [testTypes.slice(0, 9), testTypes.slice(9, 20)];
    const undescribed = concat([byte(token.colMetadata), int16(0xffff)]);
    const whole = concat([
      ...[colMetadata(V, first), row(first.map(({ value }) => value))],
      ...[colMetadata(V, second), row(second.map(({ value }) => value)), undescribed],
      ...[row(second.map(({ value }) => value)), colMetadata(V, []), row([]), END],
    ]);
    expect(heardInPieces(whole)).toEqual(HEARD_END);
  });

  test('computed ones, each by its number', () => {
    const version = tdsVersion.v73a;
    const types = typesOf(version).slice(0, 12);
    const [sum, count] = [types.slice(0, 3), types.slice(3, 12)];
    const whole = concat([
      ...[
        colMetadata(version, types),
        altMetadata(version, 1, sum),
        altMetadata(version, 2, count),
      ],
      ...[
        row(types.map(({ value }) => value)),
        altRow(
          2,
          count.map(({ value }) => value),
        ),
      ],
      ...[
        altRow(
          1,
          sum.map(({ value }) => value),
        ),
        END,
      ],
    ]);
    expect(heardInPieces(whole, version)).toEqual(HEARD_END);
  });

  test('a thousand columns', () => {
    const types = Array.from({ length: 1_000 }, (_, index) => testTypes[index % testTypes.length]!);
    const values = types.map(({ value }) => value);
    const holes = values.map((value, index) => (index % 3 === 0 ? value : undefined));
    const whole = concat([colMetadata(V, types), row(values), nbcRow(holes), row(values), END]);
    for (const size of [1, 7, 64, 500, 4_088]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.slice(index * size, (index + 1) * size),
      );
      expect(heard(pieces)).toEqual(HEARD_END);
    }
  });

  test('a value longer than 4 GiB may come', () => {
    const types = [testTypes.find(({ name }) => name === 'varbinary(max)')!];
    const visitor = new Heard();
    const walker = new TokenWalker(V, visitor);
    const begin = concat([colMetadata(V, types), byte(token.row), new Uint8Array(8).fill(0xfe)]);
    walker.feed(begin, 0, begin.length);
    const chunk = new Uint8Array(2 ** 20);
    for (let chunks = 0; chunks < 3; chunks += 1) {
      walker.feed(int32(0xffffffff), 0, 4);
      // All but the last byte of it.
      for (let left = 4_095; left > 0; left -= 1) walker.feed(chunk, 0, chunk.length);
      walker.feed(chunk, 0, chunk.length - 1);
      expect(walker.isBetween).toBe(false);
    }
    walker.feed(concat([int32(0), END]), 0, 4 + END.length);
    expect(visitor.lines).toEqual(HEARD_END);
  });
});

describe('a handle', () => {
  const handleAt = (bytes: Uint8Array): number =>
    Buffer.from(bytes).readInt32LE(bytes.length - END.length - 4);
  const reply = (value: number | undefined): Uint8Array =>
    concat([returnStatus(0), returnValueInt({ ordinal: 0, name: '@handle', value }, V), END]);

  test('TD-06: is exchanged for a virtual one, wherever it is cut', () => {
    const original = 0x40_30_20_10;
    const virtual = -2;
    const whole = reply(original);
    for (let at = 0; at <= whole.length; at += 1) {
      const pieces = [whole.slice(0, at), whole.slice(at)];
      expect(heard(pieces, V, { handle: virtual })).toContain(`handle ${original}`);
      const passed = concat(pieces);
      expect(handleAt(passed)).toBe(virtual);
      expect(passed.length).toBe(whole.length);
      // Nothing else has changed.
      Buffer.from(passed.buffer).writeInt32LE(original, passed.length - END.length - 4);
      expect(passed).toEqual(whole);
    }
    const single = Array.from(whole, (value) => byte(value));
    expect(heard(single, V, { handle: 3 })).toContain(`handle ${original}`);
    expect(handleAt(concat(single))).toBe(3);
  });

  test('that is NULL stays so, wherever it is cut', () => {
    const whole = reply(undefined);
    for (let at = 0; at <= whole.length; at += 1) {
      const pieces = [whole.slice(0, at), whole.slice(at)];
      expect(heard(pieces, V, { handle: 7 })).toContain('handle undefined');
      expect(concat(pieces)).toEqual(whole);
    }
  });

  test('is the first integer only, and none where none is expected', () => {
    const whole = concat([reply(5), reply(6)]);
    expect(heard([whole], V, { handle: 1 }).filter((line) => line.startsWith('handle'))).toEqual([
      'handle 5',
    ]);
    const untouched = reply(5);
    expect(heard([untouched]).filter((line) => line.startsWith('handle'))).toEqual([]);
    expect(untouched).toEqual(reply(5));
  });

  test('comes behind values of other types, of all types', () => {
    const others = testTypes.filter(({ name }) => name !== 'intn(4)');
    const values = others.flatMap((type) => [returnValue(V, type), returnValue(V, type, true)]);
    const whole = concat([...values, reply(9)]);
    for (let at = 0; at <= whole.length; at += 1) {
      const lines = heard([whole.slice(0, at), whole.slice(at)], V, { handle: 1 });
      expect(lines.filter((line) => line.startsWith('handle'))).toEqual(['handle 9']);
    }
  });

  test('stays expected from one message to the next, until it is not any more', () => {
    const visitor = new Heard();
    const walker = new TokenWalker(V, visitor);
    walker.expectHandle(1);
    walker.begin();
    walker.feed(END, 0, END.length);
    walker.expectHandle(undefined);
    walker.begin();
    const whole = reply(5);
    walker.feed(whole, 0, whole.length);
    expect(visitor.lines.some((line) => line.startsWith('handle'))).toBe(false);
  });
});

describe('other tokens', () => {
  const said = {
    ...{ number: 50_000, state: 1, severity: 16, message: 'no', server: 'db', procedure: 'p' },
    line: 70_000,
  };
  const order = concat([byte(token.order), int16(4), int16(1), int16(2)]);

  test('are told in their order, in pieces as whole', () => {
    const whole = concat([
      envChangeText(1, 'app', 'master'),
      info({ ...said, severity: 0 }, V),
      featureExtAck([
        { id: feature.utf8Support, data: Uint8Array.of(1) },
        { id: feature.fedAuth, data: EMPTY },
      ]),
      fedAuthInfo('https://sts', 'https://database'),
      ...[order, concat([byte(token.colInfo), int16(3), Uint8Array.of(1, 1, 0)])],
      ...[concat([byte(token.offset), int32(1)]), concat([byte(token.sspi), int16(1), byte(0)])],
      concat([byte(token.sessionState), int32(5), int32(1), byte(0)]),
      concat([byte(token.tabName), int16(0)]),
      error(said, V),
      returnStatus(-6),
      END,
    ]);
    const lines = heardInPieces(whole);
    expect(lines.map((line) => line.replace(/ [0-9a-f]*$/, ''))).toEqual([
      ...['envChange 1', 'info', 'other 174', 'other 238', 'other 169', 'other 165', 'other 120'],
      ...['other 237', 'other 228', 'other 164', 'error', 'other 121', `done ${token.done} 0`],
    ]);
    expect(lines[2]).toBe('other 174 0a01000000010200000000ff');
    expect(lines[11]).toBe('other 121 faffffff');
  });

  test.each([1, 2])('TD-38: data classification of version %d', (version) => {
    const types = testTypes.slice(0, 2);
    const whole = concat([
      colMetadata(V, types),
      dataClassification(version),
      row(types.map(({ value }) => value)),
      END,
    ]);
    const lines = heardInPieces(whole, V, { dataClassification: version });
    expect(lines.length).toBe(2);
    expect(() => heard([whole], V, { dataClassification: 3 - version })).toThrow();
  });
});

describe('what is no token stream', () => {
  const walk = (payload: Uint8Array): void => {
    new TokenWalker(V, new Heard()).feed(payload, 0, payload.length);
  };

  test.each([
    ['a token that there is not', byte(0x42)],
    ['a row without columns', row([])],
    ['an NBCROW without columns', nbcRow([])],
    ['a computed row that was not described', altRow(1, [])],
    ['an ENVCHANGE of nothing', concat([byte(token.envChange), int16(0)])],
    [
      'a column of no type',
      concat([byte(token.colMetadata), int16(1), new Uint8Array(40).fill(0x66)]),
    ],
    ['too many columns', concat([byte(token.colMetadata), int16(limits.tdsColumns.value + 1)])],
    ['a session state that is too long', concat([byte(token.sessionState), int32(0xfffffff0)])],
    ['a feature that is too long', concat([byte(token.featureExtAck), byte(1), int32(0xfffffff0)])],
  ])('%s is a violation', (_what, payload) => {
    expect(() => walk(payload)).toThrow(Violation);
  });

  test('a handle of another length than its type', () => {
    const whole = returnValueInt({ ordinal: 0, name: '', value: 1 }, V);
    whole[whole.length - 5] = 3;
    expect(() => heard([whole], V, { handle: 1 })).toThrow(Violation);
  });

  test('a token that is put together may not get too long', () => {
    const walker = new TokenWalker(V, new Heard());
    // A description whose name never ends: it has a table's name of many parts.
    const column = concat([int32(0), int16(0), byte(0x22), int32(1), byte(255)]);
    walker.feed(concat([byte(token.colMetadata), int16(4_096), column]), 0, 3 + column.length);
    const parts = concat([int16(0x7fff), new Uint8Array(0xfffe)]);
    const feedAll = (): void => {
      for (let left = 100; left > 0; left -= 1) walker.feed(parts, 0, parts.length);
    };
    expect(feedAll).toThrow('a token of more than');
  });

  test('is forgotten when another message begins', () => {
    const visitor = new Heard();
    const walker = new TokenWalker(V, visitor);
    const payloads = [
      colMetadata(V, testTypes),
      concat([colMetadata(V, testTypes), row(row1)]),
      concat([colMetadata(V, testTypes), nbcRow(row1)]),
      returnValueInt({ ordinal: 0, name: '', value: 1 }, V),
      altMetadata(V, 1, testTypes.slice(0, 4)),
    ];
    for (const payload of payloads) {
      for (let at = 1; at < payload.length; at += 1) {
        walker.expectHandle(2);
        walker.feed(payload.slice(0, at), 0, at);
        walker.begin();
        expect(walker.isBetween).toBe(true);
        walker.feed(END, 0, END.length);
        expect(visitor.lines.at(-1)).toBe(HEARD_END[0]);
      }
    }
    walker.begin();
    expect(() => walker.feed(row(row1), 0, 1)).toThrow(Violation);
  });
});
