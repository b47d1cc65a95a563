import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { int16 } from '../../../src/wire/mysql/build.ts';
import { capability } from '../../../src/wire/mysql/capabilities.ts';
import { command } from '../../../src/wire/mysql/commands.ts';
import { MysqlClient, plainClient } from '../../support/mysql-client.ts';
import { mysqlReleasesHere } from '../../support/mysql.ts';
import { passwordOf } from '../../support/sluice.ts';
import { openMysqlStage } from '../clients/mysql/stage.ts';
import type { Stage } from '../clients/stage.ts';

const ERROR = 0xff;
const option = { on: 0, off: 1, unknown: 7 } as const;

describe.each([...(await mysqlReleasesHere())])('COM_SET_OPTION in front of %s', (release) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openMysqlStage(release, { connections: 1 });
  });
  afterAll(async () => {
    await stage.expectClean();
    await stage.close();
  });

  const login = { host: '127.0.0.1', user: 'app', password: passwordOf('app'), database: 'app' };
  const clientOf = async (flags: number): Promise<MysqlClient> =>
    await MysqlClient.signIn({
      ...login,
      port: stage.port,
      capabilities: { flags, extensions: 0 },
    });

  /** Whether its texts may hold several statements. */
  async function may(client: MysqlClient): Promise<boolean> {
    const replies = await client.query('DO 0; DO 0');
    return replies.length === 2 && replies.every(({ payload }) => payload[0] !== ERROR);
  }

  async function set(client: MysqlClient, value: number): Promise<void> {
    client.send(Buffer.concat([Uint8Array.of(command.setOption), int16(value)]));
    await client.reply('one');
  }

  async function say(client: MysqlClient, type: number): Promise<void> {
    client.send(Uint8Array.of(type));
    await client.reply('one');
  }

  for (const atFirst of [false, true]) {
    const flags = atFirst ? plainClient.flags : plainClient.flags & ~capability.multiStatements;

    test(`holds for its client alone, wherever that is served, from ${atFirst} on`, async () => {
      const [one, other] = [await clientOf(flags), await clientOf(flags)];
      expect([await may(one), await may(other)]).toEqual([atFirst, atFirst]);
      await set(one, atFirst ? option.off : option.on);
      for (let round = 0; round < 3; round += 1)
        expect([await may(other), await may(one)]).toEqual([atFirst, !atFirst]);
      await set(other, option.unknown);
      expect([await may(other), await may(one)]).toEqual([atFirst, !atFirst]);
      await set(one, atFirst ? option.on : option.off);
      expect([await may(other), await may(one)]).toEqual([atFirst, atFirst]);
      await Promise.all([one.end(), other.end()]);
    });

    test(`outlives what its client begins anew, and not its client, from ${atFirst} on`, async () => {
      const one = await clientOf(flags);
      await set(one, atFirst ? option.off : option.on);
      await say(one, command.resetConnection);
      expect(await may(one)).toBe(!atFirst);
      await one.changeUser(login);
      expect(await may(one)).toBe(!atFirst);
      // The connection is reset for the next client, which does not take the option back.
      await one.query('CREATE TEMPORARY TABLE scratch (n INT)');
      await one.end();
      const next = await clientOf(flags);
      expect(await may(next)).toBe(atFirst);
      await next.end();
    });
  }
});
