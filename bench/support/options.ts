import { parseArgs } from 'node:util';
import { table } from '../../src/cli/table.ts';
import { UsageError } from '../stage.ts';
import type { Case } from './cases.ts';
import { chosenCases } from './cases.ts';

export interface Options {
  readonly rounds: number;
  /** Those in which idle clients are counted: each takes long, and they differ little. */
  readonly idleRounds: number;
  /** Of each measurement. */
  readonly seconds: number;
  /** Of load on each pooler before anything is measured; and before each case, which may be the first of its kind. */
  readonly warmUpSeconds: number;
  readonly caseWarmUpSeconds: number;
  readonly cases: readonly Case[];
  /** Undefined where nothing was said: names of the menu's, or commands of another Sluice. */
  readonly rivals: readonly string[] | undefined;
  /** One of the menu's servers. */
  readonly server: string;
  /** A server that is there already, in place of one of those. */
  readonly address: Address | undefined;
  /** The command that runs Sluice; undefined for this checkout. */
  readonly pooler: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/** A server that is there already, and who signs in to it. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** What there is to choose from. */
export interface Menu {
  readonly engine: string;
  /** What it measures: a sentence. */
  readonly summary: string;
  readonly cases: readonly Case[];
  /** What `--rival` takes beside commands, as the help says it. */
  readonly rivals: string;
  /** The databases, the first of them by default. */
  readonly servers: readonly string[];
  /** One's own server can be named by its address: the database that is used there by default. */
  readonly ownDatabase?: string;
  /** How long it takes, as the help says it: without `--quick`, and with it. */
  readonly lasts: { readonly full: string; readonly quick: string };
}

const FULL = { rounds: 5, idleRounds: 3, seconds: 2, warmUpSeconds: 15, caseSeconds: 4 } as const;
const QUICK = { rounds: 3, idleRounds: 1, seconds: 1, warmUpSeconds: 5, caseSeconds: 1 } as const;

/** A line's length. */
const COLUMNS = 96;

export function helpFor({
  engine,
  summary,
  cases,
  rivals,
  servers,
  lasts,
  ownDatabase,
}: Menu): string {
  const flags = [
    ['--quick', `Fewer cases, rounds and seconds: ${lasts.quick} instead of ${lasts.full}.`],
    [
      '--rounds N',
      `How often each case is measured for each pooler. Default: ${FULL.rounds}; ${QUICK.rounds} with --quick`,
    ],
    [
      '--seconds N',
      `How long each measurement takes. Default: ${FULL.seconds}; ${QUICK.seconds} with --quick`,
    ],
    ['--case PART', 'Only cases whose names contain this; may be repeated.'],
    ...serverFlags(servers, ownDatabase),
    [
      '--rival RIVAL',
      `${rivals}, none, or the command of another Sluice, such as ../other/bin/sluice; may be repeated.`,
    ],
    ['--pooler COMMAND', "The command of the Sluice to be measured. Default: this checkout's"],
    ['--json', 'Print the figures as one JSON object, and nothing else, to standard output.'],
    ['--help', 'Show this help.'],
  ].map(([flag = '', what = '']) => [`  ${flag}`, what]);
  const names = cases.map(({ name }) => name).join(', ');
  return [
    summary,
    `Usage: npm run bench -- ${engine} [FLAGS]`,
    table(flags, COLUMNS),
    table([['Cases:', names]], COLUMNS),
  ].join('\n\n');
}

function serverFlags(servers: readonly string[], ownDatabase: string | undefined) {
  const known = `${servers.join(' or ')}. Default: ${servers[0] ?? ''}`;
  if (ownDatabase !== undefined) {
    return [
      ['--server SERVER', `HOST:PORT of a server that is there already, or ${known}`],
      ['--user NAME', 'Who signs in there, and may make a table.'],
      ['--password PASSWORD', 'Other users of this machine can see it while it runs.'],
      ['--database NAME', `Where to make the table there. Default: ${ownDatabase}`],
    ];
  }
  return servers.length > 1 ? [['--server SERVER', known]] : [];
}

/** Throws a `UsageError`. */
export function readOptions(args: readonly string[], menu: Menu): Options {
  const { values } = parse(args, menu);
  const quick = values.quick ?? false;
  const standard = quick ? QUICK : FULL;
  const rivals = values.rival;
  if (rivals?.includes('none') === true && rivals.length > 1)
    throw new UsageError('--rival none goes with no other rival');
  const address = addressOf(values, menu);
  const server = address === undefined ? (values.server ?? menu.servers[0] ?? '') : 'server';
  if (address === undefined && !menu.servers.includes(server))
    throw new UsageError(`--server must be ${serversOf(menu)}`);
  const { cases } = menu;
  const chosen = chosenCases(cases, values.case ?? [], quick);
  if (chosen.length === 0)
    throw new UsageError(`no case has such a name: ${cases.map(({ name }) => name).join(', ')}`);
  const rounds = number('rounds', values.rounds, standard.rounds, 1000);
  return {
    rounds,
    idleRounds: Math.min(rounds, standard.idleRounds),
    seconds: number('seconds', values.seconds, standard.seconds, 3600),
    warmUpSeconds: standard.warmUpSeconds,
    caseWarmUpSeconds: standard.caseSeconds,
    cases: chosen,
    rivals: rivals?.filter((rival) => rival !== 'none'),
    server,
    address,
    pooler: values.pooler,
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function serversOf({ servers, ownDatabase }: Menu): string {
  return [...servers, ...(ownDatabase === undefined ? [] : ['HOST:PORT'])].join(' or ');
}

/** Undefined where no address is given. */
function addressOf(
  {
    server = '',
    user,
    password,
    database,
  }: Partial<Readonly<Record<AddressFlag | 'server', string>>>,
  { ownDatabase }: Menu,
): Address | undefined {
  const [, host, port] = /^(?:\[?([^[\]]+)\]?):(\d+)$/.exec(server) ?? [];
  if (ownDatabase === undefined || host === undefined) {
    for (const [name, value] of Object.entries({ user, password, database }))
      if (value !== undefined) throw new UsageError(`--${name} goes with --server HOST:PORT`);
    return undefined;
  }
  if (user === undefined || password === undefined)
    throw new UsageError('--server HOST:PORT needs --user and --password');
  const numbered = number('server HOST:PORT: the port', port, 0, 65_535);
  return { host, port: numbered, user, password, database: database ?? ownDatabase };
}

const ADDRESS_FLAGS = ['user', 'password', 'database'] as const;
type AddressFlag = (typeof ADDRESS_FLAGS)[number];

function parse(args: readonly string[], { servers, ownDatabase }: Menu) {
  try {
    const parsed = parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        case: { type: 'string', multiple: true },
        server: { type: 'string' },
        user: { type: 'string' },
        password: { type: 'string' },
        database: { type: 'string' },
        rival: { type: 'string', multiple: true },
        pooler: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const unknown = [
      ...(servers.length < 2 && ownDatabase === undefined ? (['server'] as const) : []),
      ...(ownDatabase === undefined ? ADDRESS_FLAGS : []),
    ].find((name) => parsed.values[name] !== undefined);
    if (unknown !== undefined) throw new Error(`Unknown option '--${unknown}'`);
    return parsed;
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
