import type { SqlType, Value } from '../types/sql-type.ts';

/** `a.b.c` without brackets: database, schema and object, as far as they are written. */
export type Name = readonly string[];

export type Expression =
  | { readonly kind: 'literal'; readonly type: SqlType; readonly value: Value }
  | { readonly kind: 'column'; readonly name: Name }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'global'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'isNull'; readonly of: Expression; readonly isNot: boolean }
  | {
      readonly kind: 'in';
      readonly of: Expression;
      readonly list: readonly Expression[] | Query;
      readonly isNot: boolean;
    }
  | {
      readonly kind: 'between';
      readonly of: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly isNot: boolean;
    }
  | {
      readonly kind: 'like';
      readonly of: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | undefined;
      readonly isNot: boolean;
    }
  | {
      readonly kind: 'case';
      readonly of: Expression | undefined;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise: Expression | undefined;
    }
  | {
      readonly kind: 'cast';
      readonly of: Expression;
      readonly type: SqlType;
      readonly style: Expression | undefined;
      readonly isTry: boolean;
    }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly isStar: boolean;
      readonly isDistinct: boolean;
      readonly over: Over | undefined;
    }
  | { readonly kind: 'subquery'; readonly query: Query }
  | { readonly kind: 'exists'; readonly query: Query };

export interface Over {
  readonly partition: readonly Expression[];
  readonly order: readonly Order[];
}

export interface Order {
  readonly by: Expression;
  readonly isDescending: boolean;
}

export interface Query {
  readonly ctes: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly query: Query;
  }[];
  readonly body: Body;
  readonly order: readonly Order[];
  readonly offset: Expression | undefined;
  readonly fetch: Expression | undefined;
  readonly isForJson: boolean;
}

export type Body =
  | Select
  | {
      readonly kind: 'set';
      readonly operator: 'UNION' | 'UNION ALL' | 'EXCEPT' | 'INTERSECT';
      readonly left: Body;
      readonly right: Body;
    }
  | { readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[] };

export type Item =
  | { readonly kind: 'star'; readonly table: string | undefined }
  | { readonly kind: 'expression'; readonly of: Expression; readonly alias: string | undefined }
  | { readonly kind: 'assign'; readonly variable: string; readonly of: Expression };

export interface Select {
  readonly kind: 'select';
  readonly isDistinct: boolean;
  readonly top: Expression | undefined;
  readonly items: readonly Item[];
  readonly into: Name | undefined;
  readonly from: readonly Table[];
  readonly where: Expression | undefined;
  readonly group: readonly Expression[];
  readonly having: Expression | undefined;
}

export type Table =
  | {
      readonly kind: 'named';
      readonly name: Name;
      readonly alias: string | undefined;
      readonly hints: readonly string[];
    }
  | { readonly kind: 'variable'; readonly name: string; readonly alias: string | undefined }
  | {
      readonly kind: 'function';
      readonly name: Name;
      readonly args: readonly Expression[];
      readonly alias: string | undefined;
    }
  | {
      readonly kind: 'derived';
      readonly query: Query;
      readonly alias: string;
      readonly columns: readonly string[];
    }
  | {
      readonly kind: 'join';
      readonly how: 'inner' | 'left' | 'right' | 'full' | 'cross';
      readonly left: Table;
      readonly right: Table;
      readonly on: Expression | undefined;
    };

