import { describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { openPorch } from '../../test/support/links.ts';
import { utf8 } from '../base/bytes.ts';
import { systemClock } from '../base/clock.ts';
import { dial } from './dial.ts';
import { listen } from './listener.ts';
import type { Listener } from './listener.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const host = '127.0.0.1';

describe('listen', () => {
  test('port 0 is any free port, and tells which', () => {
    const [one, two] = [open(), open()];
    expect(one.host).toBe(host);
    expect(one.port).toBeGreaterThan(0);
    expect(two.port).not.toBe(one.port);
    for (const listener of [one, two]) listener.stop();
  });

  test('takes clients on the port that it was told, and again after it has stopped', () => {
    const first = open();
    first.stop();
    const again = open(first.port);
    expect(again.port).toBe(first.port);
    again.stop();
  });

  test('says clearly that an address is taken', () => {
    const first = open();
    expect(() => open(first.port)).toThrow(
      `cannot listen on 127.0.0.1:${first.port}: the address is in use already (EADDRINUSE)`,
    );
    first.stop();
  });

  test.each([
    [
      '203.0.113.7',
      'cannot listen on 203.0.113.7:0: this machine has no such address (EADDRNOTAVAIL)',
    ],
    [
      '2001:db8::7',
      'cannot listen on [2001:db8::7]:0: this machine has no such address (EADDRNOTAVAIL)',
    ],
    ['no.such.host.invalid', 'cannot listen on no.such.host.invalid:0: '],
  ])('says clearly that it cannot listen on %s', (where, message) => {
    expect(() => listen({ host: where, port: 0 }, false, () => {})).toThrow(message);
  });

  test('several listeners share a port only where all of them want to', async () => {
    const rounds = 64;
    const accepted: number[] = [];
    const all = Promise.withResolvers<void>();
    const accept = (by: number) => (): void => {
      if (accepted.push(by) === rounds) all.resolve();
    };
    const first = open(0, true, accept(1));
    const second = open(first.port, true, accept(2));
    expect(second.port).toBe(first.port);
    expect(() => open(first.port, false)).toThrow('EADDRINUSE');
    for (let round = 0; round < rounds; round += 1) {
      const link = await dial(first, 5_000, systemClock.after);
      link.destroy();
    }
    await all.promise;
    // The system deals them out by their ports: that one gets none would be a marvel.
    expect(new Set(accepted).size).toBe(2);
    for (const listener of [first, second]) listener.stop();
  });

  test('stop takes no more connections and leaves the open ones alone', async () => {
    const porch = openPorch();
    const { near, far } = await porch.pair();
    porch.listener.stop();
    porch.listener.stop();
    expect(await outcomeOf(dial({ host, port: porch.port }, 5_000, systemClock.after))).toThrow(
      'nothing listens there',
    );
    far.link.write(utf8('still'));
    expect(String(await near.ear.bytes.take(5))).toBe('still');
    near.link.write(utf8('here'));
    expect(String(await far.ear.bytes.take(4))).toBe('here');
    porch.stop();
  });

  test('a client that is gone before it is looked at does no harm', async () => {
    const porch = openPorch();
    for (let round = 0; round < 50; round += 1) {
      const socket = connect(porch.port, host);
      socket.on('error', () => {});
      socket.once('connect', () => socket.resetAndDestroy());
      const { link, ear } = await porch.arrival();
      await ear.closing;
      expect([link.isOpen, ear.closings.length]).toEqual([false, 1]);
      expect(link.peer).toMatch(/^127\.0\.0\.1:\d+$|^a peer that is gone$/);
    }
    const { near, far } = await porch.pair();
    far.link.write(utf8('x'));
    await near.ear.bytes.take(1);
    porch.stop();
  });
});

function open(port = 0, reusePort = false, accept: () => void = () => {}): Listener {
  return listen({ host, port }, reusePort, accept);
}
