import type { Database } from '../data/database.ts';
import type { Table } from '../data/table.ts';
import type { Session } from '../session/session.ts';
import { Moment } from '../types/moment.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import {
  MAX,
  bigint,
  bit,
  datetime,
  int,
  isDecimal,
  isText,
  isTime,
  isWide,
  nvarchar,
  smallint,
  sysname,
  tinyint,
  varbinary,
} from '../types/sql-type.ts';
import type { Context } from './context.ts';
import type { SourceColumn } from './frame.ts';
import {
  databasePrincipalColumns,
  databasePrincipals,
  memberColumns,
  permissionColumns,
  serverPrincipalColumns,
  serverPrincipals,
} from './security-views.ts';

export interface SystemView {
  readonly columns: readonly SourceColumn[];
  readonly rows: () => Iterable<readonly Value[]>;
}

/** A view by its columns, each with its type and its value of an object. */
function view<T>(
  items: (context: Context, database: Database) => readonly T[],
  columns: Readonly<Record<string, readonly [SqlType, (item: T) => Value]>>,
): View {
  const names = Object.entries(columns);
  return (context, database) => ({
    columns: names.map(([name, [type]]) => ({ name, type, isNullable: true })),
    rows: () => items(context, database).map((item) => names.map(([, [, value]]) => value(item))),
  });
}

type View = (context: Context, database: Database) => SystemView;

const tablesOf = (_: Context, { tables }: Database): Table[] => [...tables.values()];

interface ColumnOf {
  readonly table: Table;
  readonly at: number;
  readonly database: string;
}

const columnsOf = (_: Context, { tables, name }: Database): ColumnOf[] =>
  [...tables.values()].flatMap((table) =>
    table.columns.map((_column, at) => ({ table, at, database: name })),
  );

const columnOf = ({ table, at }: ColumnOf): Table['columns'][number] => {
  const column = table.columns[at];
  if (column === undefined) throw new Error('a column that is not there');
  return column;
};

const bytesOf = ({ name, length }: SqlType): number => {
  if (length === MAX) return -1;
  if (length > 0) return name.startsWith('n') ? length * 2 : length;
  return (
    {
      bigint: 8,
      int: 4,
      smallint: 2,
      tinyint: 1,
      bit: 1,
      float: 8,
      real: 4,
      datetime: 8,
      uniqueidentifier: 16,
    }[name as 'int'] ?? 8
  );
};

const typeIds: Readonly<Record<string, number>> = {
  ...{
    image: 34,
    text: 35,
    uniqueidentifier: 36,
    date: 40,
    time: 41,
    datetime2: 42,
    datetimeoffset: 43,
  },
  ...{
    tinyint: 48,
    smallint: 52,
    int: 56,
    smalldatetime: 58,
    real: 59,
    money: 60,
    datetime: 61,
    float: 62,
  },
  ...{
    sql_variant: 98,
    ntext: 99,
    bit: 104,
    decimal: 106,
    numeric: 108,
    smallmoney: 122,
    bigint: 127,
  },
  ...{ varbinary: 165, varchar: 167, binary: 173, char: 175, nvarchar: 231, nchar: 239, xml: 241 },
};

interface KeyOf {
  readonly table: Table;
  readonly key: Table['keys'][number];
  readonly number: number;
  readonly database: string;
}

const keysOf = (_: Context, { tables, name }: Database): KeyOf[] =>
  [...tables.values()].flatMap((table) =>
    table.keys.map((key, n) => ({ table, key, number: n + 1, database: name })),
  );

interface KeyColumnOf extends KeyOf {
  readonly place: number;
}

const keyColumnsOf = (context: Context, database: Database): KeyColumnOf[] =>
  keysOf(context, database).flatMap((one) =>
    one.key.columns.map((_column, place) => ({ ...one, place })),
  );

interface ForeignOf {
  readonly table: Table;
  readonly key: Table['foreignKeys'][number];
  readonly place: number;
  readonly database: string;
}

const foreignOf = (_: Context, { tables, name }: Database): ForeignOf[] =>
  [...tables.values()].flatMap((table) =>
    table.foreignKeys.flatMap((key) =>
      key.columns.map((_column, place) => ({ table, key, place, database: name })),
    ),
  );

