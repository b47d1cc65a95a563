import type { Finish } from '../support/finishes.ts';

/**
 * What `pgbench --log` writes: `client transaction latency script seconds microseconds`, and more with some flags that are not
 * used here. In the order of time, whichever of pgbench's threads wrote it. Throws on a line of another form.
 */
export function parseLog(text: string): readonly Finish[] {
  const finishes = text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [
        client = Number.NaN,
        ,
        latencyMicros = Number.NaN,
        ,
        seconds = 0,
        micros = Number.NaN,
      ] = line.split(' ').map(Number);
      if (Number.isNaN(client + latencyMicros + micros))
        throw new Error(`not a line of pgbench's log: ${line}`);
      return { client, latencyMicros, atMicros: seconds * 1e6 + micros };
    });
  return finishes.sort((a, b) => a.atMicros - b.atMicros);
}
