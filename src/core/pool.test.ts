import { describe, expect, test } from 'bun:test';
import type { Client } from '../../test/sim/world.ts';
import { World } from '../../test/sim/world.ts';

/** Clients that have all asked, in order, for a connection that the first one holds. */
function queueOf(world: World, count: number): readonly Client[] {
  const clients = Array.from({ length: count }, () => world.signIn('a'));
  for (const client of clients) {
    client.send('q');
    world.clock.advance(1);
  }
  return clients;
}

function heardBy(clients: readonly Client[]): readonly string[] {
  return clients.map(({ heard }) => heard);
}

describe('those who wait', () => {
  test('are served strictly in the order in which they came (GX-03)', () => {
    const world = new World({ granted: 1 });
    const clients = queueOf(world, 50);
    for (let served = 0; served < clients.length; served += 1) {
      world.answer('q');
      expect(clients.filter(({ owed }) => owed === 0)).toEqual(clients.slice(0, served + 1));
    }
    expect(world.backends.length).toBe(1);
  });

  test('and those who come later do not overtake them (GX-03)', () => {
    const world = new World({ granted: 1 });
    const clients = queueOf(world, 2);
    world.answer('q');
    clients[0]?.send('q');
    world.answer('q');
    expect(heardBy(clients)).toEqual(['Q', 'Q']);
    world.answer('q');
    expect(heardBy(clients)).toEqual(['QQ', 'Q']);
  });

  test('and leave are passed over (GX-04, PG-120)', () => {
    const world = new World({ granted: 1 });
    const [first, second, third] = queueOf(world, 3);
    second?.leave();
    world.answer('q');
    expect(world.gauges().clientsWaiting).toBe(0);
    expect([...world.pool.connections].map(({ borrower }) => borrower?.number)).toEqual([
      third?.number,
    ]);
    world.answer('q');
    expect(heardBy([first, third].flatMap((one) => one ?? []))).toEqual(['Q', 'Q']);
  });

  test('and cancel are answered without a connection, which goes to the next (PG-43)', () => {
    const world = new World({ granted: 1 });
    const [first, second, third] = queueOf(world, 3);
    second?.cancel();
    expect(second?.heard).toBe('?');
    expect(world.notes.faultNames).toEqual(['cancelled']);
    expect(world.backends.length).toBe(1);
    world.answer('q');
    world.answer('q');
    expect([first?.heard, third?.heard]).toEqual(['Q', 'Q']);
  });

  test('are counted, and so is how long', () => {
    const world = new World({ granted: 1 });
    queueOf(world, 3);
    world.clock.advance(500);
    expect(world.gauges().clientsWaiting).toBe(2);
    expect(world.gauges().longestWaitMs).toBe(502);
    expect(world.gauges()).toMatchObject({
      clientsWaiting: 2,
      databaseConnections: 1,
      databaseConnectionsCurrentlyBorrowed: 1,
      maxDatabaseConnectionsAllowed: 1,
    });
  });
});

