import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** What Lambda calls reserved concurrency; whoever comes when all are busy waits. */
const CONCURRENCY = 8;
/** Of what the function says last. */
const LOG_LINES = 20;

export interface FunctionProgram {
  /** Which Node; it is looked for in the PATH in `env`. */
  readonly node: string;
  /** The function, as `examples/lambda-sequelize` is bundled. */
  readonly program: string;
  /** All that it sees of an environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * API Gateway and Lambda for one's own machine: an HTTP server that has a process of its own answer each request, which the
 * program's `local.ts` makes an event of. Nothing is kept from one invocation to the next. To be disposed of.
 */
export class Gateway implements AsyncDisposable {
  readonly #function: FunctionProgram;
  readonly #server: ReturnType<typeof Bun.serve>;
  readonly #running = new Set<ChildProcess>();
  readonly #queue: (() => void)[] = [];
  readonly #log: string[] = [];
  #busy = 0;

  constructor(program: FunctionProgram) {
    this.#function = program;
    this.#server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      // As long as API Gateway waits, and a little more.
      idleTimeout: 30,
      fetch: (request) => this.#answer(request),
    });
  }

  /** Such as `http://127.0.0.1:40123`. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** What functions have logged last. */
  get log(): readonly string[] {
    return this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
    const gone = [...this.#running].map((child) => once(child, 'close'));
    for (const child of this.#running) child.kill('SIGKILL');
    await Promise.all(gone);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = await request.text();
    await this.#turn();
    try {
      return await this.#invoke([request.method, pathname, ...(body === '' ? [] : [body])]);
    } finally {
      this.#busy -= 1;
      this.#queue.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#busy >= CONCURRENCY) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#busy += 1;
  }

  /** In a process of its own. */
  #invoke(words: readonly string[]): Promise<Response> {
    const { node, program, env } = this.#function;
    const child = spawn(node, [program, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    return new Promise((resolve) => {
      child.once('error', ({ message }) => this.#keep(message));
      child.once('close', () => {
        this.#running.delete(child);
        this.#keep(err);
        const [, status, body = ''] = /^(\d{3}) (.*)$/m.exec(out) ?? [];
        resolve(
          status === undefined
            ? Response.json({ message: 'Internal server error' }, { status: 502 })
            : new Response(body, {
                status: Number(status),
                headers: { 'Content-Type': 'application/json' },
              }),
        );
      });
    });
  }

  #keep(said: string): void {
    const lines = said.split('\n').filter((line) => line !== '');
    this.#log.push(...lines);
    this.#log.splice(0, this.#log.length - LOG_LINES);
  }
}
