import { describe, expect, test } from 'bun:test';
import type { Client } from '../../test/sim/world.ts';
import { World } from '../../test/sim/world.ts';
import { Bug, Violation } from '../base/assert.ts';
import { latin1, utf8 } from '../base/bytes.ts';
import type { Conversation } from './conversation.ts';
import { read } from './conversation.ts';
import { FaultError } from './fault.ts';

/** Clients of one world in all the moments a client can be in, and the end of its draining. */
function draining(limitMs = 30_000) {
  const world = new World({ granted: 3, pool: { borrowTimeoutMs: 60_000 } });
  const [idle, busy, inTransaction, waiting, pinned] = [
    world.signIn('a'),
    world.signIn('a'),
    world.signIn('a'),
    world.signIn('a'),
    world.signIn('a'),
  ];
  pinned.send('p');
  world.answer('p');
  busy.send('q');
  inTransaction.send('b');
  world.answer('enter');
  world.answer('enter');
  world.answer('b');
  waiting.send('q');
  const arriving = world.arrive('b');
  let isOver = false;
  void world.drain(limitMs).then(() => (isOver = true));
  world.settle();
  return { world, idle, busy, inTransaction, waiting, pinned, arriving, isOver: () => isOver };
}

function areOver(clients: readonly Client[]): readonly boolean[] {
  return clients.map(({ isOver }) => isOver);
}

describe('draining', () => {
  test('lets go at once of those without a request, and of those who wait', () => {
    const { idle, busy, inTransaction, waiting, pinned, arriving, isOver } = draining();
    expect(areOver([idle, waiting, pinned, arriving])).toEqual([true, true, true, true]);
    expect(areOver([busy, inTransaction])).toEqual([false, false]);
    expect([idle.heard, waiting.heard, arriving.heard]).toEqual(['#', '#', '']);
    expect(isOver()).toBe(false);
  });

  test('lets requests and transactions end', () => {
    const { world, busy, inTransaction, isOver } = draining();
    world.answer('q');
    expect(busy.heard).toBe('Q#');
    inTransaction.send('q');
    world.answer('q');
    expect(inTransaction.isOver).toBe(false);
    inTransaction.send('c');
    world.answer('c');
    expect(inTransaction.heard).toBe('BQC#');
    expect(isOver()).toBe(true);
    expect(world.connections).toEqual([]);
  });

  test('ends what is left when its time is up', () => {
    const { world, busy, inTransaction, isOver } = draining(30_000);
    world.clock.advance(29_999);
    world.settle();
    expect(areOver([busy, inTransaction])).toEqual([false, false]);
    world.clock.advance(1);
    world.settle();
    expect(areOver([busy, inTransaction])).toEqual([true, true]);
    expect(isOver()).toBe(true);
    expect(world.connections).toEqual([]);
    expect(world.notes.bugs).toEqual([]);
  });

  test('lets nobody in', () => {
    const { world } = draining();
    expect(world.arrive('a').heard).toBe('#draining');
  });

  test('is over at once where there is nobody', () => {
    const world = new World();
    let isOver = false;
    void world.drain(30_000).then(() => (isOver = true));
    world.settle();
    expect(isOver).toBe(true);
  });
});

