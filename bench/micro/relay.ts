import { parseArgs } from 'node:util';
import { table } from '../../src/cli/table.ts';
import type { Benchmark, Stage } from '../stage.ts';
import { UsageError } from '../stage.ts';
import type { Spread } from '../support/statistics.ts';
import { spreadOf } from '../support/statistics.ts';
import type { Mode } from './plays.ts';
import { plays } from './plays.ts';

const CLIENTS = [16, 32, 200] as const;
const CONNECTIONS = 20;
const ROUNDS = 7;
const REQUESTS = 100_000;
/** Until the runtime has compiled what is worth it. */
const WARM_UP_REQUESTS = 300_000;

const help = `Session, pool and relay in one process, between peers in memory: what a request costs in
JavaScript alone, without sockets, in nanoseconds of processor time. Some 150 to 180 of them are
the peers'.

Usage: npm run bench -- relay [FLAGS]

  --engine ENGINE  postgres, the default, or sqlserver
  --json           Print the figures as one JSON object, and nothing else, to standard output.
  --help           Show this help.`;

interface Row {
  readonly mode: string;
  readonly clients: number;
  /** Of processor time for a transaction; null where the clients waited for each other. */
  readonly nanoseconds: Spread | null;
}

export const relayBenchmark: Benchmark = {
  name: 'relay',
  summary: 'What a request costs in JavaScript alone, without sockets.',
  help,
  async run(args, stage) {
    const { json = false, help: wantsHelp = false, engine = 'postgres' } = readFlags(args);
    if (wantsHelp) {
      stage.out(help);
      return 0;
    }
    const modes = plays.filter((mode) => mode.engine === engine);
    if (modes.length === 0) throw new UsageError(`--engine ${engine}: there is no such engine`);
    const rows: Row[] = [];
    for (const mode of modes) {
      for (const clients of CLIENTS) rows.push(await measure(mode, clients, stage));
    }
    const report = { connections: CONNECTIONS, rounds: ROUNDS, bun: Bun.version, cases: rows };
    stage.out(json ? JSON.stringify(report, undefined, 2) : shown(rows, stage.columns));
    return 0;
  },
};

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        engine: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (problem) {
    throw new UsageError(problem instanceof Error ? problem.message : String(problem));
  }
}

async function measure(mode: Mode, clients: number, { say, signal }: Stage): Promise<Row> {
  say(`${mode.name}, ${clients} clients`);
  const scene = await mode.open(clients, CONNECTIONS);
  try {
    await scene.run(WARM_UP_REQUESTS);
    const rounds: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      signal.throwIfAborted();
      rounds.push(await scene.run(REQUESTS));
    }
    return { mode: mode.name, clients, nanoseconds: spreadOf(rounds) };
  } catch (problem) {
    signal.throwIfAborted();
    say(problem instanceof Error ? problem.message : String(problem));
    return { mode: mode.name, clients, nanoseconds: null };
  }
}

function shown(rows: readonly Row[], columns: number): string {
  const cells = rows.map(({ mode, clients, nanoseconds }) => {
    const all = nanoseconds === null ? [] : [nanoseconds.median, nanoseconds.min, nanoseconds.max];
    return [mode, String(clients), ...all.map((one) => one.toFixed(0))];
  });
  return table([['', 'clients', 'ns', 'least', 'most'], ...cells], columns);
}
