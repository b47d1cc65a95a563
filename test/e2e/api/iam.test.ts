import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as Iam from '@aws-sdk/client-iam';
import type { IAMClient } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { TEST_ACCOUNT } from '../../support/api.ts';
import { errorOf, openIam } from './iam-stage.ts';

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { Service: 'rds.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ],
});
const document = (statement: object = {}) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*', ...statement },
    ],
  });

let stage: ReturnType<typeof openIam>;
let iam: IAMClient;
beforeAll(() => {
  stage = openIam();
  iam = stage.iam();
});
afterAll(async () => {
  expect(stage.api.failures).toEqual([]);
  await stage.close();
});

describe('users', () => {
  test('are made, found, listed, renamed and deleted', async () => {
    const made = await iam.send(
      new Iam.CreateUserCommand({
        UserName: 'alice',
        Path: '/team/',
        Tags: [{ Key: 'Team', Value: 'orders + more' }],
      }),
    );
    expect(made.User).toEqual({
      Path: '/team/',
      UserName: 'alice',
      UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
      Arn: `arn:aws:iam::${TEST_ACCOUNT}:user/team/alice`,
      CreateDate: expect.any(Date),
      Tags: [{ Key: 'Team', Value: 'orders + more' }],
    });
    const found = await iam.send(new Iam.GetUserCommand({ UserName: 'alice' }));
    expect(found.User).toEqual(made.User);
    const listed = await iam.send(new Iam.ListUsersCommand({ PathPrefix: '/team/' }));
    expect(listed.Users?.map(({ UserName }) => UserName)).toEqual(['alice']);
    expect(listed.IsTruncated).toBe(false);
    expect(await errorOf(iam.send(new Iam.CreateUserCommand({ UserName: 'ALICE' })))).toBe(
      '409 EntityAlreadyExistsException: User with name ALICE already exists.',
    );
    await iam.send(
      new Iam.UpdateUserCommand({ UserName: 'alice', NewUserName: 'Alice', NewPath: '/' }),
    );
    const renamed = await iam.send(new Iam.GetUserCommand({ UserName: 'Alice' }));
    expect(renamed.User?.Arn).toBe(`arn:aws:iam::${TEST_ACCOUNT}:user/Alice`);
    expect(renamed.User?.UserId).toBe(made.User?.UserId);
    await iam.send(new Iam.DeleteUserCommand({ UserName: 'Alice' }));
    expect(await errorOf(iam.send(new Iam.GetUserCommand({ UserName: 'Alice' })))).toBe(
      '404 NoSuchEntityException: The user with name Alice cannot be found.',
    );
  });

  test('have nothing of what is not here, which tools ask for before they delete them', async () => {
    await iam.send(new Iam.CreateUserCommand({ UserName: 'plain' }));
    const who = { UserName: 'plain' };
    expect((await iam.send(new Iam.ListGroupsForUserCommand(who))).Groups).toEqual([]);
    expect((await iam.send(new Iam.ListMFADevicesCommand(who))).MFADevices).toEqual([]);
    expect((await iam.send(new Iam.ListSSHPublicKeysCommand(who))).SSHPublicKeys).toEqual([]);
    expect((await iam.send(new Iam.ListSigningCertificatesCommand(who))).Certificates).toEqual([]);
    expect(
      (await iam.send(new Iam.ListServiceSpecificCredentialsCommand(who)))
        .ServiceSpecificCredentials,
    ).toEqual([]);
    expect((await iam.send(new Iam.ListVirtualMFADevicesCommand({}))).VirtualMFADevices).toEqual(
      [],
    );
    for (const asked of [
      iam.send(new Iam.GetLoginProfileCommand(who)),
      iam.send(new Iam.DeleteLoginProfileCommand(who)),
    ])
      expect(await errorOf(asked)).toStartWith('404 NoSuchEntity');
    await iam.send(new Iam.DeleteUserCommand(who));
  });

  test('come page by page', async () => {
    const names = Array.from({ length: 7 }, (_one, index) => `page-${index}`);
    for (const UserName of names)
      await iam.send(new Iam.CreateUserCommand({ UserName, Path: '/p/' }));
    const seen: (string | undefined)[][] = [];
    for await (const { Users = [] } of Iam.paginateListUsers(
      { client: iam, pageSize: 3 },
      { PathPrefix: '/p/' },
    ))
      seen.push(Users.map(({ UserName }) => UserName));
    expect(seen.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(seen.flat()).toEqual(names);
    const bad = iam.send(new Iam.ListUsersCommand({ Marker: '%' }));
    expect(await errorOf(bad)).toBe('400 ValidationError: Invalid Marker.');
    for (const UserName of names) await iam.send(new Iam.DeleteUserCommand({ UserName }));
  });

  test.each([
    [{ UserName: 'a b' }, 'The specified value for userName is invalid. It must contain only'],
    [{ UserName: 'a'.repeat(65) }, 'must have at most 64 characters'],
    [{ UserName: 'a', Path: 'team' }, 'The specified value for path is invalid'],
    [{ UserName: 'a', PermissionsBoundary: 'arn:aws:iam::aws:policy/X' }, 'is not supported'],
    [{ UserName: 'a', Tags: [{ Key: 'aws:x', Value: '' }] }, 'must not begin with aws:'],
    [
      {
        UserName: 'a',
        Tags: [
          { Key: 'x', Value: '1' },
          { Key: 'X', Value: '2' },
        ],
      },
      'Duplicate tag keys found',
    ],
  ])('are not made of %p', async (input, message) => {
    expect(await errorOf(iam.send(new Iam.CreateUserCommand(input)))).toContain(message);
  });
});

describe('access keys', () => {
  test('sign until they are inactive or gone', async () => {
    await iam.send(new Iam.CreateUserCommand({ UserName: 'bob' }));
    const { AccessKey } = await iam.send(new Iam.CreateAccessKeyCommand({ UserName: 'bob' }));
    expect(AccessKey?.AccessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(AccessKey?.SecretAccessKey).toHaveLength(40);
    expect(AccessKey?.Status).toBe('Active');
    const credentials = {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    };
    const whoAmI = () => stage.sts(credentials).send(new GetCallerIdentityCommand({}));
    expect(await whoAmI()).toMatchObject({
      Account: TEST_ACCOUNT,
      Arn: `arn:aws:iam::${TEST_ACCOUNT}:user/bob`,
      UserId: expect.stringMatching(/^AIDA/),
    });
    const key = { UserName: 'bob', AccessKeyId: credentials.accessKeyId };
    await iam.send(new Iam.UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }));
    expect(await errorOf(whoAmI())).toContain('403 InvalidClientTokenId');
    await iam.send(new Iam.UpdateAccessKeyCommand({ ...key, Status: 'Active' }));
    await whoAmI();
    await iam.send(new Iam.DeleteAccessKeyCommand(key));
    expect(await errorOf(whoAmI())).toContain('403 InvalidClientTokenId');
    expect(await errorOf(iam.send(new Iam.DeleteAccessKeyCommand(key)))).toBe(
      `404 NoSuchEntityException: The Access Key with id ${key.AccessKeyId} cannot be found.`,
    );
    await iam.send(new Iam.DeleteUserCommand({ UserName: 'bob' }));
  });

  test('are two at most, tell when they were used, and must go before their user', async () => {
    await iam.send(new Iam.CreateUserCommand({ UserName: 'carol' }));
    const who = { UserName: 'carol' };
    const { AccessKey } = await iam.send(new Iam.CreateAccessKeyCommand(who));
    await iam.send(new Iam.CreateAccessKeyCommand(who));
    expect(await errorOf(iam.send(new Iam.CreateAccessKeyCommand(who)))).toBe(
      '409 LimitExceededException: Cannot exceed quota for AccessKeysPerUser: 2',
    );
    const AccessKeyId = AccessKey!.AccessKeyId!;
    const lastUsed = async () =>
      (await iam.send(new Iam.GetAccessKeyLastUsedCommand({ AccessKeyId }))).AccessKeyLastUsed;
    expect(await lastUsed()).toEqual({ ServiceName: 'N/A', Region: 'N/A' });
    stage.keys.noteUse(AccessKeyId, { atMs: 86_400_000, service: 'sts', region: 'eu-west-1' });
    expect(await lastUsed()).toEqual({
      LastUsedDate: new Date(86_400_000),
      ServiceName: 'sts',
      Region: 'eu-west-1',
    });
    expect(await errorOf(iam.send(new Iam.DeleteUserCommand(who)))).toBe(
      '409 DeleteConflictException: Cannot delete entity, must delete access keys first.',
    );
    const first = await iam.send(new Iam.ListAccessKeysCommand({ ...who, MaxItems: 1 }));
    expect(first.IsTruncated).toBe(true);
    const { AccessKeyMetadata = [] } = await iam.send(new Iam.ListAccessKeysCommand(who));
    expect(AccessKeyMetadata).toHaveLength(2);
    for (const { AccessKeyId } of AccessKeyMetadata)
      await iam.send(new Iam.DeleteAccessKeyCommand({ ...who, AccessKeyId }));
    await iam.send(new Iam.DeleteUserCommand(who));
  });

  test('are their own owner’s to change where no user is named', async () => {
    await iam.send(new Iam.CreateUserCommand({ UserName: 'dora' }));
    await iam.send(
      new Iam.PutUserPolicyCommand({
        UserName: 'dora',
        PolicyName: 'self',
        PolicyDocument: document({
          Action: 'iam:*',
          Resource: `arn:aws:iam::${TEST_ACCOUNT}:user/dora`,
        }),
      }),
    );
    const { AccessKey } = await iam.send(new Iam.CreateAccessKeyCommand({ UserName: 'dora' }));
    const dora = stage.iam({
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    });
    expect((await dora.send(new Iam.GetUserCommand({}))).User?.UserName).toBe('dora');
    expect((await dora.send(new Iam.ListAccessKeysCommand({}))).AccessKeyMetadata).toHaveLength(1);
    expect(await errorOf(dora.send(new Iam.GetUserCommand({ UserName: 'other' })))).toMatch(
      /^403 AccessDenied.*: User: .*user\/dora is not authorized to perform: iam:GetUser on resource: .*user\/other/,
    );
    expect(await errorOf(iam.send(new Iam.GetUserCommand({})))).toContain(
      'Must specify userName when calling with non-User credentials',
    );
  });
});

