import { expect, test } from 'bun:test';
import { Counters } from '../core/observer.ts';
import { CROWD, Tidying } from './tidying.ts';

function scene() {
  const [one, other] = [new Counters(), new Counters()];
  let times = 0;
  const tidying = new Tidying(() => (times += 1));
  return { one, other, tick: () => tidying.tick([one, other]), times: () => times, tidying };
}

test('what a crowd has left behind is collected once, when nothing goes on', () => {
  const { one, other, tick, times } = scene();
  one.clientConnectionsReceived = CROWD - 1;
  other.clientConnectionsReceived = 1;
  tick();
  expect(times()).toBe(0);
  for (const talking of [() => (one.bytesFromClients += 1), () => (other.bytesToClients += 1)]) {
    talking();
    tick();
    expect(times()).toBe(0);
  }
  tick();
  tick();
  expect(times()).toBe(1);
});

test('a few clients are not worth it, until they have become many', () => {
  const { one, tick, times } = scene();
  one.clientConnectionsReceived = CROWD - 1;
  tick();
  tick();
  expect(times()).toBe(0);
  one.clientConnectionsReceived += 1;
  tick();
  tick();
  expect(times()).toBe(1);
  one.clientConnectionsReceived += CROWD - 1;
  tick();
  tick();
  expect(times()).toBe(1);
});

test('a proxy that ends takes its clients with it, and the next crowd counts anew', () => {
  const { one, other, tidying, times } = scene();
  one.clientConnectionsReceived = CROWD;
  tidying.tick([one, other]);
  tidying.tick([one, other]);
  expect(times()).toBe(1);
  tidying.tick([other]);
  other.clientConnectionsReceived = CROWD;
  tidying.tick([other]);
  tidying.tick([other]);
  expect(times()).toBe(2);
});
