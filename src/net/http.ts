import type { Address } from '../core/network.ts';
import { tlsServer } from './tls.ts';

export interface HttpServer {
  /** The port that was chosen where 0 was asked for. */
  readonly port: number;
  /**
   * Shows another certificate to those who come from now on; who is connected stays. Throws, and leaves all as it was, where the
   * certificate cannot be used.
   */
  renew(tls: HttpTls): void;
  /** Accepts no more requests and closes at once what is open. */
  stop(): Promise<void>;
}

/** In PEM. */
export interface HttpTls {
  readonly keyPem: string;
  readonly certPem: string;
}

export interface HttpOptions {
  /** The largest request body; what is longer is answered with 413 before the handler is called or while it reads. */
  readonly bodyLimitBytes: number;
  /** Serves HTTPS, and nothing else. */
  readonly tls?: HttpTls | undefined;
}

/** Seconds of silence before a connection is closed. */
const IDLE_TIMEOUT_S = 10;

/**
 * Serves HTTP on an address; throws where it cannot listen, or cannot use the certificate. The handler's errors are its own affair: one
 * that escapes is answered with a bare 500, never with what it says.
 */
export function listenHttp(
  { host, port }: Address,
  handler: (request: Request) => Response | Promise<Response>,
  { bodyLimitBytes, tls }: HttpOptions = { bodyLimitBytes: 1_048_576 },
): HttpServer {
  const open = (at: number, material: HttpTls | undefined) =>
    Bun.serve({
      hostname: host,
      port: at,
      fetch: handler,
      maxRequestBodySize: bodyLimitBytes,
      idleTimeout: IDLE_TIMEOUT_S,
      development: false,
      reusePort: false, // with `development: false` Bun would share the port with whoever has it already
      error: () => new Response('internal error\n', { status: 500 }),
      ...(material && { tls: tlsOptions(material) }),
    });
  const servers = [open(port, tls)];
  const chosen = servers[0]?.port ?? port;
  return {
    port: chosen,
    renew: (renewed) => {
      tlsOptions(renewed);
      // Bun cannot exchange the certificate of a listener: there is a moment without one.
      void servers.at(-1)?.stop(false);
      servers.push(open(chosen, renewed));
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop(true)));
    },
  };
}

function tlsOptions({ keyPem, certPem }: HttpTls) {
  return tlsServer(keyPem, certPem, []).options;
}
