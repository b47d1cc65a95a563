import type { Address } from '../core/network.ts';
import { plainHandlers, SocketLink } from './link.ts';

/** Opens a TCP connection. Rejects with a sentence for the log, at the latest after `timeoutMs`. */
export function dial(address: Address, timeoutMs: number, after: (delayMs: number, work: () => void) => () => void): Promise<SocketLink> {
  const where = `${address.host}:${address.port}`;
  return new Promise((resolve, reject) => {
    let settled = false;
    const cancel = after(timeoutMs, () => {
      settled = true;
      reject(new Error(`no connection to ${where} within ${timeoutMs} ms`));
    });
    Bun.connect<SocketLink>({
      hostname: address.host,
      port: address.port,
      socket: {
        ...plainHandlers,
        open(socket) {
          if (settled) {
            socket.terminate();
            return;
          }
          settled = true;
          cancel();
          socket.data = new SocketLink(socket);
          resolve(socket.data);
        },
        connectError(_socket, problem) {
          settled = true;
          cancel();
          reject(new Error(`no connection to ${where}: ${problem.message}`));
        },
      },
    }).catch((problem: unknown) => {
      if (settled) return;
      settled = true;
      cancel();
      reject(new Error(`no connection to ${where}: ${problem instanceof Error ? problem.message : String(problem)}`));
    });
  });
}
