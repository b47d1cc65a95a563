import { afterAll, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { End } from '../../test/support/links.ts';
import { openPorch } from '../../test/support/links.ts';
import { text } from '../base/bytes.ts';
import { PLACE_BYTES, PLACES, SendRing } from './send-ring.ts';

const ring = SendRing.open();
const porch = openPorch();
afterAll(() => porch.stop());

interface Visit {
  readonly socket: Socket;
  readonly end: End;
}

async function visits(count: number): Promise<readonly Visit[]> {
  const all: Visit[] = [];
  for (let nth = 0; nth < count; nth += 1) all.push(await porch.visit());
  return all;
}

async function readLine(socket: Socket): Promise<string> {
  let line = '';
  while (!line.endsWith('\n')) {
    const chunk: unknown = socket.read();
    if (chunk instanceof Uint8Array) line += text(chunk);
    else await once(socket, 'readable');
  }
  return line;
}

if (ring === undefined) {
  console.warn(
    'send-ring.test.ts: this system allows no io_uring, so there is nothing to be tried.',
  );
  test('where the system allows no io_uring, there is no ring, and nothing throws', () => {
    expect(SendRing.open()).toBeUndefined();
  });
} else describe('sends by io_uring', () => sendsBy(ring));

function sendsBy(ring: SendRing): void {
  const { bytes } = ring;

  function put(place: number, fd: number, words: string): void {
    ring.queue(place, fd, Buffer.from(bytes.buffer).write(words, place * PLACE_BYTES, 'latin1'));
  }

  test('reach each its own socket, over and over', async () => {
    const all = await visits(5);
    // More often than the rings have entries, so that they go round, and not from the same place twice.
    for (let round = 0; round < 200; round += 1) {
      for (const [nth, { end }] of all.entries())
        put((nth * 7 + round) % PLACES, end.link.fd, `${round} for ${nth}\n`);
      ring.submit();
      for (const nth of all.keys())
        expect(ring.taken((nth * 7 + round) % PLACES)).toBe(`${round} for ${nth}\n`.length);
      for (const [nth, { socket }] of all.entries())
        expect(await readLine(socket)).toBe(`${round} for ${nth}\n`);
    }
    for (const { socket } of all) socket.destroy();
  });

  test('fill all places at once', async () => {
    const [visit] = await visits(1);
    if (visit === undefined) throw new Error('nobody came');
    for (let place = 0; place < PLACES; place += 1) put(place, visit.end.link.fd, `${place},`);
    ring.submit();
    put(0, visit.end.link.fd, '\n');
    ring.submit();
    expect(await readLine(visit.socket)).toBe(
      `${Array.from({ length: PLACES }, (_, place) => place).join(',')},\n`,
    );
    visit.socket.destroy();
  });

  test('tell what was not taken, of whom, and go on with the others', async () => {
    const [full, reset, well] = await visits(3);
    if (full === undefined || reset === undefined || well === undefined) throw new Error('who?');
    full.socket.pause();
    const EAGAIN = -11;
    for (let last = 1; last !== EAGAIN; last = ring.taken(0)) {
      ring.queue(0, full.end.link.fd, PLACE_BYTES);
      ring.submit();
    }
    reset.end.link.pause();
    reset.socket.resetAndDestroy();
    await once(reset.socket, 'close');
    put(0, full.end.link.fd, 'x');
    put(1, reset.end.link.fd, 'x');
    put(2, 9_999, 'x');
    put(3, well.end.link.fd, 'well\n');
    ring.submit();
    const ECONNRESET = -104;
    const EBADF = -9;
    expect([0, 1, 2, 3].map((place) => ring.taken(place))).toEqual([EAGAIN, ECONNRESET, EBADF, 5]);
    expect(await readLine(well.socket)).toBe('well\n');
    for (const { socket } of [full, well]) socket.destroy();
  });

  test('none queued is nothing sent', () => {
    ring.submit();
    ring.submit();
  });
}
