import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { authEntry, ControlStage } from './control-stage.ts';

const ROUNDS = 6;
/** How many confirmed writes a round has before the end of the process. */
const writesOf = (round: number): number => 5 + 3 * round;
const MOST_PROXIES = 20;

let stage: ControlStage;
let arn: string;
let roleArn: string;
beforeAll(async () => {
  stage = await ControlStage.open({ settings: { api: { ports: '20000-29999' } } });
  arn = await stage.secret('counter', 'app', '0');
  roleArn = await stage.role('proxy');
});
afterAll(() => stage.close());

/** Writes one after the other until the server is gone; the last that was confirmed. */
async function writeOn(
  from: number,
  confirmed: () => void,
  write: (number: number) => Promise<unknown>,
): Promise<number> {
  for (let number = from; ; number += 1) {
    try {
      await write(number);
      confirmed();
    } catch (problem) {
      // A refusal would be an answer.
      if (problem instanceof Error && '$metadata' in problem && isAnswer(problem.$metadata))
        throw problem;
      return number - 1;
    }
  }
}

function isAnswer(metadata: unknown): boolean {
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata;
}

const userName = (number: number): string => `user-${number}`;
const proxyName = (number: number): string => `proxy-${number}`;
const valueOf = (password: number): string =>
  JSON.stringify({ username: 'app', password: `${password}` });

describe('a server that is killed while it writes', () => {
  const last = { value: 0, user: 0, proxy: 0 };

  test.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    'has everything that it has confirmed, and nothing by halves: round %d',
    async (round) => {
      const { secrets, iam, rds } = stage;
      let left = writesOf(round);
      const confirmed = (): void => {
        left -= 1;
        if (left === 0) stage.sluice.signal('SIGKILL');
      };
      const writing = [
        writeOn(last.value + 1, confirmed, (number) =>
          secrets.putSecretValue({ SecretId: arn, SecretString: valueOf(number) }),
        ),
        writeOn(last.user + 1, confirmed, (number) =>
          iam.createUser({ UserName: userName(number) }),
        ),
        writeOn(last.proxy + 1, confirmed, async (number) => {
          if (number > MOST_PROXIES)
            await stage.sluice.ended.then(() => Promise.reject(new Error()));
          await rds.createDBProxy({
            DBProxyName: proxyName(number),
            EngineFamily: 'POSTGRESQL',
            RoleArn: roleArn,
            VpcSubnetIds: ['subnet-a', 'subnet-b'],
            Auth: [authEntry(arn)],
            Tags: [{ Key: 'number', Value: String(number) }],
          });
        }),
      ] as const;
      const [value, user, proxy] = await Promise.all(writing);
      await stage.sluice.ended;
      checkFile();
      await stage.start();
      await checkValue(value);
      await checkUsers(user);
      await checkProxies(proxy);
    },
  );

  function checkFile(): void {
    const database = new Database(join(stage.directory, 'sluice.db'));
    expect(database.query('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(database.query('PRAGMA foreign_key_check').all()).toEqual([]);
    database.close();
  }

  async function checkValue(confirmed: number): Promise<void> {
    const { SecretString = '' } = await stage.secrets.getSecretValue({ SecretId: arn });
    const { password } = JSON.parse(SecretString) as { password: string };
    // One more may have been written than was confirmed.
    expect([confirmed, confirmed + 1]).toContain(Number(password));
    const before = await stage.secrets.getSecretValue({
      SecretId: arn,
      VersionStage: 'AWSPREVIOUS',
    });
    expect(before.SecretString).toBe(valueOf(Number(password) - 1));
    last.value = Number(password);
  }

  async function checkUsers(confirmed: number): Promise<void> {
    const { Users = [] } = await stage.iam.listUsers({ PathPrefix: '/' });
    const numbers = Users.flatMap(({ UserName = '' }) => /^user-(\d+)$/.exec(UserName)?.[1] ?? []);
    const most = Math.max(0, ...numbers.map(Number));
    expect([confirmed, confirmed + 1]).toContain(most);
    expect(numbers.length).toBe(most);
    last.user = most;
  }

  async function checkProxies(confirmed: number): Promise<void> {
    const { DBProxies = [] } = await stage.rds.describeDBProxies({});
    const most = DBProxies.length;
    expect([confirmed, confirmed + 1]).toContain(most);
    for (const { DBProxyName = '', DBProxyArn: ResourceName = '' } of DBProxies) {
      const { TargetGroups = [] } = await stage.rds.describeDBProxyTargetGroups({ DBProxyName });
      expect(TargetGroups).toHaveLength(1);
      const { TagList = [] } = await stage.rds.listTagsForResource({ ResourceName });
      const number = TagList.find(({ Key }) => Key === 'number')?.Value;
      expect(DBProxyName).toBe(proxyName(Number(number)));
    }
    last.proxy = most;
  }

  test('has not lost time on the way: every round has written something', () => {
    expect(last.value).toBeGreaterThanOrEqual(ROUNDS);
    expect(last.user).toBeGreaterThanOrEqual(ROUNDS);
  });
});
