import { tdsVersion } from '../../../src/wire/tds/versions.ts';
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

const { v71rev1, v72, v73b, v74 } = tdsVersion;

/** So long a transaction may go on until it is ended for certain. */
const LONGEST_TRANSACTION = 8;

/** @param versions of TDS that clients speak: not every server speaks the old ones as it should */
export function makePlan(seed: number, size: PlanSize, versions: 'all' | 'new' = 'all'): Plan {
  return drawPlan(seed, size, {
    login: (chance) => ({ ...login(chance), ...(versions === 'new' ? { version: v74 } : {}) }),
    life: makeLife,
  });
}

function login(chance: Chance): Login {
  return {
    user: chance.pick(['app', 'app', 'app', 'reader']),
    database: chance.pick(['home', 'home', 'home', 'other', 'none']),
    language: chance.pick(['', '', 'us_english', 'Deutsch']),
    appName: chance.pick(['shop', 'shop', 'shop', 'office']),
    packetBytes: chance.pick([4_096, 4_096, 512, 600, 8_000, 32_767]),
    version: chance.pick([v74, v74, v74, v73b, v72, v71rev1]),
    isOdbc: chance.percent(80),
  };
}

function makeLife(chance: Chance, parts: LifeParts<Login>): Life {
  const { name, lock, logins } = parts;
  const drawn = chance.any(logins);
  if (drawn === undefined) throw new Error('nobody can sign in');
  // Packets are each client's own affair: those of other sizes share connections.
  const packetBytes = chance.pick([drawn.packetBytes, drawn.packetBytes, 512, 4_096, 16_000]);
  const own = { ...drawn, packetBytes };
  const token = drawToken(chance, name);
  const scope = new Scope({ chance, login: own, theme: chance.weighted(themes), name, token });
  const steps: Step[] = [];
  const length = chance.between(1, parts.steps);
  while (steps.length < length) steps.push(...nextSteps(scope));
  const last = steps.at(-1);
  if (chance.percent(35) && last?.kind === 'say') steps.push(leave(chance, last.commands));
  return { login: own, name, number: lock, token, steps };
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
  const manner = chance.pick(['at once', 'while reading', 'half closed'] as const);
  return { kind: 'leave', commands: commands.slice(0, 1), part, manner };
}
