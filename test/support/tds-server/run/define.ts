import type { Column } from '../data/table.ts';
import { Table } from '../data/table.ts';
import type { ColumnDefinition, Constraint, Name, Statement, TableDefinition } from '../sql/ast.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { compile } from './compile.ts';
import { casted } from './operators.ts';
import type { Context } from './context.ts';
import { Frame } from './frame.ts';
import { findTable, placeOf } from './objects.ts';
import { defaultOf } from './rows.ts';

type Of<K extends Statement['kind']> = Statement & { readonly kind: K };

function columnOf(definition: ColumnDefinition, isKey: boolean): Column {
  const { name, type, identity, defaultValue, computed } = definition;
  const isNullable = !isKey && identity === undefined && (definition.isNullable ?? true);
  return { name, type, isNullable, isIdentity: identity !== undefined, defaultValue, computed };
}

/** A table by its definition; `place` says where it is told to be. */
export function buildTable(
  definition: TableDefinition,
  context: Context,
  place: { readonly database: string; readonly schema: string; readonly name: string },
): Table {
  const keyed = new Set(
    definition.constraints.flatMap((one) =>
      one.kind === 'key' && one.isPrimary ? one.columns.map((name) => name.toLowerCase()) : [],
    ),
  );
  const columns = definition.columns.map((column) =>
    columnOf(column, column.isPrimary || keyed.has(column.name.toLowerCase())),
  );
  const [first] = definition.columns.flatMap(({ identity }) =>
    identity === undefined ? [] : [identity],
  );
  const { engine } = context;
  const table = new Table(
    engine.nextId(),
    place.database,
    place.schema,
    place.name,
    columns,
    first?.seed,
    first?.increment,
  );
  for (const [at, column] of columns.entries())
    if (column.computed !== undefined)
      table.columns[at] = { ...column, type: computedType(table, column, context) };
  for (const column of definition.columns) {
    const at = table.columnAt(column.name);
    if (column.isPrimary) table.addKey(generated('PK', table), true, [at]);
    if (column.isUnique) table.addKey(generated('UQ', table), false, [at]);
    if (column.references !== undefined)
      addConstraint(
        table,
        { kind: 'foreign', name: undefined, columns: [column.name], references: column.references },
        context,
      );
  }
  for (const constraint of definition.constraints) addConstraint(table, constraint, context);
  return table;
}

function computedType(table: Table, { computed, type }: Column, context: Context): SqlType {
  if (computed === undefined) return type;
  const frame = new Frame(undefined);
  frame.add({ alias: table.name, schema: table.schema, columns: table.columns });
  return compile(computed, context, frame).type;
}

function generated(prefix: string, table: Table): string {
  return `${prefix}__${table.name.slice(0, 9)}__${((table.id * 2_654_435_761) % 0x1_00_00_00_00).toString(16).toUpperCase()}`;
}

function placesOf(table: Table, names: readonly string[]): number[] {
  return names.map((name) => {
    const at = table.columnAt(name);
    if (at === -1)
      throw new SqlError(
        1911,
        `Column name '${name}' does not exist in the target table or view.`,
        16,
        1,
        'batch',
      );
    return at;
  });
}

function addConstraint(table: Table, constraint: Constraint, context: Context): void {
  switch (constraint.kind) {
    case 'key':
      table.addKey(
        constraint.name ?? generated(constraint.isPrimary ? 'PK' : 'UQ', table),
        constraint.isPrimary,
        placesOf(table, constraint.columns),
      );
      return;
    case 'foreign': {
      const { references, columns, name } = constraint;
      const isOwn = references.table.at(-1)?.toLowerCase() === table.name.toLowerCase();
      const other = isOwn ? table : findTable(references.table, context);
      if (other === undefined)
        throw new SqlError(
          1767,
          `Foreign key references invalid table '${references.table.join('.')}'.`,
          16,
          0,
          'batch',
        );
      const referenced =
        references.columns.length > 0
          ? placesOf(other, references.columns)
          : [...(other.keys[0]?.columns ?? [])];
      table.foreignKeys.push({
        name: name ?? generated('FK', table),
        columns: placesOf(table, columns),
        table: other,
        referenced,
      });
      return;
    }
    case 'check':
      table.checks.push({
        name: constraint.name ?? generated('CK', table),
        condition: constraint.condition,
      });
      return;
    case 'default': {
      const at = table.columnAt(constraint.column);
      const column = table.columns[at];
      if (column !== undefined) table.columns[at] = { ...column, defaultValue: constraint.value };
    }
  }
}

