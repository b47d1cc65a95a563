import type { Chance } from '../support/chance.ts';
import { dataMakers } from './repertoire/data.ts';
import { objectMakers } from './repertoire/objects.ts';
import { settingMakers } from './repertoire/settings.ts';
import { statementMakers } from './repertoire/statements.ts';
import { transactionMakers } from './repertoire/transactions.ts';
import { Scope } from './scope.ts';
import type { Maker, Theme } from './scope.ts';
import { drawPlan, drawToken } from './script.ts';
import type { LifeParts, Plan as AnyPlan, PlanSize } from './script.ts';
import type { Life, Login, Step } from './steps.ts';

export type Plan = AnyPlan<Life>;

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

/** So long a transaction may go on until it is ended for certain. */
const LONGEST_TRANSACTION = 8;

export function makePlan(seed: number, size: PlanSize): Plan {
  return drawPlan(seed, size, { login, life: makeLife });
}

function login(chance: Chance): Login {
  return {
    user: chance.pick(['app', 'app', 'app', 'reader', 'reader', 'chief']),
    database: chance.pick(['east', 'east', 'west']),
    parameters: chance.percent(50) ? {} : (chance.any(startups) ?? {}),
    tls: chance.percent(15),
  };
}

function makeLife(chance: Chance, parts: LifeParts<Login>): Life {
  const { name, lock, logins } = parts;
  const login = chance.any(logins);
  if (login === undefined) throw new Error('nobody can sign in');
  const token = drawToken(chance, name);
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
