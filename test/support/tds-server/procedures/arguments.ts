import type { Given } from '../run/execute.ts';
import { toText } from '../types/convert.ts';
import type { SqlType, Value } from '../types/sql-type.ts';

/** By name or by place. */
export function argument(given: readonly Given[], name: string, place: number): Given | undefined {
  return (
    given.find((one) => one.name.toLowerCase() === `@${name}`) ??
    (given[place]?.name === '' || place < 2 ? given[place] : undefined)
  );
}

export function textOf(one: Given | undefined): string {
  return one === undefined ? '' : toText(one.value, one.type);
}

export function numberOf(one: Given | undefined, otherwise = 0): number {
  return one === undefined || one.value === null ? otherwise : Number(one.value);
}

export function giveValue(one: Given | undefined, type: SqlType, value: Value): void {
  one?.give?.({ type, value });
}
