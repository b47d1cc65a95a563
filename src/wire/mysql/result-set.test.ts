import { describe, expect, test } from 'bun:test';
import { recording } from '../../../test/support/mysql-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { byte, lenencInt, lenencString } from './build.ts';
import { capability, extension } from './capabilities.ts';
import type { Capabilities } from './capabilities.ts';
import { BINARY, UTF8MB4_GENERAL_CI } from './charsets.ts';
import { columnDefinition, ownColumn, readColumn } from './column-definition.ts';
import { columnFlag, columnType } from './column-types.ts';
import { EOF_HEADER, isEof, isFinalOk, readEof } from './eof.ts';
import { HEADER_BYTES, packetBytes, sequenceNumber } from './framing.ts';
import { readOk } from './ok.ts';
import {
  binaryRow,
  columnCount,
  LOCAL_INFILE_HEADER,
  metadataFollows,
  readColumnCount,
  readTextRow,
  resultSet,
  textRow,
} from './result-set.ts';
import { serverStatus } from './status-flags.ts';

const EXTENDED = extension.extendedMetadata;

describe('a column', () => {
  test.each([
    ['mysqlColumn', 0],
    ['mysqlTable', 0],
    ['mysqlParameter', 0],
    ['mariadbColumn', EXTENDED],
    ['mariadbUnitColumn', EXTENDED],
  ] as const)('%s: read, and said again byte for byte', (name, extensions) => {
    const bytes = recording(name);
    const column = readColumn(bytes, 0, bytes.length, extensions);
    expect(columnDefinition(column, extensions)).toEqual(bytes);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(() => readColumn(bytes, 0, cut, extensions)).toThrow(Violation);
    }
    const more = concat([bytes, lenencString('x'), byte(0)]);
    expect(() => readColumn(more, 0, more.length, extensions)).toThrow('too many');
  });

  test('says what it is', () => {
    const bytes = recording('mysqlColumn');
    expect(readColumn(bytes, 0, bytes.length, 0)).toMatchObject({
      ...{ schema: '', table: '', name: 'one', collation: BINARY, length: 2, decimals: 0 },
      type: columnType.longlong,
      flags: columnFlag.notNull | columnFlag.binary,
      defaultValue: undefined,
    });
  });

  test('MY-06: with extended metadata, which nobody else is told', () => {
    const own = ownColumn({
      ...{ name: 'j', collation: UTF8MB4_GENERAL_CI, length: 400, decimals: 0 },
      ...{ type: columnType.blob, flags: 0 },
    });
    const column = { ...own, extended: concat([byte(1), lenencString('json')]) };
    const bytes = columnDefinition(column, EXTENDED);
    expect(readColumn(bytes, 0, bytes.length, EXTENDED)).toEqual(column);
    const plain = columnDefinition(column, 0);
    expect(readColumn(plain, 0, plain.length, 0)).toEqual(own);
  });

  test('MY-15: with a default, as COM_FIELD_LIST tells it', () => {
    const bytes = recording('mysqlColumn');
    const column = readColumn(bytes, 0, bytes.length, 0);
    for (const defaultValue of [null, '', 'x'.repeat(300)]) {
      const said = columnDefinition({ ...column, defaultValue }, 0);
      expect(readColumn(said, 0, said.length, 0)).toEqual({ ...column, defaultValue });
    }
  });
});

describe('the number of columns', () => {
  const ways: readonly (readonly [name: string, Capabilities])[] = [
    ['alone', { flags: 0, extensions: 0 }],
    ["with MySQL's byte behind it", { flags: capability.optionalResultsetMetadata, extensions: 0 }],
    ["with MariaDB's byte behind it", { flags: 0, extensions: extension.cacheMetadata }],
  ];
  test.each(ways)('%s', (_, agreed) => {
    for (const count of [1, 250, 251, limits.resultColumns.value]) {
      const bytes = columnCount(count, agreed);
      expect(readColumnCount(bytes, 0, bytes.length, agreed)).toBe(count);
      expect(metadataFollows(bytes, bytes.length, agreed)).toBe(true);
      for (let cut = 0; cut < bytes.length; cut += 1) {
        expect(() => readColumnCount(bytes, 0, cut, agreed)).toThrow(Violation);
      }
    }
    const many = columnCount(limits.resultColumns.value + 1, agreed);
    expect(() => readColumnCount(many, 0, many.length, agreed)).toThrow('65536 columns');
  });

  test('whether they are described', () => {
    const agreed = { flags: 0, extensions: extension.cacheMetadata };
    expect(metadataFollows(recording('mariadbColumnCount'), 2, agreed)).toBe(true);
    expect(metadataFollows(recording('mariadbColumnCountAgain'), 2, agreed)).toBe(false);
    expect(readColumnCount(recording('mariadbColumnCountAgain'), 0, 2, agreed)).toBe(2);
    const silent = { flags: capability.optionalResultsetMetadata, extensions: 0 };
    expect(readColumnCount(Uint8Array.of(2, 0), 0, 2, silent)).toBe(2); // of MySQL 9.7.4
    expect(metadataFollows(Uint8Array.of(2, 0), 2, silent)).toBe(false);
  });

  test('MY-10: is none where a file is asked for', () => {
    const bytes = concat([byte(LOCAL_INFILE_HEADER), utf8('/tmp/x')]);
    const agreed = { flags: 0, extensions: 0 };
    expect(() => readColumnCount(bytes, 0, bytes.length, agreed)).toThrow(Violation);
  });
});

