import { describe, expect, test } from 'bun:test';
import { World } from '../../test/sim/world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Signs in clients, and opens that many connections, all idle, in the order of their numbers. */
function withIdle(world: World, count: number): World {
  const clients = Array.from({ length: count }, () => world.signIn('a'));
  for (const client of clients) client.send('q');
  for (let opened = 1; opened < count; opened += 1) world.answer('enter');
  for (const client of clients) {
    world.answer('q');
    world.clock.advance(1);
    expect(client.heard).toBe('Q');
  }
  return world;
}

/** How many logins the database is asked for from now on, tick by tick, if it says no to each. */
function attempts(world: World, letter: string, ticks: number): readonly number[] {
  const seen: number[] = [];
  for (let tick = 0; tick < ticks; tick += 1) {
    const asked = world.backends.filter(({ todo }) => todo[0] === 'enter');
    for (const backend of asked) backend.refuse(letter);
    if (asked.length > 0) seen.push(world.clock.nowMs());
    world.pass(10);
  }
  return seen;
}

describe('who waits too long', () => {
  test('is refused within a tick of the borrow timeout, and may ask again (GX-05)', () => {
    const world = new World({ granted: 1, pool: { borrowTimeoutMs: 3_000 } });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send('q');
    second.send('q');
    world.pass(2_999);
    expect(second.heard).toBe('');
    world.pass(1);
    expect(second.heard).toBe('?');
    expect(world.counters.borrowTimeouts).toBe(1);
    second.send('q');
    world.answer('q');
    world.answer('q');
    expect([first.heard, second.heard]).toEqual(['Q', '?Q']);
  });

  test('is told why the database lets nobody in (PG-119)', () => {
    const world = new World({ granted: 2 });
    const client = world.signIn('a');
    world.backends[0]?.close();
    client.send('q');
    world.backends[1]?.refuse('l');
    world.pass(3_000);
    expect(world.notes.faults).toEqual([{ name: 'borrowTimeout', detail: 'too many connections' }]);
  });

  test('is refused at once where nobody may wait, even below the limit', () => {
    const world = new World({ granted: 10, pool: { borrowTimeoutMs: 0 } });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send('q');
    second.send('q');
    world.clock.advance(0);
    expect(second.heard).toBe('?');
    // Yet a connection is made, for those who come later.
    world.answer('enter');
    second.send('q');
    world.answer('q');
    world.answer('q');
    expect([first.heard, second.heard]).toEqual(['Q', '?Q']);
  });

  test('gets an idle connection where nobody may wait', () => {
    const world = new World({ granted: 1, pool: { borrowTimeoutMs: 0 } });
    const client = world.signIn('a');
    client.send('q');
    world.clock.advance(0);
    world.answer('q');
    expect(client.heard).toBe('Q');
  });

  test('for a first connection at login is let go in time', () => {
    const pool = { borrowTimeoutMs: 0, connectTimeoutMs: 10_000 };
    const world = new World({ granted: 1, pool });
    world.signIn('a').send('q');
    const newcomer = world.arrive('b');
    world.pass(9_999);
    expect(newcomer.isOver).toBe(false);
    world.pass(1);
    expect(newcomer.heard).toBe('#borrowTimeout');
  });
});

