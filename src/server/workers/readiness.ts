import { z } from 'zod';
import type { Readiness } from '../admin.ts';

const answer = z.object({
  ready: z.boolean(),
  targets: z.array(
    z.object({
      proxy: z.string(),
      target: z.string(),
      state: z.string(),
      reason: z.string().exactOptional(),
      description: z.string().exactOptional(),
    }),
  ),
});

/** What the whole is, from what each worker says of itself as JSON: ready when all are, each target as its unluckiest worker sees it. */
export function worstOf(answers: readonly string[], workers: number): Readiness {
  const said = answers.map((text) => answer.parse(JSON.parse(text)));
  const targets = new Map<string, Readiness['targets'][number]>();
  for (const target of said.flatMap((one) => one.targets)) {
    const known = targets.get(target.proxy);
    if (known === undefined || known.state === 'AVAILABLE') targets.set(target.proxy, target);
  }
  return {
    ready: said.length === workers && said.every(({ ready }) => ready),
    targets: [...targets.values()],
  };
}
