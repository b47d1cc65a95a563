import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { concat, utf8 } from '../base/bytes.ts';
import { PLACE_BYTES, PLACES } from './send-ring.ts';
import type { Ring, Sender } from './sends.ts';
import { NOWHERE, Sends } from './sends.ts';

/** The operating system, as far as it takes bytes; a descriptor that is closed goes to the next who opens one. */
class System implements Ring {
  readonly bytes = new Uint8Array(PLACES * PLACE_BYTES);
  /** What has arrived by each descriptor that was ever opened. */
  readonly open = new Map<number, Uint8Array[]>();
  /** How much of each send is taken; negative for an error. Then, and where there is none, all. */
  readonly fates: number[] = [];
  submissions = 0;
  readonly #queued = new Map<number, { fd: number; length: number }>();
  readonly #taken = new Map<number, number>();

  queue(place: number, fd: number, length: number): void {
    this.#queued.set(place, { fd, length });
  }

  submit(): void {
    this.submissions += 1;
    this.#taken.clear();
    for (const [place, { fd, length }] of this.#queued) {
      const start = place * PLACE_BYTES;
      const taken = this.put(fd, this.bytes, start, length);
      this.#taken.set(place, taken);
    }
    this.#queued.clear();
  }

  taken(place: number): number {
    return this.#taken.get(place) ?? -1;
  }

  put(fd: number, bytes: Uint8Array, from: number, length: number): number {
    const heard = this.open.get(fd);
    if (heard === undefined) throw new Error('a closed descriptor was written to');
    const taken = Math.min(length, this.fates.shift() ?? length);
    if (taken > 0) heard.push(bytes.slice(from, from + taken));
    return taken;
  }
}

/** A socket with a queue, as a link has it. */
class Socket implements Sender {
  place = NOWHERE;
  fd: number;
  readonly heard: Uint8Array[] = [];
  readonly said: Uint8Array[] = [];
  /** What the system did not take. */
  queue: Uint8Array[] = [];
  readonly #system: System;
  readonly #sends: Sends;

  constructor(system: System, sends: Sends, fd: number) {
    this.#system = system;
    this.#sends = sends;
    this.fd = fd;
    system.open.set(fd, this.heard);
  }

