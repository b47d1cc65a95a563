import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const DESCRIPTORS = '/proc/self/fd';

/**
 * The descriptor (epoll, proc_pid_fdinfo(5)) by which the runtime's event loop waits, told by a socket that it watches: a process may
 * have several. Undefined where there is none to be found.
 */
export function eventLoopOf(socket: number): number | undefined {
  try {
    return readdirSync(DESCRIPTORS)
      .map(Number)
      .find((fd) => watches(fd, socket));
  } catch {
    return undefined;
  }
}

function watches(fd: number, socket: number): boolean {
  try {
    if (readlinkSync(`${DESCRIPTORS}/${fd}`) !== 'anon_inode:[eventpoll]') return false;
    const lines = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').split('\n');
    return lines.some((line) => /^tfd:\s+(?<fd>\d+)\s/.exec(line)?.groups?.['fd'] === `${socket}`);
  } catch {
    return false; // it is closed by now: such as that by which the directory was read
  }
}