/** A column's definition. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: SqlType;
  readonly isNullable: boolean | undefined;
  readonly identity: { readonly seed: number; readonly increment: number } | undefined;
  readonly defaultValue: Expression | undefined;
  readonly computed: Expression | undefined;
  readonly isPrimary: boolean;
  readonly isUnique: boolean;
  readonly references: Reference | undefined;
}

export interface Reference {
  readonly table: Name;
  readonly columns: readonly string[];
}

export type Constraint =
  | {
      readonly kind: 'key';
      readonly name: string | undefined;
      readonly isPrimary: boolean;
      readonly columns: readonly string[];
    }
  | {
      readonly kind: 'foreign';
      readonly name: string | undefined;
      readonly columns: readonly string[];
      readonly references: Reference;
    }
  | { readonly kind: 'check'; readonly name: string | undefined; readonly condition: Expression }
  | {
      readonly kind: 'default';
      readonly name: string | undefined;
      readonly value: Expression;
      readonly column: string;
    };

export interface TableDefinition {
  readonly columns: readonly ColumnDefinition[];
  readonly constraints: readonly Constraint[];
}

export interface Assignment {
  readonly column: string;
  /** `@x = column = value` and `@x = value` set a variable, too. */
  readonly variable: string | undefined;
  readonly value: Expression;
}

export interface Output {
  readonly items: readonly Item[];
  readonly into: Target | undefined;
  readonly columns: readonly string[];
}

export type Target =
  | { readonly kind: 'named'; readonly name: Name; readonly hints: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string };

export interface ParameterDefinition {
  readonly name: string;
  /** Undefined for a table type, whose name is `tableType`. */
  readonly type: SqlType | undefined;
  readonly tableType: Name | undefined;
  readonly defaultValue: Expression | undefined;
  readonly isOutput: boolean;
}

export interface Argument {
  readonly name: string | undefined;
  /** Undefined for DEFAULT. */
  readonly value: Expression | undefined;
  readonly isOutput: boolean;
}

