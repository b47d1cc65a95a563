import type { Conversation } from '../../core/conversation.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { limits } from '../../base/limits.ts';
import { ask } from './ask.ts';
import type { ParameterSet, PostgresMemory } from './memory.ts';
import { intern } from './memory.ts';
import type { PostgresPrincipal } from './principal.ts';
import { NAME, PLAIN_NAME } from './principal.ts';
import type { SettingsState } from './state.ts';
import { literal, statementsBetween } from './state.ts';

/** How a session begins beyond what is the same for all of its user and database: what its start-up parameters set. */
export interface Outfit {
  /** In the server's own words, by names in lower case: what RESET returns to. */
  readonly settings: ReadonlyMap<string, string>;
  /** What a session begins with: these, and what the init query has set. */
  readonly state: SettingsState;
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

/** Whether it is known how sessions of this principal begin. */
export function isAcquainted({ realm }: PostgresMemory, who: PostgresPrincipal): boolean {
  return who.questions.length === 0 || realm.outfits.has(who.questionsKey);
}

/** What the outfit that was made last for a principal was made of. */
interface Made {
  readonly known: FulfilledWishes;
  readonly greeting: ParameterSet;
  readonly beginning: SettingsState;
  readonly outfit: Outfit;
}

const made = new WeakMap<PostgresPrincipal, Made>();

export function outfitOf(who: PostgresPrincipal, welcome: PostgresMemory): Outfit {
  const known = welcome.realm.outfits.get(who.questionsKey) ?? NO_WISHES;
  const { greeting, beginning } = welcome;
  const last = made.get(who);
  if (last?.known === known && last.greeting === greeting && last.beginning === beginning)
    return last.outfit;
  const settings = new Map(known.settings);
  const told = new Map([...greeting, ...known.reported]);
  const name = who.wishes.get(NAME);
  if (name !== undefined && PLAIN_NAME.test(name)) {
    settings.set(NAME, name);
    if (told.has(NAME)) told.set(NAME, name);
  }
  const outfit = { settings, state: beginning.with(settings), told: intern(told) };
  made.set(who, { known, greeting, beginning, outfit });
  return outfit;
}

/**
 * Makes sure that the database accepts a client's start-up parameters, and learns what it makes of them, in a transaction that
 * leaves nothing behind. Returns its own error where it does not (trap PG-119).
 */
export function* acquaint(
  memory: PostgresMemory,
  who: PostgresPrincipal,
): Conversation<Fault | undefined> {
  const { questions } = who;
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
    outfits.set(who.questionsKey, { settings: new Map(settings), reported: new Map(reported) });
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    refusal = error.fault;
  }
  yield* ask(memory, 'rollback');
  return refusal;
}
