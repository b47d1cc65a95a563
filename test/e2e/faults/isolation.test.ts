import { expect, test } from 'bun:test';
import { PeerGone } from '../../support/byte-queue.ts';
import { Chance } from '../../support/chance.ts';
import { frontend, rowValues } from '../../support/messages.ts';
import type { Message } from '../../support/messages.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { withPostgres } from '../../support/sluice.ts';
import { eventually } from '../clients/stage.ts';
import { Scene } from './scene.ts';

const CLIENTS = 100;
const ACTS = 25;
/** Two users take turns at the connections, and at each turn one is made anew: on a slow machine that takes a while. */
const PATIENCE_MS = 120_000;

/** Every row that came must be the asker's own. */
function check(messages: readonly Message[], tag: string): void {
  for (const { type, body } of messages) {
    if (type !== 'D') continue;
    const [value] = rowValues(body);
    if (value !== tag) throw new Error(`${tag} was given ${value}`);
  }
}

type Act = (client: RawClient, tag: string, chance: Chance) => Promise<boolean>;

/** What a client may do; false where it has left. */
const acts: readonly Act[] = [
  async (client, tag) => {
    const answer = await client.query(`SELECT '${tag}'`);
    check(answer, tag);
    if (!answer.some(({ type }) => type === 'D')) throw new Error(`${tag} was given nothing`);
    return true;
  },
  async (client, tag) => {
    check(await client.query(`BEGIN`), tag);
    check(await client.query(`SELECT '${tag}' FROM generate_series(1, 3)`), tag);
    check(await client.query(`SET LOCAL application_name = '${tag}'`), tag);
    check(await client.query(`SELECT current_setting('application_name')`), tag);
    check(await client.query('COMMIT'), tag);
    return true;
  },
  async (client, tag) => {
    const answer = await client.query(`SELECT '${tag}' FROM nowhere`);
    if (!answer.some(({ type }) => type === 'E')) throw new Error(`${tag} saw no error`);
    return true;
  },
  async (client, tag) => {
    await client.query('BEGIN');
    await client.query(`SELECT 1/0, '${tag}'`);
    check(await client.query('ROLLBACK'), tag);
    return true;
  },
  async (client, tag) => {
    // A pipeline, with an error in its middle.
    for (const sql of ['SELECT $1', 'SELECT $1::int / 0', 'SELECT $1']) {
      client.send(frontend.parse('', sql), frontend.bind('', '', [tag]), frontend.execute());
      client.send(frontend.sync());
    }
    check(await client.readUntilReady(3), tag);
    return true;
  },
  async (client, tag) => {
    for (let i = 0; i < 3; i += 1) client.send(frontend.query(`SELECT '${tag}'`));
    check(await client.readUntilReady(3), tag);
    return true;
  },
  async (client, tag, chance) => {
    // Away at some point of a long answer, of a transaction, or of a message.
    const query = frontend.query(`BEGIN; SELECT '${tag}' FROM generate_series(1, 5000)`);
    const some = chance.percent(30)
      ? query.subarray(0, Math.ceil(chance.fraction() * query.length))
      : query;
    client.send(some);
    if (some === query) await client.socket.peek(chance.between(1, 5_000));
    client.destroy();
    return false;
  },
];

async function live(scene: Scene, who: number, chance: Chance): Promise<number> {
  const user = who % 2 === 0 ? 'app' : 'reader';
  let done = 0;
  let client: RawClient | undefined;
  for (let left = ACTS; left > 0; left -= 1) {
    client ??= await scene.client({ user, deadlineMs: PATIENCE_MS });
    // Leaving is rarer than the rest.
    const act = acts[chance.below(acts.length - 1 + (chance.percent(30) ? 1 : 0))];
    const tag = `client ${who} act ${left}`;
    const stays = await act?.(client, tag, chance).catch((problem: unknown) => {
      throw problem instanceof PeerGone ? new Error(`${tag} was sent away`) : problem;
    });
    if (stays === false) client = undefined;
    done += 1;
  }
  await client?.end();
  return done;
}

async function connectionsOf(server: Awaited<ReturnType<typeof withPostgres>>): Promise<number> {
  const rows = await server.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = 'app' AND usename IN ('app', 'reader')",
  );
  return Number(rows[0]?.['n']);
}

test.each([1, 2, 3])(
  `${CLIENTS} clients and %i connections: each reply belongs to its asker, and no connection too many (GX-01, GX-02)`,
  async (connections) => {
    const seed = Number(process.env['SLUICE_SEED'] ?? 20_260_101) + connections;
    const server = await withPostgres();
    // What a killed proxy of another test has left takes a moment to go.
    await eventually(
      () => connectionsOf(server),
      (count) => count === 0,
    );
    const scene = await Scene.open(server, {
      connections,
      proxy: { pool: { connectionBorrowTimeout: PATIENCE_MS / 1_000 } },
    });
    let most = 0;
    const watch = { over: false };
    const watching = (async () => {
      while (!watch.over) {
        most = Math.max(most, await connectionsOf(server));
        await Bun.sleep(30);
      }
    })();
    try {
      const lives = Array.from({ length: CLIENTS }, (_, who) =>
        live(scene, who, new Chance(seed * 1000 + who)),
      );
      const done = await Promise.all(lives);
      expect(done).toEqual(lives.map(() => ACTS));
    } catch (problem) {
      throw new Error(`seed ${seed - connections}`, { cause: problem });
    } finally {
      watch.over = true;
      await watching;
    }
    await scene.expectClean();
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(connections);
    await scene.close();
  },
  PATIENCE_MS,
);
