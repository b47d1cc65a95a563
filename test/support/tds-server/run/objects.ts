import type { Database, Procedure, View } from '../data/database.ts';
import { keyName } from '../data/database.ts';
import type { Table } from '../data/table.ts';
import type { Name } from '../sql/ast.ts';
import { errors } from '../types/errors.ts';
import type { Context } from './context.ts';

export interface Found {
  readonly table?: Table | undefined;
  readonly view?: View | undefined;
  readonly procedure?: Procedure | undefined;
  readonly database: Database;
}

export interface Place {
  readonly database: Database;
  readonly schema: string;
  readonly name: string;
  readonly key: string;
}

/** Where an object of that name is or would be. */
export function placeOf(name: Name, { session, engine }: Context): Place {
  const object = name.at(-1) ?? '';
  const schema = name.at(-2) || 'dbo';
  const databaseName = name.at(-3);
  const database =
    databaseName === undefined || databaseName === ''
      ? session.database
      : engine.databases.get(databaseName.toLowerCase());
  if (database === undefined) throw errors.noObject(name.join('.'));
  return { database, schema, name: object, key: keyName(schema, object) };
}

export function findTable(name: Name, context: Context): Table | undefined {
  const object = name.at(-1) ?? '';
  const { session, engine } = context;
  if (object.startsWith('##')) return engine.globals.get(object.toLowerCase())?.table;
  if (object.startsWith('#')) return session.findTemporary(object);
  const { database, key } = placeOf(name, context);
  return database.tables.get(key);
}

/** `[a].b..c` as text, cut into its parts. */
export function partsOf(text: string): Name {
  return [...text.matchAll(/\[((?:[^\]]|\]\])*)\]|"([^"]*)"|([^.[\]"]+)|(?<=\.)(?=\.)/g)].map(
    ([, bracketed, quoted, plain]) =>
      bracketed?.replaceAll(']]', ']') ?? quoted ?? plain?.trim() ?? '',
  );
}

export function findObject(context: Context, text: string): Found | undefined {
  const name = partsOf(text);
  const table = findTable(name, context);
  const { database, key } = placeOf(name, context);
  const view = database.views.get(key);
  const procedure = database.procedures.get(key);
  if (table === undefined && view === undefined && procedure === undefined) return undefined;
  return { table, view, procedure, database };
}

/** OBJECT_ID: null for what is not there, or is of another kind. */
export function objectId(context: Context, text: string, kind: string): number | null {
  const found = findObject(context, text);
  const kinds = kind.trim().toUpperCase();
  if (found?.table !== undefined && (kinds === '' || kinds === 'U')) return found.table.id;
  if (found?.view !== undefined && (kinds === '' || kinds === 'V')) return found.view.id;
  if (found?.procedure !== undefined && (kinds === '' || kinds.startsWith('P')))
    return found.procedure.id;
  return null;
}
