import type { Script } from './events.ts';
import { play, possible, rest } from './events.ts';
import type { Moment } from './invariants.ts';
import { judge, noMoment } from './invariants.ts';
import type { WorldOptions } from './world.ts';
import { World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly options: WorldOptions;
  readonly script: Script;
  /** What has happened before the exploration begins. */
  readonly prologue: readonly string[];
  /** Letters of all principals there are. */
  readonly keys: readonly string[];
}

export interface Explored {
  readonly sequences: number;
  readonly states: number;
  /** Every sequence of this many events has been tried, but for those that led to a state seen before. */
  readonly depth: number;
}

/**
 * Plays all orders of events, shorter ones first, until `maxStates` different states have been met; each is judged after
 * every event, and each is brought to rest. Throws with the shortest sequence that shows a mistake.
 */
export function explore(scenario: Scenario, maxStates: number): Explored {
  const seen = new Set<string>();
  let frontier: (readonly string[])[] = [[]];
  let sequences = 0;
  let depth = -1;
  for (; frontier.length > 0; depth += 1) {
    const next: (readonly string[])[] = [];
    for (const events of frontier) {
      sequences += 1;
      const stroll = new Stroll(scenario);
      for (const event of events) stroll.take(event);
      const state = stateOf(stroll.world, scenario);
      if (seen.has(state)) continue;
      seen.add(state);
      for (const event of possible(stroll.world, scenario.script)) next.push([...events, event]);
      comeToRest(stroll, seen.size % 2 === 0);
      if (seen.size >= maxStates) return { sequences, states: seen.size, depth };
    }
    frontier = next;
  }
  return { sequences, states: seen.size, depth };
}

/** A world in which things happen one after the other, and the story of them. */
export class Stroll {
  readonly world: World;
  readonly events: string[] = [];
  readonly #scenario: Scenario;
  #moment: Moment = noMoment;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.world = new World(scenario.options);
    for (const event of scenario.prologue) play(this.world, event);
    this.#judge();
  }

  /** Throws where something is wrong afterwards. */
  take(event: string): void {
    this.events.push(event);
    try {
      play(this.world, event);
      this.#judge();
    } catch (error) {
      throw new Error(`${String(error)}\n${this.toString()}`, { cause: error });
    }
  }

  toString(): string {
    return `in ${this.#scenario.name}, after: ${this.events.join(', ')}`;
  }

  #judge(): void {
    const [wrong, moment] = judge(this.world, this.#scenario.keys, this.#moment);
    if (wrong.length > 0) throw new Error(wrong.join('; '));
    this.#moment = moment;
  }
}

/** Ends a stroll: everyone must have been answered, and everything closed. */
export function comeToRest(stroll: Stroll, dead: boolean): void {
  const { world } = stroll;
  const wrong = [...rest(world, dead), ...world.breaches, ...world.engine.strays];
  wrong.push(...world.notes.bugs.map(String));
  if (wrong.length === 0) return;
  const manner = dead ? 'the database closes' : 'the database answers';
  throw new Error(`${wrong.join('; ')}\n${stroll.toString()}; then ${manner}`);
}

/** All that the future depends on, as far as it can be seen; times relative to now. */
function stateOf(world: World, scenario: Scenario): string {
  const now = world.clock.nowMs();
  const connections = [...world.pool.connections];
  const parts: unknown[] = [world.proxy.draining, world.pool.allowed];
  for (const one of connections) {
    const { state, retiresAtMs, cancels, memory, borrower, idleSinceMs, pingedAtMs, diesAtMs } =
      one;
    const times = [idleSinceMs, pingedAtMs, diesAtMs].map((ms) => Math.round(ms - now));
    parts.push([memory.backend, state, retiresAtMs, cancels, borrower?.number ?? 0, ...times]);
  }
  for (const key of scenario.keys) {
    const lot = world.lot(key);
    const { connecting, failures, retryAtMs, lastFault, welcome } = lot;
    const idle = lot.idle.map(({ memory }) => memory.backend);
    const waits = [...lot.waiters.all(), ...lot.newcomers].map(({ sinceMs }) => sinceMs - now);
    const pause = Math.max(0, Math.round(retryAtMs - now));
    parts.push([idle, waits, connecting, failures, pause, lastFault?.refusal, welcome?.backend]);
  }
  for (const client of world.clients) {
    const session = world.sessionOf(client);
    const wait = session?.isWaiting === true ? session.sinceMs - now : 1;
    parts.push([client.letter, client.isOver, client.link.isClosed, client.owed, wait]);
  }
  parts.push(world.engine.relays.map(({ state }) => state));
  for (const backend of world.backends) if (!backend.link.isClosed) parts.push(backend.state);
  return JSON.stringify(parts);
}
