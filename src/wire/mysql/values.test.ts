import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Violation } from '../../base/assert.ts';
import { concat, utf8 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { readLenenc, readLenencBig, readLenencText } from './lenenc-reader.ts';
import { byte, cstring, int16, int24, int32, int64, lenencInt, lenencString } from './build.ts';
import { lenencAt, lenencEnd, lenencStringEnd } from './values.ts';

const edges: [value: bigint, bytes: number][] = [
  [0n, 1],
  [250n, 1],
  [251n, 3],
  [0xffffn, 3],
  [0x10000n, 4],
  [0xffffffn, 4],
  [0x1000000n, 9],
  [0xffffffffn, 9],
  [0x100000000n, 9],
  [2n ** 53n - 1n, 9],
  [2n ** 64n - 1n, 9],
];

describe('length-encoded integers', () => {
  test('take as many bytes as they need, and are read as they were written', () => {
    for (const [value, size] of edges) {
      const bytes = lenencInt(value);
      expect(bytes.length).toBe(size);
      expect(readLenencBig(new BodyReader('test', bytes))).toBe(value);
      expect(lenencEnd(bytes, 0, bytes.length)).toBe(size);
      if (value <= Number.MAX_SAFE_INTEGER) {
        expect(readLenenc(new BodyReader('test', bytes))).toBe(Number(value));
        expect(lenencAt(bytes, 0)).toBe(Number(value));
      }
      for (let cut = 0; cut < size; cut += 1) {
        expect(() => lenencEnd(bytes, 0, cut)).toThrow(Violation);
        expect(() => readLenencBig(new BodyReader('test', bytes, 0, cut))).toThrow(Violation);
      }
    }
  });

  test('that are none, or that no length can have, are violations', () => {
    for (const first of [0xfb, 0xff]) {
      const bytes = concat([byte(first), new Uint8Array(8)]);
      expect(() => lenencEnd(bytes, 0, bytes.length)).toThrow(Violation);
      expect(() => readLenenc(new BodyReader('test', bytes))).toThrow(Violation);
    }
    expect(() => readLenenc(new BodyReader('test', lenencInt(2n ** 53n)))).toThrow('beyond');
    expect(() => lenencInt(-1)).toThrow('negative');
  });

  test('a string longer than what is there is a violation', () => {
    for (const length of [4, 251, 70_000, 2n ** 40n, 2n ** 64n - 1n]) {
      const bytes = concat([lenencInt(length), utf8('abc')]);
      expect(() => lenencStringEnd(bytes, 0, bytes.length)).toThrow(Violation);
      expect(() => readLenencText(new BodyReader('test', bytes))).toThrow(Violation);
    }
    expect(lenencStringEnd(lenencString('abc'), 0, 4)).toBe(4);
  });
});

describe('a body', () => {
  test('is read as it was built', () => {
    fc.assert(
      fc.property(
        fc.record({
          u8: fc.nat(0xff),
          u16: fc.nat(0xffff),
          u24: fc.nat(0xffffff),
          u32: fc.nat(0xffffffff),
          u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          lenenc: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          text: fc.string({ unit: 'grapheme' }),
          name: fc.string().map((it) => it.replaceAll('\0', '')),
          rest: fc.string({ unit: 'grapheme' }),
        }),
        (said) => {
          const body = concat([
            byte(said.u8),
            int16(said.u16),
            int24(said.u24),
            int32(said.u32),
            int64(said.u64),
            lenencInt(said.lenenc),
            lenencString(said.text),
            cstring(said.name),
            utf8(said.rest),
          ]);
          const reader = new BodyReader(
            'test',
            concat([byte(0), body, byte(1)]),
            1,
            body.length + 1,
          );
          const read = {
            u8: reader.u8(),
            u16: reader.u16le(),
            u24: reader.u24le(),
            u32: reader.u32le(),
            u64: reader.u64le(),
            lenenc: readLenencBig(reader),
            text: readLenencText(reader),
            name: reader.cstring(),
            rest: reader.restText(),
          };
          reader.end();
          expect(read).toEqual(said);
        },
      ),
    );
  });

  test('a string that does not end within it is a violation, or its rest', () => {
    const bytes = utf8('abc\0');
    const cut = () => new BodyReader('test', bytes, 0, 3);
    expect(() => cut().cstring()).toThrow('does not end');
    expect(cut().cstringOrRest()).toBe('abc');
    expect(new BodyReader('test', bytes).cstringOrRest()).toBe('abc');
    expect(() => new BodyReader('test', bytes).end()).toThrow('4 bytes too many');
  });

  test('a NUL in a string is our own bug, not a second field', () => {
    expect(() => cstring('a\0b')).toThrow('NUL');
  });
});
