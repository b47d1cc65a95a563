import { readFileSync } from 'node:fs';
import type { Log } from '../base/log.ts';
import type { ProxySettings } from './settings/settings.ts';

/** Database connections, listeners, files and clients that are just being turned away need descriptors, too. */
const RESERVE = { part: 0.3, least: 48 } as const;

/** How many files this process may have open; undefined where the system does not tell. */
export function openFileLimit(): number | undefined {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line?.[1] === undefined ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}

/**
 * No more clients than descriptors: a listener that cannot accept spins (trap PG-118), so the limit that is met first must
 * be ours, which is told to the client.
 */
export function withinOpenFiles(
  proxy: ProxySettings,
  among: { readonly proxies: number; readonly processes: number },
  log: Log,
  limit = openFileLimit(),
): ProxySettings {
  if (limit === undefined) return proxy;
  const spare = limit - Math.max(RESERVE.least, Math.ceil(limit * RESERVE.part));
  // Each process has descriptors of its own, and its part of the clients of each proxy.
  const most = Math.max(1, Math.floor(spare / among.proxies)) * among.processes;
  if (proxy.maxClientConnections <= most) return proxy;
  log.event('warn', 'settings', {
    message: `Proxy ${proxy.name} takes ${most} clients at most instead of ${proxy.maxClientConnections}: the system allows a process ${limit} open files. Raise the limit (ulimit -n, LimitNOFILE).`,
    proxy: proxy.name,
  });
  return { ...proxy, maxClientConnections: most };
}
