import { must } from '../../src/base/assert.ts';
import type { Principal } from '../../src/core/engine.ts';
import type { Lot } from '../../src/core/lot.ts';
import type { ServerConnection } from '../../src/core/server-connection.ts';
import type { Session } from '../../src/core/session.ts';
import type { ToyMemory } from './toy-engine.ts';
import type { World } from './world.ts';

type Connection = ServerConnection<ToyMemory, Principal>;
type AnySession = Session<ToyMemory, Principal>;

/** What must be remembered of one moment to judge the next. */
export interface Moment {
  readonly opened: number;
  readonly queues: ReadonlyMap<string, readonly AnySession[]>;
  readonly waits: ReadonlyMap<AnySession, number>;
  /** Whose a connection was while a cancel request for it was under way. */
  readonly underCancel: ReadonlyMap<Connection, number | undefined>;
}

export const noMoment: Moment = {
  opened: 0,
  queues: new Map(),
  waits: new Map(),
  underCancel: new Map(),
};

/** Tells what is wrong with the world now, compared with a moment ago; nothing, if all is well. */
export function judge(
  world: World,
  keys: readonly string[],
  before: Moment,
): readonly [readonly string[], Moment] {
  const lots = new Map(keys.map((key) => [key, world.lot(key)]));
  const now = momentOf(world, lots);
  const wrong = [
    ...world.breaches,
    ...world.engine.strays,
    ...world.notes.bugs.map(String),
    ...budgetHeld(world, before, now),
    ...connectionsMatchTheDatabase(world, lots),
    ...borrowersAreInOrder(world),
    ...nobodyWaitsInVain(world, lots),
    ...queuesAreFair(world, before, now),
    ...cancelsHold(before, now),
  ];
  return [wrong, now];
}

function momentOf(world: World, lots: ReadonlyMap<string, Lot<ToyMemory, Principal>>): Moment {
  const queues = new Map<string, AnySession[]>();
  const sessions = [...world.proxy.sessions.values()];
  for (const [key, lot] of lots) {
    const queue = lot.waiters.all().map((waiter) => sessions.find((one) => one === waiter));
    queues.set(
      key,
      queue.map((one) => must(one, 'one who left still waits (GX-04, PG-120)')),
    );
  }
  const cancelled = [...world.pool.connections].filter(({ cancels }) => cancels > 0);
  return {
    opened: openedOrOpening(world, lots),
    queues,
    waits: new Map([...queues.values()].flat().map((one) => [one, one.sinceMs])),
    underCancel: new Map(cancelled.map((one) => [one, one.borrower?.number])),
  };
}

function openedOrOpening(
  world: World,
  lots: ReadonlyMap<string, Lot<ToyMemory, Principal>>,
): number {
  let connecting = 0;
  for (const lot of lots.values()) connecting += lot.connecting;
  return world.pool.connections.size + connecting;
}

/** GX-02. A lowered limit may be exceeded by what was there before, never by more. */
function* budgetHeld(world: World, before: Moment, now: Moment): Generator<string> {
  const { allowed } = world.pool;
  if (now.opened > allowed && now.opened > before.opened) {
    yield `${now.opened} connections where ${allowed} are allowed (GX-02)`;
  }
  const states = [...world.pool.connections].map(({ state }) => state);
  if (!states.includes('idle')) return;
  const closing = states.filter((state) => state === 'closing').length;
  if (now.opened - closing > allowed) yield 'more than allowed, and some are idle';
  if (world.proxy.draining) yield 'a connection is idle while the proxy drains';
}

