import { cacheFolder, unpackPackages } from '../../src/cli/debian-packages.ts';
import { runToEnd, works } from './command.ts';

/** A program that Debian has. */
export interface Wanted {
  /** For people. */
  readonly title: string;
  readonly packageName: string;
  /** In Debian's package. */
  readonly path: string;
  /** Folders of the package's own in which it has libraries. */
  readonly libraries?: readonly string[];
  /** How the machine's own is called, if it is there. */
  readonly own: readonly string[];
  /** With these it says its version. */
  readonly versionArgs: readonly string[];
  /** What else can be done where there is none: `…, or …`. */
  readonly otherwise: string;
}

/** A program that is there. */
export interface Found {
  readonly command: readonly string[];
  /** What would be `/` where it is unpacked; undefined for the machine's own. */
  readonly root: string | undefined;
  /** What it says of its version. */
  readonly said: string;
}

/** The newest that Debian has; otherwise the machine's own. Rejects with what to install where there is neither. */
export async function newestProgram(
  { title, packageName, path, libraries, own, versionArgs, otherwise }: Wanted,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Found> {
  let why: unknown;
  try {
    const packages = await unpackPackages(
      { suite: 'sid', complete: [packageName] },
      { cache: cacheFolder(process.env), signal },
    );
    const command = packages.command(path, libraries);
    const { out } = await runToEnd([...command, ...versionArgs], { signal });
    return { command, root: packages.root, said: out.trim() };
  } catch (problem) {
    signal.throwIfAborted();
    why = problem;
  }
  const reason = why instanceof Error ? why.message : String(why);
  for (const one of own) {
    if (!(await works([one, ...versionArgs], signal))) continue;
    say(`Debian's newest ${title} cannot be had (${reason}); the machine's own is used.`);
    const { out } = await runToEnd([one, ...versionArgs], { signal });
    return { command: [one], root: undefined, said: out.trim() };
  }
  throw new Error(`there is no ${title}: ${reason}
Install one (on Debian: sudo apt-get install ${packageName}), or ${otherwise}`);
}
