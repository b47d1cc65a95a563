import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { EMPTY, utf8 } from '../base/bytes.ts';
import type { Completion } from './receive-ring.ts';
import { WATCHED } from './receive-ring.ts';
import type { ConnectionEnd, Receiver, Reception } from './reception.ts';
import type { Ring } from './receives.ts';
import { Receives } from './receives.ts';
import { Sends } from './sends.ts';

const ECANCELED = -125;
const ECONNRESET = -104;
const ENOBUFS = -105;
const EALREADY = -114;
const LOOP = 3;

function happening(id: number, bytes: Uint8Array, result: number): Completion {
  return { id, bytes, isLast: false, isMissed: false, isStarved: false, result };
}

/** The operating system, as far as bytes come from it. */
class System implements Ring {
  found = happening(0, EMPTY, 0);
  /** What lies in each socket that is open. */
  readonly sockets = new Map<number, string[]>();
  readonly #asked: (() => void)[] = [];
  readonly #underWay = new Map<number, string[]>();
  readonly #happened: Completion[] = [];
  isLoopCalled = false;
  /** Too busy to cancel anything. */
  isBusy = false;
  watches = 0;
  waits = 0;
  #isWatching = false;

  receive(id: number, fd: number): void {
    this.#asked.push(() => {
      const socket = this.sockets.get(fd);
      if (socket === undefined) throw new Error('a closed descriptor was read');
      this.#underWay.set(id, socket);
    });
  }

  cancel(id: number): void {
    this.#asked.push(() => {
      if (!this.isBusy) this.end(id, ECANCELED);
      else this.#happened.push({ ...happening(id, EMPTY, EALREADY), isMissed: true });
    });
  }

  watch(fd: number): void {
    expect(fd).toBe(LOOP);
    expect(this.#isWatching).toBe(false);
    this.watches += 1;
    this.#isWatching = true;
  }

  wait(): void {
    this.waits += 1;
    for (const ask of this.#asked.splice(0)) ask();
    for (const [id, socket] of this.#underWay) {
      for (const words of socket.splice(0)) {
        const bytes = utf8(words);
        this.#happened.push(happening(id, bytes, bytes.length));
      }
    }
    if (!this.#isWatching || !this.isLoopCalled) return;
    this.#isWatching = false;
    this.#happened.push({ ...happening(WATCHED, EMPTY, 1), isLast: true });
  }

  next(): boolean {
    const one = this.#happened.shift();
    if (one === undefined) return false;
    this.found = one;
    return true;
  }

  end(id: number, result: number): void {
    if (!this.#underWay.delete(id)) return;
    this.#happened.push({
      ...happening(id, EMPTY, result),
      isLast: true,
      isStarved: result === ENOBUFS,
    });
  }

  isReading(id: number): boolean {
    return this.#underWay.has(id);
  }
}

/** A link: what it hears, and whether it reads for itself. */
class Socket implements Receiver {
  readonly inbox: string[] = [];
  readonly problems: string[] = [];
  readonly fate: (ConnectionEnd | undefined)[] = [];
  heard = '';
  fd: number;
  reception: Reception | undefined;
  isPaused = false;
  onWords: (words: string) => void = () => {};

  constructor(system: System, fd: number) {
    this.fd = fd;
    system.sockets.set(fd, this.inbox);
  }

  arrived(bytes: Uint8Array): void {
    if (this.fd < 0) return;
    if (this.isPaused) throw new Error('it is paused');
    this.heard += Buffer.from(bytes).toString();
    this.onWords(Buffer.from(bytes).toString());
  }

  released(end: ConnectionEnd | undefined): void {
    this.fate.push(end);
    this.reception = undefined;
  }

  socketFailed(problem: string): void {
    this.problems.push(problem);
  }

  pause(): void {
    this.isPaused = true;
    this.reception?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.reception?.resume();
  }

  close(system: System): void {
    system.sockets.delete(this.fd);
    this.fd = -1;
    this.reception?.leave();
  }

  /** What the runtime does where the ring does not. */
  readForItself(): void {
    while (this.reception === undefined && !this.isPaused && this.fd >= 0) {
      const words = this.inbox.shift();
      if (words === undefined) return;
      this.heard += words;
    }
  }
}

function scene() {
  const system = new System();
  // Each look at the clock takes longer than a turn may last: one turn at a time.
  const clock = { nowMs: 0, stepMs: 2 };
  const receives = new Receives({
    open: () => system,
    eventLoopOf: () => LOOP,
    nowMs: () => (clock.nowMs += clock.stepMs),
    sends: new Sends(() => undefined),
  });
  receives.insist();
  const visit = (fd: number): Socket => {
    const socket = new Socket(system, fd);
    socket.reception = receives.take(socket);
    return socket;
  };
  return { system, clock, receives, visit };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let nth = 0; nth < count; nth += 1) await turn();
}

