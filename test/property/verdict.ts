import { cstrings, errorFields, rowValues } from '../support/messages.ts';
import type { Message } from '../support/messages.ts';
import type { Answer } from './side.ts';
import { codeOf, isSame, seen } from './seen.ts';
import type { Exception } from './steps.ts';

/** What to make of two answers to the same. */
export type Verdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'excepted'; readonly exception: Exception | 'only failed' }
  /** The database's connection was ended from outside, and nothing else is wrong. */
  | { readonly kind: 'cut off' }
  | {
      readonly kind: 'different';
      readonly direct: readonly string[];
      readonly proxied: readonly string[];
    };

const SAME: Verdict = { kind: 'same' };

/**
 * The documented differences. Each is told by both answers, to the letter, so that nothing else hides behind it.
 *
 * - `made-up setting`: PostgreSQL keeps the name of such a setting on a connection, never its value: it is unknown on one,
 *   and empty on another where somebody has used it (docs/differences.md, "Afterwards").
 * - `temporary schema`: PostgreSQL empties a connection's temporary schema and keeps it: a function that is sought there is
 *   missed in other words than where there never was one (docs/differences.md, "Afterwards").
 */
const exceptions = {
  'made-up setting': (direct, proxied) => isUnset(direct) && isUnset(proxied),
  'temporary schema': (direct, proxied) =>
    [direct, proxied].every(([error = '']) => NO_TEMPORARY_FUNCTION.test(error)) &&
    direct.slice(1).join() === proxied.slice(1).join(),
} as const satisfies Record<
  Exception,
  (direct: readonly string[], proxied: readonly string[]) => boolean
>;

/**
 * Of a name that is too long, which PostgreSQL shortens in a text, it tells only where the text has it: names of prepared
 * statements are others on the way (docs/differences.md, "Afterwards").
 */
function tellsOfLongName(message: Message): boolean {
  return (
    message.type === 'N' && / 42622 identifier "long_x+" will be truncated /.test(seen(message))
  );
}

/** Reported parameters that follow each other do so in any order (docs/differences.md, "Afterwards"). */
function inOrder(lines: readonly string[]): readonly string[] {
  const ordered: string[] = [];
  let from = 0;
  for (const [at, line] of [...lines, ''].entries()) {
    if (line.startsWith('S ')) continue;
    ordered.push(...lines.slice(from, at).toSorted(), line);
    from = at + 1;
  }
  return ordered.slice(0, -1);
}

/**
 * In a transaction that has failed, a statement cannot be made on a connection that does not have it: what is said of it there
 * is only that the transaction has failed, up to the request's end (docs/differences.md, "Afterwards").
 */
function isOnlyFailed(
  direct: readonly string[],
  proxied: readonly string[],
  before: string,
): boolean {
  const [expected, actual] = [requestsIn(direct), requestsIn(proxied)];
  let status = before;
  return (
    expected.length === actual.length &&
    expected.every((lines, at) => {
      const others = actual[at] ?? [];
      const hasFailed = status === 'E' && others.some((line) => line.startsWith('E ERROR 25P02 '));
      status = lines.at(-1)?.slice(2) ?? status;
      if (lines.join('\n') === others.join('\n')) return true;
      const error = others.findIndex((line) => line.startsWith('E ERROR 25P02 '));
      const rest = lines.at(-1)?.startsWith('Z ') === true ? lines.slice(-1) : [];
      const told = [...lines.slice(0, error), others[error], ...rest];
      return hasFailed && told.join('\n') === others.join('\n');
    })
  );
}

/** Each up to its ReadyForQuery. */
function requestsIn(lines: readonly string[]): readonly (readonly string[])[] {
  const found: string[][] = [[]];
  for (const line of lines) {
    found.at(-1)?.push(line);
    if (line.startsWith('Z ')) found.push([]);
  }
  return found.filter((request) => request.length > 0);
}

const NO_TEMPORARY_FUNCTION =
  /^E ERROR (?:3F000 schema "pg_temp" does not exist P=8|42883 function pg_temp\.f\(\) does not exist H=.*)$/;

function isUnset(lines: readonly string[]): boolean {
  const text = lines.join('\n');
  return (
    /^E ERROR 42704 unrecognized configuration parameter "[^"]+"\nZ I$/.test(text) ||
    /^T "[^"]+"\S+\nD ""\nC \["SHOW"\]\nZ I$/.test(text)
  );
}

export interface Circumstances {
  /** The transaction's status when this was said. Default `I`. */
  readonly before?: string;
  /** What may show here. */
  readonly exception?: Exception | undefined;
}

export function compare(
  direct: Answer,
  proxied: Answer,
  { before = 'I', exception }: Circumstances = {},
): Verdict {
  const messages = direct.messages.filter((message) => !tellsOfLongName(message));
  const others = proxied.messages.filter((message) => !tellsOfLongName(message));
  const sameLength = messages.length === others.length && proxied.ended === direct.ended;
  if (sameLength && messages.every((one, at) => isSame(one, others[at] ?? one))) return SAME;
  const expected = inOrder(messages.map(seen));
  const actual = inOrder(others.map(seen));
  if (sameLength && expected.join('\n') === actual.join('\n')) return SAME;
  if (isOnlyFailed(expected, actual, before)) return { kind: 'excepted', exception: 'only failed' };
  if (exception !== undefined && exceptions[exception](expected, actual))
    return { kind: 'excepted', exception };
  if (proxied.ended && !direct.ended && isPart(withoutFarewell(proxied), expected))
    return { kind: 'cut off' };
  const closed = ({ ended }: Answer): readonly string[] => (ended ? ['closed'] : []);
  return {
    kind: 'different',
    direct: [...expected, ...closed(direct)],
    proxied: [...actual, ...closed(proxied)],
  };
}

/** What says that a connection to the database was ended: the database itself, or Sluice where it could not. */
export const FAREWELLS: readonly string[] = ['57P01', '08006'];

function withoutFarewell({ messages }: Answer): readonly string[] {
  const last = messages.at(-1);
  const isFarewell = last !== undefined && FAREWELLS.includes(codeOf(last) ?? '');
  return messages.slice(0, isFarewell ? -1 : undefined).map(seen);
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
  return `from message ${from} on\n  directly\n${part(direct)}\n  through Sluice\n${part(proxied)}`;
}

/** The first value of the first row. */
export function valueIn({ messages }: Answer): string | null | undefined {
  const row = messages.find(({ type }) => type === 'D');
  return row === undefined ? undefined : rowValues(row.body)[0];
}

export function codesIn({ messages }: Answer): readonly string[] {
  return messages.flatMap((message) => codeOf(message) ?? []);
}

const SUMMED_UP = 12;

/** In one short line. */
export function summary({ messages, ended }: Answer): string {
  const middle = messages.length > SUMMED_UP ? [`… ${messages.length} messages …`] : [];
  const first = messages.slice(0, middle.length === 0 ? SUMMED_UP : SUMMED_UP / 2);
  const last = middle.length === 0 ? [] : messages.slice(-SUMMED_UP / 2);
  const closed = ended ? ['closed'] : [];
  return [...first.map(word), ...middle, ...last.map(word), ...closed].join(' · ');
}

function word({ type, body }: Message): string {
  if (type === 'C') return cstrings(body).join();
  if (type === 'E') return `${errorFields(body)['C']} ${errorFields(body)['M']}`;
  if (type === 'D') return rowValues(body).join('|').slice(0, 60);
  return type === 'Z' ? `Z${String.fromCharCode(body[0] ?? 0)}` : type;
}
