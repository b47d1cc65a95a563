import { describe, expect, test } from 'bun:test';
import { AwsAccount } from '../aws/account.ts';
import { FakeAws, instance, unavailable } from '../aws/fixture.test-support.ts';
import { ManualClock } from '../base/clock.ts';
import { located, lookUp, wantedOf } from './located.ts';
import { changed, settingsFolder } from './settings/fixture.test-support.ts';

const { load } = settingsFolder();
const settings = load(
  changed((all) => {
    Reflect.deleteProperty(all.admin, 'tls');
    all.databases.push(
      { identifier: 'aws', engine: 'postgres', awsInstance: 'orders' },
      { identifier: 'named', engine: 'postgres', awsInstance: 'orders', tlsServerName: 'n' },
    );
  }),
);
if (settings.aws === undefined) throw new Error('the fixture has no `aws`');
const parts = { clock: new ManualClock(), changed: () => {} };

function atAws() {
  const client = new FakeAws();
  client.instances.set('orders', instance('orders'));
  return {
    client,
    account: new AwsAccount(settings.aws ?? expect.unreachable(), { ...parts, client }),
  };
}

const found = (account: AwsAccount | undefined) => located(settings, account).databases;

describe('settings that leave addresses to AWS', () => {
  test('have none before it was asked', () => {
    const trouble = 'AWS has not been asked yet where it is';
    expect(found(undefined)).toMatchObject([{ host: 'h' }, { trouble }, { trouble }]);
    expect(found(atAws().account)).toMatchObject([{ host: 'h' }, { trouble }, { trouble }]);
  });

  test('have those that it has told', async () => {
    const { account, client } = atAws();
    await lookUp(settings, account);
    expect(client.asked).toEqual(['instance orders']);
    const where = { host: 'orders.example.com', port: 5432, resourceId: 'db-ORDERS' };
    expect(found(account)).toMatchObject([
      { host: 'h' },
      { ...where, tlsServerName: 'orders.example.com', trouble: undefined },
      { ...where, tlsServerName: 'n', trouble: undefined },
    ]);
  });

  test('say why there is none', async () => {
    const one = atAws();
    one.client.problem = unavailable;
    await lookUp(settings, one.account);
    expect(found(one.account)[1]).toMatchObject({ trouble: 'AWS cannot be reached' });
    const other = atAws();
    other.client.instances.set('orders', instance('orders', { engine: 'mysql' }));
    await lookUp(settings, other.account);
    expect(found(other.account)[1]).toMatchObject({
      trouble: 'The DB instance orders: it is mysql at AWS, and postgres in the settings',
    });
  });

  test('want those that cannot be reached to be looked for', () => {
    const target = { kind: 'instance', identifier: 'orders' } as const;
    const health = { proxy: 'p', state: 'UNAVAILABLE' } as const;
    const lost = [
      { ...health, target: 'aws', reason: 'UNREACHABLE' },
      { ...health, target: 'named', reason: 'AUTH_FAILURE' },
    ] as const;
    expect(wantedOf(settings, lost)).toEqual([
      { target, isLost: true },
      { target, isLost: false },
    ]);
  });
});
