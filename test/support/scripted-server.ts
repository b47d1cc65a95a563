import { backend } from './messages.ts';
import { DEADLINE_MS, plainHandlers, TestSocket } from './test-socket.ts';

/** What one connection's server does; when it returns, the connection is closed in good order unless it hangs. */
export type Script = (peer: TestSocket, connection: number) => Promise<void>;

export interface ScriptedServer {
  readonly host: string;
  readonly port: number;
  /** How many connections came so far. */
  readonly connections: number;
  /** What went wrong inside scripts, such as a peer that closed early; nothing else shows it. */
  readonly problems: readonly unknown[];
  /** Resolves when this many connections have come. */
  connected(count: number): Promise<void>;
  /** Stops listening and cuts what is open. */
  stop(): void;
}

/** A database that does what no real one will: sends given bytes at given points, hangs, talks nonsense, leaves early. */
export function startScriptedServer(script: Script, deadlineMs = DEADLINE_MS): ScriptedServer {
  const open = new Set<TestSocket>();
  const problems: unknown[] = [];
  const arrivals: { readonly count: number; readonly resolve: () => void }[] = [];
  let connections = 0;
  const listener = Bun.listen<TestSocket>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      ...plainHandlers,
      open(socket) {
        const peer = new TestSocket(socket, deadlineMs);
        socket.data = peer;
        open.add(peer);
        connections += 1;
        for (const { count, resolve } of arrivals) if (count <= connections) resolve();
        void script(peer, connections)
          .catch((problem: unknown) => problems.push(problem))
          .finally(() => peer.end());
      },
    },
  });
  return {
    host: '127.0.0.1',
    port: listener.port,
    problems,
    get connections() {
      return connections;
    },
    async connected(count) {
      if (connections >= count) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      arrivals.push({ count, resolve });
      await promise;
    },
    stop() {
      listener.stop(true);
      for (const peer of open) peer.destroy();
    },
  };
}

/** Refuses TLS where it is asked for, and reads the start-up message: its parameters. */
export async function readStartup(peer: TestSocket): Promise<ReadonlyMap<string, string>> {
  for (;;) {
    const body = Buffer.from(await peer.readUntyped());
    const code = body.readInt32BE(0);
    if (code >>> 16 === 3) {
      const words = body.toString('utf8', 4).split('\0');
      const pairs = words.flatMap((name, at): [string, string][] =>
        at % 2 === 0 && name !== '' ? [[name, words[at + 1] ?? '']] : [],
      );
      return new Map(pairs);
    }
    peer.send(Buffer.from('N'));
  }
}

export interface Manners {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly pid?: number;
  readonly secret?: Uint8Array;
}

/** What a database reports to everybody; clients refuse to work without some of it. */
const usualParameters = {
  server_version: '18.0',
  server_encoding: 'UTF8',
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  integer_datetimes: 'on',
  standard_conforming_strings: 'on',
  in_hot_standby: 'off',
};

/** Lets anyone in without a password, up to ReadyForQuery. */
export async function welcome(
  peer: TestSocket,
  manners: Manners = {},
): Promise<ReadonlyMap<string, string>> {
  const startup = await readStartup(peer);
  const { parameters = {}, pid = 4711, secret = Uint8Array.of(1, 2, 3, 4) } = manners;
  peer.send(
    backend.authenticationOk(),
    ...Object.entries({ ...usualParameters, ...parameters }).map(([name, value]) =>
      backend.parameterStatus(name, value),
    ),
    backend.keyData(pid, secret),
    backend.ready(),
  );
  return startup;
}

/** The text of a client's next simple query; throws where it says anything else. */
export async function readQuery(peer: TestSocket): Promise<string> {
  const { type, body } = await peer.readMessage();
  if (type !== 'Q') throw new Error(`expected a query, not ${type}`);
  return Buffer.from(body).toString('utf8', 0, body.length - 1);
}

/** Keeps the connection open and says nothing until the other side closes. */
export async function hang(peer: TestSocket): Promise<void> {
  await peer.closedByPeer;
}
