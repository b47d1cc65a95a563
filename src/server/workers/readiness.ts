import { z } from 'zod';
import type { Readiness } from '../admin.ts';

/** Of a target. */
export const healthShape = {
  state: z.enum(['REGISTERING', 'AVAILABLE', 'UNAVAILABLE']),
  reason: z.enum(['UNREACHABLE', 'CONNECTION_FAILED', 'AUTH_FAILURE']).exactOptional(),
  description: z.string().exactOptional(),
};

const answer = z.object({
  ready: z.boolean(),
  targets: z.array(
    z.object({
      proxy: z.string(),
      target: z.string(),
      role: z.literal('READ_ONLY').exactOptional(),
      ...healthShape,
    }),
  ),
});

/** What the whole is, from what each worker says of itself as JSON: ready when all are, each target as its unluckiest worker sees it. */
export function worstOf(answers: readonly string[], workers: number): Readiness {
  const said = answers.map((text) => answer.parse(JSON.parse(text)));
  const targets = new Map<string, Readiness['targets'][number]>();
  for (const target of said.flatMap((one) => one.targets)) {
    const key = `${target.proxy} ${target.target}`;
    const known = targets.get(key);
    if (known === undefined || known.state === 'AVAILABLE') targets.set(key, target);
  }
  return {
    ready: said.length === workers && said.every(({ ready }) => ready),
    targets: [...targets.values()],
  };
}
