import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Chance } from '../support/chance.ts';
import { backend, frontend } from '../support/messages.ts';
import type { RawClient } from '../support/raw-client.ts';
import { hang, welcome } from '../support/scripted-server.ts';
import { withPostgres } from '../support/sluice.ts';
import { scriptedDatabase, Scene } from '../e2e/faults/scene.ts';

const SEED = Number(process.env['SLUICE_SEED'] ?? 20_260_102);
const CLIENT_ROUNDS = 1_500;
const ARRIVAL_ROUNDS = 3_000;
const DATABASE_ROUNDS = 1_000;
const AT_ONCE = 2;

const extended = (sql: string, ...values: readonly string[]): Buffer =>
  Buffer.concat([
    frontend.parse('', sql),
    frontend.bind('', '', values),
    frontend.describe('P'),
    frontend.execute(),
    frontend.sync(),
  ]);

/** What clients say once they are in. */
const conversations: readonly Uint8Array[] = [
  frontend.query('SELECT 1'),
  Buffer.concat([frontend.query('BEGIN'), frontend.query('SELECT 2'), frontend.query('COMMIT')]),
  extended('SELECT $1::text', 'a value'),
  Buffer.concat([extended('SELECT 1/0'), extended('SELECT 3')]),
  Buffer.concat([frontend.parse('s', 'SELECT 4'), frontend.flush(), frontend.sync()]),
  Buffer.concat([
    frontend.query('CREATE TEMP TABLE t (a text); COPY t FROM STDIN'),
    frontend.copyData('row\n'),
    frontend.copyDone(),
    frontend.query('COPY t TO STDOUT'),
  ]),
  Buffer.concat([frontend.query('SELECT repeat($$x$$, 100000)'), frontend.terminate()]),
];

const arrivals: readonly Uint8Array[] = [
  frontend.startup({ user: 'app', database: 'app', application_name: 'fuzz' }),
  frontend.startup({ user: 'app', '_pq_.option': 'x' }, 2),
  Buffer.concat([frontend.sslRequest(), Buffer.from('160301002001000100', 'hex')]),
  Buffer.concat([frontend.gssRequest(), frontend.startup({ user: 'nobody' })]),
  frontend.cancelRequest(1, Uint8Array.of(1, 2, 3, 4)),
  Buffer.concat([
    frontend.startup({ user: 'app' }),
    frontend.saslInitial('SCRAM-SHA-256', 'n,,n=,r=abcdefghijklmnop'),
    frontend.saslResponse('c=biws,r=abcdefghijklmnop,p=AAAA'),
  ]),
];

/** What databases answer to a query. */
const answers: readonly Uint8Array[] = [
  Buffer.concat([
    backend.rowDescription('a'),
    backend.dataRow('x'),
    backend.parameterStatus('TimeZone', 'UTC'),
    backend.complete('SELECT 1'),
    backend.ready(),
  ]),
  Buffer.concat([
    backend.error({ S: 'ERROR', V: 'ERROR', C: '42601', M: 'no' }),
    backend.ready('E'),
  ]),
  Buffer.concat([
    backend.notice({ S: 'NOTICE', M: 'hm' }),
    backend.complete('DO'),
    backend.ready('T'),
  ]),
];

