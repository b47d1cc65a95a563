import type { Clock } from '../../src/base/clock.ts';
import { pause } from '../../src/cli/demo/pause.ts';

const ASK_EVERY_MS = 100;
const PATIENCE_MS = 60_000;

/** Asks until the answer is as wanted. Rejects with the last one where that takes more than a minute. */
export async function until<Answer>(
  clock: Clock,
  ask: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer> {
  const began = clock.nowMs();
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (clock.nowMs() - began > PATIENCE_MS)
      throw new Error(`after a minute the answer is still ${JSON.stringify(answer)}`);
    await pause(clock, ASK_EVERY_MS);
  }
}

/** Whole milliseconds, as seconds. */
export function secondsSince(clock: Clock, beganMs: number): number {
  return Math.round(clock.nowMs() - beganMs) / 1000;
}
