import type { Address } from '../core/network.ts';

export interface HttpServer {
  /** The port that was chosen where 0 was asked for. */
  readonly port: number;
  /** Accepts no more requests and closes at once what is open. */
  stop(): Promise<void>;
}

export interface HttpOptions {
  /** The largest request body; what is longer is answered with 413 before the handler is called or while it reads. */
  readonly bodyLimitBytes: number;
}

/** Seconds of silence before a connection is closed. */
const IDLE_TIMEOUT_S = 10;

/**
 * Serves HTTP on an address; throws where it cannot listen. The handler's errors are its own affair: one that escapes is
 * answered with a bare 500, never with what it says.
 */
export function listenHttp(
  { host, port }: Address,
  handler: (request: Request) => Response | Promise<Response>,
  { bodyLimitBytes }: HttpOptions = { bodyLimitBytes: 1_048_576 },
): HttpServer {
  const server = Bun.serve({
    hostname: host,
    port,
    fetch: handler,
    maxRequestBodySize: bodyLimitBytes,
    idleTimeout: IDLE_TIMEOUT_S,
    development: false,
    reusePort: false, // with `development: false` Bun would share the port with whoever has it already
    error: () => new Response('internal error\n', { status: 500 }),
  });
  return { port: server.port ?? port, stop: () => server.stop(true) };
}
