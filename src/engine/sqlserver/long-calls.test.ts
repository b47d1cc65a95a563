import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Violation } from '../../base/assert.ts';
import { concat, i32le } from '../../base/bytes.ts';
import type { RpcArgument, RpcCall } from '../../wire/tds/rpc.ts';
import { procedure, readRpcHead, rpcCalls } from '../../wire/tds/rpc.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';
import type { Glimpse, Onlooker } from './long-calls.ts';
import { LongCalls } from './long-calls.ts';
import type { Effects } from './sql/effects.ts';
import { UNSURE } from './sql/effects.ts';

const version = tdsVersion.v74;
const long = 'long '.repeat(20_000);
const text = (said: string): RpcArgument => ({ text: said });

const calls: readonly RpcCall[] = [
  { procedure: procedure.executeSql, arguments: [text('select 1'), text(long), { int: 7 }] },
  { procedure: procedure.execute, arguments: [{ int: 0x4000_0001 }, text(long)] },
  { procedure: 'sp_who', arguments: [] },
  { procedure: procedure.execute, arguments: [{ int: 0x4000_0002 }, text('short')] },
  { procedure: procedure.executeSql, arguments: [text(long)] },
];
const payload = rpcCalls(calls, 0n, version);
const [first] = calls;
const firstEnd = rpcCalls(first === undefined ? [] : [first], 0n, version).length;

const none: Effects = { ...UNSURE, isUnsure: false };

class Witness implements Onlooker {
  readonly heard: string[] = [];

  begin(): number {
    return 1;
  }

  hear(
    { procedure: called }: Parameters<Onlooker['hear']>[0],
    [one]: readonly Glimpse[],
    bytes: Uint8Array,
  ): Effects {
    const isHandle = called === procedure.execute && one !== undefined;
    if (isHandle) bytes[one.valueAt + 3] = 0x20;
    this.heard.push(
      `${called} ${one?.text()?.slice(0, 5).replace('long ', '') ?? one?.int() ?? ''}`,
    );
    return none;
  }

  together(effects: readonly Effects[]): Effects {
    return { ...none, uses: String(effects.length) };
  }
}

/** All that is passed on. */
function pass(reader: LongCalls, bytes: Uint8Array, pieceBytes: number): Uint8Array {
  const passed: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    passed.push(reader.add(bytes.slice(at, at + pieceBytes)).slice());
  passed.push(reader.end());
  return concat(passed);
}

const headAt = readRpcHead(payload, 0, payload.length, version)?.parametersAt ?? 0;

describe('calls behind the first one', () => {
  test.each([
    ['in the parameters of the first', headAt, true],
    ['at the second', firstEnd + 1, false],
  ])('are heard of from %s on, in whatever pieces', (_, from, isInCall) => {
    const rest = payload.slice(from);
    for (const pieceBytes of [101, 500, 4_088, 40_000, rest.length]) {
      const witness = new Witness();
      const reader = new LongCalls(witness, { version, effects: none, isInCall });
      const passed = pass(reader, rest, pieceBytes);
      expect(witness.heard).toEqual(['12 1073741825', 'sp_who ', '12 1073741826', '10 ']);
      expect(reader.effects?.uses).toBe('5');
      // Nothing is changed but handles, wherever they stand.
      const changed = [...passed.keys()].filter((at) => passed[at] !== rest[at]);
      expect(changed.map((at) => i32le(passed, at - 3))).toEqual([0x2000_0001, 0x2000_0002]);
      expect(passed.length).toBe(rest.length);
    }
  });

  test('where there are none, the first one is all', () => {
    const rest = rpcCalls(first === undefined ? [] : [first], 0n, version).slice(headAt);
    const reader = new LongCalls(new Witness(), { version, effects: none, isInCall: true });
    expect(pass(reader, rest, 3_000)).toEqual(rest);
    expect(reader.effects).toBe(none);
  });

  test('that end too early may have done anything', () => {
    const reader = new LongCalls(new Witness(), { version, effects: none, isInCall: true });
    const rest = payload.slice(headAt, -3);
    expect(pass(reader, rest, 3_000).length).toBe(rest.length);
    expect(reader.effects).toBe(UNSURE);
  });

  test('of any bytes pass, or are a violation', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 60 }),
        (bytes, isInCall, pieceBytes) => {
          const reader = new LongCalls(new Witness(), { version, effects: none, isInCall });
          try {
            expect(pass(reader, bytes, pieceBytes).length).toBe(bytes.length);
          } catch (problem) {
            expect(problem).toBeInstanceOf(Violation);
          }
        },
      ),
    );
  });
});