const views: Readonly<Record<string, View>> = {
  'sys.databases': view(
    (({ engine }) => [...engine.databases.values()]) satisfies (
      context: Context,
    ) => readonly Database[],
    {
      name: [sysname, ({ name }) => name],
      database_id: [int, ({ id }) => id],
      collation_name: [sysname, () => 'SQL_Latin1_General_CP1_CI_AS'],
      compatibility_level: [tinyint, () => 160],
      state: [tinyint, () => 0],
      state_desc: [sysname, () => 'ONLINE'],
      is_read_committed_snapshot_on: [bit, () => true],
    },
  ),
  'sys.schemas': view((_, { schemas }) => [...schemas].map((name, at) => ({ name, id: at + 1 })), {
    name: [sysname, ({ name }) => name],
    schema_id: [int, ({ id }) => id],
  }),
  'sys.server_principals': view(serverPrincipals, serverPrincipalColumns),
  'sys.server_role_members': view(({ engine }) => engine.security.server.members, memberColumns),
  'sys.server_permissions': view(
    ({ engine }) => engine.security.server.permissions,
    permissionColumns,
  ),
  'sys.database_principals': view(databasePrincipals, databasePrincipalColumns),
  'sys.database_role_members': view(
    ({ engine }, database) => engine.security.of(database).members,
    memberColumns,
  ),
  'sys.database_permissions': view(
    ({ engine }, database) => engine.security.of(database).permissions,
    permissionColumns,
  ),
  'sys.tables': view(tablesOf, {
    name: [sysname, ({ name }) => name],
    object_id: [int, ({ id }) => id],
    schema_id: [int, () => 1],
    type: [nvarchar(2), () => 'U '],
    type_desc: [sysname, () => 'USER_TABLE'],
    is_ms_shipped: [bit, () => false],
  }),
  'sys.objects': view(
    (_, { tables, views: others, procedures }) => [
      ...[...tables.values()].map(({ id, name }) => ({ id, name, type: 'U ' })),
      ...[...others.values()].map(({ id, name }) => ({ id, name, type: 'V ' })),
      ...[...procedures.values()].map(({ id, name }) => ({ id, name, type: 'P ' })),
    ],
    {
      name: [sysname, ({ name }) => name],
      object_id: [int, ({ id }) => id],
      schema_id: [int, () => 1],
      parent_object_id: [int, () => 0],
      is_ms_shipped: [bit, () => false],
      type: [nvarchar(2), ({ type }) => type],
    },
  ),
  'sys.columns': view(columnsOf, {
    object_id: [int, ({ table }) => table.id],
    name: [sysname, (one) => columnOf(one).name],
    column_id: [int, ({ at }) => at + 1],
    system_type_id: [tinyint, (one) => typeIds[columnOf(one).type.name] ?? 56],
    user_type_id: [int, (one) => typeIds[columnOf(one).type.name] ?? 56],
    max_length: [smallint, (one) => bytesOf(columnOf(one).type)],
    precision: [tinyint, (one) => columnOf(one).type.precision],
    scale: [tinyint, (one) => columnOf(one).type.scale],
    is_nullable: [bit, (one) => columnOf(one).isNullable],
    is_identity: [bit, (one) => columnOf(one).isIdentity === true],
    is_computed: [bit, (one) => columnOf(one).computed !== undefined],
    default_object_id: [int, () => 0],
  }),
  'sys.computed_columns': view(
    (context, database) =>
      columnsOf(context, database).filter((one) => columnOf(one).computed !== undefined),
    {
      object_id: [int, ({ table }) => table.id],
      name: [sysname, (one) => columnOf(one).name],
      column_id: [int, ({ at }) => at + 1],
      is_persisted: [bit, () => true],
      definition: [nvarchar(MAX), () => null],
    },
  ),
  'sys.types': view(() => Object.entries(typeIds), {
    name: [sysname, ([name]) => name],
    system_type_id: [tinyint, ([, id]) => id],
    user_type_id: [int, ([, id]) => id],
    schema_id: [int, () => 4],
    is_user_defined: [bit, () => false],
    is_table_type: [bit, () => false],
  }),
  'sys.indexes': view(keysOf, {
    object_id: [int, ({ table }) => table.id],
    name: [sysname, ({ key }) => key.name],
    index_id: [int, ({ number }) => number],
    type: [tinyint, () => 1],
    type_desc: [sysname, () => 'CLUSTERED'],
    is_unique: [bit, () => true],
    is_primary_key: [bit, ({ key }) => key.isPrimary],
    is_unique_constraint: [bit, ({ key }) => !key.isPrimary],
    filter_definition: [nvarchar(MAX), () => null],
  }),
  'sys.index_columns': view(keyColumnsOf, {
    object_id: [int, ({ table }) => table.id],
    index_id: [int, ({ number }) => number],
    index_column_id: [int, ({ place }) => place + 1],
    key_ordinal: [tinyint, ({ place }) => place + 1],
    column_id: [int, ({ key, place }) => (key.columns[place] ?? 0) + 1],
    is_descending_key: [bit, () => false],
    is_included_column: [bit, () => false],
  }),
  'sys.foreign_keys': view(foreignOf, {
    name: [sysname, ({ key }) => key.name],
    object_id: [int, ({ table }) => table.id + 1],
    parent_object_id: [int, ({ table }) => table.id],
    referenced_object_id: [int, ({ key }) => key.table.id],
    schema_id: [int, () => 1],
    delete_referential_action_desc: [sysname, () => 'NO_ACTION'],
    update_referential_action_desc: [sysname, () => 'NO_ACTION'],
  }),
  'sys.foreign_key_columns': view(foreignOf, {
    constraint_object_id: [int, ({ table }) => table.id + 1],
    parent_object_id: [int, ({ table }) => table.id],
    parent_column_id: [int, ({ key, place }) => (key.columns[place] ?? 0) + 1],
    referenced_object_id: [int, ({ key }) => key.table.id],
    referenced_column_id: [int, ({ key, place }) => (key.referenced[place] ?? 0) + 1],
  }),
  'sys.default_constraints': view((): Table[] => [], {
    name: [sysname, ({ name }) => name],
    object_id: [int, ({ id }) => id],
    parent_object_id: [int, ({ id }) => id],
    parent_column_id: [int, () => 0],
    definition: [nvarchar(MAX), () => null],
  }),
  'sys.check_constraints': view(tablesOf, {
    name: [sysname, ({ checks }) => checks[0]?.name ?? null],
    object_id: [int, ({ id }) => id + 2],
    parent_object_id: [int, ({ id }) => id],
    definition: [nvarchar(MAX), () => null],
  }),
  'sys.extended_properties': view((): Table[] => [], {
    major_id: [int, ({ id }) => id],
    minor_id: [int, () => 0],
    name: [sysname, ({ name }) => name],
    value: [sysname, () => null],
    class: [tinyint, () => 1],
  }),
  'sys.views': view((_, { views: all }) => [...all.values()], {
    name: [sysname, ({ name }) => name],
    object_id: [int, ({ id }) => id],
    schema_id: [int, () => 1],
  }),
  'sys.procedures': view((_, { procedures }) => [...procedures.values()], {
    name: [sysname, ({ name }) => name],
    object_id: [int, ({ id }) => id],
    schema_id: [int, () => 1],
  }),
  'information_schema.tables': view(
    (_, { tables, views: others, name: catalog }) => [
      ...[...tables.values()].map(({ schema, name }) => ({
        schema,
        name,
        catalog,
        type: 'BASE TABLE',
      })),
      ...[...others.values()].map(({ schema, name }) => ({ schema, name, catalog, type: 'VIEW' })),
    ],
    {
      TABLE_CATALOG: [sysname, ({ catalog }) => catalog],
      TABLE_SCHEMA: [sysname, ({ schema }) => schema],
      TABLE_NAME: [sysname, ({ name }) => name],
      TABLE_TYPE: [sysname, ({ type }) => type],
    },
  ),
  'information_schema.views': view(
    (_, { views: all, name: catalog }) =>
      [...all.values()].map(({ schema, name }) => ({ schema, name, catalog })),
    {
      TABLE_CATALOG: [sysname, ({ catalog }) => catalog],
      TABLE_SCHEMA: [sysname, ({ schema }) => schema],
      TABLE_NAME: [sysname, ({ name }) => name],
      VIEW_DEFINITION: [nvarchar(4000), () => null],
    },
  ),
  'information_schema.schemata': view((_, { schemas }) => [...schemas], {
    SCHEMA_NAME: [sysname, (name) => name],
  }),
  'information_schema.columns': view(columnsOf, {
    TABLE_CATALOG: [sysname, ({ database }) => database],
    TABLE_SCHEMA: [sysname, ({ table }) => table.schema],
    TABLE_NAME: [sysname, ({ table }) => table.name],
    COLUMN_NAME: [sysname, (one) => columnOf(one).name],
    ORDINAL_POSITION: [int, ({ at }) => at + 1],
    COLUMN_DEFAULT: [nvarchar(4000), () => null],
    IS_NULLABLE: [sysname, (one) => (columnOf(one).isNullable ? 'YES' : 'NO')],
    DATA_TYPE: [sysname, (one) => columnOf(one).type.name],
    CHARACTER_MAXIMUM_LENGTH: [
      int,
      (one) => (columnOf(one).type.length === 0 ? null : columnOf(one).type.length),
    ],
    NUMERIC_PRECISION: [tinyint, (one) => columnOf(one).type.precision || null],
    NUMERIC_SCALE: [
      int,
      (one) => (isDecimal(columnOf(one).type) ? columnOf(one).type.scale : null),
    ],
    DATETIME_PRECISION: [
      smallint,
      (one) => (isTime(columnOf(one).type) ? columnOf(one).type.scale : null),
    ],
    CHARACTER_SET_NAME: [
      sysname,
      (one) =>
        isText(columnOf(one).type) ? (isWide(columnOf(one).type) ? 'UNICODE' : 'iso_1') : null,
    ],
    COLLATION_NAME: [
      sysname,
      (one) => (isText(columnOf(one).type) ? 'SQL_Latin1_General_CP1_CI_AS' : null),
    ],
  }),
  'information_schema.table_constraints': view(keysOf, {
    CONSTRAINT_CATALOG: [sysname, ({ database }) => database],
    CONSTRAINT_SCHEMA: [sysname, ({ table }) => table.schema],
    CONSTRAINT_NAME: [sysname, ({ key }) => key.name],
    TABLE_CATALOG: [sysname, ({ database }) => database],
    TABLE_SCHEMA: [sysname, ({ table }) => table.schema],
    TABLE_NAME: [sysname, ({ table }) => table.name],
    CONSTRAINT_TYPE: [sysname, ({ key }) => (key.isPrimary ? 'PRIMARY KEY' : 'UNIQUE')],
  }),
  'information_schema.key_column_usage': view(keyColumnsOf, keyColumns()),
  'information_schema.constraint_column_usage': view(keyColumnsOf, keyColumns()),
  'information_schema.referential_constraints': view(foreignOf, {
    CONSTRAINT_NAME: [sysname, ({ key }) => key.name],
    CONSTRAINT_SCHEMA: [sysname, ({ table }) => table.schema],
    UNIQUE_CONSTRAINT_NAME: [sysname, ({ key }) => key.table.keys[0]?.name ?? null],
    UPDATE_RULE: [sysname, () => 'NO ACTION'],
    DELETE_RULE: [sysname, () => 'NO ACTION'],
  }),
  'sys.dm_exec_sessions': view(({ engine }) => [...engine.sessions.values()], sessionColumns()),
  'sys.sysprocesses': view(({ engine }) => [...engine.sessions.values()], {
    spid: [smallint, ({ spid }) => spid],
    loginame: [sysname, ({ userName }) => userName],
    hostname: [sysname, ({ login }) => login.hostName],
    program_name: [sysname, ({ login }) => login.appName],
    open_tran: [smallint, (session) => session.transactionCount],
  }),
  'sys.dm_exec_connections': view(({ engine }) => [...engine.sessions.values()], {
    session_id: [int, ({ spid }) => spid],
    net_transport: [sysname, () => 'TCP'],
    encrypt_option: [sysname, ({ isEncrypted }) => (isEncrypted ? 'TRUE' : 'FALSE')],
    auth_scheme: [sysname, () => 'SQL'],
    net_packet_size: [int, ({ login }) => login.packetBytes],
    client_net_address: [sysname, () => '127.0.0.1'],
  }),
  'sys.dm_exec_cursors': view(
    ({ engine }) =>
      [...engine.sessions.values()].flatMap((session) =>
        [...session.cursors.values(), ...session.cursorHandles.values()].map((cursor) => ({
          session,
          cursor,
        })),
      ),
    {
      session_id: [int, ({ session }) => session.spid],
      cursor_id: [int, ({ cursor }) => cursor.handle],
      name: [sysname, ({ cursor }) => cursor.name],
      is_open: [bit, ({ cursor }) => cursor.isOpen],
      properties: [nvarchar(256), () => 'TSQL | Dynamic | Optimistic | Global (0)'],
    },
  ),
  'sys.dm_tran_locks': view(
    ({ engine }) =>
      [...engine.sessions.values()].flatMap((session) =>
        Array.from({ length: engine.applicationLocks.countOf(session) }, () => session),
      ),
    {
      request_session_id: [int, ({ spid }) => spid],
      resource_type: [sysname, () => 'APPLICATION'],
      request_mode: [sysname, () => 'X'],
      request_owner_type: [sysname, () => 'SESSION'],
      request_status: [sysname, () => 'GRANT'],
    },
  ),
  'sys.dm_tran_session_transactions': view(
    ({ engine }) =>
      [...engine.sessions.values()].filter(({ transaction }) => transaction !== undefined),
    {
      session_id: [int, ({ spid }) => spid],
      transaction_id: [bigint, ({ transaction }) => transaction?.descriptor ?? null],
      open_transaction_count: [int, (session) => session.transactionCount],
    },
  ),
  'sys.dm_tran_current_transaction': view(({ session }) => [session], {
    transaction_id: [bigint, ({ transaction }) => transaction?.descriptor ?? 0n],
  }),
  'sys.dm_exec_requests': view(({ session }) => [session], {
    session_id: [smallint, ({ spid }) => spid],
    status: [sysname, () => 'running'],
    command: [sysname, () => 'SELECT'],
    open_transaction_count: [int, (session) => session.transactionCount],
  }),
};

