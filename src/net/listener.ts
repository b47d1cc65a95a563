import type { SocketHandler } from 'bun';
import type { Address } from '../core/network.ts';
import { plainHandlers, SocketLink } from './link.ts';
import { sayAddress, sayProblem } from './wording.ts';

export interface Listener {
  readonly host: string;
  /** The real port, also where the settings said 0. */
  readonly port: number;
  /** Takes no more connections; those that are open stay. */
  stop(): void;
}

/** Listens for clients. Throws a sentence that names the address where it cannot. */
export function listen(
  { host, port }: Address,
  reusePort: boolean,
  accept: (link: SocketLink) => void,
): Listener {
  const socket: SocketHandler<SocketLink> = {
    ...plainHandlers,
    open(accepted) {
      accepted.data = new SocketLink(accepted);
      accept(accepted.data);
    },
  };
  // `reusePort` is missing from the type declarations; the listener test guards it.
  const options = { hostname: host, port, reusePort, socket };
  try {
    const listener = Bun.listen<SocketLink>(options);
    return { host, port: listener.port, stop: () => listener.stop(false) };
  } catch (problem) {
    const why = sayProblem(problem);
    throw new Error(`cannot listen on ${sayAddress(host, port)}: ${why}`, { cause: problem });
  }
}
