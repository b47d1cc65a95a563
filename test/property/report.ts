import type { Outcome } from './round.ts';
import type { AnyLife, Plan, PlanSize } from './script.ts';

/** What happened last, what is wrong, and how to see it again. */
export function tellFailure(
  plan: Plan,
  { problem, told }: Outcome & { readonly kind: 'failed' },
  { size, server }: { readonly size: PlanSize; readonly server: string },
): string {
  const given = Object.entries({
    seed: plan.seed,
    rounds: 1,
    sessions: plan.sessions.length,
    connections: plan.connections,
    order: plan.order,
    lives: size.lives,
    steps: size.steps,
  });
  const words = [server, ...given.map(([name, value]) => `--${name} ${value}`)].join(' ');
  return [...told, '', problem.message, '', `bun test/property/run.ts ${words}`].join('\n');
}

export function tellPlan<Life extends AnyLife>(
  { sessions, weather, connections }: Plan<Life>,
  tellStep: (step: Life['steps'][number]) => string,
): string {
  const lines = sessions.flatMap((lives, session) =>
    lives.flatMap(({ login, steps }) => [
      `session ${session}: ${JSON.stringify(login)}`,
      ...steps.map((step) => `  ${tellStep(step)}`),
    ]),
  );
  return [...lines, `connections: ${connections}, weather: ${JSON.stringify(weather)}`].join('\n');
}
