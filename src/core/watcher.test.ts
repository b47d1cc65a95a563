import { describe, expect, test } from 'bun:test';
import { World } from '../../test/sim/world.ts';
import type { TargetHealth, WatcherSettings } from './watcher.ts';
import { Watcher } from './watcher.ts';

const settings: WatcherSettings = {
  user: 'watch',
  trouble: undefined,
  database: 'db',
  refreshMs: 30_000,
  retryMs: 1_000,
  timeoutMs: 5_000,
};

function watched(given: Partial<WatcherSettings> = {}) {
  const world = new World();
  const measured: number[] = [];
  const changes: TargetHealth[] = [];
  const { engine, network, entrance, clock } = world;
  const watcher = new Watcher(
    {
      engine,
      network,
      entrance,
      clock,
      measured: (connections) => measured.push(connections),
      changed: (health) => changes.push(health),
    },
    { ...settings, ...given },
  );
  const tick = (durationMs = 0): void => {
    world.clock.advance(durationMs);
    world.settle();
    watcher.tick();
    world.settle();
  };
  return { world, watcher, measured, changes, tick };
}

type Watched = ReturnType<typeof watched>;

function available(): Watched {
  const all = watched();
  all.tick();
  all.world.answer('enter');
  all.world.answer('measure');
  return all;
}

test('a target is registering until it has been seen, and available when it was measured', () => {
  const { world, watcher, measured, changes, tick } = watched();
  expect(watcher.health).toEqual({ state: 'REGISTERING' });
  tick();
  expect(world.backends[0]?.key).toBe('watch@db');
  world.answer('enter');
  expect(watcher.health.state).toBe('REGISTERING');
  world.answer('measure');
  expect(watcher.health).toEqual({ state: 'AVAILABLE' });
  expect([measured, changes]).toEqual([[10], [{ state: 'AVAILABLE' }]]);
});

test('it is measured again on the same connection, and no change is no news', () => {
  const { world, measured, changes, tick } = available();
  world.measured = 20;
  tick(29_999);
  expect(world.backends[0]?.todo).toEqual([]);
  tick(1);
  world.answer('measure');
  expect([measured, changes.length, world.backends.length]).toEqual([[10, 20], 1, 1]);
});

describe('a target is unavailable', () => {
  test('and unreachable where nobody answers; it is tried again after a pause', () => {
    const { world, watcher, tick } = watched();
    world.answersCalls = false;
    tick();
    world.dials[0]?.fail('connection refused');
    world.settle();
    const description = 'connection refused';
    expect(watcher.health).toEqual({ state: 'UNAVAILABLE', reason: 'UNREACHABLE', description });
    tick(999);
    expect(world.dials.length).toBe(1);
    tick(1);
    expect(world.dials.length).toBe(2);
  });

  test.each([
    ['c', 'AUTH_FAILURE', 'wrong password'],
    ['f', 'CONNECTION_FAILED', 'no such database'],
    ['l', 'CONNECTION_FAILED', 'too many connections'],
  ] as const)('where it refuses the login (%s): %s', (letter, reason, description) => {
    const { world, watcher, tick } = watched();
    tick();
    world.backends[0]?.refuse(letter);
    expect(watcher.health).toEqual({ state: 'UNAVAILABLE', reason, description });
    expect(world.connections).toEqual([]);
  });

  test('where the proxy has no credentials', () => {
    const { world, watcher, tick } = watched({ user: undefined });
    tick();
    expect(watcher.health).toMatchObject({ state: 'UNAVAILABLE', reason: 'AUTH_FAILURE' });
    expect(world.backends).toEqual([]);
  });

  test('where it takes too long; its connection is closed', () => {
    const { world, watcher, changes, tick } = available();
    tick(30_000);
    tick(5_000);
    expect(watcher.health).toMatchObject({ state: 'UNAVAILABLE', reason: 'UNREACHABLE' });
    expect(changes.map(({ state }) => state)).toEqual(['AVAILABLE', 'UNAVAILABLE']);
    expect(world.connections).toEqual([]);
    tick(1_000);
    world.answer('enter');
    world.answer('measure');
    expect(watcher.health).toEqual({ state: 'AVAILABLE' });
  });
});

test('when the target closes the idle connection, it is looked for at once', () => {
  const { world, watcher, tick } = available();
  world.backends[0]?.close();
  tick();
  expect(world.backends.length).toBe(2);
  world.backends[1]?.refuse('l');
  expect(watcher.health.state).toBe('UNAVAILABLE');
});

test('it signs in anew where that is wanted, and leaves the old connection only then', () => {
  const { world, watcher, changes, tick } = available();
  watcher.renew();
  tick();
  world.backends[1]?.refuse('c');
  world.answer('measure');
  expect([world.backends[0]?.saidGoodbye, world.backends.length]).toEqual([false, 2]);
  watcher.renew();
  tick();
  world.answer('enter');
  expect(world.backends[0]?.saidGoodbye).toBe(true);
  world.answer('measure');
  tick(30_000);
  world.answer('measure');
  expect([watcher.health.state, changes.length, world.backends.length]).toEqual([
    'AVAILABLE',
    1,
    3,
  ]);
});

test('only one look is under way at a time', () => {
  const { world, tick } = watched();
  for (let times = 0; times < 5; times += 1) tick(500);
  expect(world.backends.length).toBe(1);
});

describe('when target or credentials change', () => {
  test('it looks again, on a new connection', () => {
    const { world, watcher, measured, tick } = available();
    watcher.restart({ ...settings, database: 'other' });
    expect(world.backends[0]?.saidGoodbye).toBe(true);
    tick();
    expect(world.backends[1]?.key).toBe('watch@other');
    world.answer('enter');
    world.backends[1]?.answer();
    expect(measured).toEqual([10, 10]);
  });

  test('during a login, the new target is watched and the old one left', () => {
    const { world, watcher, measured, tick } = watched();
    tick();
    watcher.restart({ ...settings, database: 'other' });
    tick();
    expect(world.backends.map(({ key }) => key)).toEqual(['watch@db', 'watch@other']);
    world.backends[0]?.answer();
    expect([world.backends[0]?.saidGoodbye, measured]).toEqual([true, []]);
    world.backends[1]?.answer();
    world.backends[1]?.answer();
    expect([measured, watcher.health.state]).toEqual([[10], 'AVAILABLE']);
  });

  test('during a measurement, what becomes of that does not matter', () => {
    const { world, watcher, changes, tick } = available();
    tick(30_000);
    watcher.restart(settings);
    tick();
    world.backends[0]?.close();
    expect(changes.length).toBe(1);
    world.backends[1]?.answer();
    world.backends[1]?.answer();
    tick(10_000);
    expect(watcher.health).toEqual({ state: 'AVAILABLE' });
    expect(world.backends.length).toBe(2);
  });
});

test.each(['enter', 'measure', 'nothing'])(
  'stopped during %s, it leaves and stays away',
  (task) => {
    const { world, watcher, measured, tick } = watched();
    tick();
    if (task !== 'enter') world.answer('enter');
    if (task === 'nothing') world.answer('measure');
    watcher.stop();
    if (task !== 'nothing') world.backends[0]?.answer();
    expect(world.backends[0]?.saidGoodbye).toBe(true);
    expect(measured.length).toBe(task === 'nothing' ? 1 : 0);
    tick(60_000);
    expect(world.backends.length).toBe(1);
  },
);
