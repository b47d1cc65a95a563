import { execute } from '../../e2e/differential/mysql/steps.ts';
import type { Executing, Parameter } from '../../e2e/differential/mysql/steps.ts';
import type { Chance } from '../../support/chance.ts';
import type { Step as SaidCommand } from '../../support/mysql-differential.ts';
import { query as sayQuery } from '../../support/mysql-differential.ts';

/** One command: what it says and what answers it. */
export type Command = Exclude<SaidCommand, string>;

/** What a session does next. */
export type Step =
  /** Says something and reads the answers; several commands go out at once. */
  | {
      readonly kind: 'say';
      readonly commands: readonly Command[];
      /** At which parts of it the bytes are cut, in thousandths; each piece is written on its own. */
      readonly cuts: readonly number[];
      /** The answer piles up before it is read. */
      readonly readsLate?: boolean;
      /** A documented difference that may show here, and only here. */
      readonly exception?: Exception;
      /** Without it this makes no sense, and is left out. */
      readonly needs?: Need;
    }
  /** COM_CHANGE_USER. */
  | { readonly kind: 'change user'; readonly user: User; readonly schema: string | undefined }
  /** A statement that takes its time, and a KILL QUERY to stop it, some turns of the event loop later. */
  | { readonly kind: 'cancel'; readonly turns: number }
  /** Takes, where nobody else has it, a lock that all sessions want, and gives it back. */
  | { readonly kind: 'turnstile'; readonly requests: number }
  /** Begins to say something and is gone. The last step of a life. */
  | {
      readonly kind: 'leave';
      readonly commands: readonly Command[];
      /** How many thousandths of the bytes are still sent. */
      readonly part: number;
      readonly manner: 'at once' | 'while reading' | 'goodbye unread';
    };

/** Differences in docs/differences.md that random scripts run into. */
export type Exception = 'remnant' | 'changed result';

/** - `no transaction`: none is open. */
export type Need = 'no transaction';

export type User = 'app' | 'reader' | 'chief';

/** Who signs in, and how. */
export interface Login {
  readonly user: User;
  /** Which of the life's own schemas it begins in. */
  readonly schema: 'home' | 'other' | 'none';
  readonly client: ClientKind;
  /** The number of a collation. */
  readonly collation: number;
}

/** What clients can do: as most today; as those of old; with reports of what changes; with attributes of queries. */
export type ClientKind = 'plain' | 'old' | 'tracking' | 'attributes' | 'found rows';

/** A client from its sign-in to its end. */
export interface Life {
  readonly login: Login;
  /** Names of its own: of its schemas and its lock. */
  readonly name: string;
  /** A text that nobody else may ever see. */
  readonly token: string;
  readonly steps: readonly Step[];
}

export function schemaOf(name: string, which: Login['schema']): string | undefined {
  if (which === 'none') return undefined;
  return which === 'home' ? name : otherOf(name);
}

/** A life's second schema, with the same tables. */
export function otherOf(name: string): string {
  return `${name}_b`;
}

/** Commands in one piece or in some. */
export function say(chance: Chance, ...commands: readonly Command[]): Step & { kind: 'say' } {
  return { kind: 'say', commands, cuts: cutsOf(chance), readsLate: chance.percent(2) };
}

/** Runs a prepared statement, or nothing at all where it could not be prepared. */
export function careful(
  parameters: readonly Parameter[],
  options: Executing & { name: string },
): Command {
  const run = execute(parameters, options);
  return {
    ...run,
    say: (client, prepared) =>
      (prepared.has(options.name) ? run : query('DO 0')).say(client, prepared),
  };
}

export function query(sql: string): Command {
  return sayQuery(sql);
}

function cutsOf(chance: Chance): readonly number[] {
  if (chance.percent(75)) return [];
  const cuts = Array.from({ length: chance.between(1, 3) }, () => chance.below(1_000));
  return [...new Set(cuts)].sort((a, b) => a - b);
}

const LONGEST = 200;

/** One line for people. */
export function tellStep(step: Step): string {
  switch (step.kind) {
    case 'say': {
      const cut = step.cuts.length === 0 ? '' : ` (cut at ${step.cuts.join()})`;
      return `${tellCommands(step.commands)}${cut}${step.readsLate === true ? ' (read late)' : ''}`;
    }
    case 'change user':
      return `becomes ${step.user} in ${step.schema ?? 'no schema'}`;
    case 'cancel':
      return `a long query (cancelled after ${step.turns} turns)`;
    case 'turnstile':
      return `tries the lock of all, for ${step.requests} requests`;
    case 'leave':
      return `${tellCommands(step.commands)} (leaves ${step.manner}, after ${step.part / 10} %)`;
  }
}

function tellCommands(commands: readonly Command[]): string {
  return commands
    .map(({ about }) =>
      about.length > LONGEST ? `${about.slice(0, LONGEST)}… (${about.length})` : about,
    )
    .join(' · ');
}
