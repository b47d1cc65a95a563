import { keyName } from '../data/database.ts';
import { ApplicationLocks } from '../session/app-locks.ts';
import { toText } from '../types/convert.ts';
import { errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import {
  MAX,
  bigint,
  common,
  int,
  isText,
  nvarchar,
  smallint,
  sqlType,
  sysname,
  varbinary,
  variant,
} from '../types/sql-type.ts';
import { casted, commonType } from './operators.ts';
import type { Context } from './context.ts';
import { dateFunctions } from './date-functions.ts';
import type { Compiled } from './frame.ts';
import { VERSION_TEXT, identityType, identityValue } from './globals.ts';
import { mathFunctions } from './math-functions.ts';
import { findObject, objectId } from './objects.ts';
import { serverPrincipals } from './security-views.ts';
import { systemViewId } from './system-views.ts';
import { textFunctions } from './text-functions.ts';

/** A function's type and its value, from the values of its arguments. */
export interface Scalar {
  readonly type: SqlType | ((args: readonly Compiled[]) => SqlType);
  /** Null where an argument is null. */
  readonly isStrict?: boolean;
  readonly value: (args: readonly Value[], context: Context, types: readonly SqlType[]) => Value;
}

const guid = sqlType('uniqueidentifier');

/** What `?name` is of the session or server. */
const serverProperties: Readonly<Record<string, Value>> = {
  productversion: '16.0.4115.5',
  productlevel: 'RTM',
  productmajorversion: '16',
  productminorversion: '0',
  edition: 'Developer Edition (64-bit)',
  engineedition: 3,
  editionid: -2_117_995_310,
  collation: 'SQL_Latin1_General_CP1_CI_AS',
  isclustered: 0,
  ishadrenabled: 0,
  isintegratedsecurityonly: 0,
  machinename: 'TESTSERVER',
};

const text = (value: Value | undefined): string =>
  value === undefined || value === null ? '' : String(value);

function userName({ engine, session: { login, database } }: Context): string {
  if (engine.security.isAdministrator(login.userName)) return 'dbo';
  return engine.security.userOf(login.userName, database)?.name ?? 'guest';
}

const sessionFunctions: Readonly<Record<string, Scalar>> = {
  APP_NAME: { type: sysname, value: (_, { session }) => session.login.appName },
  HOST_NAME: { type: sysname, value: (_, { session }) => session.login.hostName },
  HOST_ID: { type: sysname, value: (_, { session }) => String(session.spid) },
  SUSER_SNAME: { type: sysname, value: (_, { session }) => session.userName },
  SUSER_NAME: { type: sysname, value: (_, { session }) => session.userName },
  SYSTEM_USER: { type: sysname, value: (_, { session }) => session.userName },
  ORIGINAL_LOGIN: { type: sysname, value: (_, { session }) => session.login.userName },
  USER_NAME: { type: sysname, value: (_, context) => userName(context) },
  USER: { type: sysname, value: (_, context) => userName(context) },
  CURRENT_USER: { type: sysname, value: (_, context) => userName(context) },
  SESSION_USER: { type: sysname, value: (_, context) => userName(context) },
  SUSER_SID: {
    type: varbinary(85),
    value: ([name], context) =>
      serverPrincipals(context).find(
        (one) => one.name.toLowerCase() === text(name).toLowerCase() && one.type === 'S',
      )?.sid ?? null,
  },
  SCHEMA_NAME: { type: sysname, value: () => 'dbo' },
  SUSER_ID: { type: int, value: () => 1 },
  USER_ID: { type: int, value: () => 1 },
  SCHEMA_ID: { type: int, value: () => 1 },
  IS_SRVROLEMEMBER: { type: int, value: () => 1 },
  IS_MEMBER: { type: int, value: () => 1 },
  HAS_DBACCESS: {
    type: int,
    value: ([name], { engine, session }) => {
      const database = engine.databases.get(text(name).toLowerCase());
      if (database === undefined) return null;
      return engine.security.mayEnter(session.login.userName, database) ? 1 : 0;
    },
  },
  HAS_PERMS_BY_NAME: { type: int, value: () => 1 },
  VERSION: { type: nvarchar(300), value: () => VERSION_TEXT },
  DB_NAME: {
    type: sysname,
    value: ([id], { session, engine }) =>
      id === undefined || id === null
        ? session.database.name
        : ([...engine.databases.values()].find((one) => one.id === Number(id))?.name ?? null),
  },
  DB_ID: {
    type: smallint,
    value: ([name], { session, engine }) =>
      name === undefined
        ? session.database.id
        : (engine.databases.get(text(name).toLowerCase())?.id ?? null),
  },
  DATABASEPROPERTYEX: { type: variant, value: () => 'SQL_Latin1_General_CP1_CI_AS' },
  XACT_STATE: {
    type: smallint,
    value: (_, { session: { transaction } }) =>
      transaction === undefined ? 0 : transaction.isDoomed ? -1 : 1,
  },
  SCOPE_IDENTITY: {
    type: identityType,
    value: (_, { session }) => identityValue(session.scopeIdentity),
  },
  ROWCOUNT_BIG: { type: bigint, value: (_, { session }) => BigInt(session.rowCount) },
  IDENT_CURRENT: {
    type: identityType,
    value: ([name], context) =>
      identityValue(findObject(context, text(name))?.table?.identity.last ?? null),
  },
  CONTEXT_INFO: {
    type: varbinary(128),
    value: (_, { session }) => (session.contextInfo.length === 0 ? null : session.contextInfo),
  },
  SESSION_CONTEXT: {
    type: variant,
    value: ([key], { session }) => session.sessionContext.get(text(key))?.value ?? null,
  },
  APPLOCK_MODE: {
    type: nvarchar(32),
    value: ([, resource, owner], { engine, session }) =>
      engine.applicationLocks.modeOf(session, text(resource), !/^session$/i.test(text(owner))),
  },
  APPLOCK_TEST: {
    type: smallint,
    value: ([, resource, mode, owner], { engine, session }) => {
      if (!ApplicationLocks.isMode(text(mode))) return null;
      const isOfTransaction = !/^session$/i.test(text(owner));
      if (!engine.applicationLocks.take(session, text(resource), text(mode), isOfTransaction))
        return 0;
      engine.applicationLocks.release(session, text(resource), isOfTransaction);
      return 1;
    },
  },
  CURSOR_STATUS: {
    type: smallint,
    value: ([, name], { session }) => {
      const cursor = session.cursors.get(text(name).toLowerCase());
      return cursor === undefined ? -3 : cursor.isOpen ? 1 : -1;
    },
  },
  OBJECT_ID: {
    type: int,
    value: ([name, kind], context) =>
      objectId(context, text(name), text(kind)) ?? systemViewId(text(name)),
  },
  OBJECT_NAME: {
    type: sysname,
    value: ([id], { session: { database } }) =>
      [
        ...database.tables.values(),
        ...database.views.values(),
        ...database.procedures.values(),
      ].find((one) => one.id === Number(id))?.name ?? null,
  },
  OBJECT_SCHEMA_NAME: { type: sysname, value: () => 'dbo' },
  OBJECTPROPERTY: { type: int, value: () => 1 },
  TYPE_ID: {
    type: int,
    value: ([name], { session: { database } }) =>
      database.types.get(keyName('dbo', text(name).split('.').at(-1) ?? ''))?.id ?? null,
  },
  COLUMNPROPERTY: {
    type: int,
    value: ([id, column, property], { session: { database } }) => {
      const table = [...database.tables.values()].find((one) => one.id === Number(id));
      const found = table?.columns[table.columnAt(text(column))];
      if (found === undefined) return null;
      return /^IsIdentity$/i.test(text(property)) && found.isIdentity === true ? 1 : 0;
    },
  },
  COL_NAME: {
    type: sysname,
    value: ([id, at], { session: { database } }) =>
      [...database.tables.values()].find((one) => one.id === Number(id))?.columns[Number(at) - 1]
        ?.name ?? null,
  },
  COL_LENGTH: {
    type: smallint,
    value: ([name, column], context) => {
      const table = findObject(context, text(name))?.table;
      const type = table?.columns[table.columnAt(text(column))]?.type;
      return type === undefined ? null : type.length;
    },
  },
  SERVERPROPERTY: {
    type: variant,
    value: ([name], { engine }) =>
      /^servername$/i.test(text(name))
        ? engine.serverName
        : (serverProperties[text(name).toLowerCase()] ?? null),
  },
  CONNECTIONPROPERTY: {
    type: variant,
    value: ([name]) =>
      /^net_transport$/i.test(text(name))
        ? 'TCP'
        : /^protocol_type$/i.test(text(name))
          ? 'TSQL'
          : null,
  },
  NEWID: { type: guid, value: () => crypto.randomUUID().toUpperCase() },
  NEWSEQUENTIALID: { type: guid, value: () => crypto.randomUUID().toUpperCase() },
  ERROR_NUMBER: { type: int, value: (_, { caught }) => caught?.number ?? null },
  ERROR_MESSAGE: { type: nvarchar(4000), value: (_, { caught }) => caught?.message ?? null },
  ERROR_SEVERITY: { type: int, value: (_, { caught }) => caught?.severity ?? null },
  ERROR_STATE: { type: int, value: (_, { caught }) => caught?.state ?? null },
  ERROR_LINE: { type: int, value: (_, { caught }) => caught?.line ?? null },
  ERROR_PROCEDURE: { type: sysname, value: (_, { caught }) => caught?.procedure || null },
};

const lookup: Readonly<Record<string, Scalar>> = {
  ...sessionFunctions,
  ...textFunctions,
  ...dateFunctions,
  ...mathFunctions,
};

export function compileFunction(
  name: string,
  args: readonly Compiled[],
  context: Context,
): Compiled {
  const special = compileSpecial(name, args);
  if (special !== undefined) return special;
  const scalar = lookup[name];
  if (scalar === undefined) throw errors.noFunction(name);
  const { value, isStrict } = scalar;
  const type = typeof scalar.type === 'function' ? scalar.type(args) : scalar.type;
  const types = args.map((one) => one.type);
  return {
    ...{ type, isNullable: true },
    get: () => {
      const values = args.map((one) => one.get());
      if (isStrict === true && values.includes(null)) return null;
      return value(values, context, types);
    },
  };
}

/** Those that do not look at all of their arguments. */
function compileSpecial(name: string, args: readonly Compiled[]): Compiled | undefined {
  const [first, second, third] = args;
  switch (name) {
    case 'ISNULL': {
      if (first === undefined || second === undefined) return undefined;
      const type = first.isNull === true ? second.type : first.type;
      const other = casted(
        second,
        isText(type) && type.length !== MAX && isText(second.type)
          ? common(type, second.type)
          : type,
      );
      return {
        type: other.type,
        isNullable: other.isNullable,
        get: () => first.get() ?? other.get(),
      };
    }
    case 'COALESCE': {
      const type = commonType(args);
      const all = args.map((one) => casted(one, type));
      return {
        ...{ type, isNullable: true },
        get: () => {
          for (const one of all) {
            const value = one.get();
            if (value !== null) return value;
          }
          return null;
        },
      };
    }
    case 'NULLIF': {
      if (first === undefined || second === undefined) return undefined;
      const other = casted(second, first.type);
      return {
        ...{ type: first.type, isNullable: true },
        get: () => {
          const value = first.get();
          const limit = other.get();
          return value !== null &&
            limit !== null &&
            toText(value, first.type) === toText(limit, first.type)
            ? null
            : value;
        },
      };
    }
    case 'IIF': {
      if (first === undefined || second === undefined || third === undefined) return undefined;
      const type = commonType([second, third]);
      const [yes, no] = [casted(second, type), casted(third, type)];
      return { type, isNullable: true, get: () => (first.get() === true ? yes : no).get() };
    }
    case 'CHOOSE': {
      const type = commonType(args.slice(1));
      return { type, isNullable: true, get: () => args[Number(first?.get())]?.get() ?? null };
    }
    default:
      return undefined;
  }
}
