import { RawClient } from '../../test/support/raw-client.ts';
import type { Line } from './line.ts';
import { DATABASE, USER } from './line.ts';

/** A client that has signed in. */
export function signIn({ host, port, password, tls }: Line): Promise<RawClient> {
  return RawClient.signIn({
    ...{ host, port, database: DATABASE, user: USER },
    password: password.reveal(),
    tls: tls ? 'startTls' : 'none',
  });
}
