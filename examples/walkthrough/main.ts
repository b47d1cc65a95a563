// `npm run walkthrough`: the steps of every tutorial of RDS Proxy, on one's own machine.
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { untilStopped } from '../../src/cli/demo/abort.ts';
import type { Io } from '../../src/cli/io.ts';
import { engineNames } from './database.ts';
import { StepFailed, Teller } from './teller.ts';
import { cloudNames, walk } from './walk.ts';

const INTERRUPTED = 130;
const USAGE = `Usage: npm run walkthrough -- [--engine NAME] [--cloud cli|sdk] [--json]

  --engine NAME    ${engineNames.join(', ')}. Default: ${engineNames[0]}
  --cloud cli|sdk  How the APIs are called. Default: the AWS CLI where it is installed
  --json           Print what was seen as one JSON object, and nothing else`;

const io: Io = {
  out: (text) => console.log(text),
  err: (text) => console.error(text),
  isTty: process.stdout.isTTY,
  columns: process.stdout.columns,
  env: process.env,
};

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const given = read(args);
  if (given === undefined) {
    io.err(USAGE);
    return 2;
  }
  return untilStopped(async (signal) => {
    const teller = new Teller({ io, clock: systemClock, json: given.json, signal });
    const surroundings = { clock: systemClock, random: systemRandom, env: io.env, signal };
    try {
      await walk({ ...given, ...surroundings, teller, say: (line) => teller.progress(line) });
      return 0;
    } catch (problem) {
      if (signal.aborted) return INTERRUPTED;
      if (!(problem instanceof StepFailed))
        io.err(problem instanceof Error ? problem.message : String(problem));
      return 1;
    } finally {
      teller.end();
    }
  });
}

/** Undefined where it cannot be understood. */
function read(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        engine: { type: 'string', default: engineNames[0] },
        cloud: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const engine = engineNames.find((name) => name === values.engine);
    const cloud = cloudNames.find((name) => name === values.cloud);
    if (engine === undefined || cloud !== values.cloud) return undefined;
    return { engine, cloud, json: values.json };
  } catch {
    return undefined;
  }
}
