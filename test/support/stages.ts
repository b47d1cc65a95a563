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

/** These use the same ports, so that they cannot run side by side with each other. */
const TOGETHER: Readonly<Record<string, string>> = { examples: 'api' };

/**
 * The test files by suite: unit tests beside their source, each folder of `test/`, and each folder of `test/e2e`. Those with the
 * most files come first: where several run side by side, none is left over at the end.
 */
export function suites(
  files: readonly string[],
): readonly (readonly [string, readonly string[]])[] {
  const found = new Map<string, string[]>();
  for (const file of files.toSorted()) {
    const name = suiteOf(file);
    found.set(name, [...(found.get(name) ?? []), file]);
  }
  return [...found].sort(([, some], [, others]) => others.length - some.length);
}

function suiteOf(file: string): string {
  const [top = '', folder = '', part = ''] = file.split('/');
  if (top !== 'test') return 'unit';
  if (folder.endsWith('.ts')) return 'repository';
  if (folder !== 'e2e' || part.endsWith('.ts')) return folder;
  return `e2e/${TOGETHER[part] ?? part}`;
}

/** Does the work for each item in their order, for so many at a time. */
export async function inLanes<Item>(
  lanes: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** A line of progress: `name                what it came to       1.2 s`. */
export function progress(name: string, result: string, seconds: number): string {
  return `${name.padEnd(20)}${result.padEnd(34)}${seconds.toFixed(1).padStart(7)} s`;
}
