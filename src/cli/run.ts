import { SettingsError } from '../server/settings/load.ts';
import { didYouMean } from '../server/settings/suggest.ts';
import { backupCommand } from './backup.ts';
import { checkCommand } from './check.ts';
import type { Command } from './command.ts';
import { commandHelp, readFlags, UsageError } from './command.ts';
import { demoCommand } from './demo.ts';
import type { Io } from './io.ts';
import { serveCommand, workerCommand } from './serve.ts';
import { table } from './table.ts';
import { tokenCommand } from './token.ts';
import { version } from './version.ts';

const commands: ReadonlyMap<string, Command> = new Map([
  ['serve', serveCommand],
  ['check', checkCommand],
  ['token', tokenCommand],
  ['backup', backupCommand],
  ['demo', demoCommand],
]);

const summaries: readonly (readonly [string, string])[] = [
  ...[...commands].map(([name, { summary }]) => [name, summary] as const),
  ['version', 'Print the version.'],
  ['help', 'Show this help, or that of a command: sluice help serve'],
];

/** Runs a command line (without the program's own name) and returns the exit code: 0, 1 where it failed, 2 where it was not understood. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  try {
    return await runCommand(name, rest, io);
  } catch (error) {
    if (error instanceof UsageError) {
      const isCommand = name !== undefined && summaries.some(([known]) => known === name);
      io.err(`${error.message}
See sluice ${isCommand && name !== 'help' ? `${name} ` : ''}--help`);
      return 2;
    }
    if (error instanceof SettingsError) {
      for (const problem of error.problems) io.err(problem);
      return 1;
    }
    io.err(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

async function runCommand(
  name: string | undefined,
  args: readonly string[],
  io: Io,
): Promise<number> {
  switch (name) {
    case undefined:
      io.err(overview(io.columns));
      return 2;
    case 'help':
    case '--help':
    case '-h':
      return showHelp(args[0], io);
    case 'version':
    case '--version':
      io.out(`sluice ${version}`);
      return 0;
    default: {
      const command = find(name);
      const given = readFlags(args, command.flags);
      return given.has('help') ? showHelp(name, io) : command.run(given, io);
    }
  }
}

function find(name: string): Command {
  const command = name === 'worker' ? workerCommand : commands.get(name);
  if (command !== undefined) return command;
  throw new UsageError(
    `unknown command${didYouMean(
      name,
      summaries.map(([known]) => known),
    )}`,
  );
}

function showHelp(name: string | undefined, io: Io): number {
  if (name === undefined) io.out(overview(io.columns));
  else io.out(commandHelp(name, find(name), io.columns));
  return 0;
}

function overview(columns: number): string {
  const rows = summaries.map(([name, summary]) => [`  ${name}`, summary]);
  return `Sluice: a connection-pooling database proxy with IAM sign-in.\n\nUsage: sluice COMMAND [FLAGS]\n\n${table(rows, columns)}`;
}
