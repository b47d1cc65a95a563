import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { PRODUCTS } from '../database.ts';

const example = fileURLToPath(new URL('../../../../examples/lambda-sequelize', import.meta.url));
const schemas = { mysql: 'schema.sql', mssql: 'schema.sqlserver.sql' } as const;
/** As the function calls the kinds of databases. */
export type Dialect = keyof typeof schemas;
/** Of what the program says last, to say why it ended. */
const LAST_LINES = 20;

/** What API Gateway would pass on. */
export interface FunctionRequest {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

const functionAnswer = z.object({
  id: z.string(),
  statusCode: z.int(),
  body: z.string(),
  /** The lines that this invocation has logged. */
  log: z.array(z.string()),
});
export type FunctionAnswer = z.infer<typeof functionAnswer>;

/** The tables that the function uses, in SQL. */
export function schemaPath(dialect: Dialect): string {
  return join(example, schemas[dialect]);
}

/** Rows of its products, ids and cents, for an INSERT. */
export function productRows(): string {
  return Array.from({ length: PRODUCTS }, (_, at) => `(${at + 1}, ${100 * (at + 1)})`).join(', ');
}

/** Bundles the function of `examples/lambda-sequelize`, as for Lambda, into this folder; the program that runs it here. */
export async function buildFunction(directory: string): Promise<string> {
  const { success, logs } = await Bun.build({
    entrypoints: [join(example, 'local.ts')],
    target: 'node',
    external: ['pg-hstore', 'pg-native'],
    outdir: directory,
    naming: '[name].mjs',
    throw: false,
  });
  const problems = logs.map((one) => one.message).join('; ');
  if (!success)
    throw new Error(`the function cannot be built; has \`npm install\` been run? ${problems}`);
  return join(directory, 'local.mjs');
}

interface Waiting {
  readonly resolve: (answer: FunctionAnswer) => void;
  readonly reject: (problem: Error) => void;
}

/** A place where the function runs, under Node, as often at once as it is invoked. To be disposed of. */
export class Functions implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, Waiting>();
  readonly #lastLines: string[] = [];
  readonly #end = Promise.withResolvers<never>();
  #ended: Error | undefined;

  /** `env` is all that it sees of the environment, and `node` is looked for in the PATH in it. */
  constructor(program: string, env: Readonly<Record<string, string>>, node = 'node') {
    this.#end.promise.catch(() => {});
    // Detached: the terminal's Ctrl-C is for us.
    this.#child = spawn(node, [program], { env, stdio: 'pipe', detached: true });
    const { stdin, stdout, stderr } = this.#child;
    if (stdout !== null) createInterface(stdout).on('line', (line) => this.#hear(line));
    if (stderr !== null) createInterface(stderr).on('line', (line) => this.#keep(line));
    // Where it has ended, that says more.
    stdin?.on('error', () => {});
    this.#child.once('error', ({ message }) => this.#stop(`cannot be run by ${node}: ${message}`));
    this.#child.once('close', (code, signal) => this.#stop(`ended (${String(signal ?? code)})`));
  }

  /** Rejects when the program has ended, and says how. */
  get ended(): Promise<never> {
    return this.#end.promise;
  }

  /** Invokes the function once. Rejects where the program has ended. */
  async invoke(request: FunctionRequest): Promise<FunctionAnswer> {
    if (this.#ended !== undefined) throw this.#ended;
    const { promise, resolve, reject } = Promise.withResolvers<FunctionAnswer>();
    this.#waiting.set(request.id, { resolve, reject });
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return await promise;
  }

  /** Ends it at once, whatever it is at. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== undefined) return;
    const gone = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await gone;
  }

  #hear(line: string): void {
    const answer = functionAnswer.parse(JSON.parse(line));
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
  }

  #keep(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
  }

  #stop(how: string): void {
    this.#ended ??= new Error([`the function ${how}`, ...this.#lastLines].join('\n'));
    this.#end.reject(this.#ended);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
