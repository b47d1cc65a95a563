import { z } from 'zod';
import { ApiError } from '../api-error.ts';

/** What a list is ordered by; the second part makes it unique. */
export type Position = readonly [number | string, string];

const tokenContent = z.tuple([z.string(), z.union([z.number(), z.string()]), z.string()]);

/**
 * A page of a list whose order `positionOf` gives, from behind the place that the token names. `list` names the list and its order: a
 * token of another one is refused with InvalidNextTokenException.
 */
export function pageOf<Item>(
  items: readonly Item[],
  positionOf: (item: Item) => Position,
  page: {
    readonly list: string;
    readonly token: string | undefined;
    readonly most: number;
    readonly isDescending?: boolean;
  },
): { readonly items: readonly Item[]; readonly nextToken: string | undefined } {
  const sign = page.isDescending === true ? -1 : 1;
  const after = page.token === undefined ? undefined : readToken(page.token, page.list);
  const rest = items
    .map((item) => ({ item, at: positionOf(item) }))
    .filter(({ at }) => after === undefined || sign * compare(at, after) > 0)
    .toSorted((a, b) => sign * compare(a.at, b.at));
  const taken = rest.slice(0, page.most);
  const last = taken.at(-1);
  return {
    items: taken.map(({ item }) => item),
    nextToken:
      last === undefined || rest.length <= page.most ? undefined : makeToken(page.list, last.at),
  };
}

function compare(a: Position, b: Position): number {
  return compareParts(a[0], b[0]) || compareParts(a[1], b[1]);
}

function compareParts(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function makeToken(list: string, [first, second]: Position): string {
  return Buffer.from(JSON.stringify([list, first, second])).toString('base64url');
}

function readToken(token: string, list: string): Position {
  const parsed = tokenContent.safeParse(parseJson(Buffer.from(token, 'base64url').toString()));
  if (!parsed.success || parsed.data[0] !== list)
    throw new ApiError(
      'InvalidNextTokenException',
      'The NextToken value is invalid: give the one that the same request was answered with, or none.',
    );
  return [parsed.data[1], parsed.data[2]];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
