// `npm run bench`: lists the benchmarks. `npm run bench -- NAME [FLAGS]` runs one.
import { table } from '../src/cli/table.ts';
import { untilStopped } from '../src/cli/demo/abort.ts';
import { benchmarks } from './benchmarks.ts';
import type { Stage } from './stage.ts';
import { UsageError } from './stage.ts';

/** A line's length where nobody looks at a terminal. */
const COLUMNS = 100;
/** What shells say of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

process.exitCode = await untilStopped(async (signal) => {
  const columns = process.stdout.isTTY ? process.stdout.columns : COLUMNS;
  const out = (text: string): void => console.log(text);
  const say = (text: string): void => console.error(text);
  return await main(process.argv.slice(2), { signal, columns, out, say });
});

async function main([name, ...args]: readonly string[], stage: Stage): Promise<number> {
  if (name === undefined || name === '--help') {
    stage.out(list(stage.columns));
    return 0;
  }
  const benchmark = benchmarks.find((one) => one.name === name);
  if (benchmark === undefined) {
    stage.say(`there is no benchmark ${name}\n\n${list(stage.columns)}`);
    return 2;
  }
  try {
    return await benchmark.run(args, stage);
  } catch (problem) {
    if (stage.signal.aborted) return INTERRUPTED;
    stage.say(problem instanceof Error ? problem.message : String(problem));
    return problem instanceof UsageError ? 2 : 1;
  }
}

function list(columns: number): string {
  const rows = benchmarks.map(({ name, summary }) => [`  ${name}`, summary]);
  return `Usage: npm run bench -- BENCHMARK [FLAGS]\n\n${table(rows, columns)}\n
npm run bench -- BENCHMARK --help says what there is to choose.`;
}
