import type { PasswordChange } from '../../../api/secretsmanager/rotator.ts';
import type { Ask } from './sql-client.ts';
import { pgName, pgText } from './sql-text.ts';

type Change = Pick<PasswordChange, 'username' | 'password' | 'cloneOf'>;

/** As a superuser. A role that is not there is made a member of the one that it is to stand in for: it may all that that one may. */
export async function setPostgresPassword(ask: Ask, change: Change): Promise<void> {
  const { username, password, cloneOf } = change;
  const name = pgName(username);
  const secret = pgText(password.reveal());
  const [known] = await ask('SELECT 1 FROM pg_roles WHERE rolname = $1', [username]);
  if (known !== undefined) await ask(`ALTER ROLE ${name} PASSWORD ${secret}`);
  else if (cloneOf === undefined) throw new Error(`the database has no user ${username}`);
  else await ask(`CREATE ROLE ${name} LOGIN PASSWORD ${secret} IN ROLE ${pgName(cloneOf)}`);
}
