import { codeOf } from './answers.ts';
import type { Answer } from './answers.ts';
import type { Exception } from './steps.ts';

/** What to make of two answers to the same. */
export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'excepted'; readonly exception: Exception | 'not prepared' }
  /** The database's connection was ended from outside, and nothing else is wrong. */
  | { readonly kind: 'cut off' }
  | {
      readonly kind: 'different';
      readonly direct: readonly string[];
      readonly proxied: readonly string[];
    };

/** What must differ, wherever it comes. Each stands in docs/differences.md. */
const masks: readonly (readonly [RegExp, string])[] = [
  // Prepared statements have numbers of Sluice's own.
  [/(prepared statement handler )\(\d+\)/g, '$1(N)'],
  [/The statement \(\d+\) has no open cursor/g, 'The statement (N) has no open cursor'],
  // A user variable that is NULL has, as a column, the type of its last value; on another connection it has none.
  [/^(\d+: \\03def\\00\\00\\00\\[\da-f]{2}@(?!@).*?\\00\\0c).*$/g, '$1'],
  // After a reset MariaDB takes the server's for the schema's own, up to the next USE.
  [/^(\d+: (?:\\00\\00)?\\[\da-f]{2}(?:collation|character_set)_database).*$/g, '$1'],
  // MySQL tells that a transaction is over with a later reply, which may be one to Sluice.
  [/^(ok .*) \{"kind":"transactionState","state":"_{8}"\}/g, '$1'],
  // MariaDB remembers of a parameter that is a column whether it has ever been NULL, whoever ran the statement on the connection.
  [/^(\d+: \\03def\\00\\00\\00(?:\\01\?|\\02it)\\00\\0c).*$/g, '$1'],
];

function masked(line: string): string {
  return masks.reduce((text, [what, by]) => text.replace(what, by), line);
}

/**
 * The documented differences.
 *
 * - `changed result`: that a statement returns something else than before is told by a flag, which is missing where it has been
 *   prepared again since.
 * - `remnant`: what a statement has left behind to be asked for is not there where nobody has asked before.
 */
const exceptions = {
  'changed result': (direct, proxied) => withoutEnds(direct) === withoutEnds(proxied),
  remnant: () => true,
} as const satisfies Record<
  Exception,
  (direct: readonly string[], proxied: readonly string[]) => boolean
>;

/** Without the packets that end rows. */
function withoutEnds(lines: readonly string[]): string {
  return lines.filter((line) => !/^(?:ok |\d+: \\fe)/.test(line)).join('\n');
}

/** MySQL does not prepare what writes where transactions are read-only, be the arguments right or wrong. */
function isNotPrepared(direct: Answer, proxied: Answer): boolean {
  const [expected, actual] = [direct, proxied].map(({ payloads }) => payloads.map(codeOf).join());
  return expected === String(WRONG_ARGUMENTS) && actual === String(READ_ONLY);
}

const WRONG_ARGUMENTS = 1210;
const READ_ONLY = 1792;

export function compare(direct: Answer, proxied: Answer, exception?: Exception): Verdict {
  const [expected, actual] = [direct, proxied].map(({ lines }) => lines.map(masked)) as [
    string[],
    string[],
  ];
  if (proxied.ended === direct.ended && expected.join('\n') === actual.join('\n'))
    return { kind: 'same' };
  if (exception !== undefined && exceptions[exception](expected, actual))
    return { kind: 'excepted', exception };
  if (!proxied.ended && isNotPrepared(direct, proxied))
    return { kind: 'excepted', exception: 'not prepared' };
  const isFarewell = FAREWELLS.includes(codeOf(proxied.payloads.at(-1)) ?? 0);
  const before = isFarewell ? actual.slice(0, -1) : actual;
  if ((proxied.ended || isFarewell) && !direct.ended && isPart(before, expected))
    return { kind: 'cut off' };
  const closed = ({ ended }: Answer): readonly string[] => (ended ? ['closed'] : []);
  return {
    kind: 'different',
    direct: [...expected, ...closed(direct)],
    proxied: [...actual, ...closed(proxied)],
  };
}

/** What says that a connection to the database was ended: the database itself, or Sluice where it could not. */
export const FAREWELLS: readonly number[] = [1053, 1927, 2013, 3169];

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
  return `from packet ${from} on\n  directly\n${part(direct)}\n  through Sluice\n${part(proxied)}`;
}
