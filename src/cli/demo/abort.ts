/** Settles as `work` does, or rejects as soon as `signal` is aborted; `work` itself goes on. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new Error('interrupted'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work` with a signal that is aborted when the process is told to stop. */
export async function untilStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // Stays in place until the end: npm passes on the Ctrl-C that the terminal has sent to us already.
  const onStop = (): void => controller.abort();
  for (const name of STOPPING) process.on(name, onStop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of STOPPING) process.off(name, onStop);
  }
}
