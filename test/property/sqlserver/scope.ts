import type { Chance } from '../../support/chance.ts';
import { batch, executeSql, prepareAndRun, rpc, say, unprepare } from './steps.ts';
import type { Login, Step, Value } from './steps.ts';

/** What a life is mostly about: things that are near each other meet more often. */
export type Theme = 'settings' | 'statements' | 'objects' | 'plain' | 'everything';

/** A text to prepare, and whether its one parameter, if it has one, is a text. */
export interface Template {
  readonly sql: string;
  readonly parameter: 'none' | 'int' | 'text';
}

/** Names that all sessions use, each for its own. */
export const statementNames = ['s1', 's2', 's3', 's4'] as const;

/** What a client says after a reset: not every server's undoes the isolation level (docs/differences.md). */
export const LEVEL_AFTER_RESET = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED';

export function literal(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}

/** What the writer of one life's script knows: its names, and what the script has probably done so far. */
export class Scope {
  readonly chance: Chance;
  readonly login: Login;
  readonly theme: Theme;
  /** Of tables of the life's own, in each database. */
  readonly name: string;
  readonly token: string;
  /** Statements that are probably prepared. */
  readonly statements = new Map<string, Template>();
  /** Steps since a transaction was probably begun; undefined where none is. */
  transaction: number | undefined;
  #serial = 100;

  constructor(parts: Pick<Scope, 'chance' | 'login' | 'theme' | 'token' | 'name'>) {
    this.chance = parts.chance;
    this.login = parts.login;
    this.theme = parts.theme;
    this.token = parts.token;
    this.name = parts.name;
  }

  /** A driver's pool has reset its connection: nothing is prepared, and no transaction open. */
  begin(): void {
    this.statements.clear();
    this.transaction = undefined;
  }

  /** A number that this life has not used. */
  next(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** `$n_` and `$token` in it are the life's own. */
  fill(sql: string): string {
    return sql.replaceAll('$n_', `${this.name}_`).replaceAll('$token', literal(this.token));
  }

  /** One text, sent in one of the ways that there are. */
  run(sql: string, values: readonly Value[] = []): readonly Step[] {
    const { chance } = this;
    if (values.length === 0 && chance.percent(72)) return [say(chance, batch(sql))];
    if (chance.percent(75)) return [say(chance, rpc(executeSql(sql, values)))];
    const name = `once${this.next()}`;
    return [
      say(chance, rpc(prepareAndRun(name, sql, values))),
      say(chance, { ...rpc(unprepare(name)), isSequel: true }),
    ];
  }

  /** As a batch, where what it does is to last. */
  batch(sql: string): Step & { kind: 'say' } {
    return say(this.chance, batch(sql));
  }
}

/** Makes steps; their weight depends on the theme. */
export interface Maker {
  readonly weight: Readonly<Partial<Record<Theme, number>>> & { readonly everything: number };
  readonly make: (scope: Scope) => readonly Step[];
}