/** The bytes with up to three things done to them. */
function mutate(original: Uint8Array, chance: Chance): Buffer {
  let bytes = Buffer.from(original);
  for (let left = 1 + chance.below(3); left > 0 && bytes.length > 0; left -= 1) {
    const at = chance.below(bytes.length);
    const until = Math.min(bytes.length, at + 1 + chance.below(8));
    const [head, middle, tail] = [
      bytes.subarray(0, at),
      bytes.subarray(at, until),
      bytes.subarray(until),
    ];
    switch (chance.below(6)) {
      case 0:
        bytes[at] = chance.below(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
        break;
      case 2:
        bytes = Buffer.concat([head, tail]);
        break;
      case 3:
        bytes = Buffer.concat([head, middle, middle, tail]);
        break;
      case 4:
        bytes = Buffer.from(head);
        break;
      default:
        bytes = Buffer.concat([head, Buffer.alloc(middle.length, 0xff), tail]);
    }
  }
  return bytes;
}

function pick(from: readonly Uint8Array[], chance: Chance): Uint8Array {
  return from[chance.below(from.length)] ?? new Uint8Array(0);
}

/** In one piece or in some. */
function send(client: RawClient, bytes: Buffer, chance: Chance): void {
  for (let at = 0; at < bytes.length;) {
    const until = chance.below(2) === 0 ? bytes.length : at + 1 + chance.below(bytes.length - at);
    client.send(bytes.subarray(at, until));
    at = until;
  }
}

let scene: Scene;
let control: RawClient;
beforeAll(async () => {
  scene = await Scene.open(await withPostgres(), {
    connections: AT_ONCE + 1,
    proxy: { clientLoginTimeout: 1 },
  });
  control = await scene.client();
});
afterAll(async () => {
  await control.end();
  await scene.close();
});

/** Does the rounds, a few at a time, and asks the control client after each few. */
async function rounds(
  count: number,
  asked: { readonly scene: Scene; readonly control: RawClient },
  round: (chance: Chance, at: number) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < count; at += AT_ONCE) {
    try {
      const few = Array.from({ length: AT_ONCE }, (_, i) =>
        round(new Chance(SEED + at + i), at + i),
      );
      const answer = asked.control.value(`SELECT ${at}`);
      await Promise.all(few);
      expect(await answer).toBe(String(at));
    } catch (problem) {
      throw new Error(`seed ${SEED}, round ${at}`, { cause: problem });
    }
  }
  await asked.scene.expectClean(1);
}

/** Waits until the other side has said something or has closed, or has had the time for one round trip of the proxy's own. */
async function linger(client: RawClient): Promise<void> {
  const said = client.socket.peek(1).catch(() => undefined);
  await Promise.race([said, scene.sluice.admin('/healthz')]);
}

test(`${CLIENT_ROUNDS} conversations of signed-in clients, mutated, harm nobody (PG-16, GX-10)`, async () => {
  await rounds(CLIENT_ROUNDS, { scene, control }, async (chance) => {
    const client = await scene.client();
    send(client, mutate(pick(conversations, chance), chance), chance);
    if (chance.below(3) > 0) await linger(client);
    client.destroy();
  });
});

test(`${ARRIVAL_ROUNDS} arrivals, mutated, harm nobody (PG-19, GX-08)`, async () => {
  await rounds(ARRIVAL_ROUNDS, { scene, control }, async (chance) => {
    const stranger = await scene.stranger();
    send(stranger, mutate(pick(arrivals, chance), chance), chance);
    if (chance.below(3) > 0) await linger(stranger);
    stranger.destroy();
  });
});

test(`${DATABASE_ROUNDS} answers of a database, mutated, harm nobody (PG-16, GX-10)`, async () => {
  const database = scriptedDatabase(async (peer, connection) => {
    await welcome(peer);
    const chance = new Chance(SEED + connection);
    for (;;) {
      const { type, body } = await peer.readMessage();
      if (type === 'X') return;
      const wanted = /SELECT (\d+)/.exec(Buffer.from(body).toString())?.[1];
      if (wanted !== undefined) {
        peer.send(backend.rowDescription('a'), backend.dataRow(wanted));
        peer.send(backend.complete('SELECT 1'), backend.ready());
        continue;
      }
      peer.send(mutate(pick(answers, chance), chance));
      if (chance.below(2) === 0) return;
      await Promise.race([hang(peer), peer.peek(1)]);
    }
  });
  const other = await Scene.open(database, { connections: AT_ONCE + 1 });
  const asked = { scene: other, control: await other.client({ user: 'reader' }) };
  await rounds(DATABASE_ROUNDS, asked, async (chance) => {
    const client = await other.client();
    client.send(frontend.query('mischief'));
    if (chance.below(4) > 0) await linger(client);
    client.destroy();
  });
  asked.control.destroy();
  await other.close();
  database.stop();
});
