import type { Login } from '../../../api/secretsmanager/rotator.ts';
import type { Clock } from '../../../base/clock.ts';
import { batch } from '../../../engine/sqlserver/ask.ts';
import { sqlServerEngine } from '../../../engine/sqlserver/engine.ts';
import type { DatabaseSettings } from '../../settings/settings.ts';
import { enterDatabase } from '../../way-in.ts';
import type { SqlRow } from './sql-client.ts';
import { inTime, TIMEOUT_MS } from './sql-client.ts';

/** Asks a SQL Server; each call is one batch. Resolves with the rows of the last result in it. */
export type AskPlainly = (sql: string) => Promise<readonly SqlRow[]>;

/** As `withSqlClient`, by our own way in: Bun's client does not speak TDS. */
export async function withSqlServer<Result>(
  database: DatabaseSettings,
  login: Login,
  clock: Clock,
  work: (ask: AskPlainly) => Promise<Result>,
): Promise<Result> {
  const timeoutMs = TIMEOUT_MS;
  const inside = await enterDatabase(sqlServerEngine(), database, login, { timeoutMs });
  const ask: AskPlainly = async (sql) => {
    const { errors, sets } = await inside.ask(batch(inside.memory, sql));
    const [error] = errors;
    if (error !== undefined) throw new Error(`${error.message} (${error.number})`);
    const last = sets.at(-1);
    const nameOf = (at: number): string => last?.columns[at] ?? '';
    return (last?.rows ?? []).map((row) =>
      Object.fromEntries(row.map((value, at) => [nameOf(at), value])),
    );
  };
  try {
    return await inTime(clock, work(ask));
  } finally {
    inside.leave();
  }
}
