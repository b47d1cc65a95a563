import type { ParameterDefinition, Query, Statement, TableDefinition } from '../sql/ast.ts';
import type { Table } from './table.ts';

export interface Procedure {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly parameters: readonly ParameterDefinition[];
  readonly body: readonly Statement[];
}

export interface View {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly query: Query;
}

export interface TableType {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly definition: TableDefinition;
}

/** All names are kept as `schema.name` in small letters. */
export class Database {
  readonly id: number;
  readonly name: string;
  readonly schemas = new Set(['dbo', 'sys', 'information_schema', 'guest']);
  readonly tables = new Map<string, Table>();
  readonly views = new Map<string, View>();
  readonly procedures = new Map<string, Procedure>();
  readonly types = new Map<string, TableType>();

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }
}

export function keyName(schema: string, name: string): string {
  return `${schema || 'dbo'}.${name}`.toLowerCase();
}
