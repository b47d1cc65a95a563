import type { Answer } from './side.ts';
import type { Exception } from './steps.ts';

/** What to make of two answers to the same. */
export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'excepted'; readonly exception: Exception }
  /** The database's connection was ended from outside, and nothing else is wrong. */
  | { readonly kind: 'cut off' }
  | {
      readonly kind: 'different';
      readonly direct: readonly string[];
      readonly proxied: readonly string[];
    };

/** What says that a connection to the database was ended: the database itself, or Sluice where it could not. */
export const FAREWELLS: readonly number[] = [596, 10_054, 40_613];

export function compare(direct: Answer, proxied: Answer, exception?: Exception): Verdict {
  const [expected, actual] = [direct.lines, proxied.lines];
  if (proxied.ended === direct.ended && expected.join('\n') === actual.join('\n'))
    return { kind: 'same' };
  if (exception !== undefined && isForgotten(expected, actual))
    return { kind: 'excepted', exception };
  const farewell = actual.findIndex((line) =>
    FAREWELLS.some((n) => line.startsWith(`error ${n} `)),
  );
  const before = farewell < 0 ? actual : actual.slice(0, farewell);
  if ((proxied.ended || farewell >= 0) && !direct.ended && isPart(before, expected))
    return { kind: 'cut off' };
  const closed = ({ ended }: Answer): readonly string[] => (ended ? ['closed'] : []);
  return {
    kind: 'different',
    direct: [...expected, ...closed(direct)],
    proxied: [...actual, ...closed(proxied)],
  };
}

/** All is the same but for values in rows. */
export function differsInRows(direct: Answer, proxied: Answer): boolean {
  const [expected, actual] = [direct.lines, proxied.lines];
  const isRow = (line = ''): boolean => line.startsWith('row ');
  return (
    expected.length === actual.length &&
    expected.every((line, at) => line === actual[at] || (isRow(line) && isRow(actual[at])))
  );
}

/** As on a connection where nobody has done anything, or where only we have asked something: there is nobody else's. */
function isForgotten(expected: readonly string[], actual: readonly string[]): boolean {
  return (
    expected.length === actual.length &&
    expected.every(
      (line, at) =>
        line === actual[at] || /^row (?:NULL|[01])(?: \| (?:NULL|[01]))*$/.test(actual[at] ?? ''),
    )
  );
}

function isPart(lines: readonly string[], whole: readonly string[]): boolean {
  return lines.every((line, at) => line === whole[at]);
}

/** Where two answers part. */
export function explain(direct: readonly string[], proxied: readonly string[]): string {
  const at = direct.findIndex((line, n) => line !== proxied[n]);
  const from = Math.max(0, at < 0 ? direct.length - 3 : at - 3);
  const part = (lines: readonly string[]): string =>
    lines
      .slice(from, from + 12)
      .map((line) => `    ${line.slice(0, 500)}`)
      .join('\n');
  return `from token ${from} on\n  directly\n${part(direct)}\n  through Sluice\n${part(proxied)}`;
}