/** CREATE TABLE and SELECT … INTO. */
export function createTable(name: Name, definition: TableDefinition, context: Context): Table {
  const { session, engine } = context;
  const object = name.at(-1) ?? '';
  const transaction = session.current;
  const lower = object.toLowerCase();
  if (object.startsWith('##')) {
    if (engine.globals.has(lower)) throw errors.exists(object);
    const table = buildTable(definition, context, {
      database: 'tempdb',
      schema: 'dbo',
      name: object,
    });
    engine.globals.set(lower, { table, session });
    transaction.onUndo(() => engine.globals.delete(lower));
    return table;
  }
  if (object.startsWith('#')) {
    const innermost = session.temporary.at(-1);
    if (innermost === undefined) throw new Error('there is always a scope');
    if (innermost.has(lower)) throw errors.exists(object);
    const table = buildTable(definition, context, {
      database: 'tempdb',
      schema: 'dbo',
      name: object,
    });
    innermost.set(lower, table);
    transaction.onUndo(() => innermost.delete(lower));
    return table;
  }
  const { database, schema, key } = placeOf(name, context);
  if (!database.schemas.has(schema.toLowerCase()))
    throw new SqlError(
      2760,
      `The specified schema name "${schema}" either does not exist or you do not have permission to use it.`,
      16,
      1,
      'batch',
    );
  if (database.tables.has(key) || database.views.has(key)) throw errors.exists(object);
  const table = buildTable(definition, context, { database: database.name, schema, name: object });
  database.tables.set(key, table);
  transaction.onUndo(() => database.tables.delete(key));
  return table;
}

/** All of CREATE, ALTER and DROP but for procedures' bodies, which are not run. */
export function runDefinition(
  statement: Of<
    | 'createTable'
    | 'alterTable'
    | 'createIndex'
    | 'createType'
    | 'createProcedure'
    | 'createView'
    | 'createDatabase'
    | 'createSchema'
    | 'drop'
    | 'truncate'
  >,
  context: Context,
): void {
  const { session, engine } = context;
  switch (statement.kind) {
    case 'createTable':
      createTable(statement.name, statement.definition, context);
      return;
    case 'createDatabase':
      if (engine.databases.has(statement.name.toLowerCase()))
        throw new SqlError(
          1801,
          `Database '${statement.name}' already exists. Choose a different database name.`,
          16,
          3,
          'batch',
        );
      engine.addDatabase(statement.name);
      return;
    case 'createSchema':
      session.database.schemas.add(statement.name.toLowerCase());
      return;
    case 'createIndex': {
      const table = required(statement.table, context);
      if (statement.isUnique)
        table.addKey(statement.name, false, placesOf(table, statement.columns));
      return;
    }
    case 'truncate':
      required(statement.name, context).truncate(session.current);
      return;
    case 'alterTable':
      alterTable(statement, context);
      return;
    case 'createType':
    case 'createProcedure':
    case 'createView':
      createObject(statement, context);
      return;
    case 'drop':
      for (const name of statement.names) drop(statement.what, name, statement.isIfExists, context);
  }
}

export function required(name: Name, context: Context): Table {
  const table = findTable(name, context);
  if (table === undefined)
    throw new SqlError(
      4902,
      `Cannot find the object "${name.join('.')}" because it does not exist or you do not have permissions.`,
      16,
      1,
      'batch',
    );
  return table;
}

function createObject(
  statement: Of<'createType' | 'createProcedure' | 'createView'>,
  context: Context,
): void {
  const { database, schema, name, key } = placeOf(statement.name, context);
  const id = context.engine.nextId();
  const transaction = context.session.current;
  const put = <T>(all: Map<string, T>, value: T, isAlter: boolean): void => {
    const before = all.get(key);
    if (before !== undefined && !isAlter) throw errors.exists(name);
    all.set(key, value);
    transaction.onUndo(() => {
      if (before === undefined) all.delete(key);
      else all.set(key, before);
    });
  };
  if (statement.kind === 'createType')
    put(database.types, { id, schema, name, definition: statement.definition }, false);
  else if (statement.kind === 'createView')
    put(database.views, { id, schema, name, query: statement.query }, statement.isAlter);
  else
    put(
      database.procedures,
      { id, schema, name, parameters: statement.parameters, body: statement.body },
      statement.isAlter,
    );
}

