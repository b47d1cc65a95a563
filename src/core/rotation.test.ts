import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../test/sim/backend.ts';
import { World } from '../../test/sim/world.ts';
import { must } from '../base/assert.ts';
import { seededRandom } from '../base/random.ts';
import { Rotation } from './rotation.ts';

const SECOND_MS = 1_000;

/** Connections of two users, and what has their passwords changed. */
function rotating(options: ConstructorParameters<typeof World>[0] = {}) {
  const world = new World({ granted: 10, ...options });
  const troubles: string[] = [];
  const proven: string[] = [];
  const rotation = new Rotation({
    entrance: world.entrance,
    pool: world.pool,
    clock: world.clock,
    random: seededRandom(3),
    proven: (user) => proven.push(user),
    troubled: (user, why) => troubles.push(`${user}: ${why}`),
  });
  const clients = ['a', 'a', 'a', 'a', 'b'].map((letter) => world.signIn(letter));
  for (const client of clients) client.send('b');
  while (world.backends.some(({ todo }) => todo[0] === 'enter')) world.answer('enter');
  for (const _ of clients) world.answer('b');
  return {
    world,
    rotation,
    troubles,
    proven,
    clients,
    pass(durationMs: number) {
      world.pass(durationMs);
      rotation.tick();
      world.settle();
    },
    end() {
      for (const client of clients) client.send('c');
      for (const _ of clients) world.answer('c');
    },
  };
}

const keysOf = (backends: readonly Backend[]): string =>
  backends.map(({ key, password }) => `${key}:${password}`).join(' ');

describe('a password that has changed', () => {
  test('has the connections of its user replaced, bit by bit, when the new one lets in', () => {
    const { world, rotation, pass, end, proven } = rotating({ closesAtOnce: true });
    end();
    world.password = 'two';
    rotation.begin('a');
    pass(100);
    const probe = must(world.backends.at(-1), 'nobody signed in with the new password');
    expect([probe.key, probe.password]).toEqual(['a', 'two']);
    world.answer('enter');
    expect(probe.saidGoodbye).toBe(true);
    expect(proven).toEqual(['a']);
    expect(world.notes.discards).toEqual([]);
    const left: number[] = [];
    for (let second = 0; second < 11; second += 1) {
      pass(SECOND_MS);
      left.push(world.connections.filter(({ key }) => key === 'a').length);
    }
    expect(left[0]).toBeGreaterThan(0);
    expect(left.at(-1)).toBe(0);
    expect(new Set(left).size).toBeGreaterThan(2); // not all at once
    expect(world.notes.discards).toEqual(['retired', 'retired', 'retired', 'retired']);
    expect(keysOf(world.connections)).toBe('b:one');
    expect(rotation.trouble).toBeUndefined();
  });

  test('closes none that is in use; then at its next boundary', () => {
    const { world, rotation, pass, end, clients } = rotating();
    rotation.begin('a');
    pass(100);
    world.answer('enter');
    for (let second = 0; second < 60; second += 1) pass(SECOND_MS);
    expect(world.notes.discards).toEqual([]);
    expect(clients.map(({ isOver }) => isOver)).not.toContain(true);
    end();
    expect(world.notes.discards).toEqual(['retired', 'retired', 'retired', 'retired']);
    expect(clients.map(({ heard }) => heard)).toEqual(['BC', 'BC', 'BC', 'BC', 'BC']);
  });

  test('that does not let in keeps all as it is, is told of once, and tried again', () => {
    const { world, rotation, pass, end, troubles } = rotating();
    end();
    rotation.begin('a');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      pass(5 * SECOND_MS);
      world.backends.at(-1)?.refuse();
    }
    pass(60 * SECOND_MS);
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toStartWith(
      'a: The current password of the user a does not let the proxy in; connections that were made before stay.',
    );
    expect(rotation.trouble).toBe(troubles[0]?.slice(3));
    expect(world.notes.discards).toEqual([]);
    world.answer('enter');
    expect(rotation.trouble).toBeUndefined();
    for (let second = 0; second < 11; second += 1) pass(SECOND_MS);
    expect(world.notes.discards).toHaveLength(4);
  });

  test('that changes again while the new one is tried is tried again', () => {
    const { world, rotation, pass, end } = rotating();
    end();
    rotation.begin('a');
    pass(100);
    world.password = 'three';
    rotation.begin('a');
    world.answer('enter');
    pass(100);
    expect(world.backends.at(-1)?.password).toBe('three');
    expect(world.notes.discards).toEqual([]);
  });

  test('of a user without connections needs nothing', () => {
    const { world, rotation, pass } = rotating();
    const before = world.backends.length;
    rotation.begin('c');
    pass(SECOND_MS);
    expect(world.backends.length).toBe(before);
  });
});
