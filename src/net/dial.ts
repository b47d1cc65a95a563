import type { Address } from '../core/network.ts';
import { plainHandlers, SocketLink } from './link.ts';
import { sayAddress, sayProblem } from './wording.ts';

/** Opens a TCP connection. Rejects with a sentence for the log, at the latest after `timeoutMs`. */
export function dial(
  address: Address,
  timeoutMs: number,
  after: (delayMs: number, work: () => void) => () => void,
): Promise<SocketLink> {
  const where = sayAddress(address.host, address.port);
  return new Promise((resolve, reject) => {
    let late = false;
    const cancel = after(timeoutMs, () => {
      late = true;
      reject(new Error(`no connection to ${where} within ${timeoutMs} ms`));
    });
    connect(address, (link) => {
      cancel();
      if (late) link.destroy();
      else resolve(link);
    }).catch((problem: unknown) => {
      cancel();
      reject(new Error(`no connection to ${where}: ${sayProblem(problem)}`));
    });
  });
}

async function connect({ host, port }: Address, opened: (link: SocketLink) => void): Promise<void> {
  await Bun.connect<SocketLink>({
    hostname: host,
    port,
    socket: {
      ...plainHandlers,
      open(socket) {
        socket.data = new SocketLink(socket, true);
        opened(socket.data);
      },
    },
  });
}
