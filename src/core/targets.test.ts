import { describe, expect, test } from 'bun:test';
import type { Client } from '../../test/sim/world.ts';
import { World } from '../../test/sim/world.ts';
import { FaultError } from './fault.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const SECOND_MS = 1_000;

/** Two databases, and a client at each: of the first, and of the second. */
function two(options: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World({ targets: 2, ...options });
  const clients = [world.signIn('a'), world.signIn('a')] as const;
  return { world, clients };
}

/** At which of the databases the client is. */
function placeOf(world: World, client: Client): number {
  const session = world.sessionOf(client);
  return world.pools.findIndex((pool) => pool === session?.pool);
}

function loads(world: World): readonly number[] {
  return world.pools.map(({ load, allowed }) => load * allowed);
}

describe('clients of several targets', () => {
  test('go where the fewest are for each connection that there may be', () => {
    const world = new World({ targets: 2 });
    world.pools[0]?.resize(4);
    world.pools[1]?.resize(2);
    const places = ['a', 'a', 'a', 'a', 'a', 'a'].map((letter) =>
      placeOf(world, world.signIn(letter)),
    );
    expect(places.filter((place) => place === 0)).toHaveLength(4);
    expect(places.filter((place) => place === 1)).toHaveLength(2);
  });

  test('are spread also where they come at the same time, and counted no longer when they are gone', () => {
    const world = new World({ targets: 2 });
    const crowd = Array.from({ length: 4 }, () => world.arrive('a'));
    expect(loads(world)).toEqual([2, 2]);
    crowd[0]?.leave();
    world.settle();
    expect(loads(world)).toEqual([1, 2]);
    world.answer('enter');
    world.answer('enter');
    expect(loads(world)).toEqual([1, 2]);
    for (const client of crowd) client.leave();
    world.settle();
    expect(loads(world)).toEqual([0, 0]);
  });

  test('go to none that is down', () => {
    const { world } = two();
    world.up[0] = false;
    expect([world.signIn('a'), world.signIn('a')].map((one) => placeOf(world, one))).toEqual([
      1, 1,
    ]);
  });

  test('wait at one of them where all are down', () => {
    const { world, clients } = two();
    world.up.fill(false);
    world.pass(SECOND_MS);
    expect(clients.map((one) => placeOf(world, one))).toEqual([0, 1]);
    expect([0, 1]).toContain(placeOf(world, world.signIn('a')));
  });
});

describe('a session whose target is down', () => {
  test('goes on at another one, and stays there', () => {
    const { world, clients } = two();
    world.up[0] = false;
    world.pass(SECOND_MS);
    expect(clients.map((one) => placeOf(world, one))).toEqual([1, 1]);
    expect(loads(world)).toEqual([0, 2]);
    clients[0].send('q');
    world.answer('q');
    expect(clients[0].heard).toBe('Q');
    world.up[0] = true;
    world.pass(SECOND_MS);
    expect(clients.map((one) => placeOf(world, one))).toEqual([1, 1]);
  });

  test('and that waits there gets a connection at the other one', () => {
    const { world, clients } = two({ granted: 1, pool: { borrowTimeoutMs: 60_000 } });
    const third = world.signIn('a');
    expect(placeOf(world, third)).toBe(0);
    clients[0].send('b');
    world.answer('b');
    third.send('q');
    expect(third.heard).toBe('');
    world.up[0] = false;
    world.pass(SECOND_MS);
    world.answer('q');
    expect(third.heard).toBe('Q');
  });

  test('stays there in a transaction, and goes on when that is over', () => {
    const { world, clients } = two();
    clients[0].send('b');
    world.answer('b');
    world.up[0] = false;
    world.pass(SECOND_MS);
    expect(placeOf(world, clients[0])).toBe(0);
    clients[0].send('c');
    world.answer('c');
    world.pass(SECOND_MS);
    expect(placeOf(world, clients[0])).toBe(1);
    expect(clients[0].heard).toBe('BC');
  });
});

test('a target that is taken out lets transactions end, and its sessions go on with their next request', () => {
  const { world, clients } = two();
  const [first, second] = world.pools;
  clients[0].send('b');
  world.answer('b');
  world.targets.replace([{ pool: second!, isUp: true, met: () => Promise.resolve() }]);
  world.proxy.moveAllOn();
  first?.drain();
  clients[0].send('c');
  world.answer('c');
  clients[0].send('q'); // before anything has ticked
  world.answer('q');
  expect([clients[0].heard, placeOf(world, clients[0])]).toEqual(['BCQ', 1]);
  expect(loads(world)).toEqual([0, 2]);
});

describe('without any target', () => {
  test('clients are told at once', async () => {
    const world = new World({ targets: 0 });
    expect(world.arrive('a').heard).toBe('#databaseRefused');
    expect(() => world.targets.choose()).toThrow(FaultError);
    expect(await outcomeOf(world.targets.met())).toThrow('no target');
  });

  test('sessions end', () => {
    const { world, clients } = two();
    world.targets.replace([]);
    world.proxy.moveAllOn();
    expect(clients.map(({ isOver }) => isOver)).toEqual([true, true]);
  });
});
