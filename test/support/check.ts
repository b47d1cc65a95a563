// `npm run check`: everything that judges the code without running the product, one line for each.
import { fileURLToPath } from 'node:url';
import { finish, progress } from './stages.ts';

const LIMIT_SECONDS = 300;

const checks = {
  types: ['node_modules/.bin/tsc', '--noEmit'],
  lint: ['node_modules/.bin/oxlint'],
  format: ['node_modules/.bin/oxfmt', '--check'],
  unused: ['node_modules/.bin/knip', '--no-progress'],
  architecture: [process.execPath, 'test', './test/architecture.test.ts'],
} as const;

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
for (const [name, command] of Object.entries(checks)) {
  const { code, output, seconds } = await finish(command, LIMIT_SECONDS);
  if (code !== 0) {
    console.log(output);
    process.exitCode = 1;
  }
  console.log(progress(name, code === 0 ? 'fine' : 'NOT fine', seconds));
}
