import type { Chance } from '../../support/chance.ts';
import { close, prepare } from '../../e2e/differential/mysql/steps.ts';
import { careful, otherOf, query, say } from './steps.ts';
import type { Login, Step } from './steps.ts';

/** What a life is mostly about: things that are near each other meet more often. */
export type Theme = 'settings' | 'statements' | 'objects' | 'plain' | 'everything';

/** A text to prepare, with at most one parameter. */
export interface Template {
  readonly sql: string;
  readonly parameters: 0 | 1;
}

/** Names that all sessions use, each for its own. */
export const statementNames = ['s1', 's2', 's3', 's4'] as const;

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What the writer of one life's script knows: its names, and what the script has probably done so far. */
export class Scope {
  readonly chance: Chance;
  readonly login: Login;
  readonly theme: Theme;
  readonly isMariadb: boolean;
  /** Two schemas with the same tables, made before the life begins. */
  readonly schema: string;
  readonly other: string;
  readonly token: string;
  /** Statements of the binary protocol that are probably there. */
  readonly statements = new Map<string, Template>();
  /** Steps since a transaction was probably begun; undefined where none is. */
  transaction: number | undefined;
  #serial = 100;

  constructor(
    parts: Pick<Scope, 'chance' | 'login' | 'theme' | 'token' | 'isMariadb'> & {
      readonly name: string;
    },
  ) {
    this.chance = parts.chance;
    this.login = parts.login;
    this.theme = parts.theme;
    this.token = parts.token;
    this.isMariadb = parts.isMariadb;
    this.schema = parts.name;
    this.other = otherOf(parts.name);
  }

  /** A number that this life has not used. */
  next(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** One statement, sent in one of the ways that there are. */
  run(sql: string): readonly Step[] {
    const { chance } = this;
    if (chance.percent(80)) return [say(chance, query(sql))];
    // It may be one that cannot be prepared: the execution is then left out.
    const name = `once${this.next()}`;
    return [say(chance, prepare(sql, name)), say(chance, careful([], { name }), close(name))];
  }
}

/** Makes steps; their weight depends on the theme. */
export interface Maker {
  readonly weight: Readonly<Partial<Record<Theme, number>>> & { readonly everything: number };
  readonly make: (scope: Scope) => readonly Step[];
}
