import type { Log } from '../base/log.ts';
import type { Address } from '../core/network.ts';
import type { TargetHealth } from '../core/watcher.ts';
import { EXPOSITION_TYPE } from '../metrics/exposition.ts';
import type { HttpServer, HttpTls } from '../net/http.ts';
import { listenHttp } from '../net/http.ts';
import type { Settings } from './settings/settings.ts';
import { readCertificate } from './tls-material.ts';

/** A target's health in the words of RDS's TargetHealth. */
export interface TargetReadiness extends TargetHealth {
  readonly proxy: string;
  readonly target: string;
  /** Where it is a reader, and counts only together with the others. */
  readonly role?: 'READ_ONLY';
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
  /** Serves HTTPS with it. */
  readonly tls?: HttpTls | undefined;
  /** The AWS API, where there is one: it answers what is posted to `/`. */
  readonly api?: (request: Request) => Promise<Response>;
}

/** Of pages nothing needs a body. */
const PAGE_BODY_LIMIT_BYTES = 1_024;
/** The API has a limit of its own, below this, and answers in its own words. */
const API_BODY_LIMIT_BYTES = 4_194_304;

const INDEX = `Sluice

/healthz  200 while the process is alive
/readyz   200 while every target is available, otherwise 503; says which is not, and why
/metrics  Prometheus metrics
`;

/** The admin port, if the settings want one. */
export interface AdminPort {
  /** Reads the certificate again. Where it cannot be used, the old one stays, and the log says why. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

/** Rejects where it cannot listen, or the certificate cannot be used. */
export async function openAdmin(
  { listen, tls: files }: Settings['admin'],
  options: Omit<AdminOptions, 'listen' | 'tls'>,
): Promise<AdminPort> {
  if (listen === undefined) return { renew: async () => {}, stop: async () => {} };
  let tls = files && (await readCertificate(files));
  const server = startAdmin({ ...options, listen, tls });
  return {
    stop: () => server.stop(),
    renew: async () => {
      if (files === undefined) return;
      try {
        const renewed = await readCertificate(files);
        if (renewed.certPem === tls?.certPem && renewed.keyPem === tls.keyPem) return;
        server.renew(renewed);
        tls = renewed;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        options.log.event('warn', 'certificateTrouble', {
          message: `The certificate of the admin port could not be read again; the old one stays: ${why}`,
        });
      }
    },
  };
}

/** What is wrong with the certificate that the settings name, as sentences; none where it can be used. */
export async function adminTrouble({ tls }: Settings['admin']): Promise<readonly string[]> {
  if (tls === undefined) return [];
  return await readCertificate(tls).then(
    () => [],
    (error: unknown) => [`admin: ${error instanceof Error ? error.message : String(error)}`],
  );
}

/**
 * The port for those who run the proxy. It reads counters and gauges and waits for no pool, so that it answers when
 * every database connection is taken (trap GX-14). Throws where it cannot listen.
 */
export function startAdmin(options: AdminOptions): HttpServer {
  const { listen, log } = options;
  const server = listenHttp(listen, (request) => answer(request, options), {
    tls: options.tls,
    bodyLimitBytes: options.api === undefined ? PAGE_BODY_LIMIT_BYTES : API_BODY_LIMIT_BYTES,
  });
  log.event('info', 'adminListening', {
    message: `Health checks${options.api === undefined ? '' : ', the API'} and metrics are at ${listen.host}, port ${server.port}${options.tls === undefined ? '' : ', by HTTPS'}.`,
    host: listen.host,
    port: server.port,
  });
  return server;
}

async function answer(request: Request, options: AdminOptions): Promise<Response> {
  const path = pathOf(request);
  if (options.api !== undefined && path === '/' && request.method === 'POST')
    return options.api(request);
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