describe('the limit', () => {
  test('holds while connections open and close (GX-02)', () => {
    const world = new World({ granted: 2 });
    const clients = Array.from({ length: 4 }, () => world.signIn('a'));
    for (const client of clients) client.send('q');
    expect(world.connections.length).toBe(2);
    clients[0]?.leave();
    // The one that was given up still closes: it counts.
    expect(world.connections.length).toBe(2);
    world.connections.find(({ link }) => link.isEnding)?.close();
    expect(world.connections.length).toBe(2);
    expect(world.connections.every(({ link }) => link.isOpen)).toBe(true);
  });

  test('holds while a peer that was told to close does not (GX-02)', () => {
    const world = new World({ granted: 1 });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send('q');
    second.send('q');
    first.leave();
    world.pass(2_000);
    expect(world.connections.length).toBe(1);
    world.pass(4_000); // patience ends after five seconds
    expect(world.connections.map(({ number }) => number)).not.toContain(1);
  });

  test('that becomes smaller closes idle connections, and the others as they come back', () => {
    const world = new World({ granted: 3 });
    const clients = Array.from({ length: 3 }, () => world.signIn('a'));
    for (const client of clients) client.send('q');
    world.answer('enter');
    world.answer('enter');
    world.answer('q');
    world.grant(1);
    expect(world.notes.discards).toEqual(['overBudget']);
    world.answer('q');
    expect(world.notes.discards).toEqual(['overBudget', 'overBudget']);
    world.answer('q');
    expect(world.notes.discards.length).toBe(2);
    expect(world.gauges().databaseConnectionsIdle).toBe(1);
  });

  test('that becomes larger lets those in who wait', () => {
    const world = new World({ granted: 1 });
    const [, second] = queueOf(world, 2);
    world.grant(2);
    world.answer('enter');
    expect(world.sessionOf(second!)?.isWaiting).toBe(false);
  });

  test('is a percentage of what the database grants, and follows the settings', () => {
    const world = new World({ granted: 200, pool: { maxConnectionsPercent: 50 } });
    expect(world.pool.allowed).toBe(100);
    world.reconfigure({ maxConnectionsPercent: 1 });
    expect(world.pool.allowed).toBe(2);
  });

  test('on parallel logins is kept to', () => {
    const world = new World({ granted: 10, pool: { maxConnecting: 2 } });
    const clients = Array.from({ length: 5 }, () => world.signIn('a'));
    for (const client of clients) client.send('q');
    expect(world.backends.filter(({ todo }) => todo[0] === 'enter').length).toBe(2);
    world.answer('enter');
    expect(world.backends.filter(({ todo }) => todo[0] === 'enter').length).toBe(2);
  });
});

describe('users who share one limit', () => {
  test('take over the idle connections of others, the longest idle first', () => {
    const world = new World({ granted: 2 });
    const [a, b] = [world.signIn('a'), world.signIn('b')];
    world.pass(10);
    a.send('q');
    world.answer('q');
    world.arrive('c');
    expect(world.notes.lines).toContain('server 2 discarded: evicted ');
    world.connections.find(({ link }) => link.isEnding)?.close();
    world.answer('enter');
    expect(world.notes.discards).toEqual(['evicted']);
    expect(b.isOver).toBe(false);
  });

  test('get what another gives back, where nobody of his own waits', () => {
    const world = new World({ granted: 1 });
    const a = world.signIn('a');
    a.send('q');
    const b = world.arrive('b');
    world.answer('q');
    world.backends[0]?.close();
    world.answer('enter');
    expect(world.notes.discards).toEqual(['evicted']);
    expect(b.number).toBeDefined();
  });

  test('wait while others of the same user take turns, but not for long', () => {
    const world = new World({ granted: 1 });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send('q');
    world.arrive('b');
    world.clock.advance(10);
    second.send('q');
    world.answer('q');
    expect(world.notes.discards).toEqual([]);
    first.send('q');
    world.clock.advance(300); // the other user is starving now
    world.answer('q');
    expect(world.notes.discards).toEqual(['evicted']);
    world.connections.find(({ link }) => link.isEnding)?.close();
    expect(world.connections.map(({ key }) => key)).toEqual(['b']);
  });

  test('keep what they have taken over for a while, however long others wait', () => {
    const world = new World({ granted: 1 });
    const takeOver = () => {
      world.connections.find(({ link }) => link.isEnding)?.close();
      world.answer('enter');
    };
    const [b1, b2] = [world.signIn('b'), world.signIn('b')];
    const a1 = world.arrive('a');
    takeOver();
    const a2 = world.signIn('a');
    a1.send('q');
    for (const client of [b1, a2, b2]) {
      client.send('q');
      world.clock.advance(10);
    }
    world.clock.advance(300);
    world.answer('q');
    takeOver();
    world.clock.advance(100);
    world.answer('q'); // of the first user somebody has waited for longer than the second one's next
    b1.send('q');
    world.clock.advance(200);
    expect([b1.heard, a2.heard, world.notes.discards.length]).toEqual(['Q', '', 2]);
    world.answer('q');
    expect([b2.heard, world.notes.discards.length]).toEqual(['Q', 3]);
    takeOver();
    world.answer('q');
    expect(a2.heard).toBe('Q');
  });

  test('lose nothing to a user who cannot log in', () => {
    const world = new World({ granted: 1 });
    const a = world.signIn('a');
    world.arrive('b');
    world.backends[0]?.close();
    world.backends[1]?.refuse('l');
    a.send('q');
    expect(world.connections.map(({ key }) => key)).toEqual(['a']);
    world.answer('enter');
    world.answer('q');
    expect(a.heard).toBe('Q');
  });
});

