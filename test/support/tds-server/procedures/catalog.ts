import { runText } from '../run/execute.ts';
import type { Given, SystemProcedure } from '../run/execute.ts';
import type { Context } from '../run/context.ts';
import { findObject, findTable, partsOf } from '../run/objects.ts';
import { SqlError } from '../types/errors.ts';
import { int, nvarchar, sysname } from '../types/sql-type.ts';
import { command, doneKind, doneStatus } from '../wire/reply.ts';
import { argument, textOf } from './arguments.ts';

const quote = (text: string): string => `N'${text.replaceAll("'", "''")}'`;

/** One that is a query with the first argument in it. */
function query(make: (name: string) => string): SystemProcedure {
  return function* (given, context) {
    const [first] = given;
    yield* runText(make(textOf(first)), { ...context, depth: context.depth - 1 });
    return 0;
  };
}

function rename(given: readonly Given[], context: Context): number {
  const [from, to] = [
    partsOf(textOf(argument(given, 'objname', 0))),
    textOf(argument(given, 'newname', 1)),
  ];
  const kind = textOf(given[2]).toLowerCase();
  const tableName = kind === 'column' ? from.slice(0, -1) : from;
  const table = findTable(tableName, context);
  if (table === undefined)
    throw new SqlError(
      15_225,
      `No item by the name of '${from.join('.')}' could be found in the current database.`,
      11,
      1,
    );
  if (kind === 'column') {
    const at = table.columnAt(from.at(-1) ?? '');
    const column = table.columns[at];
    if (column !== undefined) table.columns = table.columns.with(at, { ...column, name: to });
    return 0;
  }
  const { tables } = context.session.database;
  tables.delete(table.fullName.toLowerCase());
  table.name = to;
  tables.set(table.fullName.toLowerCase(), table);
  return 0;
}

function help(given: readonly Given[], context: Context): number {
  const name = textOf(argument(given, 'objname', 0));
  const found = findObject(context, name);
  if (found === undefined)
    throw new SqlError(
      15_009,
      `The object '${name}' does not exist in database '${context.session.database.name}' or is invalid for this operation.`,
      16,
      1,
    );
  const { reply } = context;
  reply.columns(
    ['Name', 'Owner', 'Type'].map((column) => ({ name: column, type: sysname, isNullable: true })),
  );
  reply.row([name, 'dbo', found.table === undefined ? 'stored procedure' : 'user table']);
  reply.done(doneKind.inProcedure, doneStatus.count, command.select, 1);
  return 0;
}

function helpIndex(given: readonly Given[], context: Context): number {
  const table = findTable(partsOf(textOf(argument(given, 'objname', 0))), context);
  const { reply } = context;
  if (table === undefined)
    throw new SqlError(
      15_009,
      `The object does not exist in database '${context.session.database.name}' or is invalid for this operation.`,
      16,
      1,
    );
  reply.columns(
    ['index_name', 'index_description', 'index_keys'].map((name) => ({
      name,
      type: nvarchar(400),
      isNullable: true,
    })),
  );
  for (const { name, isPrimary, columns } of table.keys)
    reply.row([
      name,
      isPrimary
        ? 'clustered, unique, primary key located on PRIMARY'
        : 'nonclustered, unique located on PRIMARY',
      columns.map((at) => table.columns[at]?.name).join(', '),
    ]);
  reply.done(doneKind.inProcedure, doneStatus.count, command.select, table.keys.length);
  return 0;
}

/** The types that there are: what ODBC drivers ask for first. */
function dataTypes(_given: readonly Given[], { reply }: Context): number {
  reply.columns([
    { name: 'TYPE_NAME', type: sysname, isNullable: false },
    { name: 'DATA_TYPE', type: int, isNullable: false },
    { name: 'LITERAL_PREFIX', type: nvarchar(32), isNullable: true },
  ]);
  const rows: [string, number, string | null][] = [
    ['int', 4, null],
    ['bigint', -5, null],
    ['bit', -7, null],
    ['nvarchar', -9, "N'"],
    ['varbinary', -3, '0x'],
    ['datetime2', 93, "'"],
  ];
  for (const row of rows) reply.row(row);
  reply.done(doneKind.inProcedure, doneStatus.count, command.select, rows.length);
  return 0;
}

export const catalogProcedures: Readonly<Record<string, SystemProcedure>> = {
  sp_rename: rename,
  sp_help: help,
  sp_helpindex: helpIndex,
  sp_datatype_info: dataTypes,
  sp_datatype_info_100: dataTypes,
  sp_databases: query(() => 'SELECT name AS DATABASE_NAME FROM sys.databases ORDER BY name'),
  sp_who: query(() => 'SELECT spid, loginame, hostname, program_name FROM sys.sysprocesses'),
  sp_who2: query(() => 'SELECT spid, loginame, hostname, program_name FROM sys.sysprocesses'),
  sp_tables: query(
    (name) =>
      `SELECT TABLE_CATALOG AS TABLE_QUALIFIER, TABLE_SCHEMA AS TABLE_OWNER, TABLE_NAME, 'TABLE' AS TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES${name === '' ? '' : ` WHERE TABLE_NAME LIKE ${quote(name)}`}`,
  ),
  sp_columns: query(
    (name) =>
      `SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE AS TYPE_NAME, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = ${quote(name)}`,
  ),
  sp_columns_100: query(
    (name) =>
      `SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE AS TYPE_NAME, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = ${quote(name)}`,
  ),
  sp_pkeys: query(
    (name) =>
      `SELECT TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION AS KEY_SEQ FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE WHERE TABLE_NAME = ${quote(name)}`,
  ),
};
