import { describe, expect, test } from 'bun:test';
import { World } from '../../test/sim/world.ts';
import { limits } from '../base/limits.ts';

/** Two sessions on one connection; the first has a request under way and has asked for it to be stopped. */
function cancelled() {
  const world = new World({ granted: 1 });
  const [first, second] = [world.signIn('a'), world.signIn('a')];
  first.send('q');
  second.send('q');
  first.cancel();
  return { world, first, second };
}

test('a request is stopped on a connection of its own', () => {
  const { world, first } = cancelled();
  world.answer('cancel');
  expect(first.heard).toBe('K');
  expect(world.notes.lines).toContain('client 1 cancelled on 1');
  expect(world.counters.cancelRequests).toBe(1);
});

describe('while a cancel request is under way', () => {
  test('its connection is not handed on (PG-40, PG-41)', () => {
    const { world, first, second } = cancelled();
    world.backends[0]?.answer();
    expect(first.heard).toBe('Q');
    expect(world.backends[0]?.todo).toEqual([]);
    world.answer('cancel');
    world.answer('q');
    expect([second.heard, world.backends.length]).toEqual(['Q', 2]);
    expect(world.breaches).toEqual([]);
  });

  test('and after it failed, its connection is closed: it may yet arrive (PG-40)', () => {
    const { world, second } = cancelled();
    world.backends[0]?.answer();
    world.clock.advance(5_000); // before the second client's patience ends
    world.settle();
    expect(world.notes.discards).toEqual(['retired']);
    world.backends[0]?.close();
    world.answer('enter');
    world.answer('q');
    expect(second.heard).toBe('Q');
    world.backends[1]?.answer();
    expect(world.breaches).toEqual([]);
  });

  test('what the connection says meanwhile is judged like that of an idle one (PG-14)', () => {
    const { world } = cancelled();
    world.backends[0]?.answer();
    world.backends[0]?.say('x');
    expect(world.notes.discards).toEqual(['bytesWhileIdle']);
    world.answer('cancel');
    expect(world.notes.bugs).toEqual([]);
  });

  test('a session that ends in a transaction cannot have its connection reset', () => {
    const world = new World({ granted: 1 });
    const client = world.signIn('a');
    client.send('b');
    world.answer('b');
    client.send('q');
    client.cancel();
    world.backends[0]?.answer();
    client.leave();
    expect(world.backends[0]?.todo).toEqual([]);
    expect(world.gauges().databaseConnectionsIdle).toBe(0);
    expect(world.notes.discards.length).toBe(1);
  });
});

test('a cancel request with nothing to stop does nothing', () => {
  const world = new World();
  const client = world.signIn('a');
  client.cancel();
  client.send('b');
  world.answer('b');
  client.cancel();
  expect(world.backends.length).toBe(1);
});

test.each([0, 1, 2, 3, 4, 5])(
  'a key with byte %d wrong does nothing, and says nothing (PG-47)',
  (at) => {
    const world = new World();
    const client = world.signIn('a');
    client.send('q');
    client.cancelWith((key) => key.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    expect(world.backends.length).toBe(1);
    expect(world.counters.cancelRequests).toBe(1);
  },
);

test('PG-27, PG-47: a secret of another length, or of zeros, is no secret of anybody', () => {
  const world = new World();
  const client = world.signIn('a');
  client.send('q');
  let secret: Uint8Array = new Uint8Array(0);
  client.cancelWith((key) => {
    secret = key.slice(2);
    return key.with(2, 0).with(3, 0);
  });
  const number = client.number ?? -1;
  const lengths = [0, 1, secret.length - 1, secret.length, secret.length + 1, 32, 256];
  const wrong = [
    ...lengths.map((length) => new Uint8Array(length)),
    secret.subarray(1),
    secret.subarray(0, -1),
    Uint8Array.of(...secret, 0),
    Uint8Array.of(0, ...secret),
  ];
  for (const one of wrong) world.proxy.cancel(number, one);
  for (const one of [secret, ...wrong]) world.proxy.cancel(number + 1, one);
  world.settle();
  expect(world.backends.length).toBe(1);
  world.proxy.cancel(number, secret);
  world.settle();
  expect(world.backends.length).toBe(2);
});

describe('many cancel requests', () => {
  const most = limits.cancelsInFlight.value;

  function flood(count: number): World {
    const world = new World({ granted: count });
    const clients = Array.from({ length: count }, () => world.signIn('a'));
    for (const client of clients) client.send('q');
    while (world.backends.some(({ todo }) => todo[0] === 'enter')) world.answer('enter');
    for (const client of clients) client.cancel();
    return world;
  }

  const underWay = (world: World): number =>
    world.backends.filter(({ target, link }) => target !== undefined && !link.isClosed).length;

  test('are sent a few at a time (PG-44)', () => {
    const world = flood(most + 3);
    expect(underWay(world)).toBe(most);
    for (let sent = 0; sent < most + 3; sent += 1) world.answer('cancel');
    expect(underWay(world)).toBe(0);
    expect(world.clients.map(({ heard }) => heard).join('')).toBe('K'.repeat(most + 3));
  });

  test('are not sent at all for what is over when their turn comes', () => {
    const world = flood(most + 1);
    const last = world.backends.find(({ number, todo }) => number === most + 1 && todo.length > 0);
    last?.answer();
    world.answer('cancel');
    expect(underWay(world)).toBe(most - 1);
    expect(world.clients.at(-1)?.heard).toBe('Q');
  });

  test('for one connection queue once', () => {
    const world = flood(most + 1);
    for (let times = 0; times < 10; times += 1) world.clients.at(-1)?.cancel();
    for (let sent = 0; sent < most + 1; sent += 1) world.answer('cancel');
    expect(underWay(world)).toBe(0);
  });
});

test('an engine without cancel requests has none sent, and its connection closes', () => {
  const world = new World({ granted: 1 });
  Object.assign(world.engine, { cancel: undefined });
  const client = world.signIn('a');
  client.send('q');
  client.cancel();
  expect(world.backends.length).toBe(1);
  world.backends[0]?.answer();
  expect([client.heard, world.notes.bugs]).toEqual(['Q', []]);
});
