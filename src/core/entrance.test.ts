import { describe, expect, test } from 'bun:test';
import { principal } from '../../test/sim/toy-engine.ts';
import { World } from '../../test/sim/world.ts';
import { ToyEngine } from '../../test/sim/toy-engine.ts';
import { EMPTY } from '../base/bytes.ts';
import { seededRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { Entrance } from './entrance.ts';
import { FaultError } from './fault.ts';
import type { Link } from './link.ts';
import type { Address, Network } from './network.ts';
import { Elsewhere } from './network.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

/** A world whose secret changes when it is read again; counts how often it is. */
function rotating(renewed: string) {
  const world = new World();
  const reads = { current: 0, refresh: 0 };
  world.entrance.credentials = {
    current: () => {
      reads.current += 1;
      return Promise.resolve(new SecretText('old'));
    },
    refresh: () => {
      reads.refresh += 1;
      return Promise.resolve(new SecretText(renewed));
    },
  };
  return { world, reads };
}

describe('credentials that the database refuses (PG-108)', () => {
  test('are read again, once, and tried again, once', () => {
    const { world, reads } = rotating('new');
    const client = world.arrive('a');
    world.backends[0]?.refuse('c');
    expect(world.backends.map(({ password }) => password)).toEqual(['old', 'new']);
    world.answer('enter');
    expect(client.number).toBeDefined();
    expect(reads).toEqual({ current: 1, refresh: 1 });
    expect(world.counters.databaseConnectionsSetupFailed).toBe(0);
  });

  test('end the matter where the new ones are refused as well', () => {
    const { world, reads } = rotating('new');
    const client = world.arrive('a');
    world.backends[0]?.refuse('c');
    world.backends[1]?.refuse('c');
    expect(client.heard).toBe('#databaseRefused');
    expect([world.backends.length, reads.refresh]).toEqual([2, 1]);
  });

  test('are not tried again where they are the same', () => {
    const { world } = rotating('old');
    const client = world.arrive('a');
    world.backends[0]?.refuse('c');
    expect(client.heard).toBe('#databaseRefused');
    expect(world.backends.length).toBe(1);
  });

  test('that are to be proven are tried by themselves, and what came of it is all', async () => {
    const { world, reads } = rotating('new');
    const proof = world.entrance.prove(principal('a'), 1_000).catch((error: unknown) => error);
    world.settle();
    world.backends[0]?.refuse('c');
    expect(await proof).toBeInstanceOf(FaultError);
    expect([world.backends.length, reads.refresh]).toEqual([1, 0]);
    const again = world.entrance.prove(principal('a'), 1_000);
    world.settle();
    world.answer('enter');
    await again;
    expect(world.backends[1]?.saidGoodbye).toBe(true);
  });

  test.each(['f', 'l'])('are not read again for another refusal: %s', (letter) => {
    const { world, reads } = rotating('new');
    world.arrive('a');
    world.backends[0]?.refuse(letter);
    expect(reads.refresh).toBe(0);
  });

  test('that do not exist are a refusal without a call', () => {
    const world = new World();
    const missing = new FaultError({ name: 'userMissing', refusal: 'final' });
    const reject = (): Promise<SecretText> => Promise.reject(missing);
    world.entrance.credentials = { current: reject, refresh: reject };
    expect(world.arrive('a').heard).toBe('#userMissing');
    expect(world.backends.length).toBe(0);
  });
});

describe('a database that wants to be spoken to otherwise (PG-26)', () => {
  const dialects = (world: World): readonly string[] =>
    world.backends.map(({ dialect }) => dialect);

  test('is called again at once, and from then on spoken to as it wants', () => {
    const world = new World();
    const client = world.arrive('a');
    world.backends[0]?.refuse('o');
    expect([world.connections.length, client.number]).toEqual([1, undefined]);
    world.answer('enter');
    expect(client.number).toBeDefined();
    world.signIn('b');
    expect(dialects(world)).toEqual(['', 'old', 'old']);
    expect(world.counters.databaseConnectionsSetupFailed).toBe(0);
  });

  test('is called again once, and no more before its time comes', () => {
    const world = new World();
    world.arrive('a');
    world.backends[0]?.refuse('o');
    world.backends[1]?.refuse('o');
    expect([world.connections.length, world.backends.length]).toEqual([0, 2]);
    expect(world.counters.databaseConnectionsSetupFailed).toBe(1);
  });

  test('may refuse the password then: that is read again, and the lesson stays', () => {
    const { world, reads } = rotating('new');
    const client = world.arrive('a');
    world.backends[0]?.refuse('o');
    world.backends[1]?.refuse('c');
    world.answer('enter');
    expect([client.number === undefined, reads.refresh]).toEqual([false, 1]);
    expect(dialects(world)).toEqual(['', 'old', 'old']);
  });

  test('may be another after new settings: nothing is taken for granted', () => {
    const world = new World();
    world.arrive('a');
    world.backends[0]?.refuse('o');
    world.answer('enter');
    world.entrance.settings = { ...world.entrance.settings };
    world.signIn('b');
    expect(dialects(world)).toEqual(['', 'old', '']);
  });
});

describe('the connection of a login that failed', () => {
  test('is closed', () => {
    const world = new World();
    world.arrive('a');
    world.backends[0]?.refuse('f');
    expect(world.connections).toEqual([]);
  });

  test('is closed when the database takes too long', () => {
    const world = new World({ pool: { connectTimeoutMs: 10_000 } });
    world.arrive('a');
    world.clock.advance(10_000);
    world.settle();
    expect(world.connections).toEqual([]);
    expect(world.notes.lines).toContain('server failed for a: the peer took too long');
  });

  test('was none where nobody answers', () => {
    const world = new World();
    world.answersCalls = false;
    world.arrive('a');
    world.dials[0]?.fail('connection refused');
    world.settle();
    expect(world.notes.lines).toContain('server failed for a: connection refused');
  });
});

describe('statements for every new connection', () => {
  test('are run before it is used', () => {
    const world = new World({ initQuery: 'SET x' });
    const client = world.arrive('a');
    world.answer('enter');
    expect(client.number).toBeUndefined();
    world.answer('init SET x');
    expect(client.number).toBeDefined();
  });

  test('close it where they fail', () => {
    const world = new World({ initQuery: 'SET x' });
    world.arrive('a');
    world.answer('enter');
    world.backends[0]?.refuse();
    expect(world.connections).toEqual([]);
    expect(world.counters.databaseConnectionsSetupFailed).toBe(1);
  });
});

describe('what the database says after its answer to a login', () => {
  test.each([
    ['', 'x'],
    ['SET x', 'x'],
    ['', '!'],
  ])('is not lost, and it is not let to anyone (PG-14): %j, %j', (initQuery, said) => {
    const world = new World({ initQuery });
    world.arrive('a');
    if (initQuery !== '') world.answer('enter');
    world.backends[0]?.say(initQuery === '' ? `+\u0001${said}` : `+${said}`);
    expect(world.connections).toEqual([]);
    expect(world.counters.databaseConnectionsSetupFailed).toBe(1);
  });

  test('may be what does no harm', () => {
    const world = new World();
    const client = world.arrive('a');
    world.backends[0]?.say('+\u0001n');
    expect(client.number).toBeDefined();
  });
});

describe('a database that sends us on (TD-27)', () => {
  /** Where connections went, and which of them were destroyed. */
  function sent(...addresses: readonly Address[]) {
    const dialled: (Address | undefined)[] = [];
    let destroyed = 0;
    const link: Link = {
      handler: { data() {}, drained() {}, closed() {} },
      queuedBytes: 0,
      peer: 'db',
      tlsVersion: undefined,
      isOpen: true,
      write() {},
      keepAlive() {},
      pause() {},
      resume() {},
      end() {},
      destroy() {
        destroyed += 1;
      },
    };
    const network: Network = {
      dial(_, elsewhere) {
        dialled.push(elsewhere);
        return Promise.resolve(link);
      },
      talk: async (_, conversation) => {
        for (;;) {
          const { done, value } = conversation.next(EMPTY);
          if (done === true) return { result: value, leftover: EMPTY };
        }
      },
    };
    const engine = Object.assign(new ToyEngine(), {
      *enter() {
        const address = addresses[dialled.length - 1];
        if (address !== undefined) throw new Elsewhere(address);
        yield { kind: 'send', bytes: EMPTY } as const;
        return { backend: 7, password: '' };
      },
    });
    const secret = Promise.resolve(new SecretText('x'));
    const entrance = new Entrance({
      engine,
      network,
      random: seededRandom(1),
      credentials: { current: () => secret, refresh: () => secret },
      settings: {
        tlsMode: 'disable',
        channelBinding: 'disable',
        allowCleartext: false,
        initQuery: '',
      },
    });
    const who = { user: 'a', poolKey: 'a' };
    return { dialled, destroyed: () => destroyed, enter: () => entrance.enter(who, 1_000) };
  }

  const node = (number: number): Address => ({ host: `node-${number}`, port: number });

  test('is followed, and the connection that told us is closed', async () => {
    const trip = sent(node(1), node(2), node(3));
    expect((await trip.enter()).memory).toEqual({ backend: 7, password: '' });
    expect(trip.dialled).toEqual([undefined, node(1), node(2), node(3)]);
    expect(trip.destroyed()).toBe(3);
  });

  test('is not followed for ever', async () => {
    const trip = sent(...[1, 2, 3, 4, 5].map(node));
    expect(await outcomeOf(trip.enter())).toThrow(
      'the database sends connections around in circles',
    );
    await Promise.resolve();
    expect(trip.dialled.length).toBeLessThanOrEqual(4);
  });

  test('does not tell anybody where', () => {
    expect(String(new Elsewhere(node(1)))).not.toContain('node');
  });
});
