import type { SocketHandler } from 'bun';
import type { Address } from '../core/network.ts';
import { plainHandlers, SocketLink } from './link.ts';

export interface Listener {
  readonly host: string;
  /** The real port, also where the settings said 0. */
  readonly port: number;
  /** Takes no more connections; those that are open stay. */
  stop(): void;
}

/** Listens for clients. Throws a sentence that names the address where it cannot. */
export function listen(address: Address, reusePort: boolean, accept: (link: SocketLink) => void): Listener {
  try {
    const socket: SocketHandler<SocketLink> = {
      ...plainHandlers,
      open(accepted) {
        accepted.data = new SocketLink(accepted);
        accept(accepted.data);
      },
    };
    // `reusePort` is missing from the type declarations; the listener test guards it.
    const options = { hostname: address.host, port: address.port, reusePort, socket };
    const listener = Bun.listen<SocketLink>(options);
    return { host: address.host, port: listener.port, stop: () => listener.stop(false) };
  } catch (problem) {
    const why = problem instanceof Error ? problem.message : String(problem);
    throw new Error(`cannot listen on ${address.host}:${address.port}: ${why}`, { cause: problem });
  }
}
