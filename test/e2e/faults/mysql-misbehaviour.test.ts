import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { concat, EMPTY, utf8 } from '../../../src/base/bytes.ts';
import { byte, int16, int24, int32, lenencString } from '../../../src/wire/mysql/build.ts';
import { packet } from '../../../src/wire/mysql/framing.ts';
import { okay, refusal, resultSet } from '../../transcripts/mysql-server.ts';
import { PeerGone } from '../../support/byte-queue.ts';
import type { Heard } from '../../support/mysql-client.ts';
import { MysqlClient, MysqlError } from '../../support/mysql-client.ts';
import { passwordOf } from '../../support/sluice.ts';
import type { TestSocket } from '../../support/test-socket.ts';
import { eventually } from '../clients/stage.ts';
import { scriptedMysql, settingsWith } from './mysql-database.ts';
import type { Visit } from './mysql-database.ts';
import { Scene } from './scene.ts';

/** `next` is the number of the packet that is due. */
type Mischief = (peer: TestSocket, next: number) => void;

const says =
  (...payloads: readonly Uint8Array[]): Mischief =>
  (peer, next) =>
    peer.send(concat(payloads.map((payload, at) => packet((next + at) & 0xff, payload))));

const DEPRECATES_EOF = 1 << 24;
const result = resultSet(['a'], [['one']], DEPRECATES_EOF);
const header = (length: number, number: number): Uint8Array =>
  concat([int24(length), byte(number)]);
/** Flags that say that the session's state follows. */
const CHANGED = 0x4002;

/** What a database may do at any moment instead of what it should; afterwards it closes. */
const mischiefs: Readonly<Record<string, Mischief>> = {
  closes: () => {},
  resets: (peer) => peer.destroy(),
  'talks nonsense': (peer) => peer.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
  'sends zeros': (peer) => peer.send(new Uint8Array(64)),
  'sends ones': (peer) => peer.send(new Uint8Array(64).fill(0xff)),
  'sends an empty packet': says(EMPTY),
  'announces 16 MB of an OK': (peer, next) => peer.send(header(0xffffff, next), byte(0)),
  'announces 16 MB of an error': (peer, next) => peer.send(header(0xfffffe, next), byte(0xff)),
  'announces 16 MB of anything': (peer, next) => peer.send(header(0xffffff, next), byte(1)),
  'stops in a header': (peer, next) => peer.send(header(7, next).subarray(0, 3)),
  'stops behind a header': (peer, next) => peer.send(header(7, next)),
  'stops in an OK': (peer, next) => peer.send(packet(next, okay()).subarray(0, 8)),
  'sends an OK out of order (MY-02)': (peer, next) => peer.send(packet((next + 3) & 0xff, okay())),
  'sends an OK of number 0 (MY-02)': (peer) => peer.send(packet(0, okay())),
  'sends two OKs': says(okay(), okay()),
  'sends an OK of one byte': says(byte(0)),
  'sends an OK without a status': says(concat([byte(0), byte(0), byte(0)])),
  'sends an OK whose numbers are longer than it is': says(concat([byte(0), byte(0xfe), int32(1)])),
  'sends an OK with more state than there is (MY-05)': says(
    concat([byte(0), byte(0), byte(0), int16(CHANGED), int16(0), byte(0), byte(9), byte(1)]),
  ),
  'sends an OK with a state that makes no sense (MY-05)': says(
    concat([
      ...[byte(0), byte(0), byte(0), int16(CHANGED), int16(0), byte(0)],
      lenencString(concat([byte(0), byte(2), byte(200), byte(1)])),
    ]),
  ),
  'sends an OK that begins a transaction': says(okay({ status: 3 })),
  'sends an OK behind which more would come (MY-08)': says(okay({ status: 0x0a })),
  'sends an EOF': says(concat([byte(0xfe), int16(0), int16(2)])),
  'sends an EOF of one byte': says(byte(0xfe)),
  'sends an error of one byte': says(byte(0xff)),
  'sends an error without a state': says(concat([byte(0xff), int16(1064), utf8('no')])),
  'sends an error without words': says(concat([byte(0xff), int16(1064), utf8('#42000')])),
  'sends two errors': says(refusal(1053, 'Server shutdown'), refusal(1064, 'no')),
  'reports progress and nothing else': says(concat([byte(0xff), int16(0xffff), byte(1)])),
  'wants a file (MY-10)': says(concat([byte(0xfb), utf8('/etc/passwd')])),
  'has more columns than there can be': says(concat([byte(0xfd), int24(0xffffff)])),
  'has more columns than numbers go': says(concat([byte(0xfe), int32(0), int32(-1)])),
  'announces columns and goes on with rows': says(concat([byte(3)]), ...result.slice(2)),
  'sends a result, and another one that nobody asked for': says(...result, ...result),
  'asks for another plug-in (MY-23)': says(
    utf8('\xfemysql_native_password\0nonce of some bytes\0'),
  ),
  'asks for a plug-in that nobody knows (MY-23, MY-32)': says(utf8('\xfepeek\0')),
  'wants more for a plug-in': says(concat([byte(1), byte(9)])),
  'greets again': says(concat([byte(10), utf8('9.9.9\0')])),
};

