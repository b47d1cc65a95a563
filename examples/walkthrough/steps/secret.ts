import type { Around } from '../around.ts';
import type { Calls } from '../cloud.ts';
import { DATABASE, USER } from '../database.ts';
import type { Seen } from '../teller.ts';

const NAME = 'shop/app';

export interface SecretMade {
  readonly arn: string;
}

/** The secret of the database's user, in the shape that RDS has for them. */
export async function makeSecret(
  calls: Calls,
  { database }: Pick<Around, 'database'>,
): Promise<Seen<SecretMade>> {
  const { engine, server, password } = database;
  const { ARN: arn } = await calls.call('CreateSecret', {
    Name: NAME,
    SecretString: JSON.stringify({
      engine,
      host: server.host,
      port: server.port,
      dbname: DATABASE,
      username: USER,
      password: password.reveal(),
    }),
  });
  return { value: { arn }, detail: arn };
}
