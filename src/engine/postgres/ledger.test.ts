import { describe, expect, test } from 'bun:test';
import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { Ledger, owed } from './ledger.ts';

const { query, functionCall, sync, parse, bind, execute, copyEnd, barrier } = owed;

function ledgerOf(...codes: readonly number[]): Ledger {
  const ledger = new Ledger();
  for (const code of codes) ledger.push(code);
  return ledger;
}

/** All that is owed, in order. Empties the ledger. */
function rest(ledger: Ledger): readonly number[] {
  const codes: number[] = [];
  for (; !ledger.isEmpty; ledger.settle(ledger.head)) codes.push(ledger.head);
  return codes;
}

describe('what is owed', () => {
  test('is settled in the order in which it was sent, however much it is', () => {
    const ledger = ledgerOf();
    expect(ledger.head).toBe(owed.nothing);
    const codes = Array.from({ length: 1_000 }, (_, at) => (at % 8) + 1);
    // Every few a reply comes, so that the ring turns while it grows.
    const settled: number[] = [];
    for (const [at, code] of codes.entries()) {
      ledger.push(code);
      if (at % 3 !== 0) continue;
      settled.push(ledger.head);
      ledger.settle(ledger.head);
    }
    expect([...settled, ...rest(ledger)]).toEqual(codes);
    expect(ledger.isEmpty).toBe(true);
  });

  test('is not settled by anything else', () => {
    expect(() => ledgerOf(parse).settle(bind)).toThrow('answered bind where parse was due');
    expect(() => ledgerOf().settle(execute)).toThrow('answered execute where nothing was due');
    expect(() => ledgerOf(parse, sync).settleReady()).toThrow('ready where parse was due');
    expect(() => ledgerOf().settleReady()).toThrow(Violation);
  });

  test('ReadyForQuery ends a query, a function call, a Sync or a barrier, and says which', () => {
    const ledger = ledgerOf(query, functionCall, sync, barrier);
    const ended = [1, 2, 3, 4].map(() => ledger.settleReady());
    expect(ended).toEqual([query, functionCall, sync, barrier]);
    expect(ledger.isEmpty).toBe(true);
  });

  test('PG-06: an error skips to the next Sync, PG-02: queries on the way included', () => {
    const ledger = ledgerOf(parse, bind, execute, query, copyEnd, sync, parse, sync);
    expect(ledger.skipToSync()).toBe(true);
    expect(rest(ledger)).toEqual([sync, parse, sync]);
  });

  test('PG-06: an error ahead of any Sync leaves nothing and says so', () => {
    const ledger = ledgerOf(parse, bind, execute);
    expect(ledger.skipToSync()).toBe(false);
    expect(ledger.isEmpty).toBe(true);
  });

  test('PG-09: a copy swallows the Syncs ahead of its end, and no others', () => {
    const ledger = ledgerOf(execute, sync, sync, copyEnd, sync, query);
    ledger.endCopy();
    expect(rest(ledger)).toEqual([execute, sync, query]);
  });

  test('PG-09: what ends a request is a Sync or a query', () => {
    expect([ledgerOf(execute, sync).hasEnd, ledgerOf(execute, query).hasEnd]).toEqual([true, true]);
    expect([ledgerOf(execute, functionCall).hasEnd, ledgerOf().hasEnd]).toEqual([false, false]);
  });

  test('PG-09: two copies in one query end one by one', () => {
    const ledger = ledgerOf(query, copyEnd, copyEnd, query);
    ledger.endCopy();
    ledger.endCopy();
    expect(rest(ledger)).toEqual([query, query]);
  });

  test('PG-09: a failed copy has swallowed nothing that came behind its end', () => {
    const ledger = ledgerOf(execute, copyEnd, sync);
    expect(ledger.failCopy()).toBe(false);
    expect(rest(ledger)).toEqual([execute, sync]);
  });

  test('PG-09: a failed copy may have swallowed what came ahead of its end', () => {
    const ledger = ledgerOf(execute, sync, copyEnd, sync);
    expect(ledger.failCopy()).toBe(true);
    expect(rest(ledger)).toEqual([execute, sync, sync]);
    expect(ledgerOf(execute, sync).failCopy()).toBe(true);
  });

  test('PG-09: the barrier ends the doubt about all Syncs before it', () => {
    const ledger = ledgerOf(sync, copyEnd, sync, barrier);
    ledger.reachBarrier();
    expect(ledger.head).toBe(barrier);
    expect(ledger.settleReady()).toBe(barrier);
    expect(ledger.isEmpty).toBe(true);
  });

  test('PG-09: the end of a copy is no request: behind it replies can still be told apart', () => {
    expect(ledgerOf(sync, copyEnd, sync).onlySyncs).toBe(true);
    expect(ledgerOf(sync, parse, sync).onlySyncs).toBe(false);
  });

  test('PG-07: the end of a copy that never was is owed nothing', () => {
    const ledger = ledgerOf(query, copyEnd, copyEnd);
    ledger.settleReady();
    expect(ledger.isEmpty).toBe(true);
  });

  test('PG-08: ten thousand copies leave nothing behind', () => {
    const ledger = new Ledger();
    for (let copies = 0; copies < 10_000; copies += 1) {
      ledger.push(query);
      ledger.push(copyEnd);
      ledger.endCopy();
      ledger.settleReady();
    }
    expect(ledger.isEmpty).toBe(true);
  });

  test('has a limit', () => {
    const ledger = new Ledger();
    for (let size = 0; size < limits.owedReplies.value; size += 1) ledger.push(sync);
    expect(() => ledger.push(sync)).toThrow(`more than ${limits.owedReplies.value} replies`);
  });
});
