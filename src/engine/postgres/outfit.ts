import type { Conversation } from '../../core/conversation.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { limits } from '../../base/limits.ts';
import { ask } from './ask.ts';
import type { ParameterSet, PostgresMemory } from './memory.ts';
import { intern } from './memory.ts';
import type { PostgresPrincipal } from './principal.ts';
import { literal, statementsBetween } from './state.ts';

/** How a session begins beyond what is the same for all of its user and database: what its start-up parameters set. */
export interface Outfit {
  /** In the server's own words, by names in lower case: what RESET returns to. */
  readonly settings: ReadonlyMap<string, string>;
  /** The parameters as the client is told when it signs in. */
  readonly told: ParameterSet;
}

/** What the database has said of a set of wishes. */
export interface FulfilledWishes {
  readonly settings: ReadonlyMap<string, string>;
  /** The parameters that are reported otherwise then. */
  readonly reported: ReadonlyMap<string, string>;
}

const NO_WISHES: FulfilledWishes = { settings: new Map(), reported: new Map() };

/** The name that goes into pg_stat_activity; many clients give one, and some each its own: it is not asked about. */
const NAME = 'application_name';
const PLAIN_NAME = /^[ -~]{0,63}$/;

/** Wishes that only the database can put into its own words. */
function questionsOf({ wishes }: PostgresPrincipal): readonly (readonly [string, string])[] {
  return [...wishes].filter(([name, value]) => name !== NAME || !PLAIN_NAME.test(value));
}

function keyOf(questions: readonly (readonly [string, string])[]): string {
  return JSON.stringify(questions);
}

/** Whether it is known how sessions of this principal begin. */
export function isAcquainted(memory: PostgresMemory, who: PostgresPrincipal): boolean {
  const questions = questionsOf(who);
  return questions.length === 0 || memory.realm.outfits.has(keyOf(questions));
}

export function outfitOf(who: PostgresPrincipal, welcome: PostgresMemory): Outfit {
  const questions = questionsOf(who);
  const known = welcome.realm.outfits.get(keyOf(questions)) ?? NO_WISHES;
  if (who.wishes.size === 0) return { settings: known.settings, told: welcome.greeting };
  const settings = new Map(known.settings);
  const told = new Map([...welcome.greeting, ...known.reported]);
  const name = who.wishes.get(NAME);
  if (name !== undefined && PLAIN_NAME.test(name)) {
    settings.set(NAME, name);
    if (told.has(NAME)) told.set(NAME, name);
  }
  return { settings, told: intern(told) };
}

/**
 * Makes sure that the database accepts a client's start-up parameters, and learns what it makes of them, in a transaction that
 * leaves nothing behind. Returns its own error where it does not (trap PG-119).
 */
export function* acquaint(
  memory: PostgresMemory,
  who: PostgresPrincipal,
): Conversation<Fault | undefined> {
  const questions = questionsOf(who);
  yield* ask(memory, ...statementsBetween(memory.state.values, memory.beginning.values));
  memory.state = memory.beginning;
  memory.unnamed = undefined;
  const before = memory.parameters;
  const sets = questions.map(
    ([name, value]) => `select pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`,
  );
  const columns = questions.map(
    ([name], index) => `pg_catalog.current_setting(${literal(name)}) as v${index}`,
  );
  let refusal: Fault | undefined;
  try {
    const rows = yield* ask(
      memory,
      'begin isolation level read committed',
      ...sets,
      `select ${columns.join(', ')}`,
    );
    const values = rows.at(-1);
    const settings = questions.map(
      ([name], index) => [name, values?.get(`v${index}`) ?? ''] as const,
    );
    const reported = [...memory.parameters].filter(([name, value]) => before.get(name) !== value);
    const { outfits } = memory.realm;
    if (outfits.size >= limits.knownOutfits.value) outfits.clear();
    outfits.set(keyOf(questions), { settings: new Map(settings), reported: new Map(reported) });
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    refusal = error.fault;
  }
  yield* ask(memory, 'rollback');
  return refusal;
}
