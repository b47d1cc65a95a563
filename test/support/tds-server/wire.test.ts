import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Decimal } from './types/decimal.ts';
import { SqlError } from './types/errors.ts';
import { Moment } from './types/moment.ts';
import type { SqlType, Value } from './types/sql-type.ts';
import {
  MAX,
  bigint,
  bit,
  datetime2,
  decimal,
  float,
  int,
  nvarchar,
  sqlType,
  variant,
  varbinary,
} from './types/sql-type.ts';
import { readLogin } from './wire/login.ts';
import { PacketReader, cut } from './wire/packets.ts';
import { readPrelogin } from './wire/prelogin.ts';
import { readBulk, readCalls, readHeaders, readTransactionRequest } from './wire/requests.ts';
import { Sink } from './wire/sink.ts';
import { Source } from './wire/source.ts';
import { readTypeInfo, writeTypeInfo } from './wire/type-info.ts';
import { readValue, writeValue } from './wire/values.ts';

const VERSION = 0x74000004;

describe('any bytes are read or refused', () => {
  const readers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
    prelogin: readPrelogin,
    login: readLogin,
    headers: (bytes) => readHeaders(new Source(bytes), VERSION),
    calls: (bytes) => readCalls(new Source(bytes), VERSION),
    bulk: (bytes) => readBulk(new Source(bytes), VERSION),
    'transaction requests': (bytes) => readTransactionRequest(new Source(bytes)),
    packets: (bytes) => new PacketReader({ begins() {}, message() {}, offence() {} }).feed(bytes),
  };
  const call = Buffer.from('0500', 'hex');
  test.each(Object.entries(readers))('%s', (_name, read) => {
    const near = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([call, bytes]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), near), (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(SqlError);
        }
      }),
    );
  });
});

test('a message cut anywhere is the same message', () => {
  const payload = Uint8Array.from({ length: 1500 }, (_, n) => n);
  const packets = cut(payload, 1, 512);
  for (let at = 0; at <= packets.length; at += 7) {
    const found: Uint8Array[] = [];
    const reader = new PacketReader({
      begins() {},
      message: (one) => found.push(one.payload),
      offence: (what) => expect(what).toBe(''),
    });
    reader.packetBytes = 512;
    reader.mustBeFull = true;
    reader.feed(packets.subarray(0, at));
    reader.feed(packets.subarray(at));
    expect(found.map((one) => Buffer.compare(one, payload))).toEqual([0]);
  }
});

describe('values come back as they were written', () => {
  const moment = new Moment(737_425, 110_451_234_567);
  const whole = new Moment(737_425, 110_450_000_000);
  const cases: readonly (readonly [SqlType, Value])[] = [
    [bit, true],
    [sqlType('tinyint'), 255],
    [sqlType('smallint'), -3],
    [int, -2_147_483_648],
    [bigint, -(2n ** 63n)],
    [float, 1.5],
    [sqlType('real'), 0.5],
    [decimal(38, 10), new Decimal(-123_456_789_012_345_678_901_234_567n, 10)],
    [sqlType('money', 0, 19, 4), new Decimal(-12_345_678_901_234n, 4)],
    [sqlType('smallmoney', 0, 10, 4), new Decimal(-5n, 4)],
    [nvarchar(20), 'naïve 日本'],
    [nvarchar(MAX), 'x'.repeat(10_000)],
    [sqlType('varchar', 20), 'naïve €'],
    [sqlType('nchar', 3), 'ab '],
    [varbinary(MAX), Uint8Array.of(1, 2, 3)],
    [sqlType('binary', 2), Uint8Array.of(1, 2)],
    [sqlType('uniqueidentifier'), '6F9619FF-8B86-D011-B42D-00C04FC964FF'],
    [sqlType('date'), new Moment(737_425, 0)],
    [sqlType('time', 0, 0, 7), new Moment(693_595, 110_451_234_567)],
    [datetime2, moment],
    [sqlType('datetimeoffset', 0, 0, 7), new Moment(737_425, 110_451_234_567, -330)],
    [sqlType('datetime', 0, 23, 3), whole],
    [sqlType('xml', MAX), '<a/>'],
    [sqlType('ntext', MAX), 'long'],
    [variant, 'text'],
    [variant, 5],
    [variant, 5n],
    [variant, true],
    [variant, 2.5],
    [variant, new Decimal(125n, 2)],
    [variant, Uint8Array.of(9)],
    [variant, moment],
  ];
  test.each(
    cases.map(([type, value]) => [type.name, String(value).slice(0, 30), type, value] as const),
  )('%s %s', (_name, _shown, type, value) => {
    for (const one of [value, null]) {
      const sink = new Sink();
      writeTypeInfo(sink, type);
      writeValue(sink, type, one, false);
      const source = new Source(sink.written);
      const wire = readTypeInfo(source, VERSION);
      expect(readValue(source, wire)).toEqual(one);
      expect(source.isAtEnd).toBe(true);
    }
  });
});
