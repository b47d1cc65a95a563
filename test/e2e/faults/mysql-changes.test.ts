import { afterEach, describe, expect, test } from 'bun:test';
import { capability } from '../../../src/wire/mysql/capabilities.ts';
import type { Handshake } from '../../../src/wire/mysql/handshake.ts';
import { MysqlClient, MysqlError } from '../../support/mysql-client.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';
import { passwordOf } from '../../support/sluice.ts';
import type { TestSocket } from '../../support/test-socket.ts';
import { refusal } from '../../transcripts/mysql-server.ts';
import { greetingFor } from '../../transcripts/mysql-visit.ts';
import { eventually } from '../clients/stage.ts';
import { scriptedMysql, settingsWith } from './mysql-database.ts';
import { Scene } from './scene.ts';

/** A database that is another one, as far as it says, once `greeting` has changed; what was connected is cut then. */
class Changing {
  greeting: Partial<Handshake> = {};
  /** What it says to whoever signs in, in the place of OK. */
  refusal: Uint8Array | undefined;
  readonly server: ScriptedServer;
  readonly #open = new Set<TestSocket>();

  constructor() {
    this.server = scriptedMysql(
      async (visit) => {
        this.#open.add(visit.peer);
        visit.admit(await visit.greet());
        await visit.serve(() => false);
      },
      () => {
        const { greeting: handshake, refusal: words } = this;
        return words === undefined ? { handshake } : { handshake, auth: [() => words] };
      },
    );
  }

  becomes(greeting: Partial<Handshake>, words?: Uint8Array): void {
    this.greeting = greeting;
    this.refusal = words;
    for (const peer of this.#open) peer.destroy();
    this.#open.clear();
  }
}

const { capabilities } = greetingFor(false);
const without = (flag: number): Partial<Handshake> => ({
  capabilities: { ...capabilities, flags: capabilities.flags & ~flag },
});

describe('a database that is another one after a failover', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  async function stage(): Promise<{
    scene: Scene;
    database: Changing;
    signIn(): Promise<MysqlClient>;
  }> {
    const database = new Changing();
    const scene = await Scene.open(database.server, {
      connections: 4,
      proxy: { pool: { connectionBorrowTimeout: 10 } },
      settingsFor: settingsWith([]),
    });
    open.push({
      async close() {
        await scene.close();
        database.server.stop();
      },
    });
    const login = { host: '127.0.0.1', port: scene.sluice.port, user: 'app' };
    const signIn = () => MysqlClient.signIn({ ...login, password: passwordOf('app') });
    return { scene, database, signIn };
  }

  /** The first byte of what answers. */
  async function answerTo(client: MysqlClient): Promise<number | undefined> {
    const heard = await client.query('DO 1');
    return heard[0]?.payload[0];
  }

  test('serves who was there before as ever, if it can do as much, and shows others its version', async () => {
    const { database, signIn } = await stage();
    const before = await signIn();
    expect([before.handshake?.serverVersion, await answerTo(before)]).toEqual(['9.7.4-2', 0]);
    database.becomes({ serverVersion: '10.0.1' });
    expect(await answerTo(before)).toBe(0);
    const after = await signIn();
    expect([after.handshake?.serverVersion, await answerTo(after)]).toEqual(['10.0.1', 0]);
    before.destroy();
    after.destroy();
  });

  test('refuses who was there before where it can do less, tells him so, and serves who comes anew (MY-03, MY-06)', async () => {
    const { scene, database, signIn } = await stage();
    const before = await signIn();
    expect(await answerTo(before)).toBe(0);
    database.becomes(without(capability.deprecateEof));
    const heard = await before.query('DO 1');
    const problem = new MysqlError(heard[0]?.payload ?? new Uint8Array(0));
    expect(problem.message).toContain('connect again');
    expect(heard[0]?.sequences).toEqual([1]);
    // The one who watches has seen the new one, or will.
    await eventually(async () => {
      const after = await signIn();
      const { flags } = after.capabilities;
      const answer = await answerTo(after);
      after.destroy();
      return (flags & capability.deprecateEof) === 0 && answer === 0;
    }, Boolean);
    before.destroy();
    await scene.expectClean();
  });

  test('and back again', async () => {
    const { database, signIn } = await stage();
    const before = await signIn();
    expect(await answerTo(before)).toBe(0);
    database.becomes(without(capability.multiStatements));
    expect(await answerTo(before)).toBe(0xff);
    database.becomes({});
    await eventually(
      () => answerTo(before),
      (answer) => answer === 0,
    );
    before.destroy();
  });

  test('and knows another password: the client’s command fails by that, and it can ask again (MY-26)', async () => {
    const { database, signIn } = await stage();
    const before = await signIn();
    expect(await answerTo(before)).toBe(0);
    database.becomes({}, refusal(1045, 'Access denied', '28000'));
    const heard = await before.query('DO 1');
    expect([heard[0]?.payload[0], heard[0]?.sequences]).toEqual([0xff, [1]]);
    database.becomes({});
    await eventually(
      () => answerTo(before),
      (answer) => answer === 0,
    );
    before.destroy();
  });

  test('shows itself to who comes anew, be it of the other family', async () => {
    const { database, signIn } = await stage();
    const before = await signIn();
    expect(await answerTo(before)).toBe(0);
    database.becomes(greetingFor(true));
    const after = await eventually(
      () => signIn(),
      ({ handshake }) => handshake?.serverVersion.includes('MariaDB') === true,
    );
    expect(await answerTo(after)).toBe(0);
    after.destroy();
    before.destroy();
  });
});
