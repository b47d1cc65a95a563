import { RawClient } from '../../test/support/raw-client.ts';
import type { Line } from '../support/line.ts';
import type { Visitor } from '../support/visitor.ts';

/** A client that has signed in, much faster than pgbench could: the key is derived only once. */
export function signIn({ host, port, user, database, password, tls }: Line): Promise<RawClient> {
  return RawClient.signIn({
    ...{ host, port, database, user },
    password: password.reveal(),
    tls: tls ? 'startTls' : 'none',
  });
}

export async function visit(line: Line): Promise<Visitor> {
  const client = await signIn(line);
  return {
    tlsVersion: client.socket.tlsVersion,
    async ask() {
      await client.query('SELECT 1');
    },
    destroy: () => client.destroy(),
  };
}
