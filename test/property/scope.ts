import type { Chance } from '../support/chance.ts';
import { bind, close, describe, execute, flush, parse, query, say, sync } from './steps.ts';
import type { Login, Step } from './steps.ts';

/** What a life is mostly about: things that are near each other meet more often. */
export type Theme = 'settings' | 'statements' | 'objects' | 'plain' | 'everything';

/** A text to prepare, with at most one parameter. */
export interface Template {
  readonly sql: string;
  readonly parameters: 0 | 1;
}

/** Names that all sessions use, each for its own. Names in quotes, for SQL; as the protocol has them without. */
export const statementNames = ['s1', 's2', 's3', 'S "4"', `long_${'x'.repeat(70)}`] as const;

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What the writer of one life's script knows: its names, and what the script has probably done so far. */
export class Scope {
  readonly chance: Chance;
  readonly login: Login;
  readonly theme: Theme;
  /** Two schemas with the same tables, made before the life begins. */
  readonly schema: string;
  readonly other: string;
  readonly channel: string;
  readonly lock: number;
  readonly token: string;
  /** Statements by name that are probably there. */
  readonly statements = new Map<string, Template>();
  /** Steps since a transaction was probably begun; undefined where none is. */
  transaction: number | undefined;
  #serial = 0;

  constructor(
    parts: Pick<Scope, 'chance' | 'login' | 'theme' | 'lock' | 'token'> & { readonly name: string },
  ) {
    this.chance = parts.chance;
    this.login = parts.login;
    this.theme = parts.theme;
    this.lock = parts.lock;
    this.token = parts.token;
    this.schema = parts.name;
    this.other = `${parts.name}_b`;
    this.channel = `ear_${parts.name}`;
  }

  /**
   * The session began with this setting. RESET brings it back between two requests, and not before what comes next in the same
   * one (docs/differences.md, "Afterwards").
   */
  beganWith(name: string): boolean {
    const { parameters } = this.login;
    const lower = name.toLowerCase();
    const given = Object.keys(parameters).map((one) => one.toLowerCase());
    return given.includes(lower) || (parameters['options'] ?? '').includes(`${lower}=`);
  }

  /** A number that this life has not used. */
  next(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** One statement, sent in one of the ways that there are. */
  run(sql: string, values: readonly (string | null)[] = []): readonly Step[] {
    const { chance } = this;
    if (values.length === 0 && chance.percent(50)) return [say(chance, query(sql))];
    return this.extended(sql, values);
  }

  extended(sql: string, values: readonly (string | null)[] = []): readonly Step[] {
    const { chance } = this;
    const binary = chance.percent(10);
    const asks = chance.percent(60) ? [describe('P')] : [];
    switch (chance.below(10)) {
      case 0: {
        // Told to answer at once, thrice.
        const first = chance.percent(50) ? [describe('S')] : [];
        return [
          say(chance, parse('', sql), ...first, flush()),
          say(chance, bind('', '', values, binary), execute(), flush()),
          say(chance, sync()),
        ];
      }
      case 1: {
        const name = `once${this.next()}`;
        const rest = [execute(), close('S', name), sync()];
        return [say(chance, parse(name, sql), bind('', name, values, binary), ...asks, ...rest)];
      }
      case 2:
        return [
          say(
            chance,
            parse('', sql),
            bind('', '', values, binary),
            ...asks,
            execute('', 2),
            sync(),
          ),
        ];
      default:
        return [
          say(chance, parse('', sql), bind('', '', values, binary), ...asks, execute(), sync()),
        ];
    }
  }
}

/** Makes steps; their weight depends on the theme. */
export interface Maker {
  readonly weight: Readonly<Partial<Record<Theme, number>>> & { readonly everything: number };
  readonly make: (scope: Scope) => readonly Step[];
}
