import { z } from 'zod';
import { healthShape } from '../workers/readiness.ts';

const fact = z.object({
  /** `prx-…` */
  id: z.string(),
  /** `failed` where it cannot run; `ending` while it takes no more clients, and lets work under way end. */
  stage: z.enum(['running', 'failed', 'ending']),
  /** Where it listens. */
  port: z.number().int().exactOptional(),
  /** Which state of what the API has made it runs; undefined for a declared one. */
  revision: z.number().int().exactOptional(),
  /** Why it is not as it shall be, as a sentence. */
  trouble: z.string().exactOptional(),
  /** The target's identifier. */
  target: z.string(),
  ...healthShape,
  /** Of the readers that its endpoints lead to. */
  readers: z.array(z.object({ target: z.string(), ...healthShape })),
});

/** A proxy at work, as the API tells of it: its target's health in the words of RDS's TargetHealth. */
export type ProxyFacts = z.infer<typeof fact>;

export function readFacts(json: string): readonly ProxyFacts[] {
  return z.array(fact).parse(JSON.parse(json));
}

/**
 * Of what several processes say of the same proxies: each as the unluckiest one sees it, and as old as the slowest one has it. One that
 * runs in some of them only is either not there yet or ending.
 */
export function worstFacts(answers: readonly (readonly ProxyFacts[])[]): readonly ProxyFacts[] {
  const byId = Map.groupBy(answers.flat(), ({ id }) => id);
  return [...byId.values()].flatMap((same) => {
    const stage = stages.find((one) => same.some((fact) => fact.stage === one));
    const worst =
      same.find((fact) => fact.stage === stage && fact.state !== 'AVAILABLE') ??
      same.find((fact) => fact.stage === stage);
    if (worst === undefined) return [];
    if (stage !== 'running') return [worst];
    if (same.length < answers.length) return [{ ...worst, stage: 'ending' }];
    const trouble = same.find((fact) => fact.trouble !== undefined)?.trouble;
    const revisions = same.flatMap(({ revision }) => revision ?? []);
    return [
      {
        ...worst,
        ...(trouble !== undefined && { trouble }),
        ...(revisions.length > 0 && { revision: Math.min(...revisions) }),
        readers: worstReaders(same),
      },
    ];
  });
}

function worstReaders(same: readonly ProxyFacts[]): ProxyFacts['readers'] {
  const byTarget = Map.groupBy(
    same.flatMap(({ readers }) => readers),
    ({ target }) => target,
  );
  return [...byTarget.values()].flatMap(
    (said) => said.find(({ state }) => state !== 'AVAILABLE') ?? said[0] ?? [],
  );
}

/** The first that is found counts. */
const stages = ['failed', 'running', 'ending'] as const;
