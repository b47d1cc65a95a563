import { describe, expect, test } from 'bun:test';
import { World } from '../../test/sim/world.ts';
import { must } from '../base/assert.ts';
import { limits } from '../base/limits.ts';

const queueBytes = limits.linkQueueBytes.value;
const pendingBytes = limits.pendingRequestBytes.value;

function pair(options: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World({ granted: 1, ...options });
  const client = world.signIn('a');
  const backend = must(world.backends[0], 'a connection was made at login');
  return { world, client, backend };
}

describe('a client that does not read', () => {
  test('has its database connection paused, and resumed when it has read (PG-113)', () => {
    const { client, backend } = pair();
    client.send('q');
    client.link.stopReading();
    backend.pour(queueBytes);
    expect(backend.link.paused).toBe(false);
    backend.pour(1);
    expect(backend.link.paused).toBe(true);
    backend.pour(1000); // stays in the database's socket
    expect(client.link.queuedBytes).toBe(queueBytes + 1);
    client.link.readOn();
    client.world.settle();
    expect(backend.link.paused).toBe(false);
    backend.answer();
    expect(client.heard).toBe(`${'d'.repeat(queueBytes + 1001)}Q`);
  });

  test('for too long is closed, and so is its connection (PG-113)', () => {
    const { world, client, backend } = pair({ clients: { clientSendTimeoutMs: 20_000 } });
    client.send('q');
    client.link.stopReading();
    backend.pour(queueBytes + 1);
    world.pass(19_000);
    expect(client.isOver).toBe(false);
    world.pass(2_000);
    expect(client.link.isClosed).toBe(true);
    expect(world.notes.faultNames).toEqual(['clientTooSlow']);
    expect(world.notes.discards).toEqual(['clientTooSlow']);
  });

  test('may take its time where no limit is set', () => {
    const { world, client, backend } = pair({ clients: { clientSendTimeoutMs: 0 } });
    client.send('q');
    client.link.stopReading();
    backend.pour(queueBytes + 1);
    world.pass(3_600_000);
    expect(client.isOver).toBe(false);
  });

  test('and reads in time is not slow, nor idle', () => {
    const { world, client, backend } = pair({ clients: { idleClientTimeoutMs: 5_000 } });
    client.send('q');
    client.link.stopReading();
    backend.pour(queueBytes + 1);
    world.pass(15_000);
    client.link.readOn();
    world.pass(15_000);
    expect(client.isOver).toBe(false);
    backend.answer();
    expect(client.owed).toBe(0);
  });

  test('keeps its further requests to itself until it has read the replies', () => {
    const { client, backend } = pair();
    client.send('q');
    client.link.stopReading();
    backend.pour(queueBytes + 1);
    client.send('q');
    expect(backend.todo.length).toBe(1);
    client.link.readOn();
    client.world.settle();
    expect(backend.todo.length).toBe(2);
  });

  test('gives its connection back all the same, once the answer is there', () => {
    const { world, client, backend } = pair();
    const other = world.signIn('a');
    client.send('q');
    client.link.stopReading();
    backend.say(`${'d0'.repeat(queueBytes)}Q0`);
    other.send('q');
    expect(backend.link.paused).toBe(false);
    backend.todo.shift();
    backend.answer();
    expect(other.heard).toBe('Q');
  });

  test('and has heard its last is not waited for endlessly', () => {
    const { world, client, backend } = pair();
    client.send('q');
    client.link.stopReading();
    backend.pour(10);
    backend.close();
    expect(client.link.isEnding).toBe(true);
    world.pass(19_000);
    expect(client.link.isClosed).toBe(false);
    world.pass(2_000);
    expect(client.link.isClosed).toBe(true);
  });

  test('and leaves, leaves a connection behind that is read again', () => {
    const { world, client, backend } = pair();
    const other = world.signIn('a');
    client.send('p');
    client.link.stopReading();
    backend.pour(queueBytes + 1);
    backend.link.resume(); // what was in flight arrives all the same
    world.settle();
    backend.answer();
    client.leave();
    backend.answer();
    other.send('q');
    backend.answer();
    expect([other.heard, world.backends.length]).toEqual(['Q', 1]);
  });
});

