import { RawClient } from './raw-client.ts';
import { startScriptedServer } from './scripted-server.ts';
import type { ScriptedServer } from './scripted-server.ts';
import type { TestSocket } from './test-socket.ts';

interface Interception {
  /** Where what arrives is passed on to, over TLS again. */
  readonly to: { readonly host: string; readonly port: number };
  /** What is shown instead of that server's own certificate. */
  readonly certificate: { readonly keyPem: string; readonly certPem: string };
  /** Changes what the server says, chunk by chunk. */
  readonly change?: (said: Uint8Array) => Uint8Array;
}

/** Somebody between a client and a server, who ends TLS for the one and begins it anew for the other. */
export function startInterceptor({ to, certificate, change }: Interception): ScriptedServer {
  return startScriptedServer(async (client) => {
    await client.readUntyped(); // the request for TLS
    client.send(Buffer.from('S'));
    await client.startTls({ key: certificate.keyPem, cert: certificate.certPem }, 'server');
    const { socket: server } = await RawClient.connect({
      host: to.host,
      port: to.port,
      tls: 'startTls',
    });
    await join(client, server, change);
  });
}

/** Passes on what both say until one of them has left and all is said; then the server's side is closed. */
export async function join(
  client: TestSocket,
  server: TestSocket,
  change?: Interception['change'],
): Promise<void> {
  const ways = [pass(client, server), pass(server, client, change)];
  await Promise.race(ways.map((way) => way.catch(() => {})));
  server.end();
}

async function pass(
  from: TestSocket,
  to: TestSocket,
  change: Interception['change'] = (said) => said,
): Promise<never> {
  for (;;) {
    await from.peek(1);
    to.send(change(await from.read(from.unread)));
  }
}