describe('a login that the database refuses', () => {
  test('for now is tried again after pauses that grow, up to five seconds', () => {
    const world = new World({ granted: 1, pool: { borrowTimeoutMs: HOUR_MS } });
    world.signIn('a').send('q');
    world.backends[0]?.close();
    world.arrive('a').send('q');
    const times = attempts(world, 'l', 4_000);
    const pauses = times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0));
    expect(pauses.length).toBeGreaterThan(10);
    for (const [i, pause] of pauses.entries()) {
      const nominal = Math.min(5_000, 50 * 2 ** i);
      expect(pause).toBeGreaterThanOrEqual(nominal * 0.75 - 10);
      expect(pause).toBeLessThanOrEqual(nominal + 10);
    }
  });

  test('for good is refused at once to those who come within a second (PG-108)', () => {
    const world = new World();
    const first = world.arrive('a');
    world.answer('enter');
    world.backends[0]?.close();
    const client = world.arrive('b');
    world.backends[1]?.refuse('f');
    expect(client.heard).toBe('#databaseRefused');
    const second = world.arrive('b');
    expect(second.heard).toBe('#databaseRefused');
    expect(world.backends.length).toBe(2);
    world.pass(1_001);
    world.arrive('b');
    expect(world.backends.length).toBe(3);
    expect(first.isOver).toBe(false);
  });

  test('leaves alone those whose user has other connections (PG-119)', () => {
    const world = new World({ granted: 2 });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send('q');
    second.send('q');
    world.backends[1]?.refuse('f');
    expect(second.heard).toBe('');
    world.answer('q');
    world.answer('q');
    expect([first.heard, second.heard]).toEqual(['Q', 'Q']);
  });

  test('is forgotten once it succeeds', () => {
    const world = new World({ granted: 1 });
    const client = world.arrive('a');
    world.backends[0]?.refuse('l');
    world.pass(100);
    world.answer('enter');
    expect(client.number).toBeDefined();
    world.backends[1]?.close();
    client.send('q');
    expect(world.connections.length).toBe(1);
  });

  test('by closing right after it counts as refused: nobody is let in on it, and a pause follows', () => {
    const world = new World({ granted: 1 });
    const client = world.arrive('a');
    world.backends[0]?.answerAndClose();
    expect(client.number).toBeUndefined();
    expect(world.backends.length).toBe(1);
    world.pass(100);
    world.answer('enter');
    expect(client.number).toBeDefined();
  });

  test('lets another user try at once, where one login at a time is allowed', () => {
    const world = new World({ pool: { maxConnecting: 1 } });
    world.arrive('a');
    world.arrive('b');
    expect(world.connections.map(({ key }) => key)).toEqual(['a']);
    world.backends[0]?.refuse('l');
    expect(world.connections.map(({ key }) => key)).toEqual(['b']);
  });
});

describe('idle connections', () => {
  test('beyond the allowed number close after five minutes, the longest idle first', () => {
    const world = withIdle(new World({ granted: 4, pool: { maxIdleConnectionsPercent: 50 } }), 4);
    world.pass(5 * MINUTE_MS - 10);
    expect(world.notes.discards).toEqual([]);
    world.pass(10);
    const lines = world.notes.lines.filter((line) => line.includes('discarded'));
    expect(lines).toEqual(['server 1 discarded: idleLimit ', 'server 2 discarded: idleLimit ']);
    world.pass(10 * MINUTE_MS);
    expect(world.notes.discards.length).toBe(2);
  });

  test('all close after five minutes where none is allowed', () => {
    const world = withIdle(new World({ granted: 3, pool: { maxIdleConnectionsPercent: 0 } }), 3);
    world.pass(5 * MINUTE_MS);
    expect(world.notes.discards).toEqual(['idleLimit', 'idleLimit', 'idleLimit']);
  });

  test('stay where all are allowed', () => {
    const world = withIdle(new World({ granted: 3 }), 3);
    world.pass(HOUR_MS);
    expect(world.notes.discards).toEqual([]);
  });

  test('are lent in such an order that those not needed age', () => {
    const world = withIdle(new World({ granted: 3, pool: { maxIdleConnectionsPercent: 0 } }), 3);
    for (let minute = 0; minute < 5; minute += 1) {
      world.pass(MINUTE_MS);
      world.clients[0]?.send('q');
      world.answer('q');
    }
    expect(world.notes.discards).toEqual(['idleLimit', 'idleLimit']);
    expect(world.clients[0]?.heard).toBe('QQQQQQ');
  });

  test('that the database closes are not lent again', () => {
    const world = new World({ granted: 1 });
    const client = world.signIn('a');
    world.backends[0]?.close('reset by peer');
    expect(world.notes.discards).toEqual(['databaseClosed']);
    client.send('q');
    world.answer('enter');
    world.answer('q');
    expect(client.heard).toBe('Q');
  });

  test.each(['x', '!'])('that say something are not lent again (PG-14): %s', (said) => {
    const world = new World({ granted: 1 });
    world.signIn('a');
    world.backends[0]?.say(said);
    expect(world.notes.discards).toEqual(['bytesWhileIdle']);
  });

  test('may say what does no harm', () => {
    const world = new World({ granted: 1 });
    world.signIn('a');
    world.backends[0]?.say('n');
    expect(world.notes.discards).toEqual([]);
  });
});

