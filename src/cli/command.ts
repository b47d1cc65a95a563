import { parseArgs } from 'node:util';
import { didYouMean } from '../server/settings/suggest.ts';
import type { Io } from './io.ts';
import { table } from './table.ts';

export interface Flag {
  /** Without the hyphens. */
  readonly name: string;
  /** What its value is called in the help, such as `FILE`; undefined for a flag that has none. */
  readonly value?: string;
  readonly required?: boolean;
  readonly what: string;
}

/** Values of the flags that were given; the empty text for one that takes no value. */
export type Given = ReadonlyMap<string, string>;

export interface Command {
  /** A sentence for the help. */
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Returns the exit code. */
  run(given: Given, io: Io): Promise<number>;
}

/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const help: Flag = { name: 'help', what: 'Show this help.' };

/** Reads a command's flags, or throws a `UsageError` that says what is wrong with them. */
export function readFlags(args: readonly string[], flags: readonly Flag[]): Given {
  const known = new Map([...flags, help].map((flag) => [flag.name, flag]));
  const options = Object.fromEntries(
    [...known].map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { tokens } = parseArgs({
    args: args.map((arg) => (arg === '-h' ? '--help' : arg)),
    options,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') throw new UsageError('a word that belongs to no flag');
    const flag = known.get(token.name);
    if (flag === undefined) {
      const near = didYouMean(token.name, known.keys()).replace('`', '`--');
      throw new UsageError(`unknown flag ${token.rawName}${near}`);
    }
    if (given.has(flag.name)) throw new UsageError(`--${flag.name} is given twice`);
    given.set(flag.name, valueOf(flag, token.value));
  }
  const missing = flags.find((flag) => flag.required === true && !given.has(flag.name));
  if (missing !== undefined && !given.has('help'))
    throw new UsageError(`--${missing.name} ${missing.value ?? ''} is missing`);
  return given;
}

function valueOf(flag: Flag, value: string | undefined): string {
  if (flag.value === undefined) {
    if (value !== undefined) throw new UsageError(`--${flag.name} takes no value`);
    return '';
  }
  // `--config --offline`: the second is no file.
  if (value === undefined || value === '' || value.startsWith('-'))
    throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
  return value;
}

export function commandHelp(name: string, { summary, flags }: Command, columns: number): string {
  const all = [...flags, help];
  const usage = flags
    .map((flag) => (flag.required === true ? shown(flag) : `[${shown(flag)}]`))
    .join(' ');
  const rows = all.map((flag) => [`  ${shown(flag)}`, flag.what]);
  return `${summary}\n\nUsage: sluice ${name} ${usage}`.trimEnd() + `\n\n${table(rows, columns)}`;
}

function shown({ name, value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** Names as a sentence has them. */
export function oneOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