export type Statement = { readonly line: number } & (
  | { readonly kind: 'query'; readonly query: Query }
  | {
      readonly kind: 'insert';
      readonly target: Target;
      readonly columns: readonly string[];
      readonly output: Output | undefined;
      readonly source:
        | { readonly kind: 'query'; readonly query: Query }
        | { readonly kind: 'defaults' }
        | { readonly kind: 'execute'; readonly statement: Statement };
      readonly ctes: Query['ctes'];
    }
  | {
      readonly kind: 'update' | 'delete';
      readonly target: Target;
      readonly top: Expression | undefined;
      readonly set: readonly Assignment[];
      readonly output: Output | undefined;
      readonly from: readonly Table[];
      readonly where: Expression | undefined;
      /** WHERE CURRENT OF. */
      readonly cursor: string | undefined;
      readonly ctes: Query['ctes'];
    }
  | {
      readonly kind: 'merge';
      readonly target: Target;
      readonly alias: string;
      readonly source: Table;
      readonly on: Expression;
      readonly branches: readonly MergeBranch[];
      readonly output: Output | undefined;
    }
  | { readonly kind: 'createTable'; readonly name: Name; readonly definition: TableDefinition }
  | {
      readonly kind: 'alterTable';
      readonly name: Name;
      readonly add: TableDefinition | undefined;
      readonly drop: readonly { readonly isColumn: boolean; readonly name: string }[];
      readonly alter: ColumnDefinition | undefined;
    }
  | {
      readonly kind: 'createIndex';
      readonly name: string;
      readonly table: Name;
      readonly isUnique: boolean;
      readonly columns: readonly string[];
    }
  | { readonly kind: 'createType'; readonly name: Name; readonly definition: TableDefinition }
  | {
      readonly kind: 'createProcedure';
      readonly name: Name;
      readonly isAlter: boolean;
      readonly parameters: readonly ParameterDefinition[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: 'createView';
      readonly name: Name;
      readonly isAlter: boolean;
      readonly query: Query;
    }
  | { readonly kind: 'createDatabase' | 'createSchema'; readonly name: string }
  | {
      readonly kind: 'drop';
      readonly what: string;
      readonly names: readonly Name[];
      readonly isIfExists: boolean;
    }
  | {
      readonly kind: 'login';
      readonly does: 'create' | 'alter' | 'drop';
      readonly name: string;
      /** By their names in capitals. */
      readonly options: ReadonlyMap<string, string>;
      readonly isIfExists: boolean;
    }
  | {
      readonly kind: 'user';
      readonly does: 'create' | 'alter' | 'drop';
      readonly name: string;
      readonly login: string | undefined;
      readonly options: ReadonlyMap<string, string>;
      readonly isIfExists: boolean;
    }
  | {
      readonly kind: 'role';
      readonly does: 'create' | 'alter' | 'drop';
      readonly name: string;
      /** Of an ALTER. */
      readonly member: { readonly adds: boolean; readonly name: string };
      readonly isOfServer: boolean;
      readonly isIfExists: boolean;
    }
  | {
      readonly kind: 'permission';
      /** GRANT, DENY or REVOKE. */
      readonly does: string;
      readonly names: readonly string[];
      readonly on: { readonly kind: string; readonly name: Name } | undefined;
      readonly columns: readonly string[];
      readonly to: readonly string[];
      readonly mayGrant: boolean;
    }
  | { readonly kind: 'truncate'; readonly name: Name }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'declare';
      readonly variables: readonly {
        readonly name: string;
        readonly type: SqlType | undefined;
        readonly table: TableDefinition | undefined;
        readonly tableType: Name | undefined;
        readonly value: Expression | undefined;
      }[];
    }
  | { readonly kind: 'setVariable'; readonly name: string; readonly value: Expression }
  | {
      readonly kind: 'setOption';
      readonly names: readonly string[];
      readonly value: Expression | string;
    }
  | { readonly kind: 'identityInsert'; readonly table: Name; readonly isOn: boolean }
  | { readonly kind: 'use'; readonly database: string }
  | { readonly kind: 'print'; readonly value: Expression }
  | {
      readonly kind: 'raiserror';
      readonly message: Expression;
      readonly severity: Expression;
      readonly state: Expression;
      readonly args: readonly Expression[];
      readonly options: readonly string[];
    }
  | { readonly kind: 'throw'; readonly args: readonly Expression[] }
  | { readonly kind: 'waitfor'; readonly delay: Expression; readonly isTime: boolean }
  | { readonly kind: 'begin' | 'save'; readonly name: Expression | undefined }
  | { readonly kind: 'commit' | 'rollback'; readonly name: Expression | undefined }
  | {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly isTrue: Statement;
      readonly otherwise: Statement | undefined;
    }
  | { readonly kind: 'while'; readonly condition: Expression; readonly body: Statement }
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | {
      readonly kind: 'try';
      readonly body: readonly Statement[];
      readonly caught: readonly Statement[];
    }
  | { readonly kind: 'return'; readonly value: Expression | undefined }
  | { readonly kind: 'break' | 'continue' }
  | {
      readonly kind: 'execute';
      readonly into: string | undefined;
      readonly procedure: Name | string;
      readonly args: readonly Argument[];
    }
  | {
      readonly kind: 'executeText';
      readonly parts: readonly Expression[];
      readonly login: string | undefined;
    }
  | { readonly kind: 'executeAs'; readonly name: Expression | undefined }
  | { readonly kind: 'revert' }
  | {
      readonly kind: 'declareCursor';
      readonly name: string;
      readonly options: readonly string[];
      readonly query: Query;
    }
  | { readonly kind: 'openCursor' | 'closeCursor' | 'deallocateCursor'; readonly name: string }
  | {
      readonly kind: 'fetchCursor';
      readonly name: string;
      readonly direction: string;
      readonly count: Expression | undefined;
      readonly into: readonly string[];
    }
  | {
      readonly kind: 'insertBulk';
      readonly table: Name;
      readonly columns: readonly { readonly name: string; readonly type: SqlType }[];
    }
  | { readonly kind: 'kill'; readonly spid: number }
  | { readonly kind: 'dbcc'; readonly what: string }
);

export interface MergeBranch {
  readonly isMatched: boolean;
  readonly bySource: boolean;
  readonly condition: Expression | undefined;
  readonly action:
    | { readonly kind: 'update'; readonly set: readonly Assignment[] }
    | { readonly kind: 'delete' }
    | {
        readonly kind: 'insert';
        readonly columns: readonly string[];
        readonly values: readonly Expression[];
      };
}
