import { Chance } from '../support/chance.ts';
import { dataMakers } from './repertoire/data.ts';
import { objectMakers } from './repertoire/objects.ts';
import { settingMakers } from './repertoire/settings.ts';
import { statementMakers } from './repertoire/statements.ts';
import { transactionMakers } from './repertoire/transactions.ts';
import { Scope } from './scope.ts';
import type { Maker, Theme } from './scope.ts';
import type { Life, Login, Step } from './steps.ts';

/** What happens to all, after so many steps of anybody's. */
export interface Weather {
  readonly afterSteps: number;
  readonly what: 'terminate' | 'reload' | 'resize' | 'rotate';
  /** Which connection, which size, which user: taken modulo how many there are. */
  readonly which: number;
}

/** All that a round will do: a seed says it, and a failing one can be made smaller. */
export interface Plan {
  readonly seed: number;
  readonly connections: number;
  /** One session after another by the order of a seed, or all at once. */
  readonly order: 'turns' | 'free';
  /** The lives of each session, one after the other. */
  readonly sessions: readonly (readonly Life[])[];
  readonly weather: readonly Weather[];
}

export interface PlanSize {
  /** By default the seed says how many. */
  readonly sessions?: number | undefined;
  readonly connections?: number | undefined;
  readonly order?: 'turns' | 'free' | undefined;
  readonly lives: number;
  readonly steps: number;
}

const makers: readonly Maker[] = Object.values({
  ...settingMakers,
  ...statementMakers,
  ...transactionMakers,
  ...objectMakers,
  ...dataMakers,
});

/** Sets of start-up parameters, of which a round uses a few. */
const startups: readonly Readonly<Record<string, string>>[] = [
  {},
  { application_name: `it's "me" \\ here` },
  { options: '-c work_mem=3MB -c my.x=from\\ the\\ start --statement_timeout=7200000' },
  { TimeZone: 'Europe/Berlin', DateStyle: 'SQL, DMY', IntervalStyle: 'iso_8601' },
  { client_encoding: 'LATIN1', extra_float_digits: '1' },
  { options: '-c search_path=pg_catalog,public -c default_transaction_isolation=serializable' },
  { 'my.y': `a, "b" \\ c`, application_name: '', options: '-c bytea_output=escape' },
];

const themes: readonly (readonly [number, Theme])[] = [
  [25, 'settings'],
  [25, 'statements'],
  [15, 'objects'],
  [20, 'plain'],
  [15, 'everything'],
];

const kinds: readonly [Weather['what'], ...Weather['what'][]] = [
  'terminate',
  'terminate',
  'reload',
  'resize',
  'rotate',
];

/** So long a transaction may go on until it is ended for certain. */
const LONGEST_TRANSACTION = 8;

export function makePlan(seed: number, size: PlanSize): Plan {
  const chance = new Chance(seed);
  // Drawn also where they are given: the rest must not depend on it.
  const drawn = [chance.between(3, 8), chance.between(1, 3)] as const;
  const drawnOrder = chance.percent(30) ? 'turns' : 'free';
  const { sessions = drawn[0], connections = drawn[1], order = drawnOrder } = size;
  const logins = Array.from({ length: chance.between(1, 4) }, () => login(chance));
  const steps = sessions * size.lives * size.steps;
  const weather = Array.from({ length: chance.below(Math.ceil(steps / 150) + 1) }, () => ({
    afterSteps: chance.below(steps),
    what: chance.pick(kinds),
    which: chance.below(1_000),
  }));
  return {
    seed,
    connections,
    order,
    sessions: Array.from({ length: sessions }, (_, session) =>
      Array.from({ length: size.lives }, (_, life) => {
        const name = `n${session}_${life}`;
        const lock = 1_000 * (session + 1) + life;
        return makeLife(chance.fork(lock), { name, lock, logins, steps: size.steps });
      }),
    ),
    weather: weather.sort((a, b) => a.afterSteps - b.afterSteps),
  };
}

function login(chance: Chance): Login {
  return {
    user: chance.pick(['app', 'app', 'app', 'reader', 'reader', 'chief']),
    database: chance.pick(['east', 'east', 'west']),
    parameters: chance.percent(50) ? {} : (chance.any(startups) ?? {}),
    tls: chance.percent(15),
  };
}

function makeLife(
  chance: Chance,
  parts: { name: string; lock: number; logins: readonly Login[]; steps: number },
): Life {
  const { name, lock, logins } = parts;
  const login = chance.any(logins);
  if (login === undefined) throw new Error('nobody can sign in');
  const token = `tok_${name}_${chance.below(1_679_616).toString(36)}_kot`;
  const theme = chance.weighted(themes);
  const scope = new Scope({ chance, login, theme, name, lock, token });
  const steps: Step[] = [];
  const length = chance.between(1, parts.steps);
  while (steps.length < length) steps.push(...nextSteps(scope));
  const last = steps.at(-1);
  if (chance.percent(35) && last?.kind === 'say') steps.push(leave(chance, last.send));
  return { login, name, lock, token, steps };
}

function nextSteps(scope: Scope): readonly Step[] {
  if (scope.transaction !== undefined) scope.transaction += 1;
  const tooLong = (scope.transaction ?? 0) > LONGEST_TRANSACTION;
  const end = transactionMakers['end'];
  if (tooLong && end !== undefined) return end.make(scope);
  return scope.chance.weighted(makers.map(({ weight, make }) => [weight[scope.theme] ?? 0, make]))(
    scope,
  );
}

/** Says the same once more, or a part of it. */
function leave(chance: Chance, send: readonly Uint8Array[]): Step {
  const length = send.reduce((sum, { length: one }) => sum + one, 0);
  const bytes = chance.percent(30) ? length : chance.below(length + 1);
  if (bytes === length && chance.percent(40))
    return { kind: 'leave', send, bytes, manner: 'goodbye unread' };
  return { kind: 'leave', send, bytes, manner: chance.percent(50) ? 'at once' : 'while reading' };
}
