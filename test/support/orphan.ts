import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A server whose parent was killed by SIGKILL. */
export interface Orphan {
  readonly pid: number;
  /** Whether its folder was there before. */
  readonly hadFolder: boolean;
  /** Whether it has gone since. */
  readonly hasGone: boolean;
}

/** @param script of a parent: it starts a server, and prints its process id and its data directory */
export async function orphan(script: string): Promise<Orphan> {
  const parent = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' });
  const { value = new Uint8Array() } = await parent.stdout.getReader().read();
  const [pid = '', dataDir = ''] = new TextDecoder().decode(value).trim().split(' ');
  const directory = dirname(dataDir);
  const hadFolder = existsSync(directory);
  const changes = watch(dirname(directory), { signal: AbortSignal.timeout(15_000) });
  const gone = (async () => {
    for await (const _ of changes) if (!existsSync(directory)) return true;
    return false;
  })();
  parent.kill('SIGKILL');
  return { pid: Number(pid), hadFolder, hasGone: await gone };
}
