import { expect, test } from 'bun:test';
import { must } from '../../src/base/assert.ts';
import type { Random } from '../../src/base/random.ts';
import { seededRandom } from '../../src/base/random.ts';
import { possible } from './events.ts';
import type { Scenario } from './explore.ts';
import { comeToRest, Stroll } from './explore.ts';

/** Walks, and events in each. Raise them to look longer. */
const WALKS = 200;
const STEPS = 250;
/** The first walk's seed; a walk that failed is repeated alone by its own. */
const SEED = 1;

function scenarioOf(random: Random): Scenario {
  const among = <T>(list: readonly T[]): T =>
    must(list[Math.floor(random.fraction() * list.length)], '');
  const grants = among([[1], [2], [1, 2], [1, 2, 3], [2, 5]]);
  return {
    name: 'a walk',
    options: {
      granted: must(grants[0], 'a grant'),
      closesAtOnce: among([false, true]),
      seed: Math.floor(random.fraction() * 2 ** 31),
      pool: {
        borrowTimeoutMs: among([0, 3_000, 20_000]),
        maxIdleConnectionsPercent: among([0, 50, 100]),
        idleTimeoutMs: 10_000,
        lifetimeMs: 400_000,
        pingIntervalMs: among([0, 4_000]),
        maxConnecting: among([1, 8]),
      },
    },
    prologue: [],
    keys: ['a', 'b', 'c'],
    script: {
      requests: 'qqbcpur',
      depth: 3,
      arrivals: among(['a', 'ab', 'abc']),
      maxClients: 40,
      spans: among([[300], [300, 4_000], [300, 4_000, 10_000, 310_000]]),
      grants,
      refusals: among(['', 'l', 'cflo']),
      mayRetire: among([false, true]),
      mayDrain: false,
    },
  };
}

/** Kinds of events are equally likely, whatever number of events there is of each. */
function choose(events: readonly string[], random: Random): string {
  const verbs = [...new Set(events.map((event) => event.split(' ')[0]))];
  const verb = verbs[Math.floor(random.fraction() * verbs.length)];
  const same = events.filter((event) => event.split(' ')[0] === verb);
  return must(same[Math.floor(random.fraction() * same.length)], 'time can always pass');
}

test(`${WALKS} random walks of ${STEPS} events`, () => {
  let steps = 0;
  for (let seed = SEED; seed < SEED + WALKS; seed += 1) {
    const random = seededRandom(seed);
    const scenario = { ...scenarioOf(random), name: `the walk with seed ${seed}` };
    const stroll = new Stroll(scenario);
    for (let step = 0; step < STEPS; step += 1) {
      stroll.take(choose([...possible(stroll.world, scenario.script)], random));
      steps += 1;
    }
    comeToRest(stroll, seed % 2 === 0);
  }
  console.log(`${WALKS} walks, ${steps} events, seeds from ${SEED}`);
  expect(steps).toBe(WALKS * STEPS);
});
