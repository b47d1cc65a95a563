import type { Around } from '../around.ts';
import type { Calls, Health } from '../cloud.ts';
import { secondsSince, until } from '../polling.ts';
import { TARGET } from '../stage.ts';
import type { Seen } from '../teller.ts';
import type { RoleMade } from './role.ts';
import type { SecretMade } from './secret.ts';

export const PROXY_NAME = 'shop';

export interface ProxyMade {
  readonly arn: string;
  /** `prx-…` */
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

type Parts = Pick<Around, 'clock' | 'database' | 'teller'> & {
  readonly secret: SecretMade;
  readonly role: RoleMade;
};

/** Makes the proxy, gives it its target, and waits until both are available. */
export async function makeProxy(
  calls: Calls,
  { clock, database, teller, secret, role }: Parts,
): Promise<Seen<ProxyMade>> {
  const began = clock.nowMs();
  const proxy = { DBProxyName: PROXY_NAME };
  await calls.call('CreateDBProxy', {
    ...proxy,
    EngineFamily: database.engineFamily,
    Auth: [{ AuthScheme: 'SECRETS', SecretArn: secret.arn, IAMAuth: 'REQUIRED' }],
    RoleArn: role.arn,
    RequireTLS: true,
    VpcSubnetIds: ['subnet-a', 'subnet-b'],
  });
  await calls.call('RegisterDBProxyTargets', { ...proxy, DBInstanceIdentifiers: [TARGET] });
  teller.progress('waiting until the target is AVAILABLE, and the proxy available');
  const health = await healthWhen(calls, clock, ({ State }) => State === 'AVAILABLE');
  const { DBProxyArn: arn, Endpoint: host } = await until(
    clock,
    async () => (await calls.again('DescribeDBProxies', proxy)).DBProxies[0],
    ({ Status }) => Status === 'available',
  );
  const port = await portOf(calls, arn);
  const id = /prx-\w+$/.exec(arn)?.[0];
  if (id === undefined) throw new Error(`no proxy's ARN: ${arn}`);
  const seconds = secondsSince(clock, began);
  return {
    value: { arn, id, host, port },
    detail: `${id} at ${host}:${port}; its target is ${health.State} after ${seconds} s`,
    figures: { port, availableAfterSeconds: seconds },
  };
}

/** Amazon's proxies have the port of their family; where that is taken, Sluice's tell theirs by a tag. */
async function portOf(calls: Calls, arn: string): Promise<number> {
  const { TagList } = await calls.call('ListTagsForResource', { ResourceName: arn });
  const tag = TagList.find(({ Key }) => Key.endsWith('sluice:port'));
  if (tag === undefined) throw new Error('the proxy has no tag that ends in sluice:port');
  return Number(tag.Value);
}

/** What DescribeDBProxyTargets says once that is as wanted. */
export function healthWhen(
  calls: Calls,
  clock: Around['clock'],
  isWanted: (health: Health) => boolean,
): Promise<Health> {
  const ask = async (): Promise<Health> => {
    const { Targets } = await calls.again('DescribeDBProxyTargets', { DBProxyName: PROXY_NAME });
    return Targets[0].TargetHealth;
  };
  return until(clock, ask, isWanted);
}