describe('roles', () => {
  test('are what Terraform made of them, to the letter', async () => {
    const name = { RoleName: 'proxy' };
    const Description = `reads <secrets> & (for "orders") it's`;
    const { Role } = await iam.send(
      new Iam.CreateRoleCommand({
        ...name,
        Path: '/',
        AssumeRolePolicyDocument: trust,
        Description,
        MaxSessionDuration: 3_600,
        Tags: [{ Key: 'Name', Value: 'proxy' }],
      }),
    );
    const got = (await iam.send(new Iam.GetRoleCommand(name))).Role!;
    expect(got).toEqual(Role!);
    expect(decodeURIComponent(got.AssumeRolePolicyDocument!)).toBe(trust);
    expect(got).toMatchObject({
      Path: '/',
      RoleName: 'proxy',
      RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
      Arn: `arn:aws:iam::${TEST_ACCOUNT}:role/proxy`,
      Description,
      MaxSessionDuration: 3_600,
      Tags: [{ Key: 'Name', Value: 'proxy' }],
    });
    expect((await iam.send(new Iam.ListRolePoliciesCommand(name))).PolicyNames).toEqual([]);
    expect(
      (await iam.send(new Iam.ListAttachedRolePoliciesCommand(name))).AttachedPolicies,
    ).toEqual([]);
    const policy = { ...name, PolicyName: 'secrets' };
    const PolicyDocument = document({ Resource: ['arn:aws:secretsmanager:*:*:secret:a*'] });
    await iam.send(new Iam.PutRolePolicyCommand({ ...policy, PolicyDocument }));
    const read = await iam.send(new Iam.GetRolePolicyCommand(policy));
    expect(decodeURIComponent(read.PolicyDocument!)).toBe(PolicyDocument);
    expect(read).toMatchObject({ RoleName: 'proxy', PolicyName: 'secrets' });
    expect((await iam.send(new Iam.ListRolePoliciesCommand(name))).PolicyNames).toEqual([
      'secrets',
    ]);
    const PolicyTrust = trust.replace('rds.', 'lambda.');
    await iam.send(new Iam.UpdateAssumeRolePolicyCommand({ ...name, PolicyDocument: PolicyTrust }));
    await iam.send(new Iam.UpdateRoleDescriptionCommand({ ...name, Description: '' }));
    await iam.send(new Iam.UpdateRoleCommand({ ...name, MaxSessionDuration: 7_200 }));
    const after = (await iam.send(new Iam.GetRoleCommand(name))).Role!;
    expect(decodeURIComponent(after.AssumeRolePolicyDocument!)).toBe(PolicyTrust);
    expect([after.Description, after.MaxSessionDuration]).toEqual(['', 7_200]);
    expect(
      (await iam.send(new Iam.ListInstanceProfilesForRoleCommand(name))).InstanceProfiles,
    ).toEqual([]);
    expect(await errorOf(iam.send(new Iam.DeleteRoleCommand(name)))).toBe(
      '409 DeleteConflictException: Cannot delete entity, must delete policies first.',
    );
    await iam.send(new Iam.DeleteRolePolicyCommand(policy));
    expect(await errorOf(iam.send(new Iam.GetRolePolicyCommand(policy)))).toBe(
      '404 NoSuchEntityException: The role policy with name secrets cannot be found.',
    );
    await iam.send(new Iam.DeleteRoleCommand(name));
    expect(await errorOf(iam.send(new Iam.GetRoleCommand(name)))).toBe(
      '404 NoSuchEntityException: The role with name proxy cannot be found.',
    );
  });

  test('are listed by their path', async () => {
    const make = (RoleName: string, Path: string) =>
      iam.send(new Iam.CreateRoleCommand({ RoleName, Path, AssumeRolePolicyDocument: trust }));
    await make('one', '/a/');
    await make('two', '/a/b/');
    await make('three', '/');
    const { Roles = [] } = await iam.send(new Iam.ListRolesCommand({ PathPrefix: '/a/' }));
    expect(Roles.map(({ RoleName }) => RoleName)).toEqual(['one', 'two']);
    expect(await errorOf(make('one', '/'))).toBe(
      '409 EntityAlreadyExistsException: Role with name one already exists.',
    );
    for (const RoleName of ['one', 'two', 'three'])
      await iam.send(new Iam.DeleteRoleCommand({ RoleName }));
  });

  test.each([
    [
      'a condition',
      trust.replace('}]', ',"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]'),
      'MalformedPolicyDocumentException: This policy cannot be honoured: policy.Statement[0].Condition is not supported',
    ],
    ['no JSON', '{', 'MalformedPolicyDocumentException: This policy contains invalid Json'],
    ['too much', trust + ' '.repeat(9) + 'x'.repeat(4_096), 'LimitExceededException'],
  ])(
    'are not made with %s for a trust policy',
    async (_what, AssumeRolePolicyDocument, message) => {
      const made = iam.send(
        new Iam.CreateRoleCommand({ RoleName: 'bad', AssumeRolePolicyDocument }),
      );
      expect(await errorOf(made)).toContain(message);
    },
  );

  test('serve RDS, if they trust it and are allowed to', async () => {
    const name = { RoleName: 'served' };
    const arn = `arn:aws:iam::${TEST_ACCOUNT}:role/served`;
    const secret = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf';
    const decide = () =>
      stage.roles.decide(arn, 'rds.amazonaws.com', 'secretsmanager:GetSecretValue', secret);
    expect(decide()).toEqual({ ok: false, why: `The IAM role ${arn} does not exist` });
    const other = trust.replace('rds.', 'lambda.');
    await iam.send(new Iam.CreateRoleCommand({ ...name, AssumeRolePolicyDocument: other }));
    expect(decide()).toEqual({
      ok: false,
      why: `The IAM role ${arn} cannot be assumed by rds.amazonaws.com: its trust policy must allow sts:AssumeRole to this service`,
    });
    await iam.send(new Iam.UpdateAssumeRolePolicyCommand({ ...name, PolicyDocument: trust }));
    expect(decide()).toEqual({
      ok: false,
      why: `The IAM role ${arn} is not authorized to perform secretsmanager:GetSecretValue on ${secret}`,
    });
    const policy = { ...name, PolicyName: 'p' };
    await iam.send(new Iam.PutRolePolicyCommand({ ...policy, PolicyDocument: document() }));
    expect(decide()).toEqual({ ok: true });
    await iam.send(new Iam.DeleteRolePolicyCommand(policy));
    await iam.send(new Iam.DeleteRoleCommand(name));
    expect(decide().ok).toBe(false);
  });
});

