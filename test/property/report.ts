import type { Plan, PlanSize } from './plan.ts';
import type { Outcome } from './round.ts';
import { tellStep } from './steps.ts';
import type { Version } from './world.ts';

/** What happened last, what is wrong, and how to see it again. */
export function tellFailure(
  plan: Plan,
  { problem, told }: Outcome & { readonly kind: 'failed' },
  { size, version }: { readonly size: PlanSize; readonly version: Version },
): string {
  const given = Object.entries({
    seed: plan.seed,
    rounds: 1,
    sessions: plan.sessions.length,
    connections: plan.connections,
    order: plan.order,
    lives: size.lives,
    steps: size.steps,
    version,
  });
  const words = given.map(([name, value]) => `--${name} ${value}`).join(' ');
  return [...told, '', problem.message, '', `bun test/property/run.ts ${words}`].join('\n');
}

export function tellPlan({ sessions, weather, connections }: Plan): string {
  const lines = sessions.flatMap((lives, session) =>
    lives.flatMap(({ login, steps }) => [
      `session ${session}: ${JSON.stringify(login)}`,
      ...steps.map((step) => `  ${tellStep(step)}`),
    ]),
  );
  return [...lines, `connections: ${connections}, weather: ${JSON.stringify(weather)}`].join('\n');
}
