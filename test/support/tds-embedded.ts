import { SecretText } from '../../src/base/secret-text.ts';
import type { EmbeddedServer } from '../../src/cli/embedded-server.ts';
import { TdsClient } from './tds-client.ts';
import { startTdsServer } from './tds-server/server.ts';

/** What tests ask of throw-away servers, whatever they are. */
export type ThrowAway = Pick<
  EmbeddedServer,
  'host' | 'port' | 'superuser' | 'superuserPassword' | 'certPem' | 'destroy'
> & {
  /** Runs statements as the superuser; the rows of all of them. */
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
};

const PASSWORD = 'Secret-1';

/** The project's own server in the clothes of the others, with these databases. */
export async function startTds({
  tls,
  databases,
}: {
  readonly tls: boolean;
  readonly databases: readonly string[];
}): Promise<ThrowAway> {
  const server = await startTdsServer({
    users: { sa: PASSWORD },
    databases,
    encrypt: tls ? 'off' : 'none',
  });
  const { port } = server;
  return {
    host: '127.0.0.1',
    port,
    superuser: 'sa',
    superuserPassword: new SecretText(PASSWORD),
    certPem: tls ? server.certificatePem : undefined,
    async query(sql) {
      const password = server.users.get('sa') ?? '';
      const client = await TdsClient.signIn({ port, user: 'sa', password });
      try {
        return (await client.batch(sql)).map((row) => Object.fromEntries(row.entries()));
      } finally {
        await client.end();
      }
    },
    destroy: () => server.stop(),
  };
}