/** The conversation up to the point at which the mischief happens. Returns the number of the packet that is due. */
const points: Readonly<Record<string, (visit: Visit) => Promise<number | undefined>>> = {
  'at once': () => Promise.resolve(0),
  'after the sign-in': () => Promise.resolve(2),
  'amid our questions': (visit) => until(visit, () => true),
  'while idle': async (visit) => {
    await visit.serve((asked) => {
      const isLast = asked.startsWith('3 SET @@session.session_track');
      return isLast;
    });
    visit.peer.send(packet(1, okay()));
    return 0;
  },
  'after a query': (visit) => until(visit, (asked) => asked.startsWith('3 SELECT 1')),
  'in a result': async (visit) => {
    const next = await until(visit, (asked) => asked.startsWith('3 SELECT 1'));
    says(...result.slice(0, 3))(visit.peer, 1);
    return next === undefined ? undefined : 4;
  },
  'in a transaction': async (visit) => {
    if ((await until(visit, (asked) => asked.startsWith('3 SELECT 1'))) === undefined) return;
    visit.peer.send(packet(1, okay({ status: 3 })));
    return await until(visit, () => true);
  },
  'amid a question between two commands': async (visit) => {
    const changes = [{ kind: 'systemVariable', name: 'time_zone', value: 'x' }] as const;
    if ((await until(visit, (asked) => asked.startsWith('3 SELECT 1'))) === undefined) return;
    visit.peer.send(packet(1, okay({ changes })));
    return await until(visit, (asked) => asked.includes('`time_zone`'));
  },
};

async function until(visit: Visit, isEnd: (asked: string) => boolean): Promise<number | undefined> {
  return (await visit.serve(isEnd)) ? 1 : undefined;
}

/** Whoever has this name meets this mischief, at the point at which it happens for the moment. */
const victims = Object.keys(mischiefs).map((mischief, at) => ({ user: `user${at}`, mischief }));
let current = '';
/** Those that have happened there. */
const met = new Set<string>();

/** Connections of those who are to meet one. */
const open = new Set<TestSocket>();

/** What comes of a mischief is for its client to see; it happens once to each. */
function befall(peer: TestSocket, mischief: string | undefined, next: number | undefined): void {
  if (mischief === undefined || next === undefined) return;
  met.add(mischief);
  mischiefs[mischief]?.(peer, next);
}

const database = scriptedMysql(async (visit, connection) => {
  // Who comes is nobody yet: each meets the next one.
  if (current === 'at once') {
    befall(visit.peer, victims[connection % victims.length]?.mischief, 0);
    return;
  }
  const response = await visit.greet();
  const mischief = victims.find(({ user }) => user === visit.user)?.mischief;
  const approach = mischief === undefined ? undefined : points[current];
  if (mischief !== undefined && current === 'after the sign-in') {
    befall(visit.peer, mischief, 2);
    return;
  }
  if (mischief !== undefined) open.add(visit.peer);
  visit.admit(response);
  const next = await (approach?.(visit) ?? until(visit, () => false));
  befall(visit.peer, mischief, next);
});

