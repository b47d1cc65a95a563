// `npm test`: provisions what is missing, runs all suites, and ends with one line, `N passed, N failed`.
// `npm test -- e2e/pgbench` runs the files whose paths contain one of the arguments.
import { Glob } from 'bun';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { provision } from './support/provision.ts';
import { finish, inLanes, progress, suites, tally } from './support/stages.ts';

const SUITE_LIMIT_SECONDS = 1_320;
/** Tests wait for servers and clients most of the time: two processors are busy with two suites. */
const LANES = Math.min(2, availableParallelism());
const TEST_LIMIT_MS = 60_000;
const root = fileURLToPath(new URL('..', import.meta.url));

process.chdir(root);
process.exitCode = await main(process.argv.slice(2));

async function main(filters: readonly string[]): Promise<number> {
  const files = testFiles(filters);
  const started = performance.now();
  try {
    if (files.length === 0) throw new Error(`no test file matches ${filters.join(', ')}`);
    await provision((line) => console.log(line));
  } catch (problem) {
    console.error(problem instanceof Error ? problem.message : problem);
    console.log('0 passed, 1 failed');
    return 1;
  }
  console.log(progress('provision', 'servers and clients are there', secondsSince(started)));
  let passed = 0;
  let failed = 0;
  await inLanes(LANES, suites(files), async ([name, members]) => {
    const result = await runSuite(name, members);
    passed += result.passed;
    failed += result.failed;
  });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function testFiles(filters: readonly string[]): readonly string[] {
  return [...new Glob('{src,test,bench}/**/*.test.ts').scanSync(root)].filter(
    (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
  );
}

async function runSuite(name: string, files: readonly string[]): Promise<ReturnType<typeof tally>> {
  const paths = files.map((file) => `./${file}`);
  const command = [process.execPath, 'test', `--timeout=${TEST_LIMIT_MS}`, ...paths];
  const finished = await finish(command, SUITE_LIMIT_SECONDS);
  const result = tally(finished);
  // Passing tests have said what they have to say.
  if (result.failed > 0) console.log(finished.output.replaceAll(/^\(pass\).*\n/gm, ''));
  const counts = `${result.passed} passed, ${result.failed} failed`;
  console.log(progress(name, counts, finished.seconds));
  return result;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
