import { debianProgram } from './debian.ts';
import { runToEnd, works } from './command.ts';

/** A program that Debian has. */
export interface Wanted {
  /** For people. */
  readonly title: string;
  readonly packageName: string;
  /** In Debian's package. */
  readonly path: string;
  /** How the machine's own is called, if it is there. */
  readonly own: readonly string[];
  /** With these it says its version. */
  readonly versionArgs: readonly string[];
  /** What else can be done where there is none: `…, or …`. */
  readonly otherwise: string;
}

/** The command that runs it: the newest that Debian has; otherwise the machine's own. Rejects with what to install where there is neither. */
export async function newestProgram(
  { title, packageName, path, own, versionArgs, otherwise }: Wanted,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let why: unknown;
  try {
    const command = await debianProgram(packageName, path, signal);
    await runToEnd([...command, ...versionArgs], { signal });
    return command;
  } catch (problem) {
    signal.throwIfAborted();
    why = problem;
  }
  const reason = why instanceof Error ? why.message : String(why);
  for (const one of own) {
    if (!(await works([one, ...versionArgs], signal))) continue;
    say(`Debian's newest ${title} cannot be had (${reason}); the machine's own is used.`);
    return [one];
  }
  throw new Error(`there is no ${title}: ${reason}
Install one (on Debian: sudo apt-get install ${packageName}), or ${otherwise}`);
}
