import { afterAll, expect, test } from 'bun:test';
import { readlinkSync } from 'node:fs';
import { openPorch } from '../../test/support/links.ts';
import { eventLoopOf } from './event-loop.ts';

const porch = openPorch();
afterAll(() => porch.stop());

test.skipIf(process.platform !== 'linux')(
  'the event loop is found by a socket that it watches',
  async () => {
    const { socket, end } = await porch.visit();
    const found = eventLoopOf(end.link.fd);
    expect(readlinkSync(`/proc/self/fd/${found}`)).toBe('anon_inode:[eventpoll]');
    socket.destroy();
  },
);

test('of what nobody watches, there is none', () => {
  expect(eventLoopOf(99_999)).toBeUndefined();
});