describe('what the ring reads', () => {
  test('is heard by whom it is for', async () => {
    const { system, visit } = scene();
    const [one, other] = [visit(10), visit(11)];
    one.inbox.push('for ', 'one');
    other.inbox.push('for the other');
    await turns(2);
    expect([one.heard, other.heard]).toEqual(['for one', 'for the other']);
    expect([system.waits > 0, system.watches]).toEqual([true, 1]);
  });

  test('waits for who is paused, and what has come by then is heard before what the runtime reads', async () => {
    const { visit } = scene();
    const socket = visit(10);
    socket.onWords = (words) => {
      if (words === 'stop') socket.pause();
    };
    socket.inbox.push('a', 'stop', 'b', 'c');
    await turns(3);
    expect([socket.heard, socket.fate]).toEqual(['astop', []]);
    socket.inbox.push('d');
    socket.onWords = (words) => {
      if (words === 'b') socket.pause();
    };
    socket.resume();
    expect(socket.heard).toBe('astop'); // whoever resumes is in the middle of something
    await turns(1);
    expect([socket.heard, socket.fate]).toEqual(['astopb', []]);
    socket.resume();
    await turns(1);
    expect([socket.heard, socket.fate]).toEqual(['astopbc', [undefined]]);
    socket.readForItself();
    expect(socket.heard).toBe('astopbcd');
  });

  test('of who is gone before it was asked for is not asked for, nor of the next who has its number', async () => {
    const { system, visit } = scene();
    const socket = visit(10);
    socket.close(system);
    const next = new Socket(system, 10);
    next.inbox.push('for the next');
    await turns(3);
    expect([socket.heard, next.heard, next.inbox.length]).toEqual(['', '', 1]);
    expect(socket.fate).toEqual([undefined]);
  });

  test('that nobody can bear costs who hears it its connection, and nobody else', async () => {
    const { visit } = scene();
    const [bad, good] = [visit(10), visit(11)];
    bad.onWords = () => {
      throw new Error('what is this?');
    };
    bad.inbox.push('x');
    good.inbox.push('y');
    await turns(3);
    expect([bad.problems, good.heard, good.problems]).toEqual([['what is this?'], 'y', []]);
  });

  test('goes on where only room was lacking, and ends with the connection', async () => {
    const { system, visit } = scene();
    const [starved, ended, reset] = [visit(10), visit(11), visit(12)];
    await turns(1);
    system.end(starved.reception?.id ?? 0, ENOBUFS);
    system.end(ended.reception?.id ?? 0, 0);
    system.end(reset.reception?.id ?? 0, ECONNRESET);
    await turns(3);
    expect(system.isReading(starved.reception?.id ?? 0)).toBe(true);
    expect([starved.fate, ended.fate, reset.fate]).toEqual([[], ['closed'], ['reset']]);
  });

  test('is cancelled again where it could not be', async () => {
    const { system, visit } = scene();
    const socket = visit(10);
    await turns(1);
    system.isBusy = true;
    socket.reception?.leave();
    await turns(3);
    expect(socket.fate).toEqual([]);
    system.isBusy = false;
    await turns(2);
    expect(socket.fate).toEqual([undefined]);
  });

  test('the runtime has its turn when something is there for it, and otherwise after a millisecond', async () => {
    const { system, clock, visit } = scene();
    visit(10);
    clock.stepMs = 0.1;
    await turns(1);
    expect(system.waits).toBeGreaterThan(5);
    system.isLoopCalled = true;
    const before = system.waits;
    await turns(1);
    expect([system.waits, system.watches]).toEqual([before + 1, 1]);
    await turns(1);
    expect([system.waits, system.watches]).toEqual([before + 2, 2]);
  });
});