function keyColumns(): Readonly<Record<string, readonly [SqlType, (item: KeyColumnOf) => Value]>> {
  return {
    CONSTRAINT_CATALOG: [sysname, ({ database }) => database],
    CONSTRAINT_SCHEMA: [sysname, ({ table }) => table.schema],
    CONSTRAINT_NAME: [sysname, ({ key }) => key.name],
    TABLE_CATALOG: [sysname, ({ database }) => database],
    TABLE_SCHEMA: [sysname, ({ table }) => table.schema],
    TABLE_NAME: [sysname, ({ table }) => table.name],
    COLUMN_NAME: [
      sysname,
      ({ table, key, place }) => table.columns[key.columns[place] ?? 0]?.name ?? null,
    ],
    ORDINAL_POSITION: [int, ({ place }) => place + 1],
  };
}

function sessionColumns(): Readonly<Record<string, readonly [SqlType, (item: Session) => Value]>> {
  const flag = (name: string): readonly [SqlType, (item: Session) => Value] => [
    bit,
    (session) => session.isOn(name),
  ];
  return {
    session_id: [smallint, ({ spid }) => spid],
    login_time: [datetime, ({ loginTime }) => Moment.fromUnixMs(loginTime)],
    host_name: [sysname, ({ login }) => login.hostName],
    program_name: [sysname, ({ login }) => login.appName],
    client_interface_name: [sysname, ({ login }) => login.library],
    login_name: [sysname, ({ userName }) => userName],
    original_login_name: [sysname, ({ login }) => login.userName],
    status: [sysname, () => 'running'],
    context_info: [
      varbinary(128),
      ({ contextInfo }) => (contextInfo.length === 0 ? null : contextInfo),
    ],
    text_size: [int, ({ options }) => options.textSize],
    language: [sysname, ({ options }) => options.language.name],
    date_format: [sysname, ({ options }) => options.dateFormat],
    date_first: [smallint, ({ options }) => options.dateFirst],
    quoted_identifier: flag('QUOTED_IDENTIFIER'),
    arithabort: flag('ARITHABORT'),
    ansi_null_dflt_on: flag('ANSI_NULL_DFLT_ON'),
    ansi_defaults: [
      bit,
      (session) =>
        session.isOn('ANSI_NULLS') &&
        session.isOn('IMPLICIT_TRANSACTIONS') &&
        session.isOn('QUOTED_IDENTIFIER'),
    ],
    ansi_warnings: flag('ANSI_WARNINGS'),
    ansi_padding: flag('ANSI_PADDING'),
    ansi_nulls: flag('ANSI_NULLS'),
    concat_null_yields_null: flag('CONCAT_NULL_YIELDS_NULL'),
    transaction_isolation_level: [smallint, ({ options }) => options.isolation],
    lock_timeout: [int, ({ options }) => options.lockTimeout],
    deadlock_priority: [int, ({ options }) => options.deadlockPriority],
    row_count: [bigint, ({ rowCount }) => BigInt(rowCount)],
    prev_error: [int, ({ lastError }) => lastError],
    is_user_process: [bit, () => true],
    database_id: [smallint, ({ database }) => database.id],
    open_transaction_count: [int, (session) => session.transactionCount],
  };
}

const synonyms: Readonly<Record<string, string>> = {
  'sys.all_columns': 'sys.columns',
  'sys.all_objects': 'sys.objects',
  'sys.key_constraints': 'sys.indexes',
};

/** What OBJECT_ID says of it: less than 0; null where there is none. */
export function systemViewId(name: string): number | null {
  const at = Object.keys(views).indexOf(name.toLowerCase());
  return at < 0 ? null : -1 - at;
}

/** By `schema.name` in small letters; sys stands for dbo too, as old names have it. */
export function systemView(
  key: string,
  context: Context,
  database: Database,
): SystemView | undefined {
  const found = views[synonyms[key] ?? key] ?? views[key.replace(/^dbo\./, 'sys.')];
  return found?.(context, database);
}
