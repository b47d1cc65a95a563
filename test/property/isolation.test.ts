import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { tellFailure } from './report.ts';
import type { Life } from './steps.ts';
import { openPostgres } from './theatres.ts';
import type { Theatre } from './theatres.ts';

const SIZE = { lives: 4, steps: 30 } as const;
const ANY_SEED = Number(process.env['SLUICE_SEED'] ?? Math.floor(Math.random() * 1e9));
/** A Sluice that pins nothing is found out within so many rounds. */
const ROUNDS_TO_NOTICE = 5;

/** Longer runs: `bun test/property/run.ts --minutes 10`. */
const seeds = { 18: [1, 2, 3, ANY_SEED], 14: [4, ANY_SEED] } as const;

for (const version of [18, 14] as const) {
  describe(`random sessions see of PostgreSQL ${version} what they would see without the others (GX-01)`, () => {
    let theatre: Theatre<Life>;
    beforeAll(async () => {
      theatre = await openPostgres(version);
    });
    afterAll(() => theatre.close());

    test.each([...seeds[version]])('seed %i', async (seed) => {
      const plan = theatre.makePlan(seed, SIZE);
      const outcome = await theatre.play(plan);
      if (outcome.kind === 'failed')
        throw new Error(tellFailure(plan, outcome, { size: SIZE, server: theatre.words }));
      expect(outcome.counts.of('requests compared')).toBeGreaterThan(50);
    });

    if (version === 14) return;
    test('and a Sluice that pins nothing would be found out', async () => {
      const program = fileURLToPath(new URL('careless.ts', import.meta.url));
      const kinds = new Set<string>();
      for (let seed = 0; seed < ROUNDS_TO_NOTICE && !kinds.has('failed'); seed += 1)
        kinds.add((await theatre.play(theatre.makePlan(seed, SIZE), { program })).kind);
      expect([...kinds]).toContain('failed');
    });
  });
}