let scene: Scene;
let control: MysqlClient;
let descriptors: number;

beforeAll(async () => {
  scene = await Scene.open(database, {
    // Enough for all at once: nobody waits for another's place.
    connections: 90,
    proxy: { serverConnectTimeout: 1, clientLoginTimeout: 2, pool: { connectionBorrowTimeout: 2 } },
    settingsFor: settingsWith(victims.map(({ user }) => user)),
  });
  control = await signIn('app');
  expect(await isWell(control)).toBe(true);
  descriptors = await scene.descriptors();
}, 30_000);
afterAll(async () => {
  control.destroy();
  await scene.close();
  database.stop();
});

async function signIn(user: string): Promise<MysqlClient> {
  const way = { host: '127.0.0.1', port: scene.sluice.port };
  return await MysqlClient.signIn({ ...way, user, password: passwordOf(user) });
}

async function isWell(client: MysqlClient): Promise<boolean> {
  const [first] = await client.query('DO 1');
  return first?.payload[0] === 0;
}

/** All are well and have no connection: the next one that they get is as it is at this point. */
async function begin(point: string): Promise<void> {
  const isServed = async (user: string): Promise<boolean> => {
    const client = await signIn(user).catch(() => undefined);
    const isFine = client !== undefined && (await isWell(client).catch(() => false));
    client?.destroy();
    return isFine;
  };
  await Promise.all(victims.map(({ user }) => eventually(() => isServed(user), Boolean)));
  await scene.expectClean(1);
  current = point;
  met.clear();
  for (const peer of open) peer.destroy();
  open.clear();
  await eventually(
    () => scene.metric('database_connections'),
    (count) => count <= 2,
  );
}

/** Signs in, and asks twice. Tells what was wrong with what came back. */
async function complaints(user: string): Promise<readonly string[]> {
  let client: MysqlClient;
  try {
    client = await signIn(user);
  } catch (problem) {
    if (problem instanceof MysqlError) return [];
    return [`it is not told why it cannot sign in: ${String(problem)}`];
  }
  const found: string[] = [];
  for (let left = 2; left > 0 && !client.socket.ended; left -= 1) {
    const heard: Heard[] = [];
    try {
      client.send(concat([byte(3), utf8('SELECT 1')]));
      await client.collect('results', heard);
    } catch (problem) {
      if (!(problem instanceof PeerGone)) found.push(String(problem));
    }
    const numbers = heard.flatMap(({ sequences }) => sequences);
    if (!numbers.every((number, at) => number === (at + 1) % 256) && numbers.join() !== '0')
      found.push(`it hears packets ${numbers.join()}`);
    const errors = heard.filter(({ payload }) => payload[0] === 0xff && payload[1] !== 0xff);
    if (errors.length > 1) found.push('it hears two errors');
  }
  client.destroy();
  return found;
}

test.each(Object.keys(points))(
  'a database that misbehaves %s gives its client one error or a close, and harms nobody else (GX-10, MY-02)',
  async (point) => {
    await begin(point);
    const found = await Promise.all(
      victims.map(async ({ user, mischief }) => [mischief, await complaints(user)] as const),
    );
    current = '';
    expect(met.size).toBe(victims.length);
    expect(found.filter(([, wrong]) => wrong.length > 0)).toEqual([]);
    expect(await isWell(control)).toBe(true);
    await scene.expectClean(1);
  },
  30_000,
);

describe('afterwards', () => {
  test('every connection that was discarded has a reason in the log, and no descriptor is left (GX-10)', async () => {
    for (const { reason, message: text } of scene.sluice.logs('serverDiscarded')) {
      expect(reason).toBeString();
      expect(text).toBeString();
    }
    for (const { detail } of scene.sluice.logs('serverFailed')) expect(String(detail)).not.toBe('');
    await eventually(
      () => scene.descriptors(),
      (count) => count <= descriptors + 2,
    );
  });
});
