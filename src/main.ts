import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { systemClock } from './base/clock.ts';
import { LineWriter } from './base/line-writer.ts';
import { run } from './cli/run.ts';

/** A line's length where nobody looks at a terminal. */
const COLUMNS = 100;

// Not `process.stdout`: once touched it stops standard output from blocking, and what it holds is lost at exit.
const lines = (descriptor: number): LineWriter =>
  new LineWriter({
    clock: systemClock,
    write: (bytes) => writeSync(descriptor, bytes),
    leftOut: () => {},
  });
const out = lines(1);
const err = lines(2);
const isTty = isatty(1);

const args = process.argv.slice(2);

// `sluice token` must neither wait for a metadata service that is not there nor sign with a machine's own role
// unasked. Who wants that sets the variable to false.
if (args[0] === 'token') process.env['AWS_EC2_METADATA_DISABLED'] ??= 'true';

const code = await run(args, {
  out: (text) => out.line(text.replace(/\n$/, '')),
  err: (text) => err.line(text.replace(/\n$/, '')),
  isTty,
  columns: isTty ? process.stdout.columns : COLUMNS,
  env: process.env,
});
out.flush();
err.flush();
process.exit(code);
