import type { Login } from './client.ts';
import type { Mode, Work } from './statements.ts';

/** What a generator of load is to do: its standard input's first line, as JSON. When that input ends, it is over. */
export interface Order extends Login {
  readonly work: Work;
  readonly mode: Mode;
  readonly clients: number;
  /** Each transaction on a connection of its own. */
  readonly reconnect: boolean;
}

/** What its standard output begins with as soon as all clients have signed in; the records follow at the end. */
export const READY = 0x0a;
