import { describe, expect, test } from 'bun:test';
import { tdsMessages } from '../../../test/support/tds-recordings.ts';
import {
  altMetadata,
  colMetadata,
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
import { readResults } from './results.ts';
import {
  done,
  doneStatus,
  envChange,
  envChangeBytes,
  error,
  info,
  returnStatus,
  returnValueInt,
  token,
} from './tokens.ts';
import { tdsVersion } from './versions.ts';

const V = tdsVersion.v74;
const END = done(token.done, doneStatus.count, 0xc1, 1n, V);

/** The answers to the requests of a recorded conversation, without those to the login. */
function answers(name: string) {
  return tdsMessages(name)
    .filter(({ from, payload }) => from === 'server' && payload[0] !== 0)
    .slice(2)
    .map(({ payload }) => readResults(payload, V));
}

describe('recorded answers', () => {
  test('rows', () => {
    expect(answers('login-and-batch')[0]).toMatchObject({
      sets: [{ columns: ['one', 'text', 'nothing'], rows: [[1, 'naïve', undefined]] }],
      ...{ errors: [], inTransaction: false },
    });
  });

  test('of all types that were recorded', () => {
    const [row = []] = answers('types')[0]!.sets[0]!.rows;
    expect(row[13]).toMatch(/^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    expect(row.filter((_value, index) => index !== 13)).toEqual([
      ...[true, 2, 3, 4n, 5.5, 6.5, '7.2500', '8.7500', '2024-01-02', '2024-01-02 03:04:05.000'],
      ...['2024-01-02 03:04:05.1230000', '03:04:05.0000000', '2024-01-02 03:04:05.0000000 +02:00'],
      ...['abc', 'déf', Uint8Array.of(0xde, 0xad, 0xbe, 0xef), '<a/>', 'text'],
    ]);
  });

  test('several results', () => {
    const [several] = answers('multiple-result-sets');
    expect(several!.sets.map(({ rows }) => rows.length)).toEqual([1, 1, 0]);
    expect(several!.infos.length).toBe(1);
  });

  test('errors', () => {
    const said = answers('errors').map(({ errors }) => errors.map(({ number }) => number));
    expect(said.slice(0, 2)).toEqual([[8134], [33_557_097]]);
    expect(said.at(-1)).toEqual([]);
  });

  test('an output parameter, and what a procedure returns', () => {
    const called = answers('stored-procedure').find(({ returnValues }) => returnValues.length > 0);
    expect(called).toMatchObject({ returnValues: [42], returnStatus: 7 });
    const prepared = answers('prepare-execute-unprepare')[0];
    expect(prepared!.returnValues).toEqual([1]);
  });

  test('a transaction that begins and ends', () => {
    const types = answers('transaction-manager').flatMap(({ envChanges }) =>
      envChanges.map(({ type }) => type),
    );
    expect(types).toContain(envChange.beginTransaction);
    expect(types).toContain(envChange.commitTransaction);
  });
});

describe('values', () => {
  test.each(testTypes.map((type) => [type.name, type] as const))('%s', (_name, type) => {
    const { value, none = value, meaning } = type;
    const payload = concat([
      ...[colMetadata(V, [type]), row([value]), row([none]), nbcRow([value]), nbcRow([undefined])],
      ...[returnValue(V, type), returnValue(V, type, true), END],
    ]);
    const results = readResults(payload, V);
    const nothing = type.none === undefined ? meaning : undefined;
    expect(results.sets).toEqual([
      { columns: [type.name], rows: [[meaning], [nothing], [meaning], [undefined]] as never },
    ]);
    expect(results.returnValues as readonly unknown[]).toEqual([meaning, nothing]);
    for (let cut = 1; cut < payload.length; cut += 1) {
      const part = payload.subarray(0, cut);
      const isBetween = readable(part);
      if (!isBetween) expect(() => readResults(part, V)).toThrow(Violation);
    }
  });

  test.each([tdsVersion.v70, tdsVersion.v71, tdsVersion.v72])('of version %d', (version) => {
    const types = typesOf(version).filter(({ name }) => !name.includes('UTF-8'));
    const end = done(token.done, 0, 0, 0n, version);
    const values = types.map(({ value }) => value);
    const results = readResults(concat([colMetadata(version, types), row(values), end]), version);
    expect(results.sets[0]!.rows as unknown).toEqual([types.map(({ meaning }) => meaning)]);
  });

  const variant = testTypes.find(({ name }) => name === 'sql_variant')!;
  const asVariant = (...bytes: readonly number[]): unknown => {
    const value = concat([int32(bytes.length), Uint8Array.from(bytes)]);
    return readResults(concat([colMetadata(V, [variant]), row([value]), END]), V).sets[0]!
      .rows[0]![0];
  };

  test('in a variant', () => {
    const collation = [9, 4, 0xd0, 0, 0x34];
    expect(asVariant(0x7f, 0, 1, 0, 0, 0, 0, 0, 0, 0)).toBe(1n);
    expect(asVariant(0xe7, 7, ...collation, 0x40, 0x1f, 0x61, 0)).toBe('a');
    expect(asVariant(0xa7, 7, ...collation, 0x40, 0x1f, 0xe9)).toBe('é');
    expect(asVariant(0xa5, 2, 0x40, 0x1f, 1, 2)).toEqual(Uint8Array.of(1, 2));
    expect(asVariant(0x6c, 2, 5, 2, 0, 0x7b, 0, 0, 0)).toBe('-1.23');
    expect(asVariant(0x28, 0, 0x98, 0x0a, 0x0b)).toBe('1982-03-05');
    expect(asVariant(0x2a, 1, 0, 1, 0, 0, 0, 0, 0)).toBe('0001-01-01 00:00:01');
    expect(() => asVariant(0x62, 0, 1)).toThrow(Violation);
    expect(() => asVariant(0x38, 9, 1)).toThrow(Violation);
    expect(() => asVariant(0x38, 0, 1, 2, 3)).toThrow(Violation);
  });

  test('with an offset into the day before', () => {
    const type = testTypes.find(({ name }) => name === 'datetimeoffset')!;
    // 01:00 in UTC, three hours earlier there.
    const value = Uint8Array.of(8, 0x10, 0x0e, 0, 1, 0, 0, 0x4c, 0xff);
    const payload = concat([colMetadata(V, [type]), row([value]), END]);
    expect(readResults(payload, V).sets[0]!.rows).toEqual([['0001-01-01 22:00:00 -03:00']]);
  });
});

/** Whether an answer may end here. */
function readable(part: Uint8Array): boolean {
  try {
    readResults(part, V);
    return true;
  } catch (problem) {
    if (problem instanceof Violation) return false;
    throw problem;
  }
}

describe('an answer', () => {
  test('has the rest of what is said', () => {
    const said = {
      number: 1,
      state: 2,
      severity: 16,
      message: 'm',
      server: 's',
      procedure: '',
      line: 1,
    };
    const payload = concat([
      ...[envChangeBytes(envChange.resetDone, EMPTY, EMPTY), info(said, V), error(said, V)],
      ...[concat([byte(token.order), int16(2), int16(1)]), returnStatus(-3)],
      returnValueInt({ ordinal: 0, name: '@handle', value: undefined }, V),
      done(token.doneProc, doneStatus.error | doneStatus.inTransaction, 0xe0, 0n, V),
    ]);
    expect(readResults(payload, V)).toMatchObject({
      ...{ sets: [], errors: [said], infos: [said], returnValues: [undefined], returnStatus: -3 },
      ...{
        envChanges: [{ type: envChange.resetDone, bytes: new Uint8Array(2) }],
        inTransaction: true,
      },
    });
  });

  test.each([
    ['a row without columns', row([])],
    ['computed rows, which we do not ask for', altMetadata(V, 1, [])],
    ['an ENVCHANGE of nothing', concat([byte(token.envChange), int16(0)])],
    ['too many columns', concat([byte(token.colMetadata), int16(4_097)])],
  ])('with %s is a violation', (_what, payload) => {
    expect(() => readResults(payload, V)).toThrow(Violation);
  });

  test('TD-38: tells of keys where encryption was agreed on', () => {
    const types = testTypes.slice(0, 3);
    const encrypted = new Map([['int2', { ordinal: 0, algorithm: '' }]]);
    const values = types.map(({ value }) => value);
    for (const columns of [colMetadata(V, types, 2, encrypted), colMetadata(V, types, 0)]) {
      const payload = concat([columns, row(values), END]);
      const rows = readResults(payload, V, true).sets[0]!.rows as unknown;
      expect(rows).toEqual([types.map(({ meaning }) => meaning)]);
    }
  });

  test('of more rows than any question of ours has is a violation', () => {
    const type = testTypes[0]!;
    const rows = Array.from({ length: limits.ownAnswerRows.value + 1 }, () => row([type.value]));
    expect(() => readResults(concat([colMetadata(V, [type]), ...rows]), V)).toThrow('more than');
  });
});
