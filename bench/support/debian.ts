import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runToEnd } from './command.ts';

/** Debian's newest packages, not yet released: what a program's authors would want to be compared with. */
const SUITE = 'sid';
/** Debian moves on: what has been fetched longer ago is fetched anew, if it can be. */
const FRESH_MS = 7 * 86_400_000;
const STAMP = 'complete';

/** How Debian calls this kind of machine, and its dynamic loader. */
const machines: Readonly<
  Record<string, { readonly triplet: string; readonly loader: string } | undefined>
> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/**
 * The command that runs a program of Debian's newest package, which is unpacked, with everything it needs down to the C
 * library, into a folder of the user's cache. Neither root nor an installation is needed, and the machine's own packages and
 * lists are left as they are. `folders` are those of the package's own in which it has libraries. Rejects where that is impossible: no apt, no Debian, no network.
 */
export async function debianProgram(
  packageName: string,
  program: string,
  signal: AbortSignal,
  folders: readonly string[] = [],
): Promise<readonly string[]> {
  const machine = machines[process.arch];
  if (machine === undefined) throw new Error(`no packages for ${process.arch} are known`);
  const root = await unpacked(packageName, signal);
  const libraries = [`usr/lib/${machine.triplet}`, 'usr/lib', ...folders].map((folder) =>
    join(root, folder),
  );
  const path = join(root, program);
  return [
    join(root, 'usr/lib', machine.triplet, machine.loader),
    '--library-path',
    libraries.join(':'),
    '--argv0',
    path,
    path,
  ];
}

/** The root of the unpacked packages: from the cache while it is fresh, or where nothing newer is to be had. */
async function unpacked(packageName: string, signal: AbortSignal): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice');
  const home = join(cache, `debian-${SUITE}-${packageName}-${process.arch}`);
  const stamp = await stat(join(home, STAMP)).catch(() => undefined);
  if (stamp !== undefined && Date.now() - stamp.mtimeMs < FRESH_MS) return join(home, 'root');
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(`${home}-`);
  try {
    await unpack(packageName, draft, signal);
    await writeFile(join(draft, STAMP), '');
    await rm(home, { recursive: true, force: true });
    await rename(draft, home);
  } catch (problem) {
    if (stamp === undefined || signal.aborted) throw problem;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return join(home, 'root');
}

/** apt resolves against an empty list of installed packages, so that everything comes along, the C library included. */
async function unpack(packageName: string, draft: string, signal: AbortSignal): Promise<void> {
  const [lists, archives, root] = ['lists', 'archives', 'root'].map((name) => join(draft, name));
  if (lists === undefined || archives === undefined || root === undefined) return;
  for (const folder of [lists, archives]) await mkdir(join(folder, 'partial'), { recursive: true });
  const sources = join(draft, 'sources.list');
  await writeFile(sources, `deb ${await mirror(signal)} ${SUITE} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': lists,
    'Dir::State::status': '/dev/null',
    'Dir::Cache': draft,
    'Dir::Cache::archives': archives,
    'Debug::NoLocking': '1',
    'APT::Install-Recommends': 'false',
    // It may not enter the user's cache as anybody else.
    'APT::Sandbox::User': '',
  };
  const apt = [
    'apt-get',
    '-qq',
    ...Object.entries(settings).flatMap(([k, v]) => ['-o', `${k}=${v}`]),
  ];
  await runToEnd([...apt, 'update'], { signal });
  await runToEnd([...apt, '-y', '--download-only', 'install', packageName], { signal });
  for (const name of await readdir(archives)) {
    if (name.endsWith('.deb'))
      await runToEnd(['dpkg', '-x', join(archives, name), root], { signal });
  }
  // Where programs look for their loader and libraries, in a system whose /lib is a part of /usr.
  for (const name of ['lib', 'lib64']) {
    if (!existsSync(join(root, name))) await symlink(`usr/${name}`, join(root, name));
  }
  for (const used of [lists, archives]) await rm(used, { recursive: true });
}

/** Where this machine gets its own Debian packages from. */
async function mirror(signal: AbortSignal): Promise<string> {
  const format = '$(CREATED_BY) $(REPO_URI)';
  const { out } = await runToEnd(['apt-get', 'indextargets', '--format', format], { signal });
  const found = /^Packages (\S+\/debian\/?)$/m.exec(out)?.[1];
  if (found === undefined) throw new Error('the machine gets no packages from a Debian mirror');
  return found;
}