  write(bytes: Uint8Array): void {
    if (this.fd < 0) return;
    this.said.push(bytes.slice());
    if (this.queue.length > 0 || !this.#sends.post(this, bytes)) this.send(bytes, 0, bytes.length);
  }

  send(bytes: Uint8Array, from: number, length: number): void {
    if (this.fd < 0) return;
    const taken =
      this.queue.length > 0 ? 0 : Math.max(0, this.#system.put(this.fd, bytes, from, length));
    if (taken < length) this.queue.push(bytes.slice(from + taken, from + length));
  }

  close(): void {
    this.#system.open.delete(this.fd);
    this.fd = -1;
  }

  /** What has arrived, with what waits to. */
  get all(): string {
    return Buffer.from(concat([...this.heard, ...this.queue])).toString('latin1');
  }
}

function scene(count: number) {
  const system = new System();
  const sends = new Sends(() => system);
  const sockets = Array.from({ length: count }, (_, index) => new Socket(system, sends, index));
  const at = (index: number): Socket => {
    const socket = sockets[index];
    if (socket === undefined) throw new Error('no such socket');
    return socket;
  };
  return { system, sends, sockets, at };
}

describe('what is sent in one turn', () => {
  test('goes out at its end, in one call', async () => {
    const { system, sockets, at } = scene(3);
    for (const socket of sockets) socket.write(utf8('hello'));
    at(0).write(utf8(' again'));
    expect([system.submissions, at(0).all]).toEqual([0, '']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(system.submissions).toBe(1);
    expect(sockets.map((socket) => socket.all)).toEqual(['hello again', 'hello', 'hello']);
  });

  test('of one socket alone is sent by that socket', () => {
    const { system, sends, at } = scene(1);
    at(0).write(utf8('hello'));
    sends.flush();
    expect([system.submissions, at(0).all]).toEqual([0, 'hello']);
  });

  test('of who is alone for long is sent at once, until there are others', () => {
    const { system, sends, at } = scene(2);
    for (let turn = 0; turn < 8; turn += 1) {
      at(0).write(utf8('.'));
      sends.flush();
    }
    const before = at(0).all;
    at(0).write(utf8('now'));
    expect(at(0).all).toBe(`${before}now`);
    for (let turn = 0; system.submissions === 0 && turn < 20; turn += 1) {
      for (const index of [0, 1]) at(index).write(utf8('!'));
      sends.flush();
    }
    expect(system.submissions).toBe(1);
    for (const index of [0, 1]) at(index).write(utf8('later'));
    expect([0, 1].map((index) => at(index).all.endsWith('later'))).toEqual([false, false]);
    sends.flush();
    expect(system.submissions).toBe(2);
  });

  test('never goes to a socket that has the number of one that is closed', () => {
    const { system, sends, at } = scene(3);
    for (const index of [0, 1, 2]) at(index).write(utf8(`for ${index}`));
    at(1).close();
    const next = new Socket(system, sends, 1);
    sends.flush();
    expect(next.all).toBe('');
    next.write(utf8('for the next'));
    at(0).write(utf8('!'));
    sends.flush();
    expect([at(0).all, next.all, at(2).all]).toEqual(['for 0!', 'for the next', 'for 2']);
  });

  test('that is too long is sent at once, behind what was said before', () => {
    const { sends, at } = scene(2);
    at(0).write(utf8('first,'));
    at(1).write(utf8('other'));
    at(0).write(new Uint8Array(PLACE_BYTES).fill(0x61));
    expect(at(0).all).toBe(`first,${'a'.repeat(PLACE_BYTES)}`);
    at(1).write(new Uint8Array(PLACE_BYTES + 1).fill(0x62));
    sends.flush();
    expect(at(1).all).toBe(`other${'b'.repeat(PLACE_BYTES + 1)}`);
  });

  test('what the system does not take is left to the socket', () => {
    const { system, sends, at } = scene(3);
    for (const index of [0, 1, 2]) at(index).write(utf8('abcdef'));
    system.fates.push(2, -11, 6, 0, 0);
    sends.flush();
    expect([0, 1, 2].map((index) => at(index).queue.length)).toEqual([1, 1, 0]);
    expect([0, 1, 2].map((index) => at(index).all)).toEqual(['abcdef', 'abcdef', 'abcdef']);
  });

  test('more sockets than places are sent for in several calls', () => {
    const { system, sends, sockets } = scene(3 * PLACES + 2);
    for (const socket of sockets) socket.write(utf8('x'));
    sends.flush();
    expect(system.submissions).toBe(4);
    expect(sockets.every((socket) => socket.all === 'x')).toBe(true);
  });

  test('goes out one by one where that is not allowed, and where there is no ring', () => {
    const { system, sends, sockets } = scene(2);
    for (const socket of sockets) socket.write(utf8('a'));
    sends.allow(false);
    for (const socket of sockets) socket.write(utf8('b'));
    expect(sends.isBatching).toBe(false);
    expect(sockets.map((socket) => socket.all)).toEqual(['ab', 'ab']);
    sends.allow(true);
    for (const socket of sockets) socket.write(utf8('c'));
    sends.flush();
    expect([system.submissions, ...sockets.map((socket) => socket.all)]).toEqual([2, 'abc', 'abc']);
    const without = new Sends(() => undefined);
    const alone = new Socket(system, without, 7);
    alone.write(utf8('at once'));
    expect([without.isBatching, alone.all]).toEqual([false, 'at once']);
  });

  test('reaches only whom it is for, all of it and in order, whatever happens', () => {
    const step = fc.oneof(
      { weight: 12, arbitrary: fc.tuple(fc.constant('write'), fc.nat(5), fc.nat(1500)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('write'), fc.nat(5), fc.nat(9000)) },
      { weight: 3, arbitrary: fc.tuple(fc.constant('flush'), fc.nat(), fc.nat()) },
      {
        weight: 2,
        arbitrary: fc.tuple(fc.constant('refuse'), fc.integer({ min: -104 }), fc.nat()),
      },
      { weight: 2, arbitrary: fc.tuple(fc.constant('reopen'), fc.nat(5), fc.nat()) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { system, sends, sockets, at } = scene(6);
        const gone: Socket[] = [];
        let count = 0;
        for (const [kind, first, second] of steps) {
          if (kind === 'flush') sends.flush();
          else if (kind === 'refuse') system.fates.push(first % 700);
          else if (kind === 'write') at(first).write(new Uint8Array(second).fill((count += 1)));
          else {
            const { fd } = at(first);
            gone.push(at(first));
            at(first).close();
            sockets[first] = new Socket(system, sends, fd);
          }
        }
        sends.flush();
        const saidBy = (socket: Socket) => Buffer.from(concat(socket.said)).toString('latin1');
        for (const socket of sockets) expect(socket.all).toBe(saidBy(socket));
        for (const socket of gone) expect(saidBy(socket).startsWith(socket.all)).toBe(true);
        for (const socket of sockets) expect(socket.place).toBe(NOWHERE);
      }),
      { numRuns: 500 },
    );
  });
});
