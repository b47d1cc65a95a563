/** Numbers of a run of `bun test`. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

export interface Finished {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program to its end, or kills it after the limit, and keeps what it printed. */
export async function finish(command: readonly string[], limitSeconds: number): Promise<Finished> {
  const started = performance.now();
  const child = Bun.spawn([...command], {
    env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: limitSeconds * 1000,
    killSignal: 'SIGKILL',
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const seconds = (performance.now() - started) / 1000;
  const late = child.signalCode === 'SIGKILL' ? `\nkilled after ${limitSeconds} s\n` : '';
  return { code, output: `${out}${err}${late}`, seconds };
}

/**
 * What `bun test` counted. A skipped test counts as failed, and so does a run that ended badly without naming a failure:
 * nothing passes unseen.
 */
export function tally({ code, output }: Pick<Finished, 'code' | 'output'>): Tally {
  const summary = output.slice(summaryStart(output));
  const count = (word: string): number =>
    Number(new RegExp(`^ *(\\d+) ${word}\\b`, 'm').exec(summary)?.[1] ?? 0);
  const failed = ['fail', 'skip', 'todo', 'errors?'].reduce((sum, word) => sum + count(word), 0);
  return { passed: count('pass'), failed: code !== 0 && failed === 0 ? 1 : failed };
}

/** The counts are the lines that end with `Ran … tests across … files`; what tests print comes before. */
function summaryStart(output: string): number {
  const counts = /(?:^ *\d+ [a-z]+.*\n)+Ran \d+ tests? across/gm;
  return [...output.matchAll(counts)].at(-1)?.index ?? output.length;
}

/** The test files by suite: unit tests beside their source, and each folder of `test/`. */
export function suites(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const file of files.toSorted()) {
    const [top = '', folder = ''] = file.split('/');
    const name = top !== 'test' ? 'unit' : folder.endsWith('.ts') ? 'repository' : folder;
    found.set(name, [...(found.get(name) ?? []), file]);
  }
  return found;
}

/** A line of progress: `name            what it came to       1.2 s`. */
export function progress(name: string, result: string, seconds: number): string {
  return `${name.padEnd(14)}${result.padEnd(34)}${seconds.toFixed(1).padStart(7)} s`;
}
