import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ApiError } from '../api-error.ts';
import type { Output } from '../service.ts';
import {
  createForm,
  newProxy,
  refusal,
  REGION,
  ROLE,
  SECRET,
  stage,
} from './fixture.test-support.ts';
import type { Stage } from './fixture.test-support.ts';
import { pageOf, readMarker } from './paging.ts';

const proxyOf = (output: Output): Output => output['DBProxy'] as Output;

/** What DescribeDBProxies tells of it. */
async function describeOne(on: Stage, name: string): Promise<Output> {
  const { DBProxies: list } = await on.ask('DescribeDBProxies', `DBProxyName=${name}`);
  return (list as { readonly member: readonly Output[] }).member[0]!;
}

describe('CreateDBProxy', () => {
  test('answers at once with all that the proxy is, and it is being created', async () => {
    const on = stage();
    const proxy = proxyOf(await on.ask('CreateDBProxy', createForm('Orders')));
    expect(proxy).toEqual({
      DBProxyName: 'Orders',
      DBProxyArn: expect.stringMatching(
        /^arn:aws:rds:eu-west-1:123456789012:db-proxy:prx-[a-z0-9]{17}$/,
      ),
      Status: 'creating',
      EngineFamily: 'POSTGRESQL',
      VpcId: expect.stringMatching(/^vpc-/),
      VpcSecurityGroupIds: { member: [] },
      VpcSubnetIds: { member: ['subnet-a', 'subnet-b'] },
      DefaultAuthScheme: 'NONE',
      Auth: {
        member: [
          {
            Description: undefined,
            AuthScheme: 'SECRETS',
            SecretArn: SECRET,
            IAMAuth: 'DISABLED',
            ClientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
          },
        ],
      },
      RoleArn: ROLE,
      Endpoint: `orders.proxy-abcdefghijkl.${REGION}.rds.sluice.test`,
      RequireTLS: false,
      IdleClientTimeout: 1800,
      DebugLogging: false,
      CreatedDate: new Date(on.clock.wallMs()),
      UpdatedDate: new Date(on.clock.wallMs()),
      EndpointNetworkType: 'IPV4',
      TargetConnectionNetworkType: 'IPV4',
    });
    expect(on.asked).toEqual([
      `rds:CreateDBProxy arn:aws:rds:${REGION}:123456789012:db-proxy:*`,
      `iam:PassRole ${ROLE}`,
    ]);
  });

  test('has a proxy that is available once the data plane runs it', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('orders'));
    expect((await describeOne(on, 'orders'))['Status']).toBe('creating');
    on.plane.follow();
    expect((await describeOne(on, 'orders'))['Status']).toBe('available');
    on.plane.stop();
    expect((await describeOne(on, 'orders'))['Status']).toBe('reactivating');
    on.plane.fail(on.proxies.find('orders')!.id, 'The port 5432 is in use.');
    expect((await describeOne(on, 'orders'))['Status']).toBe('incompatible-network');
  });

  test('gives proxies the port of their family, and then ports of the range', async () => {
    const on = stage({
      ports: { host: '::1', preferDefault: true, from: 7000, to: 7001, reserved: [7000] },
    });
    for (const name of ['a', 'b']) await on.ask('CreateDBProxy', createForm(name));
    await on.ask('CreateDBProxy', createForm('c', '', 'MYSQL'));
    expect(on.proxies.list().map(({ listenHost, listenPort }) => [listenHost, listenPort])).toEqual(
      [
        ['::1', 5432],
        ['::1', 7001],
        ['::1', 3306],
      ],
    );
    const refused = await refusal(on.ask('CreateDBProxy', createForm('d')));
    expect(refused).toMatchObject({ code: 'DBProxyQuotaExceededFault', status: 400 });
    expect(refused?.message).toContain('7000 to 7001');
  });

  test.each([
    ['DBProxyName=1a', 'InvalidParameterValue', 'is not a valid identifier'],
    ['DBProxyName=a--b', 'InvalidParameterValue', 'two consecutive hyphens'],
    [`DBProxyName=${'a'.repeat(64)}`, 'InvalidParameterValue', '63 characters'],
    ['EngineFamily=postgresql', 'InvalidParameterValue', 'MYSQL or POSTGRESQL or SQLSERVER'],
    ['RoleArn=role', 'InvalidParameterValue', 'RoleArn must be'],
    ['VpcSubnetIds.member.2=subnet-a', 'InvalidSubnet', 'at least 2'],
    ['IdleClientTimeout=0', 'InvalidParameterValue', 'from 1 to 28800'],
    ['RequireTLS=yes', 'InvalidParameterValue', 'RequireTLS must be true or false'],
    ['DefaultAuthScheme=SOME', 'InvalidParameterValue', 'NONE or IAM_AUTH'],
    ['Auth.member.1.SecretArn=app', 'InvalidParameterValue', 'Auth.1.SecretArn must be'],
    [`Auth.member.2.SecretArn=${SECRET}`, 'InvalidParameterValue', 'two entries'],
    ['Auth.member.1.IAMAuth=ENABLED', 'InvalidParameterCombination', 'SQLSERVER'],
    ['Auth.member.1.AuthScheme=OTHER', 'InvalidParameterValue', 'must be SECRETS'],
    ['Auth.member.1.Description=', 'InvalidParameterValue', '1 to 1000 characters'],
    ['Auth.member.1.ClientPasswordAuthType=X', 'InvalidParameterValue', 'must be one of'],
    [
      'Auth.member.1.ClientPasswordAuthType=MYSQL_NATIVE_PASSWORD',
      'InvalidParameterCombination',
      'POSTGRES_SCRAM_SHA_256 or POSTGRES_MD5',
    ],
    [
      'Auth.member.1.UserName=app',
      'InvalidParameterValue',
      'UserName must not be set in UserAuthConfig when SECRETS AuthScheme is used.',
    ],
    ['Tags.Tag.1.Key=aws:x', 'InvalidParameterValue', 'reserved'],
    ['EndpointNetworkType=IPV5', 'InvalidParameterValue', 'IPV4 or IPV6 or DUAL'],
    ['TargetConnectionNetworkType=DUAL', 'InvalidParameterValue', 'IPV4 or IPV6'],
  ])('refuses %s', async (more, code, words) => {
    const refused = await refusal(stage().ask('CreateDBProxy', createForm('orders', more)));
    expect(refused).toMatchObject({ code, status: 400 });
    expect(refused?.message).toContain(words);
  });

  test.each(['DBProxyName', 'EngineFamily', 'RoleArn', 'VpcSubnetIds'])(
    'misses %s',
    async (name) => {
      const form = new URLSearchParams(createForm('orders'));
      for (const key of [...form.keys()]) if (key.startsWith(name)) form.delete(key);
      expect(await refusal(stage().ask('CreateDBProxy', form.toString()))).toEqual({
        code: 'MissingParameter',
        status: 400,
        message: `The request must contain the parameter ${name}.`,
      });
    },
  );

  test('needs somebody who can sign in, but with IAM_AUTH, which SQLSERVER does not have', async () => {
    const on = stage();
    const nobody = createForm('orders').replace(/Auth\.member\.1\.SecretArn=[^&]*/, 'Auth=');
    expect(await refusal(on.ask('CreateDBProxy', nobody))).toMatchObject({
      code: 'InvalidParameterCombination',
    });
    await on.ask('CreateDBProxy', `${nobody}&DefaultAuthScheme=IAM_AUTH`);
    expect(
      await refusal(
        on.ask('CreateDBProxy', createForm('b', 'DefaultAuthScheme=IAM_AUTH', 'SQLSERVER')),
      ),
    ).toMatchObject({ code: 'InvalidParameterCombination' });
    await on.ask('CreateDBProxy', createForm('c', 'Auth.member.1.IAMAuth=ENABLED', 'SQLSERVER'));
  });

  test('has names that are unique whatever their case, and at most 20 proxies', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('orders'));
    expect(await refusal(on.ask('CreateDBProxy', createForm('ORDERS')))).toMatchObject({
      code: 'DBProxyAlreadyExistsFault',
      status: 400,
    });
    on.proxies.create(newProxy('declared', { id: 'prx-d', origin: 'declared' }));
    for (let number = 1; number < 20; number += 1)
      await on.ask('CreateDBProxy', createForm(`p${number}`));
    expect(await refusal(on.ask('CreateDBProxy', createForm('more')))).toMatchObject({
      code: 'DBProxyQuotaExceededFault',
      status: 400,
    });
  });

  test('asks for roles that there are, where they are known', async () => {
    const on = stage({ roleExists: () => false });
    const refused = await refusal(on.ask('CreateDBProxy', createForm('orders')));
    expect(refused).toMatchObject({ code: 'InvalidParameterValue' });
    expect(refused?.message).toContain(ROLE);
  });

  test('makes nothing for who may not pass the role', async () => {
    const on = stage();
    const denied = [`iam:PassRole ${ROLE}`];
    expect(await refusal(on.ask('CreateDBProxy', createForm('orders'), { denied }))).toMatchObject({
      code: 'AccessDenied',
    });
    expect(on.proxies.listAll()).toEqual([]);
  });

  test('any form is answered, or refused with an error of the API', async () => {
    const on = stage({ quotas: { proxies: 1_000 } });
    const name = fc.constantFrom(
      ...[
        'DBProxyName',
        'EngineFamily',
        'RoleArn',
        'Auth',
        'Auth.member.1',
        'Auth.member.1.SecretArn',
      ],
      ...[
        'Tags',
        'Tags.Tag.1',
        'Tags.Tag.1.Key',
        'VpcSubnetIds.member.3',
        'IdleClientTimeout',
        'x',
      ],
    );
    await fc.assert(
      fc.asyncProperty(name, fc.string(), async (name, value) => {
        const form = new URLSearchParams(createForm('orders'));
        for (const key of [...form.keys()])
          if (key.startsWith(`${name}.`) || name.startsWith(`${key}.`)) form.delete(key);
        form.set(name, value);
        await on.ask('CreateDBProxy', form.toString()).catch((error: unknown) => {
          expect(error).toBeInstanceOf(ApiError);
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe('ModifyDBProxy', () => {
  test('changes what is given, and keeps the rest', async () => {
    const on = stage();
    const before = proxyOf(await on.ask('CreateDBProxy', createForm('orders', 'RequireTLS=true')));
    on.plane.follow();
    await describeOne(on, 'orders');
    on.clock.advance(1_000);
    const form = 'DBProxyName=orders&IdleClientTimeout=60&SecurityGroups.member.1=sg-1';
    const after = proxyOf(await on.ask('ModifyDBProxy', form));
    expect(after).toEqual({
      ...before,
      Status: 'modifying',
      IdleClientTimeout: 60,
      VpcSecurityGroupIds: { member: ['sg-1'] },
      UpdatedDate: new Date(on.clock.wallMs()),
    });
    expect((await describeOne(on, 'orders'))['Status']).toBe('modifying');
    on.plane.follow();
    expect(await describeOne(on, 'orders')).toEqual({ ...after, Status: 'available' });
  });

  test('renames it, and its id stays', async () => {
    const on = stage();
    const before = proxyOf(await on.ask('CreateDBProxy', createForm('orders')));
    await on.ask('CreateDBProxy', createForm('taken'));
    expect(
      await refusal(on.ask('ModifyDBProxy', 'DBProxyName=orders&NewDBProxyName=TAKEN')),
    ).toMatchObject({ code: 'DBProxyAlreadyExistsFault' });
    const after = proxyOf(await on.ask('ModifyDBProxy', 'DBProxyName=orders&NewDBProxyName=Bills'));
    expect(after['DBProxyArn']).toBe(before['DBProxyArn']);
    expect(after['DBProxyName']).toBe('Bills');
    expect(await refusal(describeOne(on, 'orders'))).toEqual({
      code: 'DBProxyNotFoundFault',
      status: 404,
      message:
        "The specified proxy name orders doesn't correspond to a proxy owned by your Amazon Web Services account in the specified Amazon Web Services Region.",
    });
    // Terraform gives the name it has whatever it changes.
    await on.ask('ModifyDBProxy', 'DBProxyName=Bills&NewDBProxyName=Bills');
  });

  test('replaces all entries of Auth, and with IAM_AUTH there may be none', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('orders', `Auth.member.2.SecretArn=${SECRET}2`));
    const entries = async () =>
      ((await describeOne(on, 'orders'))['Auth'] as { member: Output[] }).member;
    await on.ask('ModifyDBProxy', `DBProxyName=orders&Auth.member.1.SecretArn=${SECRET}3`);
    expect((await entries()).map((entry) => entry['SecretArn'])).toEqual([`${SECRET}3`]);
    expect(await refusal(on.ask('ModifyDBProxy', 'DBProxyName=orders&Auth='))).toMatchObject({
      code: 'InvalidParameterCombination',
    });
    await on.ask('ModifyDBProxy', 'DBProxyName=orders&Auth=&DefaultAuthScheme=IAM_AUTH');
    expect(await entries()).toEqual([]);
  });

  test('asks for permission to the proxy, and to pass the role where one is given', async () => {
    const on = stage();
    const { DBProxyArn: arn } = proxyOf(await on.ask('CreateDBProxy', createForm('orders')));
    await on.ask('ModifyDBProxy', `DBProxyName=orders&RoleArn=${ROLE}2`);
    expect(on.asked).toEqual([`rds:ModifyDBProxy ${String(arn)}`, `iam:PassRole ${ROLE}2`]);
    const denied = [`rds:ModifyDBProxy ${String(arn)}`];
    expect(
      await refusal(on.ask('ModifyDBProxy', 'DBProxyName=orders&RequireTLS=true', { denied })),
    ).toMatchObject({ code: 'AccessDenied' });
    expect((await describeOne(on, 'orders'))['RequireTLS']).toBe(false);
  });
});

describe('DeleteDBProxy', () => {
  test('has a proxy that is deleting until the data plane has let go of it', async () => {
    const on = stage();
    await on.ask('CreateDBProxy', createForm('orders'));
    on.plane.follow();
    const deleted = proxyOf(await on.ask('DeleteDBProxy', 'DBProxyName=orders'));
    expect(deleted['Status']).toBe('deleting');
    expect((await describeOne(on, 'orders'))['Status']).toBe('deleting');
    expect(on.proxies.list()).toEqual([]);
    for (const [operation, more] of [
      ['DeleteDBProxy', ''],
      ['ModifyDBProxy', '&RequireTLS=true'],
      ['ModifyDBProxyTargetGroup', '&TargetGroupName=default'],
      ['RegisterDBProxyTargets', '&DBInstanceIdentifiers.member.1=db'],
    ] as const)
      expect(await refusal(on.ask(operation, `DBProxyName=orders${more}`))).toMatchObject({
        code: 'InvalidDBProxyStateFault',
        status: 400,
      });
    expect(await refusal(on.ask('CreateDBProxy', createForm('orders')))).toMatchObject({
      code: 'DBProxyAlreadyExistsFault',
    });
    on.plane.follow();
    expect(await refusal(describeOne(on, 'orders'))).toMatchObject({
      code: 'DBProxyNotFoundFault',
    });
    await on.ask('CreateDBProxy', createForm('orders'));
  });

  test('knows only proxies that there are', async () => {
    expect(await refusal(stage().ask('DeleteDBProxy', 'DBProxyName=none'))).toMatchObject({
      code: 'DBProxyNotFoundFault',
      status: 404,
    });
  });
});

describe('a proxy of the settings file', () => {
  test('is told, and changed in the file only', async () => {
    const on = stage();
    on.proxies.create(newProxy('orders', { id: 'prx-1', origin: 'declared' }));
    expect((await describeOne(on, 'orders'))['DBProxyName']).toBe('orders');
    for (const [operation, more] of [
      ['DeleteDBProxy', ''],
      ['ModifyDBProxy', '&RequireTLS=true'],
      ['ModifyDBProxyTargetGroup', '&TargetGroupName=default'],
      ['RegisterDBProxyTargets', '&DBInstanceIdentifiers.member.1=db'],
      ['DeregisterDBProxyTargets', '&DBInstanceIdentifiers.member.1=db'],
      ['CreateDBProxyEndpoint', '&DBProxyEndpointName=e&VpcSubnetIds.member.1=a'],
    ] as const) {
      const refused = await refusal(on.ask(operation, `DBProxyName=orders${more}`));
      expect(refused).toMatchObject({ code: 'InvalidDBProxyStateFault' });
      expect(refused?.message).toContain('settings file');
    }
  });
});

describe('pages', () => {
  test('are told one after the other', async () => {
    const on = stage({ quotas: { proxies: 100 } });
    for (let number = 0; number < 25; number += 1)
      await on.ask('CreateDBProxy', createForm(`p${number}`));
    const first = await on.ask('DescribeDBProxies', 'MaxRecords=20');
    const second = await on.ask(
      'DescribeDBProxies',
      `MaxRecords=20&Marker=${String(first['Marker'])}`,
    );
    const names = [first, second].map((page) =>
      (page['DBProxies'] as { member: Output[] }).member.map((proxy) => proxy['DBProxyName']),
    );
    expect(names.map(({ length }) => length)).toEqual([20, 5]);
    expect(new Set(names.flat()).size).toBe(25);
    expect(second['Marker']).toBeUndefined();
  });

  test.each([19, 101, -1])('do not have %d records', async (most) => {
    expect(await refusal(stage().ask('DescribeDBProxies', `MaxRecords=${most}`))).toEqual({
      code: 'InvalidParameterValue',
      status: 400,
      message: `Invalid value ${most} for MaxRecords. Must be between 20 and 100`,
    });
  });

  test('tell everything once, however many there are', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 150 }),
        (names) => {
          const items = names.toSorted();
          const told: string[] = [];
          let marker: string | undefined;
          do {
            const page = pageOf(items, (one) => one, { Marker: marker, MaxRecords: 20 });
            told.push(...page.items);
            ({ marker } = page);
          } while (marker !== undefined);
          expect(told).toEqual(items);
        },
      ),
    );
  });

  test('any marker is read, or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (marker) => {
        try {
          expect(typeof readMarker(marker)).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});