/** What the pool counts is what the database has: none is forgotten, none counted twice. */
function* connectionsMatchTheDatabase(
  world: World,
  lots: ReadonlyMap<string, Lot<ToyMemory, Principal>>,
): Generator<string> {
  const links = new Set(world.connections.map(({ link }) => link));
  const { connections } = world.pool;
  for (const { link, number, state, retiresAtMs, memory } of connections) {
    const isOld = world.backends[memory.backend - 1]?.era !== world.era;
    if (isOld && retiresAtMs > 0) yield `connection ${number} was made before it was retired`;
    if (link.isOpen !== (state !== 'closing')) yield `connection ${number} is not really ${state}`;
    for (const one of links) if (one === link) links.delete(one);
  }
  let connecting = 0;
  for (const [key, lot] of lots) {
    connecting += lot.connecting;
    const open = [...connections].filter((one) => one.lot === lot).length;
    if (open !== lot.open) yield `lot ${key} counts ${lot.open} connections and has ${open}`;
    for (const one of lot.idle) {
      if (one.state !== 'idle') yield `connection ${one.number} is idle and ${one.state}`;
    }
  }
  if (links.size > connecting) yield `${links.size - connecting} connections belong to nobody`;
}

function* borrowersAreInOrder(world: World): Generator<string> {
  const borrowing = new Set<number>();
  for (const { number, state, borrower } of world.pool.connections) {
    if ((state === 'borrowed') !== (borrower !== undefined)) {
      yield `connection ${number} is ${state}, and has ${borrower === undefined ? 'no' : 'a'} borrower`;
    }
    if (borrower === undefined) continue;
    if (borrowing.has(borrower.number)) yield `session ${borrower.number} has two connections`;
    if (!world.proxy.sessions.has(borrower.number)) {
      yield `connection ${number} is lent to session ${borrower.number}, which is over (GX-04)`;
    }
    borrowing.add(borrower.number);
  }
}

function* nobodyWaitsInVain(
  world: World,
  lots: ReadonlyMap<string, Lot<ToyMemory, Principal>>,
): Generator<string> {
  const now = world.clock.nowMs();
  const { allowed } = world.pool;
  const connecting = [...lots.values()].reduce((sum, lot) => sum + lot.connecting, 0);
  const isAnythingClosing = [...world.pool.connections].some(({ state }) => state === 'closing');
  const mayConnect = connecting < world.poolSettings.maxConnecting;
  const isRoom = openedOrOpening(world, lots) < allowed;
  for (const session of world.proxy.sessions.values()) {
    const isQueued = [...lots.values()].some((lot) => lot.waiters.all().includes(session));
    if (session.isWaiting !== isQueued) yield `session ${session.number} waits in no queue`;
  }
  for (const [key, lot] of lots) {
    if (lot.waiters.size > 0 && world.proxy.draining) yield `lot ${key} has waiters in vain`;
    if (lot.waiters.size > 0 && lot.idle.length > 0) yield `lot ${key} has waiters, and idle ones`;
    const wants = mayConnect && lot.demand > 0 && lot.connecting === 0 && now >= lot.retryAtMs;
    if (wants && isRoom) {
      yield `lot ${key} has waiters and room, but nothing is done for them`;
    }
    const isElsewhere = [...lots.values()].some((other) => other !== lot && other.idle.length > 0);
    if (wants && !isAnythingClosing && isElsewhere) {
      yield `lot ${key} has waiters, and another lot's connections are idle`;
    }
  }
}

/** GX-03: who was served has nobody before him who waited then and waits still. */
function* queuesAreFair(world: World, before: Moment, now: Moment): Generator<string> {
  const served = new Set([...world.pool.connections].map(({ borrower }) => borrower?.number));
  for (const [key, queue] of before.queues) {
    const waiting = now.queues.get(key) ?? [];
    const skipped = queue.findIndex(
      (one) => waiting.includes(one) && before.waits.get(one) === one.sinceMs,
    );
    if (skipped < 0) continue;
    const early = queue.slice(skipped).find((one) => served.has(one.number));
    if (early !== undefined) yield `session ${early.number} was served out of turn (GX-03)`;
  }
}

/** PG-40, PG-41: a connection with a cancel request under way stays with its session, or with nobody. */
function* cancelsHold(before: Moment, now: Moment): Generator<string> {
  for (const [connection, borrower] of now.underCancel) {
    const previous = before.underCancel.get(connection);
    const isNew = !before.underCancel.has(connection);
    if (isNew || borrower === undefined || borrower === previous) continue;
    yield `connection ${connection.number} changed hands under a cancel request (PG-41)`;
  }
}