function drop(what: string, name: Name, isIfExists: boolean, context: Context): void {
  const { session, engine } = context;
  const transaction = session.current;
  const object = name.at(-1) ?? '';
  const remove = <T>(all: Map<string, T>, key: string): void => {
    const before = all.get(key);
    if (before === undefined) {
      if (!isIfExists) throw errors.cannotDrop(what, name.join('.'));
      return;
    }
    all.delete(key);
    transaction.onUndo(() => all.set(key, before));
  };
  if (what === 'database') {
    if (!engine.databases.delete(object.toLowerCase()) && !isIfExists)
      throw errors.cannotDrop(what, object);
    return;
  }
  if (what === 'index' || what === 'trigger') return;
  if (what === 'schema') {
    session.database.schemas.delete(object.toLowerCase());
    return;
  }
  if (object.startsWith('##')) return remove(engine.globals, object.toLowerCase());
  if (object.startsWith('#')) {
    const scope =
      session.temporary.findLast((one) => one.has(object.toLowerCase())) ??
      new Map<string, Table>();
    return remove(scope, object.toLowerCase());
  }
  const { database, key } = placeOf(name, context);
  switch (what) {
    case 'view':
      return remove(database.views, key);
    case 'procedure':
      return remove(database.procedures, key);
    case 'type':
      return remove(database.types, key);
    default: {
      const table = database.tables.get(key);
      const user = [...database.tables.values()].find(
        (one) => one !== table && one.foreignKeys.some((foreign) => foreign.table === table),
      );
      if (table !== undefined && user !== undefined)
        throw new SqlError(
          3726,
          `Could not drop object '${name.join('.')}' because it is referenced by a FOREIGN KEY constraint.`,
          16,
          1,
          'batch',
        );
      remove(database.tables, key);
    }
  }
}

function alterTable({ name, add, drop: dropped, alter }: Of<'alterTable'>, context: Context): void {
  const table = required(name, context);
  const transaction = context.session.current;
  transaction.onUndo(table.rememberShape());
  if (add !== undefined) {
    for (const definition of add.columns) {
      const column = columnOf(definition, false);
      if (table.columnAt(column.name) !== -1)
        throw new SqlError(
          2705,
          `Column names in each table must be unique. Column name '${column.name}' in table '${table.name}' is specified more than once.`,
          16,
          4,
          'batch',
        );
      table.columns = [...table.columns, column];
      for (const row of table.rows)
        row.values = [...row.values, column.isNullable ? null : defaultOf(column, context)];
      if (definition.isUnique || definition.isPrimary)
        table.addKey(generated('UQ', table), definition.isPrimary, [table.columns.length - 1]);
      if (definition.references !== undefined)
        addConstraint(
          table,
          {
            kind: 'foreign',
            name: undefined,
            columns: [column.name],
            references: definition.references,
          },
          context,
        );
    }
    for (const constraint of add.constraints) addConstraint(table, constraint, context);
  }
  if (alter !== undefined) {
    const [at] = placesOf(table, [alter.name]);
    const old = table.columns[at ?? 0];
    if (old === undefined || at === undefined) return;
    const changed = { ...old, type: alter.type, isNullable: alter.isNullable ?? true };
    table.columns = table.columns.with(at, changed);
    for (const row of table.rows) {
      let value: Value = row.values[at] ?? null;
      value = casted(
        { type: old.type, isNullable: true, get: () => row.values[at] ?? null },
        changed.type,
      ).get();
      row.values = row.values.with(at, value);
    }
  }
  for (const one of dropped) dropPart(table, one.isColumn, one.name);
}

function dropPart(table: Table, isColumn: boolean, name: string): void {
  const at = table.columnAt(name);
  if (isColumn && at !== -1) {
    if (table.keys.some(({ columns }) => columns.includes(at)))
      throw new SqlError(
        5074,
        `The object '${table.keys[0]?.name ?? ''}' is dependent on column '${name}'.`,
        16,
        1,
        'batch',
      );
    for (const one of [...table.keys, ...table.foreignKeys])
      one.columns = one.columns.map((place) => (place > at ? place - 1 : place));
    table.columns = table.columns.toSpliced(at, 1);
    for (const row of table.rows) row.values = row.values.toSpliced(at, 1);
    return;
  }
  const lower = name.toLowerCase();
  for (const all of [table.keys, table.foreignKeys, table.checks]) {
    const place = all.findIndex((one) => one.name.toLowerCase() === lower);
    if (place !== -1) {
      all.splice(place, 1);
      return;
    }
  }
  throw new SqlError(3728, `'${name}' is not a constraint.`, 16, 1, 'batch');
}
