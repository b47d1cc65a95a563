import { parseArgs } from 'node:util';
import { table } from '../../src/cli/table.ts';
import { UsageError } from '../stage.ts';
import type { Case } from './cases.ts';
import { cases, chosenCases } from './cases.ts';

export interface Options {
  readonly rounds: number;
  /** Those in which idle clients are counted: each takes long, and they differ little. */
  readonly idleRounds: number;
  /** Of each measurement. */
  readonly seconds: number;
  /** Of load on each pooler before anything is measured. */
  readonly warmUpSeconds: number;
  readonly cases: readonly Case[];
  /** `pgbouncer`, or the command of another Sluice. */
  readonly rivals: readonly string[];
  /** The command that runs Sluice; undefined for this checkout. */
  readonly pooler: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

const FULL = { rounds: 5, idleRounds: 3, seconds: 2, warmUpSeconds: 5 } as const;
const QUICK = { rounds: 3, idleRounds: 1, seconds: 1, warmUpSeconds: 3 } as const;

/** A line's length. */
const COLUMNS = 96;

export const help = `Sluice against PgBouncer in front of the same PostgreSQL server, measured in turn.

Usage: npm run bench -- postgres [FLAGS]

  --quick           Fewer cases, rounds and seconds: minutes instead of a quarter of an hour.
  --rounds N        How often each case is measured for each pooler. Default: ${FULL.rounds}; ${QUICK.rounds} with --quick
  --seconds N       How long each measurement takes. Default: ${FULL.seconds}; ${QUICK.seconds} with --quick
  --case PART       Only cases whose names contain this; may be repeated.
  --rival RIVAL     pgbouncer (the default), none, or the command of another Sluice, such as
                    ../other/bin/sluice; may be repeated.
  --pooler COMMAND  The command of the Sluice to be measured. Default: this checkout's
  --json            Print the figures as one JSON object, and nothing else, to standard output.
  --help            Show this help.

${table([['Cases:', cases.map(({ name }) => name).join(', ')]], COLUMNS)}`;

/** Throws a `UsageError`. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parse(args);
  const quick = values.quick ?? false;
  const standard = quick ? QUICK : FULL;
  const rivals = values.rival ?? ['pgbouncer'];
  if (rivals.includes('none') && rivals.length > 1)
    throw new UsageError('--rival none goes with no other rival');
  const chosen = chosenCases(values.case ?? [], quick);
  if (chosen.length === 0)
    throw new UsageError(`no case has such a name: ${cases.map(({ name }) => name).join(', ')}`);
  const rounds = number('rounds', values.rounds, standard.rounds, 1000);
  return {
    rounds,
    idleRounds: Math.min(rounds, standard.idleRounds),
    seconds: number('seconds', values.seconds, standard.seconds, 3600),
    warmUpSeconds: standard.warmUpSeconds,
    cases: chosen,
    rivals: rivals.filter((rival) => rival !== 'none'),
    pooler: values.pooler,
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        case: { type: 'string', multiple: true },
        rival: { type: 'string', multiple: true },
        pooler: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (problem) {
    throw new UsageError(problem instanceof Error ? problem.message : String(problem));
  }
}

function number(name: string, text: string | undefined, standard: number, most: number): number {
  if (text === undefined) return standard;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new UsageError(`--${name} must be a whole number from 1 to ${most}`);
  return value;
}
