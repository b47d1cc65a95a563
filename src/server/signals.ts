import type { Log } from '../base/log.ts';

/**
 * Runs until SIGTERM or SIGINT, then until `drain` is done; a second of them ends at once. SIGHUP calls `reload`. Returns
 * the exit code.
 */
export function untilStopped(
  log: Log,
  actions: { reload(): void; drain(): Promise<void> },
): Promise<number> {
  return new Promise((resolve) => {
    let draining = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (draining) {
        log.event('warn', 'stopped', { message: `${signal} again: ending at once.` });
        resolve(1);
        return;
      }
      draining = true;
      log.event('info', 'draining', {
        message: `${signal}: no new clients; what is under way may end.`,
      });
      void actions.drain().then(() => resolve(0));
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () => actions.reload());
  });
}
