import { afterAll, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { openPorch } from '../../test/support/links.ts';
import { concat, EMPTY, text, utf8 } from '../base/bytes.ts';
import { PIECE_BYTES, ReceiveRing, WATCHED } from './receive-ring.ts';
import { SendRing } from './send-ring.ts';

const ring = ReceiveRing.open();
const porch = openPorch();
afterAll(() => porch.stop());

/** What has happened, copied. */
interface Happening {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
  readonly isMissed: boolean;
  readonly isStarved: boolean;
  readonly result: number;
}

if (ring === undefined) {
  // Where there is no io_uring at all; before Linux 6.1 there may be one that sends.
  console.warn(
    `receive-ring.test.ts: this system's io_uring (${SendRing.open() === undefined ? 'none' : 'old'}) does not receive.`,
  );
  test('where the system cannot, there is no ring, and nothing throws', () => {
    expect(ReceiveRing.open()).toBeUndefined();
  });
} else describe('receives by io_uring', () => receivesBy(ring));

function receivesBy(ring: ReceiveRing): void {
  /** Goes on until what has happened is enough; the event loop has its turns, in which peers write. */
  async function until(enough: (all: readonly Happening[]) => boolean): Promise<Happening[]> {
    const all: Happening[] = [];
    for (let tries = 0; !enough(all); tries += 1) {
      if (tries > 2_000) throw new Error(`only ${JSON.stringify(all)} happened`);
      ring.wait();
      while (ring.next()) all.push({ ...ring.found });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return all;
  }

  const bytesOf = (all: readonly Happening[], id: number): Uint8Array =>
    concat(all.filter((one) => one.id === id).map(({ bytes }) => bytes));

  /** A socket that its owner does not read, and what is written into it. */
  async function silent() {
    const { socket, end } = await porch.visit();
    end.link.pause();
    return { socket, end, fd: end.link.fd };
  }

  let lastId = 0;
  const anId = (): number => (lastId += 1);

  async function letGo(id: number): Promise<Happening[]> {
    ring.cancel(id);
    return until((all) => all.some((one) => one.id === id && one.isLast));
  }

  test('bring each what is its own, over and over', async () => {
    const visits = await Promise.all(Array.from({ length: 5 }, silent));
    const ids = visits.map(({ fd }) => {
      const id = anId();
      ring.receive(id, fd);
      return id;
    });
    for (let round = 0; round < 150; round += 1) {
      for (const [nth, { socket }] of visits.entries()) socket.write(`${round} for ${nth}\n`);
      const all = await until((some) =>
        ids.every((id, nth) => bytesOf(some, id).length === `${round} for ${nth}\n`.length),
      );
      for (const [nth, id] of ids.entries())
        expect(text(bytesOf(all, id))).toBe(`${round} for ${nth}\n`);
      expect(all.some(({ isLast }) => isLast)).toBe(false);
    }
    for (const id of ids) await letGo(id);
    for (const { socket } of visits) socket.destroy();
  });

  test('bring copies: what came first is the same when more has come', async () => {
    const { socket, fd } = await silent();
    const id = anId();
    ring.receive(id, fd);
    const kept: Happening[] = [];
    for (let nth = 0; nth < 600; nth += 1) {
      socket.write(new Uint8Array(10).fill(nth % 251));
      kept.push(...(await until((all) => bytesOf(all, id).length === 10)));
    }
    const expected = concat(
      Array.from({ length: 600 }, (_, nth) => new Uint8Array(10).fill(nth % 251)),
    );
    expect(Buffer.compare(bytesOf(kept, id), expected)).toBe(0);
    await letGo(id);
    socket.destroy();
  });

  test('go on where there is more than all pieces hold', async () => {
    const { socket, fd } = await silent();
    const whole = new Uint8Array(4_000_000).map((_, at) => at % 253);
    socket.write(whole);
    const id = anId();
    ring.receive(id, fd);
    const all = await until((some) => {
      const last = some.at(-1);
      if (last?.isLast === true && bytesOf(some, id).length < whole.length) {
        expect([last.isStarved, last.result > 0]).toContain(true);
        ring.receive(id, fd);
      }
      return bytesOf(some, id).length === whole.length;
    });
    expect(Buffer.compare(bytesOf(all, id), whole)).toBe(0);
    expect(Math.max(...all.map(({ bytes }) => bytes.length))).toBe(PIECE_BYTES);
    socket.destroy();
    await until((some) => some.some(({ id: whose, isLast }) => whose === id && isLast));
  });

  test('end when the peer ends, when it resets, and when they are cancelled', async () => {
    const [ended, reset, cancelled] = await Promise.all([silent(), silent(), silent()]);
    const ids = [ended, reset, cancelled].map(({ fd }) => {
      const id = anId();
      ring.receive(id, fd);
      return id;
    });
    ring.wait();
    ended.socket.end('the last');
    reset.socket.resetAndDestroy();
    await once(reset.socket, 'close');
    ring.cancel(ids[2] ?? 0);
    const all = await until((some) => some.filter(({ isLast }) => isLast).length === 3);
    const results = ids.map((id) => all.find((one) => one.id === id && one.isLast)?.result);
    const ECONNRESET = -104;
    const ECANCELED = -125;
    expect(results).toEqual([0, ECONNRESET, ECANCELED]);
    expect(text(bytesOf(all, ids[0] ?? 0))).toBe('the last');
    // What comes after a cancellation stays in the socket.
    cancelled.socket.write('later');
    await porch.roundTrips(3);
    cancelled.end.link.resume();
    expect(String(await cancelled.end.ear.bytes.take(5))).toBe('later');
    for (const { socket } of [ended, cancelled]) socket.destroy();
  });

  test('of a descriptor that is closed fail', async () => {
    const id = anId();
    ring.receive(id, 9_999);
    const EBADF = -9;
    const [happened] = await until((all) => all.length === 1);
    expect(happened).toMatchObject({ id, bytes: EMPTY, isLast: true, result: EBADF });
  });

  test('are waited for together with what is watched, which is told once', async () => {
    const { socket, end, fd } = await silent();
    ring.watch(fd);
    ring.wait();
    expect(ring.next()).toBe(false);
    socket.write(utf8('here'));
    const all = await until((some) => some.length > 0);
    expect(all.map(({ id, bytes }) => [id, bytes.length])).toEqual([[WATCHED, 0]]);
    ring.wait();
    expect(ring.next()).toBe(false);
    end.link.resume();
    expect(String(await end.ear.bytes.take(4))).toBe('here');
    socket.destroy();
  });

  test('are asked for by more than the ring has entries', async () => {
    const { socket, fd } = await silent();
    const ids = Array.from({ length: 700 }, anId);
    for (const id of ids) ring.receive(id, fd);
    ring.wait();
    for (const id of ids) ring.cancel(id);
    const all = await until((some) => some.filter(({ isLast }) => isLast).length === ids.length);
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(ids));
    socket.destroy();
  });
}
