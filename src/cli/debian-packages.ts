import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';

/** What is to be unpacked of one of Debian's releases. */
export interface DebianPackages {
  /** `sid` has what is not released yet: the newest of everything, and of some things the only one. */
  readonly suite: 'bookworm' | 'trixie' | 'sid';
  /** Unpacked with everything they need, down to the C library. */
  readonly complete: readonly string[];
  /** Unpacked as they are, for files that work without the rest. */
  readonly alone?: readonly string[];
}

export interface DebianOptions {
  /** The folder of the user's cache; see `cacheFolder`. */
  readonly cache: string;
  readonly signal?: AbortSignal;
}

/** Packages of Debian's that are unpacked beside the system. */
export interface UnpackedPackages {
  /** Kept with the packages, and replaced with them: a place for what is made of them once. */
  readonly home: string;
  /** What would be `/`. */
  readonly root: string;
  /** The folder of libraries for this kind of machine, such as `x86_64-linux-gnu`. */
  readonly triplet: string;
  /**
   * The command that runs a program, such as `usr/sbin/pgbouncer`, with its own loader and libraries, some of which may be in
   * `folders` of its own.
   */
  command(program: string, folders?: readonly string[]): readonly string[];
}

/** Debian's mirror does not give what is asked for, or there is none, or no apt. */
export class PackagesUnavailable extends Error {
  override readonly name = 'PackagesUnavailable';
}

const DAY_MS = 86_400_000;
/** sid moves on: what has been fetched longer ago is fetched anew, if it can be. */
const FRESH_MS = 7 * DAY_MS;
/** Where it could not be, it is used on for this long before the next attempt. */
const RETRY_MS = DAY_MS;
/** Written last. */
const STAMP = 'complete';

/** How Debian calls this kind of machine, and its dynamic loader. */
const machines: Readonly<
  Record<string, { readonly triplet: string; readonly loader: string } | undefined>
> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/** Where we keep what can be made again. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice');
}

/**
 * Unpacks packages of Debian's into a folder of the user's cache, once. Neither root nor an installation is needed, and the
 * machine's own packages and lists are left as they are. Processes that want the same wait for one another. Rejects with
 * `PackagesUnavailable` where they cannot be had.
 */
export async function unpackPackages(
  packages: DebianPackages,
  { cache, signal = new AbortController().signal }: DebianOptions,
): Promise<UnpackedPackages> {
  const machine = machines[process.arch];
  if (machine === undefined)
    throw new PackagesUnavailable(`no packages for ${process.arch} are known`);
  const { suite, complete, alone = [] } = packages;
  const home = join(cache, `debian-${suite}-${[...complete, ...alone].join('+')}-${process.arch}`);
  if (!(await isFresh(suite, home))) {
    await mkdir(cache, { recursive: true });
    await locked(`${home}.lock`, signal, async () => {
      if (!(await isFresh(suite, home))) await renew(packages, home, signal);
    });
  }
  const root = join(home, 'root');
  // /lib is a part of /usr since trixie.
  const folders = ['usr/lib', 'lib'].map((name) => join(root, name, machine.triplet));
  const loader = folders.map((name) => join(name, machine.loader)).find((path) => existsSync(path));
  if (loader === undefined) throw new Error(`there is no C library in ${root}`);
  return {
    home,
    root,
    triplet: machine.triplet,
    command: (program, own = []) => {
      const path = join(root, program);
      const libraries = [...folders, ...['usr/lib', ...own].map((name) => join(root, name))];
      return [loader, '--library-path', libraries.join(':'), '--argv0', path, path];
    },
  };
}

async function isFresh(suite: DebianPackages['suite'], home: string): Promise<boolean> {
  const stamp = await stat(join(home, STAMP)).catch(() => undefined);
  if (stamp === undefined) return false;
  return suite !== 'sid' || systemClock.wallMs() - stamp.mtimeMs < FRESH_MS;
}