describe('a database that does not read', () => {
  test('has its client paused, and resumed when it has read', () => {
    const { client, backend } = pair();
    client.send('q');
    backend.link.stopReading();
    client.send('w'.repeat(queueBytes));
    expect(client.link.paused).toBe(false);
    client.send('w');
    expect(client.link.paused).toBe(true);
    client.send('w'.repeat(1000)); // stays in the client's socket
    expect(backend.link.queuedBytes).toBe(queueBytes + 1);
    backend.link.readOn();
    client.world.settle();
    expect([client.link.paused, backend.heardBytes]).toEqual([false, queueBytes + 1001]);
  });

  test('and answers all the same, leaves no client paused for ever', () => {
    const { world, client, backend } = pair();
    client.send('q');
    backend.link.stopReading();
    client.send('w'.repeat(queueBytes + 1));
    backend.answer();
    expect(client.heard).toBe('Q');
    client.send('q');
    backend.link.readOn();
    world.settle();
    world.answer('q');
    expect(client.heard).toBe('QQ');
  });
});

describe('a client that waits', () => {
  test('is read ahead so far and no further', () => {
    const { world, client } = pair();
    const other = world.signIn('a');
    client.send('q');
    other.send(`q${'w'.repeat(pendingBytes - 1)}`);
    expect(other.link.paused).toBe(false);
    other.send('w');
    expect(other.link.paused).toBe(true);
    other.send('w'.repeat(100)); // stays in the client's socket
    world.answer('q');
    world.settle();
    expect(other.link.paused).toBe(false);
    expect(world.backends[0]?.heardBytes).toBe(pendingBytes + 100);
  });

  test('and is refused goes on with what it sent after it', () => {
    const { world, client, backend } = pair();
    const other = world.signIn('a');
    client.send('q');
    other.send('q');
    world.clock.advance(2_999);
    other.send('q');
    world.pass(1);
    expect(other.heard).toBe('?');
    expect(world.sessionOf(other)?.isWaiting).toBe(true);
    backend.answer();
    backend.answer();
    expect([client.heard, other.heard]).toEqual(['Q', '?Q']);
  });
});

describe('an idle client', () => {
  const clients = { idleClientTimeoutMs: 60_000 };

  test('is closed after its time (GX-06)', () => {
    const { world, client } = pair({ clients });
    world.pass(59_000);
    expect(client.isOver).toBe(false);
    world.pass(2_000);
    expect(client.heard).toBe('#');
    expect(world.notes.faultNames).toEqual(['idleClient']);
  });

  test('that stays is noticed if it vanishes without a word (PG-117)', () => {
    const { world, client } = pair();
    expect(client.link.isKeptAlive).toBe(false);
    world.pass(2_000);
    expect(client.link.isKeptAlive).toBe(true);
  });

  test('is not one whose request is under way (GX-06)', () => {
    const { world, client, backend } = pair({ clients });
    client.send('q');
    world.pass(600_000);
    backend.answer();
    expect(client.heard).toBe('Q');
    world.pass(59_000);
    expect(client.isOver).toBe(false);
  });

  test('is not one that waits (GX-06)', () => {
    const { world, client } = pair({ clients, pool: { borrowTimeoutMs: 300_000 } });
    const other = world.signIn('a');
    client.send('q');
    other.send('q');
    world.pass(299_000);
    expect(other.isOver).toBe(false);
  });

  test('is one whose transaction is open, as in RDS; its connection is reset', () => {
    const { world, client, backend } = pair({ clients });
    client.send('b');
    backend.answer();
    world.pass(61_000);
    expect(client.isOver).toBe(true);
    expect(backend.todo).toEqual(['reset']);
  });
});

describe('a session that is over', () => {
  test('borrows nothing for what its client still sends (GX-04)', () => {
    const { world, client, backend } = pair();
    client.send('q');
    backend.close();
    expect(client.heard).toBe('#');
    client.send('q');
    expect(world.connections).toEqual([]);
    expect(world.gauges().clientsWaiting).toBe(0);
  });

  test('does not look at it either', () => {
    const { world, client } = pair();
    client.send('x');
    const { bytesFromClients } = world.counters;
    client.send('q!');
    expect(world.counters.bytesFromClients).toBe(bytesFromClients);
  });

  test('borrows nothing for a relay that has not noticed', () => {
    const { world, client } = pair();
    const session = must(world.sessionOf(client), 'a client that signed in has a session');
    client.send('x');
    expect(session.wantServer()).toBe(false);
    expect(world.gauges()).toMatchObject({
      clientConnections: 0,
      clientsWaiting: 0,
      databaseConnectionsCurrentlyBorrowed: 0,
    });
  });

  test('reads on, so that it hears its client leave', () => {
    const { client, backend } = pair();
    client.send('q');
    backend.link.stopReading();
    client.send('w'.repeat(queueBytes + 1));
    backend.close();
    expect(client.link.paused).toBe(false);
  });
});