describe('letting clients in', () => {
  test('stops at the limit, and goes on when one has left', () => {
    const world = new World({ clients: { maxClientConnections: 2 } });
    const [first] = [world.signIn('a'), world.signIn('a')];
    expect(world.arrive('a').heard).toBe('#clientLimit');
    first.leave();
    expect(world.arrive('a').number).toBeDefined();
  });

  test("says a refusal in its error's own words, where it has any", () => {
    for (const [name, failed] of [
      ['loginRefused', 1],
      ['loginTimeout', 0],
    ] as const) {
      const world = new World();
      world.engine.greet = function* () {
        yield* read(1);
        throw new FaultError({ name }, utf8('own words'));
      };
      expect(world.arrive('a').heard).toBe('own words');
      expect(world.notes.faultNames).toEqual([name]);
      // Who took too long has given no wrong password.
      expect(world.counters.clientConnectionsSetupFailedAuth).toBe(failed);
    }
  });

  test('takes no longer than its time', () => {
    const world = new World({ clients: { clientLoginTimeoutMs: 60_000 } });
    const silent = world.arrive('');
    world.clock.advance(60_000);
    world.settle();
    expect(silent.heard).toBe('#loginTimeout');
    expect(world.gauges().clientConnections).toBe(0);
  });

  test('survives a client that leaves meanwhile', () => {
    const world = new World();
    const client = world.arrive('a');
    client.leave();
    world.answer('enter');
    expect(world.notes.lines).toContain('client 1 closed: The client left before it signed in.');
    expect(world.gauges()).toMatchObject({
      clientConnections: 0,
      databaseConnectionsIdle: 1,
    });
  });

  test('loses nothing that was sent together with the login', () => {
    const world = new World();
    const client = world.arrive('aq');
    world.answer('enter');
    world.answer('q');
    expect(client.heard).toBe('Q');
  });

  test('opens a first connection for each user, and none for the next clients of the same', () => {
    const world = new World();
    for (const letter of ['a', 'b', 'a', 'b', 'a']) world.signIn(letter);
    expect(world.backends.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  test('opens one connection for all who arrive at the same time', () => {
    const world = new World();
    const clients = Array.from({ length: 20 }, () => world.arrive('a'));
    expect(world.backends.length).toBe(1);
    world.answer('enter');
    expect(clients.every(({ number }) => number !== undefined)).toBe(true);
  });
});

describe('being introduced', () => {
  /** Takes one letter: `0` for nobody, `!` for a violation, or the client's name. */
  function* introduce({ peer }: { readonly peer: string }): Conversation<string | undefined> {
    const letter = latin1(yield* read(1));
    if (letter === '!') throw new Violation(`no word for ${peer}`);
    return letter === '0' ? undefined : `${letter}:1`;
  }

  test("makes the client's address the link's, and loses nothing that came with it", () => {
    const world = new World({ introduce });
    const client = world.arrive('xaq');
    expect(client.link.peer).toBe('x:1');
    world.answer('enter');
    world.answer('q');
    expect(client.heard).toBe('Q');
    expect(world.notes.lines).toContain('client 1 connected as x:1 through client:0');
  });

  test('may leave the address as it is', () => {
    const world = new World({ introduce });
    const client = world.arrive('0a');
    world.answer('enter');
    expect(client.number).toBeDefined();
    expect(client.link.peer).toBe('client:0');
    expect(world.notes.lines).toContain('client 1 connected');
  });

  test('comes before everything: until then nobody is greeted, and nobody hears anything', () => {
    const world = new World({ introduce });
    const silent = world.arrive('');
    expect(world.notes.lines).toEqual([]);
    expect(world.gauges()).toMatchObject({ clientConnectionsInSetup: 1 });
    silent.send('!');
    expect(silent.isOver).toBe(true);
    expect(silent.heard).toBe('');
    expect(world.notes.lines).toEqual([
      'client 1 connected',
      'client 1 at client:0 not introduced: no word for client:0',
      'client 1 closed: Violation: no word for client:0',
    ]);
    expect(world.notes.faults).toEqual([]);
    expect(world.gauges()).toMatchObject({ clientConnections: 0 });
    expect(world.counters.clientConnectionsClosed).toBe(1);
  });

  test('has its time from that of the login', () => {
    const world = new World({ introduce, clients: { clientLoginTimeoutMs: 60_000 } });
    const [silent, slow] = [world.arrive(''), world.arrive('')];
    world.clock.advance(59_999);
    slow.send('x');
    world.clock.advance(1);
    world.settle();
    expect([silent.heard, slow.heard]).toEqual(['', '#loginTimeout']);
    expect([silent.isOver, slow.isOver]).toEqual([true, true]);
    expect(world.notes.lines).toContain('client 1 at client:0 not introduced: time ran out');
    expect(world.notes.faultNames).toEqual(['loginTimeout']);
  });

  test('whoever leaves meanwhile has left, and whoever is there when all stops is let go', () => {
    const world = new World({ introduce });
    world.arrive('').leave();
    const other = world.arrive('');
    void world.drain(1_000);
    world.settle();
    expect([other.isOver, other.heard]).toEqual([true, '']);
    expect(world.notes.lines).toEqual([
      'client 1 connected',
      'client 1 closed: The client left before it signed in.',
      'client 2 connected',
      'client 2 closed: The client left before it signed in.',
    ]);
  });

  test('a bug in it is told, and ends one connection', () => {
    const world = new World({
      introduce() {
        throw new Bug('oh');
      },
    });
    expect(world.arrive('a').isOver).toBe(true);
    expect(world.notes.bugs).toEqual([new Bug('oh')]);
  });
});

test('what happens is counted', () => {
  const world = new World({ granted: 1 });
  const [first, second] = [world.signIn('a'), world.signIn('a')];
  first.send('bq');
  world.arrive('b').leave();
  world.answer('b');
  world.answer('q');
  second.send('q');
  expect(world.gauges()).toMatchObject({
    clientConnections: 2,
    clientConnectionsInSetup: 0,
    clientConnectionsNoTls: 2,
    clientConnectionsTls: 0,
    clientsWaiting: 1, // the client that left is not waited for (GX-04)
    databaseConnections: 1,
    databaseConnectionsCurrentlyBorrowed: 1,
    databaseConnectionsCurrentlyInTransaction: 1,
  });
  expect(world.counters).toMatchObject({
    clientConnectionsReceived: 3,
    clientConnectionsClosed: 1,
    clientConnectionsSetupSucceeded: 2,
    databaseConnectionRequests: 1,
    databaseConnectionsSetupSucceeded: 1,
    queryRequestsNoTls: 2,
    bytesFromClients: 3,
    bytesToClients: 2,
  });
});
