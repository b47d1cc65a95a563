import { describe, expect, test } from 'bun:test';
import { finishedBetween, servedClients } from '../support/finishes.ts';
import { parseLog } from './pgbench-log.ts';

const log = `1 1 1796 0 1795697557 422972
10 1 1247 0 1795697557 429070
1 2 802 0 1795697557 432051
10 2 300 0 1795697558 000017
`;

describe("pgbench's log", () => {
  test('is read line by line', () => {
    expect(parseLog(log)[1]).toEqual({
      client: 10,
      latencyMicros: 1247,
      atMicros: 1_795_697_557_429_070,
    });
    expect(parseLog(log)).toHaveLength(4);
    expect(parseLog('')).toEqual([]);
  });

  test('is put in the order of time: each thread writes a file of its own', () => {
    const [first, second] = [log.split('\n').slice(2), log.split('\n').slice(0, 2)];
    expect(parseLog([...first, ...second].join('\n'))).toEqual(parseLog(log));
  });

  test.each(['0 1 failed 0 1795697557 422972', '0 1', 'pgbench: error: connection refused'])(
    'throws on %p',
    (line) => {
      expect(() => parseLog(line)).toThrow('not a line of pgbench');
    },
  );
});

describe('what was finished in a span of time', () => {
  const span = { beganMicros: 1_795_697_557_425_000, endedMicros: 1_795_697_558_000_017 };

  test("is counted; latencies are pgbench's own, sorted", () => {
    const { count, latencies } = finishedBetween(parseLog(log), span, false);
    expect(count).toBe(2);
    expect([...latencies]).toEqual([802, 1247]);
  });

  test('took from one end to the next where each transaction has its connection', () => {
    const { count, latencies } = finishedBetween(parseLog(log), span, true);
    expect(count).toBe(2);
    expect([...latencies]).toEqual([9_079]);
  });
});

test('a client that finished one transaction only has waited for another to leave', () => {
  expect(servedClients(parseLog(log))).toBe(2);
  expect(servedClients(parseLog(`${log}2 1 9 0 1795697558 000018\n`))).toBe(2);
});
