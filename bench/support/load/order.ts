import type { Load } from '../cases.ts';
import type { Line } from '../line.ts';

/** Where to sign in, and as whom. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  readonly tls: boolean;
}

/** What a generator of load is to do: its standard input's first line, as JSON. When that input ends, it is over. */
export interface Order<Work extends Load> {
  readonly login: Login;
  readonly load: Work;
}

/** What its standard output begins with as soon as all clients have signed in; the records follow at the end. */
export const READY = 0x0a;

export function loginOf({ host, port, user, database, password, tls }: Line): Login {
  return { host, port, user, database, password: password.reveal(), tls };
}
