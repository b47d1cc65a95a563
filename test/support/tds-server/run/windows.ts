import { compareNulls } from '../data/table.ts';
import type { Expression } from '../sql/ast.ts';
import { keyOf } from '../types/convert.ts';
import { errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { bigint } from '../types/sql-type.ts';
import { accumulator, isAggregate } from './aggregates.ts';
import type { Compiled, Frame, WindowCall } from './frame.ts';

const ranks = new Set(['ROW_NUMBER', 'RANK', 'DENSE_RANK']);

/** `ROW_NUMBER() OVER (PARTITION BY a ORDER BY b)`, ranks, and aggregates over whole partitions. */
export function compileWindow(
  call: Expression & { kind: 'call' },
  inner: (one: Expression) => Compiled,
  frame: Frame | undefined,
): Compiled {
  const { over, name } = call;
  if (frame === undefined || over === undefined) throw errors.noFunction(name);
  if (!ranks.has(name) && !isAggregate(name)) throw errors.noFunction(name);
  const partition = over.partition.map(inner);
  const order = over.order.map(({ by, isDescending }) => ({
    by: inner(by),
    isDescending,
  }));
  const args = call.args.map(inner);
  const gathered = ranks.has(name)
    ? undefined
    : accumulator(name, args, call.isStar, call.isDistinct);
  const window: WindowCall = {
    values: [],
    compute(rows, restore) {
      const known = rows.map((row, at) => {
        restore(row);
        return {
          at,
          part: partition.map(({ get }) => keyOf(get())).join('\u0001'),
          keys: order.map(({ by }) => by.get()),
        };
      });
      const byKeys = (a: readonly Value[], b: readonly Value[]): number => {
        for (const [n, { isDescending }] of order.entries()) {
          const difference = compareNulls(a[n] ?? null, b[n] ?? null);
          if (difference !== 0) return isDescending ? -difference : difference;
        }
        return 0;
      };
      const values: Value[] = rows.map(() => null);
      for (const part of Map.groupBy(known, (one) => one.part).values()) {
        part.sort((a, b) => byKeys(a.keys, b.keys) || a.at - b.at);
        if (gathered !== undefined) {
          const sum = gathered.begin();
          for (const { at } of part) {
            const row = rows[at];
            if (row !== undefined) restore(row);
            sum.add();
          }
          for (const { at } of part) values[at] = sum.result();
          continue;
        }
        let rank = 0;
        let dense = 0;
        for (const [n, one] of part.entries()) {
          const before = part[n - 1];
          if (before === undefined || byKeys(before.keys, one.keys) !== 0) {
            rank = n + 1;
            dense += 1;
          }
          const place = name === 'RANK' ? rank : name === 'DENSE_RANK' ? dense : n + 1;
          values[one.at] = BigInt(place);
        }
      }
      return values;
    },
  };
  frame.windows.push(window);
  const type: SqlType = gathered?.type ?? bigint;
  return { type, isNullable: true, get: () => window.values[frame.windowAt] ?? null };
}
