import { bitsOf } from '../session/options.ts';
import { errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { bigint, decimal, int, nvarchar, smallint, tinyint, varbinary } from '../types/sql-type.ts';
import { Decimal } from '../types/decimal.ts';
import type { Context } from './context.ts';
import type { Compiled } from './frame.ts';

export const VERSION_TEXT =
  'Microsoft SQL Server 2022 (RTM-CU12) (KB5033663) - 16.0.4115.5 (X64) \n\tTest server, no SQL Server at all';

type Global = readonly [SqlType, (context: Context) => Value];

const identity = (value: number | null): Value =>
  value === null ? null : new Decimal(BigInt(value), 0);
export const identityType = decimal(38, 0);
export { identity as identityValue };

/** What two at signs name. */
const globals: Readonly<Record<string, Global>> = {
  '@@SPID': [smallint, ({ session }) => session.spid],
  '@@TRANCOUNT': [int, ({ session }) => session.transactionCount],
  '@@OPTIONS': [int, ({ session }) => bitsOf(session.options.switches)],
  '@@DATEFIRST': [tinyint, ({ session }) => session.options.dateFirst],
  '@@LOCK_TIMEOUT': [int, ({ session }) => session.options.lockTimeout],
  '@@TEXTSIZE': [int, ({ session }) => session.options.textSize],
  '@@LANGUAGE': [nvarchar(128), ({ session }) => session.options.language.name],
  '@@LANGID': [smallint, ({ session }) => session.options.language.id],
  '@@IDENTITY': [identityType, ({ session }) => identity(session.identity)],
  '@@ROWCOUNT': [int, ({ session }) => session.rowCount],
  '@@ERROR': [int, ({ session }) => session.lastError],
  '@@FETCH_STATUS': [int, ({ session }) => session.fetchStatus],
  '@@CURSOR_ROWS': [int, ({ session }) => session.cursors.size],
  '@@NESTLEVEL': [int, ({ depth }) => depth],
  '@@PROCID': [int, () => 0],
  '@@VERSION': [nvarchar(300), () => VERSION_TEXT],
  '@@MICROSOFTVERSION': [int, () => 268_439_571],
  '@@SERVERNAME': [nvarchar(128), ({ engine }) => engine.serverName],
  '@@SERVICENAME': [nvarchar(128), () => 'MSSQLSERVER'],
  '@@MAX_CONNECTIONS': [int, ({ engine }) => engine.hooks.maxConnections()],
  '@@MAX_PRECISION': [tinyint, () => 38],
  '@@CONNECTIONS': [int, ({ engine }) => engine.sessions.size],
  '@@DBTS': [varbinary(8), () => new Uint8Array(8)],
  '@@TOTAL_ERRORS': [bigint, () => 0n],
};

export function compileGlobal(name: string, context: Context): Compiled {
  const found = globals[name];
  if (found === undefined) throw errors.undeclared(name.toLowerCase());
  const [type, get] = found;
  return { type, isNullable: false, get: () => get(context) };
}
