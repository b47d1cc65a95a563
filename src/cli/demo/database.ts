import { must } from '../../base/assert.ts';
import type { Random } from '../../base/random.ts';
import { SecretText } from '../../base/secret-text.ts';
import type { EmbeddedPostgres } from '../embedded-postgres.ts';
import { startEmbeddedPostgres } from '../embedded-postgres.ts';

/** What Amazon RDS grants an instance with 1 GB: `{DBInstanceClassMemory/12582880}`. */
export const MAX_CONNECTIONS = 85;
export const DATABASE = 'shop';
/** How many rows there are to read. */
export const PRODUCTS = 100;

/** The users that functions sign in as; the second has to show an IAM token at the proxy. */
export const PASSWORD_USER = 'app';
export const TOKEN_USER = 'lambda';

export interface DemoDatabase extends AsyncDisposable {
  readonly server: EmbeddedPostgres;
  readonly passwords: Readonly<Record<typeof PASSWORD_USER | typeof TOKEN_USER, SecretText>>;
  readonly certPem: string;
}

/** Starts a database as small as they come, with something to read and something to write. To be disposed of. */
export async function startDatabase(random: Random): Promise<DemoDatabase> {
  await using cleanup = new AsyncDisposableStack();
  const passwords = { [PASSWORD_USER]: newSecret(random), [TOKEN_USER]: newSecret(random) };
  const server = await startEmbeddedPostgres({
    maxConnections: MAX_CONNECTIONS,
    tls: true,
    users: Object.entries(passwords).map(([name, password]) => ({ name, password })),
    databases: [DATABASE],
    // Its own limit of a minute is too short where hundreds sign in on one slow core.
    settings: { authentication_timeout: '10min' },
    random,
  });
  cleanup.defer(() => server.destroy());
  await server.query(schema, DATABASE);
  const certPem = must(server.certPem, 'the database has no certificate');
  const held = cleanup.move();
  return { server, passwords, certPem, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

const schema = `
  CREATE TABLE products (id int PRIMARY KEY, cents int NOT NULL);
  INSERT INTO products SELECT id, 100 * id FROM generate_series(1, ${PRODUCTS}) AS id;
  CREATE TABLE orders (
    route text, invocation int, cents int NOT NULL, PRIMARY KEY (route, invocation)
  );
  GRANT SELECT ON products TO ${PASSWORD_USER}, ${TOKEN_USER};
  GRANT INSERT, SELECT ON orders TO ${PASSWORD_USER}, ${TOKEN_USER};
`;

/** Fit for every place that a password may be put, a URL included. */
export function newSecret(random: Random): SecretText {
  return new SecretText(Buffer.from(random.bytes(24)).toString('base64url'));
}
