import { expect, test } from 'bun:test';
import { runInNode } from './node-client.ts';
import { outcomeOf } from './outcome.ts';

test('a script under node gets its arguments and gives an answer', async () => {
  const answer = await runInNode(
    `const { default: pg } = await import('pg');
     console.log('chatter');
     return { client: typeof pg.Client, runtime: process.release.name, twice: args.n * 2 };`,
    { n: 21 },
  );
  expect(answer).toEqual({ client: 'function', runtime: 'node', twice: 42 });
});

test('a script under node that throws, hangs or leaves early is told with what it printed', async () => {
  expect(await outcomeOf(runInNode(`console.log('so far'); throw new Error('oh no')`))).toThrow(
    /so far[^]*oh no/,
  );
  expect(await outcomeOf(runInNode('process.exit(0)'))).toThrow('ended with 0');
  const hanging = runInNode('setInterval(() => {}, 1000); await new Promise(() => {})', null, {
    deadlineMs: 500,
  });
  expect(await outcomeOf(hanging)).toThrow('SIGKILL');
});
