import type { ProxyStore } from './proxies.ts';
import type { ProxySettings } from './rds-types.ts';

/** As in AWS: what tells statements and loans one by one must not go on for ever because somebody has forgotten it. */
export const DEBUG_LOGGING_MS = 86_400_000;

/** The settings with `DebugLogging` as it is wanted now; it goes on from when it was switched on. */
export function withDebugLogging(
  settings: ProxySettings,
  isWanted: boolean,
  nowMs: number,
): ProxySettings {
  const { debugLogging, debugLoggingSinceMs: sinceMs } = settings;
  return {
    ...settings,
    debugLogging: isWanted,
    debugLoggingSinceMs: isWanted ? ((debugLogging ? sinceMs : undefined) ?? nowMs) : undefined,
  };
}

/** Switches it off where it has been on for a day, with an event. Of declared proxies the settings file says it. */
export function endDebugLogging(proxies: ProxyStore): void {
  const nowMs = proxies.nowMs();
  for (const proxy of proxies.list()) {
    const { id, origin, debugLogging, debugLoggingSinceMs: sinceMs = proxy.updatedMs } = proxy;
    if (origin === 'declared' || !debugLogging || nowMs - sinceMs < DEBUG_LOGGING_MS) continue;
    proxies.modify(id, { settings: withDebugLogging(proxy, false, nowMs) });
  }
}