describe('rows', () => {
  test('of text', () => {
    expect(readTextRow(recording('mysqlTextRow'))).toEqual(['1', null]);
    expect(textRow(['1', null])).toEqual(recording('mysqlTextRow'));
    const row = ['', 'größer', null, 'x'.repeat(70_000)];
    expect(readTextRow(textRow(row))).toEqual(row);
    expect(textRow([utf8('a')])).toEqual(textRow(['a']));
    expect(() => readTextRow(lenencInt(4))).toThrow(Violation);
  });

  test('of binary values', () => {
    const { longlong, varString, double } = columnType;
    expect(binaryRow([longlong, longlong], [0, 1n])).toEqual(recording('mariadbUnitRow'));
    expect(binaryRow([double, varString], [null, 'y'])).toEqual(recording('mysqlBinaryRowNull'));
    const types = [columnType.tiny, columnType.short, columnType.long, longlong];
    expect(binaryRow(types, [-1, -2, -3, -4])).toEqual(
      Uint8Array.from([0, 0, 255, 254, 255, 253, 255, 255, 255, 252, ...Array(7).fill(255)]),
    );
    // The bits of ten columns, two of which are not used, need a second byte.
    const tens = Array.from({ length: 10 }, () => longlong);
    expect(
      binaryRow(
        tens,
        Array.from({ length: 10 }, () => null),
      ),
    ).toEqual(Uint8Array.of(0, 0xfc, 0x0f));
  });

  test('a value that is none of its type is our own bug', () => {
    expect(() => binaryRow([columnType.double], [1])).toThrow('no whole number');
    expect(() => binaryRow([columnType.float], [1])).toThrow('no whole number');
    expect(() => binaryRow([columnType.varString], [1])).toThrow('no whole number');
    expect(() => binaryRow([columnType.tiny], ['x'])).toThrow('text is no value');
    expect(() => binaryRow([columnType.tiny], [])).toThrow('a value for each');
  });
});

describe('MY-02, MY-03: a result of our own', () => {
  const column = ownColumn({
    ...{ name: 'CONNECTION_ID()', collation: BINARY, length: 10, decimals: 0 },
    ...{ type: columnType.longlong, flags: columnFlag.notNull | columnFlag.unsigned },
  });
  const status = serverStatus.autocommit;
  const rows = [textRow(['7']), textRow(['8'])];

  const flags = [0, capability.optionalResultsetMetadata, capability.sessionTrack];
  const extensions = [0, extension.cacheMetadata, EXTENDED];
  const mixes = flags.flatMap((some) => extensions.map((more) => [some, more] as const));
  test.each(mixes)('in any mix of capabilities: %d, %d', (some, more) => {
    for (const last of [0, capability.deprecateEof]) {
      const agreed = { flags: some | last, extensions: more };
      const bytes = resultSet(255, { columns: [column], rows, status, warnings: 2 }, agreed);
      const payloads: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += HEADER_BYTES + packetBytes(bytes, at)) {
        expect(sequenceNumber(bytes, at)).toBe((255 + payloads.length) & 0xff);
        const start = at + HEADER_BYTES;
        payloads.push(bytes.subarray(start, start + packetBytes(bytes, at)));
      }
      const [count, definition, ...rest] = payloads;
      expect(readColumnCount(count!, 0, count!.length, agreed)).toBe(1);
      expect(readColumn(definition!, 0, definition!.length, more)).toEqual(column);
      const end = rest.at(-1)!;
      expect(rest.slice(-3, -1)).toEqual(rows);
      if (last === 0) {
        expect(isEof(end, 0, end.length)).toBe(true);
        expect(readEof(end)).toEqual({ status, warnings: 2 });
        expect(rest[0]).toEqual(end);
        expect(rest).toHaveLength(4);
      } else {
        expect(isFinalOk(end, 0, end.length)).toBe(true);
        expect(end[0]).toBe(EOF_HEADER);
        expect(readOk(end, 0, end.length, agreed.flags)).toMatchObject({ status, warnings: 2 });
        expect(rest).toHaveLength(3);
      }
    }
  });
});
