import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { tellFailure } from '../report.ts';
import { openSqlServer } from '../theatres.ts';
import type { Theatre } from '../theatres.ts';
import type { Life } from './steps.ts';

const SIZE = { lives: 3, steps: 25 } as const;
/** One more, where it is wanted. */
const more = process.env['SLUICE_SEED'] === undefined ? [] : [Number(process.env['SLUICE_SEED'])];
/** A Sluice that pins nothing is found out within so many rounds. */
const ROUNDS_TO_NOTICE = 5;

/** Longer runs: `bun test/property/run.ts --engine sqlserver --minutes 10`. */
const seeds = { sqlserver: [1, 2], babelfish: [3] } as const;

describe.each(['sqlserver', 'babelfish'] as const)(
  'random sessions see of a server in the manner of %s what they would see without the others (GX-01)',
  (manner) => {
    let theatre: Theatre<Life>;
    beforeAll(async () => {
      theatre = await openSqlServer(undefined, manner);
    });
    afterAll(() => theatre.close());

    test.each([...seeds[manner], ...more])('seed %i', async (seed) => {
      const plan = theatre.makePlan(seed, SIZE);
      const outcome = await theatre.play(plan);
      if (outcome.kind === 'failed')
        throw new Error(tellFailure(plan, outcome, { size: SIZE, server: theatre.words }));
      expect(outcome.counts.of('requests compared')).toBeGreaterThan(50);
    });

    if (manner === 'babelfish') return;
    test('and a Sluice that pins nothing would be found out', async () => {
      const program = fileURLToPath(new URL('../careless.ts', import.meta.url));
      const kinds = new Set<string>();
      for (let seed = 0; seed < ROUNDS_TO_NOTICE && !kinds.has('failed'); seed += 1)
        kinds.add((await theatre.play(theatre.makePlan(seed, SIZE), { program })).kind);
      expect([...kinds]).toContain('failed');
    });
  },
);