describe('a peer that breaks its protocol', () => {
  test('as client is told and closed; its connection is not harmed', () => {
    const { world, client } = pair();
    client.send('!');
    expect(client.heard).toBe('#');
    expect(world.notes.faultNames).toEqual(['protocolViolation']);
    expect(world.notes.discards).toEqual([]);
  });

  test('as client in mid-request takes its connection along', () => {
    const { world, client } = pair();
    client.send('q!');
    expect(world.notes.discards).toEqual(['clientGoneMidRequest']);
  });

  test('as database is left, and its client told', () => {
    const { world, client, backend } = pair();
    client.send('q');
    backend.say('C0');
    expect(client.heard).toBe('#');
    expect(world.notes.discards).toEqual(['violation']);
    expect(world.notes.faultNames).toEqual(['databaseLost']);
  });
});

describe('a pinned session', () => {
  test('keeps its connection until the reason is gone', () => {
    const { world, client, backend } = pair();
    const other = world.signIn('a');
    client.send('p');
    backend.answer();
    other.send('q');
    expect(other.heard).toBe('');
    expect(world.gauges().databaseConnectionsCurrentlySessionPinned).toBe(1);
    client.send('q');
    backend.answer();
    client.send('u');
    backend.answer();
    expect([...world.counters.pins]).toEqual([['temporaryObject', 1]]);
    backend.answer();
    expect([client.heard, other.heard]).toEqual(['PQU', 'Q']);
  });

  test('loses its client when it loses its connection', () => {
    const { client, backend } = pair();
    client.send('p');
    backend.answer();
    backend.close();
    expect(client.heard).toBe('P#');
  });
});

test('durations are counted: the wait, the answer, and the database’s part of it', () => {
  const { world, client, backend } = pair();
  const other = world.signIn('a');
  client.send('q');
  other.send('q');
  world.clock.advance(8);
  backend.answer();
  world.clock.advance(32);
  backend.answer();
  const { borrowLatency, queryResponseLatency, queryDatabaseResponseLatency } = world.counters;
  expect([borrowLatency.count, borrowLatency.sumMicros]).toEqual([2, 8_000]);
  expect(queryResponseLatency.sumMicros).toBe(48_000);
  expect(queryDatabaseResponseLatency.sumMicros).toBe(40_000);
  expect(world.counters.queryRequestsNoTls).toBe(2);
});

describe('a session that keeps its connection for the moment', () => {
  test('keeps it up to its next request', () => {
    const { world, client } = pair();
    client.send('r');
    world.answer('r');
    world.pass(500);
    client.send('q');
    world.answer('q');
    const other = world.signIn('a');
    other.send('q');
    world.answer('q');
    expect([client.heard, other.heard]).toEqual(['RQ', 'Q']);
  });

  test('gives it back when it has done nothing for a second', () => {
    const { world, client } = pair();
    client.send('r');
    world.answer('r');
    const states = () => [...world.pool.connections].map(({ state }) => state);
    expect(states()).toEqual(['borrowed']);
    world.pass(2_000);
    expect(states()).toEqual(['idle']);
  });

  test.each(['before', 'after'])('makes way much sooner for who began to wait %s that', (when) => {
    const { world, client } = pair();
    const other = world.signIn('a');
    client.send('r');
    if (when === 'before') other.send('q');
    world.answer('r');
    if (when === 'after') other.send('q');
    world.pass(50);
    expect(world.backends[0]?.todo).toEqual([]);
    world.pass(150);
    world.answer('q');
    expect(other.heard).toBe('Q');
  });

  test('makes no way while it is asking again', () => {
    const { world, client } = pair();
    const other = world.signIn('a');
    client.send('r');
    world.answer('r');
    other.send('q');
    world.pass(90);
    client.send('q');
    world.pass(200);
    expect(world.backends[0]?.todo).toEqual(['q0']);
    world.answer('q');
    world.answer('q');
    expect([client.heard, other.heard]).toEqual(['RQ', 'Q']);
  });
});
