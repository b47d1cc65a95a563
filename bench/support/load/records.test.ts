import { describe, expect, test } from 'bun:test';
import { readRecords, Records } from './records.ts';

describe('records', () => {
  test('are read as they were noted down, however many', () => {
    const records = new Records();
    const count = 70_000;
    for (let at = 0; at < count; at += 1) records.add(at % 32, at + 0.5, 1.8e15 + at);
    const finishes = readRecords(records.bytes());
    expect(finishes).toHaveLength(count);
    expect(finishes.at(-1)).toEqual({
      client: (count - 1) % 32,
      latencyMicros: count - 0.5,
      atMicros: 1.8e15 + count - 1,
    });
  });

  test('are read from wherever they stand in memory', () => {
    const records = new Records();
    records.add(3, 4, 5);
    const shifted = Buffer.concat([Uint8Array.of(0x0a), records.bytes()]).subarray(1);
    expect(readRecords(shifted)).toEqual([{ client: 3, latencyMicros: 4, atMicros: 5 }]);
  });

  test('of nothing are none', () => {
    expect(readRecords(new Records().bytes())).toEqual([]);
  });
});