describe('a client that goes away', () => {
  test('between requests leaves its connection to the next', () => {
    const world = new World({ granted: 1 });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send('q');
    world.answer('q');
    first.leave();
    second.send('q');
    world.answer('q');
    expect([second.heard, world.notes.discards.length]).toEqual(['Q', 0]);
  });

  test('in the middle of a request takes its connection along, and the request is stopped', () => {
    const world = new World({ granted: 1 });
    const client = world.signIn('a');
    client.send('q');
    client.leave();
    expect(world.notes.discards).toEqual(['clientGoneMidRequest']);
    // A goodbye could complete a message that the client has left half sent, and the database would carry it out.
    expect(world.backends[0]?.saidGoodbye).toBe(false);
    expect(world.backends[1]?.target).toBe(world.backends[0]);
  });

  test('with a goodbye in the middle of a request has it carried out', () => {
    const world = new World({ granted: 1 });
    const client = world.signIn('a');
    client.send('qx');
    expect(world.notes.discards).toEqual(['clientGoneMidRequest']);
    expect(world.backends.length).toBe(1);
  });

  test.each(['b', 'p'])('after %s has its connection reset before the next gets it', (request) => {
    const world = new World({ granted: 1 });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send(request);
    world.answer(request);
    second.send('q');
    first.leave();
    expect(second.heard).toBe('');
    world.answer('reset');
    world.answer('q');
    expect([second.heard, world.breaches.length]).toEqual(['Q', 0]);
  });

  test.each([
    ['resetImpossible', false],
    ['resetFailed', true],
  ] as const)('leaves nothing behind on a connection: %s', (reason, canReset) => {
    const world = new World({ granted: 1 });
    world.engine.canReset = canReset;
    const client = world.signIn('a');
    client.send('b');
    world.answer('b');
    client.leave();
    if (canReset) world.backends[0]?.refuse();
    expect(world.notes.discards).toEqual([reason]);
    expect(world.pool.connections.size).toBe(1);
    world.backends[0]?.close();
    expect(world.pool.connections.size).toBe(0);
  });
});

describe('retired connections', () => {
  test('close: idle ones at once, borrowed ones at their boundary', () => {
    const world = new World({ granted: 2 });
    const [first, second] = [world.signIn('a'), world.signIn('a')];
    first.send('q');
    second.send('q');
    world.answer('enter');
    world.backends[0]?.answer();
    world.retire();
    expect(world.notes.discards).toEqual(['retired']);
    world.answer('q');
    expect(world.notes.discards).toEqual(['retired', 'retired']);
    expect([first.heard, second.heard]).toEqual(['Q', 'Q']);
  });

  test('include those that were being opened: they may lead to the wrong target', () => {
    const world = new World({ granted: 2 });
    const client = world.arrive('a');
    world.retire();
    world.answer('enter');
    expect(client.number).toBeUndefined();
    expect(world.notes.discards).toEqual(['retired']);
    world.answer('enter');
    expect(client.number).toBeDefined();
  });

  test('are not what a newcomer is told about', () => {
    const world = new World({ granted: 2 });
    world.signIn('a').send('q');
    world.retire();
    const newcomer = world.arrive('a');
    expect(newcomer.number).toBeUndefined();
    world.answer('enter');
    expect(newcomer.number).toBeDefined();
  });

  test('of one user are no other user’s affair', () => {
    const world = new World({ granted: 2 });
    world.signIn('a');
    world.signIn('b');
    world.pool.retire('b');
    expect(world.notes.lines.filter((line) => line.includes('discarded'))).toEqual([
      'server 2 discarded: retired ',
    ]);
  });
});
