import type { Chance } from '../../support/chance.ts';
import { drawPlan, drawToken } from '../script.ts';
import type { LifeParts, Plan as AnyPlan, PlanSize } from '../script.ts';
import { dataMakers } from './repertoire/data.ts';
import { objectMakers } from './repertoire/objects.ts';
import { settingMakers } from './repertoire/settings.ts';
import { statementMakers } from './repertoire/statements.ts';
import { transactionMakers } from './repertoire/transactions.ts';
import { Scope } from './scope.ts';
import type { Maker, Theme } from './scope.ts';
import type { Command, Life, Login, Step } from './steps.ts';

export type Plan = AnyPlan<Life>;

const makers: readonly Maker[] = Object.values({
  ...settingMakers,
  ...statementMakers,
  ...transactionMakers,
  ...objectMakers,
  ...dataMakers,
});

const themes: readonly (readonly [number, Theme])[] = [
  [25, 'settings'],
  [25, 'statements'],
  [15, 'objects'],
  [20, 'plain'],
  [15, 'everything'],
];

/** utf8mb4_general_ci, latin1_swedish_ci, latin1_german2_ci, utf8mb3_general_ci, utf8mb4_bin. */
const collations = [45, 45, 45, 8, 31, 33, 46] as const;

/** So long a transaction may go on until it is ended for certain. */
const LONGEST_TRANSACTION = 8;

export function makePlan(seed: number, size: PlanSize, isMariadb: boolean): Plan {
  return drawPlan(seed, size, {
    login,
    life: (chance, parts) => makeLife(chance, parts, isMariadb),
  });
}

function login(chance: Chance): Login {
  return {
    user: chance.pick(['app', 'app', 'app', 'reader', 'reader', 'chief']),
    schema: chance.pick(['home', 'home', 'home', 'other', 'none']),
    client: chance.pick(['plain', 'plain', 'old', 'tracking', 'attributes', 'found rows']),
    collation: chance.pick(collations),
  };
}

function makeLife(chance: Chance, parts: LifeParts<Login>, isMariadb: boolean): Life {
  const { name, logins } = parts;
  const login = chance.any(logins);
  if (login === undefined) throw new Error('nobody can sign in');
  const token = drawToken(chance, name);
  const theme = chance.weighted(themes);
  const scope = new Scope({ chance, login, theme, name, token, isMariadb });
  const steps: Step[] = [];
  const length = chance.between(1, parts.steps);
  while (steps.length < length) steps.push(...nextSteps(scope));
  const last = steps.at(-1);
  if (chance.percent(35) && last?.kind === 'say') steps.push(leave(chance, last.commands));
  return { login, name, token, steps };
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
function leave(chance: Chance, commands: readonly Command[]): Step {
  const part = chance.percent(30) ? 1_000 : chance.below(1_001);
  if (part === 1_000 && chance.percent(40))
    return { kind: 'leave', commands, part, manner: 'goodbye unread' };
  return {
    kind: 'leave',
    commands,
    part,
    manner: chance.percent(50) ? 'at once' : 'while reading',
  };
}
