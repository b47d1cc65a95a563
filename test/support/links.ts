import { connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import type { LinkHandler } from '../../src/core/link.ts';
import { dial } from '../../src/net/dial.ts';
import type { SocketLink } from '../../src/net/link.ts';
import { listen } from '../../src/net/listener.ts';
import type { Listener } from '../../src/net/listener.ts';
import { ByteQueue } from './byte-queue.ts';

const DEADLINE_MS = 10_000;

/** Remembers all that a link tells. */
export class Ear implements LinkHandler {
  readonly isRelaying = true;
  /** What has come and has not been read by the test. */
  readonly bytes = new ByteQueue(DEADLINE_MS);
  received = 0;
  drains = 0;
  /** The problem of each time that the end was heard. */
  readonly closings: (string | undefined)[] = [];
  readonly #closed = Promise.withResolvers<string | undefined>();
  readonly #drained = Promise.withResolvers<void>();

  /** Resolves with the problem when the link has closed. */
  get closing(): Promise<string | undefined> {
    return this.#closed.promise;
  }

  /** Resolves when the queue has drained for the first time. */
  get drain(): Promise<void> {
    return this.#drained.promise;
  }

  data(bytes: Uint8Array): void {
    this.received += bytes.length;
    this.bytes.push(bytes);
  }

  drained(): void {
    this.drains += 1;
    this.#drained.resolve();
  }

  closed(problem: string | undefined): void {
    this.closings.push(problem);
    this.bytes.end(problem);
    this.#closed.resolve(problem);
  }
}

/** A link and what was heard on it. */
export interface End {
  readonly link: SocketLink;
  readonly ear: Ear;
}

export function listenTo(link: SocketLink): End {
  const ear = new Ear();
  link.handler = ear;
  return { link, ear };
}

/** A listener whose connections a test takes one by one. */
export interface Porch {
  readonly port: number;
  readonly listener: Listener;
  /** The next connection, in the order in which they came. */
  arrival(): Promise<End>;
  /** An ordinary socket that is connected to the porch, and what arrived at the porch by it. */
  visit(): Promise<{ readonly socket: Socket; readonly end: End }>;
  /** Two links that are connected with each other. */
  pair(): Promise<{ readonly near: End; readonly far: End }>;
  /** Lets whatever is on its way elsewhere arrive: that many exchanges on a connection of its own. */
  roundTrips(count: number): Promise<void>;
  /** Stops listening and cuts what is open. */
  stop(): void;
}

export function openPorch(host = '127.0.0.1'): Porch {
  const links: SocketLink[] = [];
  const arrived: End[] = [];
  const waiting: ((end: End) => void)[] = [];
  const listener = listen({ host, port: 0 }, false, (link) => {
    links.push(link);
    const end = listenTo(link);
    const next = waiting.shift();
    if (next === undefined) arrived.push(end);
    else next(end);
  });
  const { port } = listener;
  const arrival = (): Promise<End> => {
    const end = arrived.shift();
    return end === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : Promise.resolve(end);
  };
  const pair = async (): Promise<{ near: End; far: End }> => {
    const far = listenTo(await dial({ host, port }, DEADLINE_MS, systemClock.after));
    links.push(far.link);
    return { near: await arrival(), far };
  };
  return {
    port,
    listener,
    arrival,
    async visit() {
      // Half open: such a socket closes when the test says so, not when its peer does.
      const socket = connect({ host, port, allowHalfOpen: true });
      socket.on('error', () => {}); // tests look at the porch's side
      return { socket, end: await arrival() };
    },
    pair,
    async roundTrips(count) {
      const { near, far } = await pair();
      for (let left = count; left > 0; left -= 1) {
        near.link.write(Uint8Array.of(1));
        await far.ear.bytes.take(1);
        far.link.write(Uint8Array.of(2));
        await near.ear.bytes.take(1);
      }
      near.link.destroy();
    },
    stop() {
      listener.stop();
      for (const link of links) link.destroy();
    },
  };
}

/** Makes a server of Node's listen, and tells on which port. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
