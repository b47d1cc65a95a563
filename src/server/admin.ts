import type { Log } from '../base/log.ts';
import type { Address } from '../core/network.ts';
import { EXPOSITION_TYPE } from '../metrics/exposition.ts';
import type { HttpServer } from '../net/http.ts';
import { listenHttp } from '../net/http.ts';

/** A target's health in the words of RDS's TargetHealth. */
export interface TargetReadiness {
  readonly proxy: string;
  readonly target: string;
  readonly state: string;
  readonly reason?: string;
  readonly description?: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly targets: readonly TargetReadiness[];
}

export interface AdminOptions {
  readonly listen: Address;
  readonly log: Log;
  /** The page for Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly readiness: () => Promise<Readiness>;
}

/** Nothing that the admin port answers needs a body. */
const BODY_LIMIT_BYTES = 1_024;

const INDEX = `Sluice

/healthz  200 while the process is alive
/readyz   200 while every target is available, otherwise 503; says which is not, and why
/metrics  Prometheus metrics
`;

/** Opens the admin port where the settings want one. */
export function openAdmin(
  listen: Address | undefined,
  options: Omit<AdminOptions, 'listen'>,
): HttpServer | undefined {
  return listen === undefined ? undefined : startAdmin({ ...options, listen });
}

/**
 * The port for those who run the proxy. It reads counters and gauges and waits for no pool, so that it answers when
 * every database connection is taken (trap GX-14). Throws where it cannot listen.
 */
export function startAdmin(options: AdminOptions): HttpServer {
  const { listen, log } = options;
  const server = listenHttp(listen, (request) => answer(request, options), {
    bodyLimitBytes: BODY_LIMIT_BYTES,
  });
  log.event('info', 'adminListening', {
    message: `Health checks and metrics are at ${listen.host}, port ${server.port}.`,
    host: listen.host,
    port: server.port,
  });
  return server;
}

async function answer(request: Request, options: AdminOptions): Promise<Response> {
  const path = pathOf(request);
  const page = pages[path];
  if (page === undefined) return reply(404, 'not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return reply(405, 'method not allowed\n', TEXT, { allow: 'GET, HEAD' });
  }
  try {
    return await page(options);
  } catch (error) {
    options.log.event('error', 'adminFailed', {
      message: `The admin port could not answer: ${String(error)}`,
      path,
      stack: error instanceof Error ? error.stack : undefined,
    });
    return reply(500, 'internal error\n');
  }
}

/** Load balancers ask in HTTP/1.0 without a Host, and then the URL is a path only: it is not parsed as a whole. */
function pathOf(request: Request): string {
  return /^(?:https?:\/\/[^/]*)?(\/[^?#]*)/.exec(request.url)?.[1] ?? '';
}

type Page = (options: AdminOptions) => Response | Promise<Response>;

const pages: Readonly<Record<string, Page>> = {
  '/': () => reply(200, INDEX),
  '/healthz': () => reply(200, 'ok\n'),
  '/readyz': async ({ readiness }) => {
    const state = await readiness();
    return reply(state.ready ? 200 : 503, `${JSON.stringify(state)}\n`, 'application/json');
  },
  '/metrics': async ({ metrics }) => reply(200, await metrics(), EXPOSITION_TYPE),
};

const TEXT = 'text/plain; charset=utf-8';

function reply(
  status: number,
  body: string,
  contentType = TEXT,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: { 'content-type': contentType, 'cache-control': 'no-store', ...headers },
  });
}
