import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  backend,
  bytesOf,
  cstring,
  errorFields,
  frontend,
  i16,
  i32,
  message,
} from '../../support/messages.ts';
import type { Message } from '../../support/messages.ts';
import { PeerGone } from '../../support/byte-queue.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { hang, readStartup, welcome } from '../../support/scripted-server.ts';
import type { Script } from '../../support/scripted-server.ts';
import type { TestSocket } from '../../support/test-socket.ts';
import { transcript } from '../../support/transcript.ts';
import { eventually } from '../clients/stage.ts';
import { refusal, Scene, scriptedDatabase } from './scene.ts';

type Mischief = (peer: TestSocket) => Promise<void> | void;

const row = backend.dataRow('x');
const complaint = (fields: object): Uint8Array =>
  backend.error({ S: 'ERROR', V: 'ERROR', M: 'no', ...fields });

/** What a database may do at any moment instead of what it should; afterwards it closes, unless it hangs. */
const mischiefs: Readonly<Record<string, Mischief>> = {
  closes: () => {},
  resets: (peer) => peer.destroy(),
  'talks nonsense': (peer) => peer.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
  'sends zeros': (peer) => peer.send(new Uint8Array(64)),
  'announces length 0': (peer) => peer.send(bytesOf('D', i32(0))),
  'announces length 3': (peer) => peer.send(bytesOf('Z', i32(3))),
  'announces a negative length': (peer) => peer.send(bytesOf('D', i32(-1))),
  'announces 2 GB of an error': (peer) => peer.send(bytesOf('E', i32(0x7fff_ffff))),
  'announces 2 GB of ReadyForQuery': (peer) => peer.send(bytesOf('Z', i32(0x7fff_fff0))),
  'stops in a header': (peer) => peer.send(row.subarray(0, 3)),
  'stops in a row': (peer) => peer.send(row.subarray(0, 9)),
  'sends an unknown type': (peer) => peer.send(message('?', 'what')),
  'sends ReadyForQuery with an unknown status': (peer) => peer.send(message('Z', '!')),
  'sends ReadyForQuery without a status': (peer) => peer.send(message('Z')),
  'sends ReadyForQuery twice': (peer) => peer.send(backend.ready(), backend.ready()),
  'sends an error without SQLSTATE (PG-17)': (peer) => peer.send(complaint({})),
  'sends an error without anything (PG-17)': (peer) => peer.send(message('E', 0)),
  'sends an error without its end': (peer) => peer.send(message('E', 'SERROR')),
  'sends an empty error': (peer) => peer.send(message('E')),
  'sends two errors (PG-15)': (peer) =>
    peer.send(complaint({ S: 'FATAL', V: 'FATAL', C: '57P01' }), complaint({ C: 'XX000' })),
  'sends two fatal errors (PG-15)': (peer) =>
    peer.send(
      complaint({ S: 'FATAL', V: 'FATAL', C: '57P01' }),
      complaint({ S: 'FATAL', V: 'FATAL', C: '57P02' }),
    ),
  'asks for a password': (peer) => peer.send(backend.md5Password(Uint8Array.of(1, 2, 3, 4))),
  'reports a parameter without an end': (peer) => peer.send(message('S', 'name')),
  'answers what nobody asked': (peer) => peer.send(message('1'), message('2'), message('3')),
  'sends a bad cancel key': (peer) => peer.send(message('K', i16(1))),
  'sends a row description with 60000 columns': (peer) =>
    peer.send(message('T', i16(60_000), cstring('a'))),
};

/** The conversation up to the point at which the mischief happens; a query has been asked from `query` on. */
const points: Readonly<Record<string, (peer: TestSocket) => Promise<void>>> = {
  'at once': async () => {},
  'after the start-up message': async (peer) => {
    await readStartup(peer);
  },
  'after AuthenticationOk': async (peer) => {
    await readStartup(peer);
    peer.send(backend.authenticationOk());
  },
  'while idle': async (peer) => {
    await welcome(peer);
  },
  'after a query': async (peer) => {
    await welcome(peer);
    await peer.readMessage();
  },
  'in a result': async (peer) => {
    await welcome(peer);
    await peer.readMessage();
    peer.send(backend.rowDescription('a'), row);
  },
  'in a transaction': async (peer) => {
    await welcome(peer);
    await peer.readMessage();
    peer.send(backend.complete('BEGIN'), backend.ready('T'));
  },
};

/** Answers every query with its connection's number, as long as there is one. */
const wellBehaved: Script = async (peer, connection) => {
  await welcome(peer);
  for (;;) {
    const { type } = await peer.readMessage();
    if (type === 'X') return;
    if (type !== 'Q') continue;
    peer.send(backend.rowDescription('a'), backend.dataRow(String(connection)));
    peer.send(backend.complete('SELECT 1'), backend.ready());
  }
};