describe('the ring reads', () => {
  test('where much is read in a short time, and no longer when it becomes quiet', async () => {
    const { clock, receives, visit } = scene();
    receives.insist(false);
    clock.stepMs = 30;
    for (let nth = 0; nth < 1_000; nth += 1) receives.count();
    expect(receives.isBusy).toBe(false);
    clock.stepMs = 0.5;
    for (let nth = 0; nth < 1_000; nth += 1) receives.count();
    expect(receives.isBusy).toBe(true);
    const socket = visit(10);
    for (let nth = 0; nth < 200; nth += 1) {
      socket.inbox.push('x', 'y');
      await turn();
    }
    expect([receives.isBusy, socket.fate]).toEqual([true, []]);
    clock.stepMs = 60;
    await turns(10);
    expect([receives.isBusy, socket.fate]).toEqual([false, [undefined]]);
  });

  test('no longer for who has said nothing for long', async () => {
    const { clock, visit } = scene();
    const [lively, silent] = [visit(10), visit(11)];
    clock.stepMs = 60;
    for (let nth = 0; nth < 60; nth += 1) {
      lively.inbox.push('.');
      await turn();
    }
    expect([lively.fate, silent.fate]).toEqual([[], [undefined]]);
  });

  test('for nobody where that is not allowed, and where the event loop is not to be found', async () => {
    const { receives, visit } = scene();
    const socket = visit(10);
    receives.allow(false);
    await turns(3);
    expect([receives.isAble, receives.isBusy, socket.fate]).toEqual([false, false, [undefined]]);
    expect(receives.take(socket)).toBeUndefined();
    const lost = new Receives({
      open: () => new System(),
      eventLoopOf: () => undefined,
      nowMs: () => 0,
      sends: new Sends(() => undefined),
    });
    expect([lost.take(socket), lost.isAble]).toEqual([undefined, false]);
  });
});

test('all that comes is heard once and in order by whom it is for, whatever happens', async () => {
  const action = fc.constantFrom(
    'say',
    'say',
    'say',
    'say',
    'turn',
    'turn',
    'pause',
    'resume',
    'leave',
    'end',
    'reset',
    'starve',
    'reopen',
    'call',
    'busy',
  );
  const steps = fc.array(fc.tuple(action, fc.nat(3)), { maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const { system, receives, visit } = scene();
      const sockets = [10, 11, 12, 13].map(visit);
      const said = new Map<Socket, string>();
      let count = 0;
      for (const [what, which] of all) {
        const socket = sockets[which];
        if (socket === undefined) throw new Error('no such socket');
        const id = socket.reception?.id ?? 0;
        if (what === 'say') {
          const words = `${(count += 1)};`;
          socket.inbox.push(words);
          said.set(socket, `${said.get(socket) ?? ''}${words}`);
        } else if (what === 'turn') await turn();
        else if (what === 'pause') socket.pause();
        else if (what === 'resume') socket.resume();
        else if (what === 'leave') socket.reception?.leave();
        else if (what === 'end') system.end(id, 0);
        else if (what === 'reset') system.end(id, ECONNRESET);
        else if (what === 'starve') system.end(id, ENOBUFS);
        else if (what === 'busy') system.isBusy = !system.isBusy;
        else if (what === 'call') system.isLoopCalled = !system.isLoopCalled;
        else {
          socket.close(system);
          sockets[which] = visit(10 + which);
        }
      }
      system.isBusy = false;
      receives.allow(false);
      for (const socket of sockets) socket.resume();
      await turns(4);
      for (const socket of sockets) {
        expect(socket.reception).toBeUndefined();
        expect(socket.fate.length).toBe(1);
        socket.readForItself();
      }
      for (const [socket, words] of said) {
        expect(socket.problems).toEqual([]);
        if (socket.fd >= 0) expect(socket.heard).toBe(words);
        else expect(words.startsWith(socket.heard)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
