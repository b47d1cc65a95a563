import { describe, expect, test } from 'bun:test';
import { finish, inLanes, progress, suites, tally } from './stages.ts';

const summary = `
 3 pass
 1 skip
 2 fail
 1 error
 9 expect() calls
Ran 7 tests across 2 files. [12.00ms]
`;

describe('counting tests', () => {
  test('takes the summary at the end, whatever tests printed before it', () => {
    expect(tally({ code: 1, output: ` 99 pass\n 99 fail\n${summary}` })).toEqual({
      passed: 3,
      failed: 4,
    });
    const forged = ' 5 fail\nRan 5 tests across 1 file. [1ms]\n 1 pass\n 0 fail\n';
    const output = `${forged}Ran 1 test across 1 file. [1ms]\n`;
    expect(tally({ code: 0, output })).toEqual({ passed: 1, failed: 0 });
  });

  test('calls a run that ended badly without a word a failure', () => {
    expect(tally({ code: 137, output: 'killed' })).toEqual({ passed: 0, failed: 1 });
    const output = ' 1 pass\n 0 fail\nRan 1 test across 1 file. [1ms]\n';
    expect(tally({ code: 1, output })).toEqual({ passed: 1, failed: 1 });
  });

  test('agrees with the real one', async () => {
    const none = await finish([process.execPath, 'test', './test/no-such-file.test.ts'], 30);
    expect(tally(none)).toEqual({ passed: 0, failed: 1 });
  });
});

test('files are grouped into suites, the largest first', () => {
  const files = [
    'test/e2e/api/b.test.ts',
    'src/x/a.test.ts',
    'bench/x/a.test.ts',
    'test/architecture.test.ts',
    'test/e2e/a.test.ts',
    'test/e2e/mysql/a.test.ts',
    'test/e2e/examples/a.test.ts',
    'test/e2e/api/a.test.ts',
  ];
  expect(suites(files)).toEqual([
    [
      'e2e/api',
      ['test/e2e/api/a.test.ts', 'test/e2e/api/b.test.ts', 'test/e2e/examples/a.test.ts'],
    ],
    ['unit', ['bench/x/a.test.ts', 'src/x/a.test.ts']],
    ['repository', ['test/architecture.test.ts']],
    ['e2e', ['test/e2e/a.test.ts']],
    ['e2e/mysql', ['test/e2e/mysql/a.test.ts']],
  ]);
});

test('lanes take the next item when they are free, and end with the last', async () => {
  const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = inLanes(2, [0, 1, 2], async (item) => {
    begun.push(item);
    await gates[item]?.promise;
  });
  expect(begun).toEqual([0, 1]);
  gates[1]?.resolve();
  await Bun.sleep(0);
  expect(begun).toEqual([0, 1, 2]);
  gates[0]?.resolve();
  gates[2]?.resolve();
  await all;
});

test('a program that hangs is killed and told of', async () => {
  const { code, output } = await finish(['sleep', '60'], 0.2);
  expect(code).not.toBe(0);
  expect(output).toContain('killed after 0.2 s');
});

test('a line of progress has its columns', () => {
  expect(progress('unit', '3 passed', 1.25)).toMatch(/^unit {16}3 passed {26} {4}1\.\d s$/);
});
