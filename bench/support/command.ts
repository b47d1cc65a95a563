export interface RunOptions {
  readonly signal: AbortSignal;
  /** All that it sees of the environment; by default everything. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** For its standard input. */
  readonly input?: string;
}

export interface Finished {
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end, or kills it when aborted. Rejects with what it said where it fails. */
export async function runToEnd(
  command: readonly string[],
  { signal, env, cwd, input }: RunOptions,
): Promise<Finished> {
  signal.throwIfAborted();
  const child = Bun.spawn([...command], {
    env: { ...(env ?? process.env), LC_ALL: 'C' },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: input === undefined ? 'ignore' : Buffer.from(input),
    stdout: 'pipe',
    stderr: 'pipe',
    signal,
    killSignal: 'SIGKILL',
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  signal.throwIfAborted();
  if (code !== 0) {
    const said = `${out}${err}`.trimEnd().split('\n').slice(-LAST_LINES);
    throw new Error([`${command[0] ?? ''} failed (${code})`, ...said].join('\n'));
  }
  return { out, err };
}

/** What is repeated of what a program said that failed. */
const LAST_LINES = 8;

/** Whether it can be run at all, and says that all is well. */
export async function works(command: readonly string[], signal: AbortSignal): Promise<boolean> {
  try {
    await runToEnd(command, { signal });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