describe('a connection’s life', () => {
  const lifetimeMs = 24 * HOUR_MS;

  test('ends within the last tenth of its time, and not for all at once', () => {
    const world = withIdle(new World({ granted: 20, pool: { lifetimeMs } }), 20);
    const deaths = [...world.pool.connections].map(({ diesAtMs }) => diesAtMs);
    expect(Math.min(...deaths)).toBeGreaterThanOrEqual(0.9 * lifetimeMs);
    expect(Math.max(...deaths)).toBeLessThanOrEqual(lifetimeMs + 2_000);
    expect(new Set(deaths).size).toBe(20);
    world.pass(0.9 * lifetimeMs - 10_000);
    expect(world.notes.discards).toEqual([]);
    world.pass(0.1 * lifetimeMs + 12_000);
    expect(world.notes.discards).toEqual(Array.from({ length: 20 }, () => 'lifetime' as const));
  });

  test('does not end in the middle of a transaction', () => {
    const world = new World({ granted: 1, clients: { idleClientTimeoutMs: 100 * HOUR_MS } });
    const client = world.signIn('a');
    client.send('b');
    world.answer('b');
    world.pass(25 * HOUR_MS);
    expect(world.notes.discards).toEqual([]);
    client.send('c');
    world.answer('c');
    expect([client.heard, ...world.notes.discards]).toEqual(['BC', 'lifetime']);
  });
});

describe('pings', () => {
  const pool = { pingIntervalMs: MINUTE_MS };

  test('keep idle connections awake, and are not use', () => {
    const world = withIdle(new World({ granted: 2, pool }), 2);
    const idleSince = [...world.pool.connections].map(({ idleSinceMs }) => idleSinceMs);
    for (let minute = 0; minute < 3; minute += 1) {
      world.pass(MINUTE_MS);
      world.answer('ping');
      world.answer('ping');
    }
    const now = [...world.pool.connections].map(({ idleSinceMs }) => idleSinceMs);
    expect(now).toEqual(idleSince);
    expect(world.notes.discards).toEqual([]);
  });

  test.each([
    ['is refused', 'pingFailed'],
    ['gets no answer', 'pingFailed'],
    ['meets a closed connection', 'databaseClosed'],
    ['is answered with more than was asked (PG-14)', 'bytesWhileIdle'],
  ] as const)('that %s: %s', (event, reason) => {
    const world = new World({ granted: 1, pool });
    world.signIn('a');
    world.pass(MINUTE_MS);
    const backend = world.backends[0];
    if (event === 'is refused') backend?.refuse();
    else if (event === 'gets no answer') world.pass(5_000);
    else if (event === 'meets a closed connection') backend?.close();
    else backend?.say('+x');
    expect(world.notes.discards).toEqual([reason]);
  });

  test('delay no client: who asks meanwhile gets another connection, or this one when it is back', () => {
    const world = new World({ granted: 1, pool });
    const client = world.signIn('a');
    world.pass(MINUTE_MS);
    client.send('q');
    world.answer('ping');
    world.answer('q');
    expect(client.heard).toBe('Q');
  });

  test('that are answered with the connection’s end lend no dead connection', () => {
    const world = new World({ granted: 1, pool });
    const client = world.signIn('a');
    world.pass(MINUTE_MS);
    client.send('q');
    world.backends[0]?.answerAndClose();
    expect(world.notes.discards).toEqual(['databaseClosed']);
    world.answer('enter');
    world.answer('q');
    expect(client.heard).toBe('Q');
  });
});

test('a session that was idle for long still shares connections with newer ones of its user', () => {
  const world = new World({ granted: 1 });
  const old = world.signIn('a');
  world.backends[0]?.close();
  world.pass(10 * MINUTE_MS); // the user's connections are forgotten by now, the session is not
  const young = world.arrive('a');
  young.send('q');
  old.send('q');
  world.answer('enter');
  world.answer('q');
  world.answer('q');
  expect([old.heard, young.heard, world.backends.length]).toEqual(['Q', 'Q', 2]);
});