describe('tags', () => {
  test('of users, roles and policies', async () => {
    await iam.send(new Iam.CreateUserCommand({ UserName: 'tagged' }));
    await iam.send(
      new Iam.CreateRoleCommand({ RoleName: 'tagged', AssumeRolePolicyDocument: trust }),
    );
    const { Policy } = await iam.send(
      new Iam.CreatePolicyCommand({ PolicyName: 'tagged', PolicyDocument: document() }),
    );
    const put = {
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'B', Value: '' },
      ],
    };
    const take = { TagKeys: ['A'] };
    const [user, role] = [{ UserName: 'tagged' }, { RoleName: 'tagged' }];
    const policy = { PolicyArn: Policy!.Arn! };
    const left = [{ Key: 'B', Value: '' }];
    await iam.send(new Iam.TagUserCommand({ ...user, ...put }));
    expect((await iam.send(new Iam.ListUserTagsCommand(user))).Tags).toHaveLength(2);
    await iam.send(new Iam.UntagUserCommand({ ...user, ...take }));
    expect((await iam.send(new Iam.ListUserTagsCommand(user))).Tags).toEqual(left);
    await iam.send(new Iam.TagRoleCommand({ ...role, ...put }));
    await iam.send(new Iam.UntagRoleCommand({ ...role, ...take }));
    expect((await iam.send(new Iam.ListRoleTagsCommand(role))).Tags).toEqual(left);
    await iam.send(new Iam.TagPolicyCommand({ ...policy, ...put }));
    await iam.send(new Iam.UntagPolicyCommand({ ...policy, ...take }));
    expect((await iam.send(new Iam.ListPolicyTagsCommand(policy))).Tags).toEqual(left);
    await iam.send(new Iam.DeletePolicyCommand(policy));
    await iam.send(new Iam.DeleteRoleCommand(role));
    await iam.send(new Iam.DeleteUserCommand(user));
  });
});