/** Who asks for the database `<point>/<mischief>` meets it there; the others meet a database as it should be. */
const database = scriptedDatabase(async (peer, connection) => {
  const [point = '', mischief = ''] = (await databaseAskedFor(peer)).split('/');
  const approach = points[point];
  if (approach === undefined) return await wellBehaved(peer, connection);
  await approach(peer);
  await (mischief === 'hangs' ? hang(peer) : mischiefs[mischief]?.(peer));
});

async function databaseAskedFor(peer: TestSocket): Promise<string> {
  const head = Buffer.from(await peer.peek(8));
  const packet = Buffer.from(await peer.peek(head.readInt32BE(0)));
  return /database\0([^\0]*)\0/.exec(packet.toString('utf8'))?.[1] ?? '';
}

let scene: Scene;
let control: RawClient;
let descriptors: number;

beforeAll(async () => {
  scene = await Scene.open(database, {
    // Enough for all at once: nobody waits for another's place.
    connections: 40,
    proxy: {
      serverConnectTimeout: 1,
      clientLoginTimeout: 2,
      pool: { connectionBorrowTimeout: 1 },
    },
  });
  control = await scene.client();
  await control.value('SELECT 1');
  descriptors = await scene.descriptors();
});
afterAll(async () => {
  control.destroy();
  await scene.close();
  database.stop();
});

test.each(Object.keys(points))(
  'a database that misbehaves %s gives its client one error or a close, and harms nobody else (GX-10, PG-15, PG-16, PG-17)',
  async (point) => {
    const nonsense: string[] = [];
    await Promise.all(
      Object.keys(mischiefs).map(async (mischief) => {
        for (const answer of await victim(`${point}/${mischief}`)) {
          if (!makesSense(answer))
            nonsense.push(`${mischief}: ${transcript(answer.messages).join(' ')}`);
        }
      }),
    );
    expect(nonsense).toEqual([]);
    expect(await control.value('SELECT 1')).toBeString();
    await scene.expectClean(1);
  },
);

test('every connection that was discarded has a reason in the log, and no descriptor is left (GX-10)', async () => {
  for (const { reason, message: text } of scene.sluice.logs('serverDiscarded')) {
    expect(reason).toBeString();
    expect(text).toBeString();
  }
  const failed = scene.sluice.logs('serverFailed');
  expect(failed.length).toBeGreaterThan(0);
  for (const { detail } of failed) expect(String(detail)).not.toBe('');
  await eventually(
    () => scene.descriptors(),
    (count) => count <= descriptors + 2,
  );
});

describe('a database that hangs', () => {
  test.each(['at once', 'after the start-up message', 'after AuthenticationOk'])(
    '%s makes a login fail in time (GX-10)',
    async (point) => {
      const started = performance.now();
      const fate = await refusal(scene.client({ database: `${point}/hangs` }));
      expect(fate).toMatch(/^FATAL 08000 Timed-out/);
      expect(performance.now() - started).toBeLessThan(2_500);
      expect(await control.value('SELECT 1')).toBeString();
      await scene.expectClean(1);
    },
  );

  test('in a request is left when its client leaves, and its place is free again (GX-10)', async () => {
    const login = { database: 'while idle/hangs' };
    const clients = await Promise.all(Array.from({ length: 3 }, () => scene.client(login)));
    for (const client of clients) client.send(frontend.query('SELECT 1'));
    await scene.untilMetric('database_connections_currently_borrowed', 3);
    for (const client of clients) client.destroy();
    await scene.expectClean(1);
    await eventually(
      () => scene.metric('database_connections'),
      (count) => count <= 1,
    );
    expect(await scene.ask('SELECT 1')).toBeString();
  });
});

/** Signs in, asks twice, and tells what came in answer to each; a refused login is the only answer. */
async function victim(name: string): Promise<readonly Answer[]> {
  let client: RawClient;
  try {
    client = await scene.client({ database: name });
  } catch (problem) {
    expect(problem instanceof Error ? problem.message : '').toMatch(/^FATAL [0-9A-Z]{5} ./);
    return [];
  }
  const answers: Answer[] = [];
  for (let left = 2; left > 0 && !client.socket.ended; left -= 1) {
    client.send(frontend.query('SELECT 1'));
    answers.push(await answerOf(client));
  }
  client.destroy();
  return answers;
}

interface Answer {
  readonly messages: readonly Message[];
  readonly closed: boolean;
}

async function answerOf(client: RawClient): Promise<Answer> {
  const messages: Message[] = [];
  try {
    for (;;) {
      const next = await client.read();
      messages.push(next);
      if (next.type === 'Z') return { messages, closed: false };
    }
  } catch (problem) {
    if (!(problem instanceof PeerGone)) throw problem;
    return { messages, closed: true };
  }
}

/** At most one error that ends the connection, and nothing after it. */
function makesSense({ messages }: Answer): boolean {
  const farewell = messages.findIndex(
    ({ type, body }) => type === 'E' && errorFields(body)['S'] === 'FATAL',
  );
  return farewell < 0 || farewell === messages.length - 1;
}
