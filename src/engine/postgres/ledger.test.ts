import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { anyCopyMessage, anyRequest, Draw, ModelServer } from '../../../test/transcripts/model.ts';
import { freshMemory } from '../../../test/transcripts/rig.ts';
import { Violation } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { Ledger, owed } from './ledger.ts';
import { Replies } from './replies.ts';

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

const codes: Readonly<Record<string, number>> = {
  Q: query,
  F: functionCall,
  S: sync,
  P: parse,
  B: bind,
  C: owed.close,
  D: owed.describe,
  E: execute,
  c: copyEnd,
  f: copyEnd,
};

/** A session of which chance decides everything; true where it came to its end with all told apart. */
function converse(draw: Draw): boolean {
  const server = new ModelServer();
  const memory = freshMemory();
  const heard: Uint8Array[] = [];
  const replies = new Replies({
    toServer: (bytes: Uint8Array) => server.receive(bytes),
    toClient: (bytes: Uint8Array) => void heard.push(bytes.slice()),
  } as never);
  const ask = (bytes: Uint8Array): void => {
    if (replies.doubtful) return;
    const code = codes[String.fromCharCode(bytes[0] ?? 0)];
    if (code !== undefined) replies.expect(code);
    server.receive(bytes);
  };
  const settle = (): void => {
    while (server.hasWork || server.outboxBytes > 0) {
      while (server.hasWork) server.step(draw);
      replies.relay(memory, server.take());
      replies.sendBarrier();
    }
    if (server.mode === 'dead') return;
    expect(replies.nothingOwed).toBe(server.mode === 'ready' && !server.awaitsSync);
  };
  try {
    while (!draw.exhausted && server.mode !== 'dead') {
      // Now and then a client gets a copy wrong.
      const copies = server.mode === 'copying' && draw.below(20) > 0;
      ask(copies ? anyCopyMessage(draw) : anyRequest(draw));
      if (draw.below(3) === 0) server.step(draw);
      if (draw.below(4) === 0) settle();
    }
    settle();
  } catch (error) {
    // Told apart or not, but never mixed up.
    if (!(error instanceof Violation)) throw error;
    expect(server.copyFailed).toBe(true);
    expect(error.message).toContain('behind a copy that failed');
    return false;
  }
  expect(Buffer.concat(heard).equals(server.forClient)).toBe(true);
  expect(replies.canSpeak).toBe(server.mode !== 'dead');
  return true;
}

test('PG-01, PG-02, PG-06, PG-09: nothing is owed exactly when a model of the server owes nothing', () => {
  let complete = 0;
  const runs = 3_000;
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { maxLength: 150, size: 'max' }), (numbers) => {
      if (converse(new Draw(numbers))) complete += 1;
    }),
    { numRuns: runs },
  );
  // Giving up is for rare cases.
  expect(complete).toBeGreaterThan(runs * 0.95);
});