/** While `work` runs, nobody else's does under this lock. A process that dies loses it. */
async function locked(path: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const command = ['--no-fork', path, '/bin/sh', '-c', 'echo; read -r word'];
  const holder = spawn('flock', command, { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(holder, 'spawn').catch((problem: unknown) => {
    throw new PackagesUnavailable('there is no flock, which Debian has', { cause: problem });
  });
  try {
    await once(holder.stdout, 'data', { signal });
    await work();
  } finally {
    holder.kill();
  }
}

/** What was there stays where nothing newer is to be had. */
async function renew(packages: DebianPackages, home: string, signal: AbortSignal): Promise<void> {
  const draft = await mkdtemp(`${home}-`);
  try {
    await unpack(packages, draft, signal);
    await writeFile(join(draft, STAMP), '');
    await rm(home, { recursive: true, force: true });
    await rename(draft, home);
  } catch (problem) {
    const stamp = join(home, STAMP);
    if (signal.aborted || !existsSync(stamp)) throw problem;
    const from = new Date(systemClock.wallMs() - FRESH_MS + RETRY_MS);
    await utimes(stamp, from, from);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function unpack(packages: DebianPackages, draft: string, signal: AbortSignal): Promise<void> {
  const root = join(draft, 'root');
  const archives = join(draft, 'archives');
  try {
    await download(packages, draft, archives, signal);
  } catch (problem) {
    signal.throwIfAborted();
    const why = problem instanceof Error ? problem.message : String(problem);
    throw new PackagesUnavailable(why, { cause: problem });
  }
  for (const name of await readdir(archives)) {
    if (name.endsWith('.deb')) await run(['dpkg', '-x', join(archives, name), root], signal);
  }
  // Where programs look for their loader and libraries, in a system whose /lib is a part of /usr.
  for (const name of ['lib', 'lib64']) {
    if (!existsSync(join(root, name))) await symlink(`usr/${name}`, join(root, name));
  }
  await rm(archives, { recursive: true });
}

/** apt resolves against an empty list of installed packages, so that everything comes along, the C library included. */
async function download(
  { suite, complete, alone = [] }: DebianPackages,
  draft: string,
  archives: string,
  signal: AbortSignal,
): Promise<void> {
  const lists = join(draft, 'lists');
  for (const folder of [lists, archives]) await mkdir(join(folder, 'partial'), { recursive: true });
  const sources = join(draft, 'sources.list');
  await writeFile(sources, `deb ${await mirror(signal)} ${suite} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': lists,
    'Dir::State::status': '/dev/null',
    'Dir::Cache': draft,
    'Dir::Cache::archives': archives,
    'Debug::NoLocking': '1',
    'Acquire::Retries': '3',
    'APT::Install-Recommends': 'false',
    // It may not enter the user's cache as anybody else.
    'APT::Sandbox::User': '',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt = ['apt-get', '-qq', ...options];
  await run([...apt, 'update'], signal);
  await run([...apt, '-y', '--download-only', 'install', ...complete], signal);
  if (alone.length > 0) await run([...apt, 'download', ...alone], signal, archives);
  await rm(lists, { recursive: true });
}

/** Where this machine gets its own Debian packages from. */
async function mirror(signal: AbortSignal): Promise<string> {
  const format = '$(CREATED_BY) $(REPO_URI)';
  const out = await run(['apt-get', 'indextargets', '--format', format], signal);
  const found = /^Packages (\S+\/debian\/?)$/m.exec(out)?.[1];
  if (found === undefined) throw new Error('the machine gets no packages from a Debian mirror');
  return found;
}

/** What it prints; rejects with its last words where it fails. */
function run(
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
  cwd?: string,
): Promise<string> {
  const options = { signal, killSignal: 'SIGKILL', maxBuffer: Infinity, cwd } as const;
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (problem, stdout, stderr) => {
      if (problem === null) return resolve(stdout);
      const said = stderr.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
      reject(new Error(`${program} failed: ${said || problem.message}`, { cause: problem }));
    });
  });
}

/** What is repeated of what a program said that failed. */
const LAST_LINES = 8;
