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
  readonly schemas = new Set(['dbo', 'guest', 'information_schema', 'sys']);
  readonly tables = new Map<string, Table>();
  readonly views = new Map<string, View>();
  readonly procedures = new Map<string, Procedure>();
  readonly types = new Map<string, TableType>();

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  /** Of those that it begins with as SQL Server has it; undefined where there is none. */
  schemaId(name: string): number | undefined {
    const at = [...this.schemas].findIndex((one) => one === name.toLowerCase());
    return at < 0 ? undefined : at + 1;
  }
}

export function keyName(schema: string, name: string): string {
  return `${schema || 'dbo'}.${name}`.toLowerCase();
}
