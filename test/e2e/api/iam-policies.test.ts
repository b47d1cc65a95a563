import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as Iam from '@aws-sdk/client-iam';
import type { IAMClient } from '@aws-sdk/client-iam';
import { TEST_ACCOUNT } from '../../support/api.ts';
import { decoded, errorOf, openIam } from './iam-stage.ts';

const statement = { Effect: 'Allow', Action: 'rds:Describe*', Resource: '*' };
const document = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
const arn = (name: string) => `arn:aws:iam::${TEST_ACCOUNT}:policy/${name}`;

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

describe("policies of AWS's own", () => {
  const PolicyArn = 'arn:aws:iam::aws:policy/SecretsManagerReadWrite';

  test('can be attached, told of and taken away, and not changed', async () => {
    const RoleName = 'lambda';
    const AssumeRolePolicyDocument = document({
      ...{ Effect: 'Allow', Action: 'sts:AssumeRole' },
      Principal: { Service: 'lambda.amazonaws.com' },
    });
    await iam.send(new Iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const names = ['AWSLambdaBasicExecutionRole', 'AWSLambdaVPCAccessExecutionRole'];
    const arns = [PolicyArn, ...names.map((one) => `arn:aws:iam::aws:policy/service-role/${one}`)];
    for (const one of arns)
      await iam.send(new Iam.AttachRolePolicyCommand({ RoleName, PolicyArn: one }));
    const { AttachedPolicies = [] } = await iam.send(
      new Iam.ListAttachedRolePoliciesCommand({ RoleName }),
    );
    expect(new Set(AttachedPolicies.map((one) => one.PolicyArn))).toEqual(new Set(arns));
    const { Policy } = await iam.send(new Iam.GetPolicyCommand({ PolicyArn }));
    expect(Policy).toMatchObject({ AttachmentCount: 1, DefaultVersionId: 'v1', Path: '/' });
    const { PolicyVersion } = await iam.send(
      new Iam.GetPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }),
    );
    expect(JSON.stringify(decoded(PolicyVersion?.Document))).toContain('secretsmanager:*');
    const remove = iam.send(new Iam.DeletePolicyCommand({ PolicyArn }));
    expect(await errorOf(remove)).toBe('403 AccessDenied: Policy is outside your own account.');
    for (const one of arns)
      await iam.send(new Iam.DetachRolePolicyCommand({ RoleName, PolicyArn: one }));
    await iam.send(new Iam.DeleteRoleCommand({ RoleName }));
  });

  test('allow what they say', async () => {
    const UserName = 'keeper';
    const { User } = await iam.send(new Iam.CreateUserCommand({ UserName }));
    await iam.send(new Iam.AttachUserPolicyCommand({ UserName, PolicyArn }));
    const { EvaluationResults = [] } = await iam.send(
      new Iam.SimulatePrincipalPolicyCommand({
        PolicySourceArn: User!.Arn!,
        ActionNames: [
          'secretsmanager:PutSecretValue',
          'rds:DescribeDBInstances',
          'rds:CreateDBProxy',
        ],
      }),
    );
    expect(EvaluationResults.map(({ EvalDecision }) => EvalDecision)).toEqual([
      'allowed',
      'allowed',
      'implicitDeny',
    ]);
    await iam.send(new Iam.DetachUserPolicyCommand({ UserName, PolicyArn }));
  });

  test('are listed by their scope; of others there are none', async () => {
    const list = async (Scope: 'AWS' | 'Local') =>
      ((await iam.send(new Iam.ListPoliciesCommand({ Scope }))).Policies ?? []).map(
        ({ PolicyName }) => PolicyName,
      );
    expect(await list('AWS')).toContain('AdministratorAccess');
    expect(await list('Local')).not.toContain('AdministratorAccess');
    const UserName = 'keeper';
    const other = 'arn:aws:iam::aws:policy/AmazonEC2FullAccess';
    const attach = iam.send(new Iam.AttachUserPolicyCommand({ UserName, PolicyArn: other }));
    expect(await errorOf(attach)).toBe(
      `404 NoSuchEntityException: Policy ${other} does not exist or is not attachable.`,
    );
  });
});

describe('managed policies', () => {
  test('have versions, as Terraform changes them', async () => {
    const { Policy } = await iam.send(
      new Iam.CreatePolicyCommand({
        PolicyName: 'look',
        PolicyDocument: document(statement),
        Description: 'may look',
        Tags: [{ Key: 'k', Value: 'v' }],
      }),
    );
    expect(Policy).toMatchObject({
      PolicyName: 'look',
      PolicyId: expect.stringMatching(/^ANPA[A-Z2-7]{17}$/),
      Arn: arn('look'),
      Path: '/',
      DefaultVersionId: 'v1',
      AttachmentCount: 0,
      IsAttachable: true,
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    const policy = { PolicyArn: arn('look') };
    const version = (VersionId: string) =>
      iam.send(new Iam.GetPolicyVersionCommand({ ...policy, VersionId }));
    expect((await iam.send(new Iam.GetPolicyCommand(policy))).Policy?.Description).toBe('may look');
    expect(decoded((await version('v1')).PolicyVersion?.Document)).toEqual({
      Version: '2012-10-17',
      Statement: [statement],
    });
    const PolicyDocument = document({ ...statement, Action: 'rds:*' });
    const create = (SetAsDefault: boolean) =>
      iam.send(new Iam.CreatePolicyVersionCommand({ ...policy, PolicyDocument, SetAsDefault }));
    expect((await create(true)).PolicyVersion).toMatchObject({
      VersionId: 'v2',
      IsDefaultVersion: true,
    });
    expect((await version('v2')).PolicyVersion?.IsDefaultVersion).toBe(true);
    for (let count = 3; count <= 5; count += 1) await create(false);
    expect(await errorOf(create(false))).toContain('409 LimitExceeded');
    const seen: (string | undefined)[] = [];
    const pages = Iam.paginateListPolicyVersions({ client: iam, pageSize: 2 }, policy);
    for await (const { Versions = [] } of pages) seen.push(...Versions.map((one) => one.VersionId));
    expect(seen).toEqual(['v5', 'v4', 'v3', 'v2', 'v1']);
    await iam.send(new Iam.SetDefaultPolicyVersionCommand({ ...policy, VersionId: 'v4' }));
    const remove = (VersionId: string) =>
      iam.send(new Iam.DeletePolicyVersionCommand({ ...policy, VersionId }));
    expect(await errorOf(remove('v4'))).toBe(
      '409 DeleteConflictException: Cannot delete the default version of a policy.',
    );
    expect(await errorOf(iam.send(new Iam.DeletePolicyCommand(policy)))).toContain(
      'This policy has more than one version',
    );
    for (const one of ['v1', 'v2', 'v3', 'v5']) await remove(one);
    expect(await errorOf(remove('v1'))).toContain('404 NoSuchEntity');
    await iam.send(new Iam.DeletePolicyCommand(policy));
    expect(await errorOf(iam.send(new Iam.GetPolicyCommand(policy)))).toBe(
      `404 NoSuchEntityException: Policy ${arn('look')} was not found.`,
    );
  });

  test('are attached to users and roles', async () => {
    const PolicyArn = arn('shared');
    await iam.send(
      new Iam.CreatePolicyCommand({ PolicyName: 'shared', PolicyDocument: document(statement) }),
    );
    await iam.send(
      new Iam.CreatePolicyCommand({ PolicyName: 'alone', PolicyDocument: document(statement) }),
    );
    await iam.send(new Iam.CreateUserCommand({ UserName: 'u' }));
    const AssumeRolePolicyDocument = document({
      Effect: 'Allow',
      Principal: { Service: 'rds.amazonaws.com' },
      Action: 'sts:AssumeRole',
    });
    await iam.send(new Iam.CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument }));
    await iam.send(new Iam.AttachUserPolicyCommand({ UserName: 'u', PolicyArn }));
    await iam.send(new Iam.AttachRolePolicyCommand({ RoleName: 'r', PolicyArn }));
    await iam.send(new Iam.AttachRolePolicyCommand({ RoleName: 'r', PolicyArn }));
    const attached = [{ PolicyName: 'shared', PolicyArn }];
    expect(
      (await iam.send(new Iam.ListAttachedUserPoliciesCommand({ UserName: 'u' }))).AttachedPolicies,
    ).toEqual(attached);
    expect(
      (await iam.send(new Iam.ListAttachedRolePoliciesCommand({ RoleName: 'r' }))).AttachedPolicies,
    ).toEqual(attached);
    const entities = await iam.send(new Iam.ListEntitiesForPolicyCommand({ PolicyArn }));
    expect(entities.PolicyUsers?.map(({ UserName }) => UserName)).toEqual(['u']);
    expect(entities.PolicyRoles?.map(({ RoleName }) => RoleName)).toEqual(['r']);
    expect(entities.PolicyGroups).toEqual([]);
    const roles = await iam.send(
      new Iam.ListEntitiesForPolicyCommand({ PolicyArn, EntityFilter: 'Role' }),
    );
    expect([roles.PolicyUsers, roles.PolicyRoles?.length]).toEqual([[], 1]);
    const names = async (input: Iam.ListPoliciesCommandInput) =>
      (await iam.send(new Iam.ListPoliciesCommand(input))).Policies?.map((one) => one.PolicyName);
    expect(await names({ Scope: 'Local' })).toEqual(['alone', 'shared']);
    expect(await names({ OnlyAttached: true })).toEqual(['shared']);
    expect(await names({ Scope: 'AWS', OnlyAttached: true })).toEqual([]);
    expect(await errorOf(iam.send(new Iam.DeletePolicyCommand({ PolicyArn })))).toBe(
      '409 DeleteConflictException: Cannot delete a policy attached to entities.',
    );
    expect(await errorOf(iam.send(new Iam.DeleteUserCommand({ UserName: 'u' })))).toBe(
      '409 DeleteConflictException: Cannot delete entity, must detach all policies first.',
    );
    await iam.send(new Iam.DetachUserPolicyCommand({ UserName: 'u', PolicyArn }));
    await iam.send(new Iam.DetachRolePolicyCommand({ RoleName: 'r', PolicyArn }));
    const again = iam.send(new Iam.DetachRolePolicyCommand({ RoleName: 'r', PolicyArn }));
    expect(await errorOf(again)).toContain('404 NoSuchEntity');
    const none = { RoleName: 'r', PolicyArn: arn('none') };
    expect(await errorOf(iam.send(new Iam.AttachRolePolicyCommand(none)))).toBe(
      `404 NoSuchEntityException: Policy ${arn('none')} does not exist or is not attachable.`,
    );
    await iam.send(new Iam.DeletePolicyCommand({ PolicyArn }));
    await iam.send(new Iam.DeletePolicyCommand({ PolicyArn: arn('alone') }));
    await iam.send(new Iam.DeleteRoleCommand({ RoleName: 'r' }));
    await iam.send(new Iam.DeleteUserCommand({ UserName: 'u' }));
  });

  test('do not share a name', async () => {
    const make = (PolicyName: string) =>
      iam.send(new Iam.CreatePolicyCommand({ PolicyName, PolicyDocument: document(statement) }));
    await make('twice');
    expect(await errorOf(make('Twice'))).toBe(
      '409 EntityAlreadyExistsException: A policy called Twice already exists. Duplicate names are not allowed.',
    );
    await iam.send(new Iam.DeletePolicyCommand({ PolicyArn: arn('twice') }));
  });
});

describe("a user's policies", () => {
  test('are put, read, listed and deleted', async () => {
    const who = { UserName: 'inline' };
    await iam.send(new Iam.CreateUserCommand(who));
    const policy = { ...who, PolicyName: 'p' };
    const PolicyDocument = document(statement);
    await iam.send(new Iam.PutUserPolicyCommand({ ...policy, PolicyDocument }));
    await iam.send(new Iam.PutUserPolicyCommand({ ...policy, PolicyDocument }));
    const read = await iam.send(new Iam.GetUserPolicyCommand(policy));
    expect(decodeURIComponent(read.PolicyDocument!)).toBe(PolicyDocument);
    expect((await iam.send(new Iam.ListUserPoliciesCommand(who))).PolicyNames).toEqual(['p']);
    const long = document({ ...statement, Resource: `arn:${'a'.repeat(2_040)}*` });
    const tooLong = iam.send(new Iam.PutUserPolicyCommand({ ...policy, PolicyDocument: long }));
    expect(await errorOf(tooLong)).toBe(
      '409 LimitExceededException: Maximum policy size of 2048 bytes exceeded for user inline',
    );
    await iam.send(new Iam.DeleteUserPolicyCommand(policy));
    expect(await errorOf(iam.send(new Iam.DeleteUserPolicyCommand(policy)))).toBe(
      '404 NoSuchEntityException: The user policy with name p cannot be found.',
    );
    await iam.send(new Iam.DeleteUserCommand(who));
  });

  test.each([
    ['a condition', document({ ...statement, Condition: { Bool: {} } }), 'Condition is not'],
    [
      'a variable',
      document({ ...statement, Resource: 'arn:aws:iam::*:user/${aws:username}' }),
      'policy variable',
    ],
    ['a principal', document({ ...statement, Principal: '*' }), 'Principal is not supported'],
    ['no JSON', 'allow', 'This policy contains invalid Json'],
  ])('are not made with %s', async (_what, PolicyDocument, message) => {
    const made = iam.send(new Iam.CreatePolicyCommand({ PolicyName: 'bad', PolicyDocument }));
    expect(await errorOf(made)).toMatch(/^400 MalformedPolicyDocument/);
    expect(
      await errorOf(iam.send(new Iam.CreatePolicyCommand({ PolicyName: 'bad', PolicyDocument }))),
    ).toContain(message);
  });

  const cases: readonly (readonly [string, readonly object[], string[], string[]])[] = [
    ['wildcards', [{ ...statement, Action: 'iam:List*' }], ['ListUsers'], ['GetUser']],
    [
      'Deny',
      [
        { ...statement, Action: '*' },
        { ...statement, Effect: 'Deny', Action: 'iam:GetUser' },
      ],
      ['ListUsers'],
      ['GetUser'],
    ],
    [
      'NotAction',
      [{ Effect: 'Allow', NotAction: 'iam:List*', Resource: '*' }],
      ['GetUser'],
      ['ListUsers'],
    ],
    [
      'NotResource',
      [{ Effect: 'Allow', Action: 'iam:*', NotResource: '*:user/judged' }],
      ['ListUsers'],
      ['GetUser'],
    ],
  ];
  test.each(cases)(
    'with %s decide, and the simulator says the same',
    async (_what, rules, may, mayNot) => {
      const who = { UserName: 'judged' };
      const fixed = rules.map((rule) =>
        'NotResource' in rule
          ? { ...rule, NotResource: `arn:aws:iam::${TEST_ACCOUNT}:user/judged` }
          : rule,
      );
      await iam.send(new Iam.CreateUserCommand(who));
      const policy = { ...who, PolicyName: 'p' };
      await iam.send(
        new Iam.PutUserPolicyCommand({ ...policy, PolicyDocument: document(...fixed) }),
      );
      const { AccessKey } = await iam.send(new Iam.CreateAccessKeyCommand(who));
      const judged = stage.iam({
        accessKeyId: AccessKey!.AccessKeyId!,
        secretAccessKey: AccessKey!.SecretAccessKey!,
      });
      const calls: Record<string, () => Promise<unknown>> = {
        GetUser: () => judged.send(new Iam.GetUserCommand(who)),
        ListUsers: () => judged.send(new Iam.ListUsersCommand({})),
      };
      const self = `arn:aws:iam::${TEST_ACCOUNT}:user/judged`;
      const simulate = async (name: string) => {
        const resource = name === 'GetUser' ? self : `arn:aws:iam::${TEST_ACCOUNT}:user/`;
        const { EvaluationResults = [] } = await iam.send(
          new Iam.SimulatePrincipalPolicyCommand({
            PolicySourceArn: self,
            ActionNames: [`iam:${name}`],
            ResourceArns: [resource],
          }),
        );
        expect(EvaluationResults).toHaveLength(1);
        expect(EvaluationResults[0]?.EvalResourceName).toBe(resource);
        return EvaluationResults[0]?.EvalDecision;
      };
      for (const name of may) {
        await calls[name]?.();
        expect(await simulate(name)).toBe('allowed');
      }
      for (const name of mayNot) {
        expect(await errorOf(calls[name]!())).toStartWith('403 AccessDenied');
        expect(await simulate(name)).toMatch(/^(?:explicit|implicit)Deny$/);
      }
      await iam.send(
        new Iam.DeleteAccessKeyCommand({ ...who, AccessKeyId: AccessKey!.AccessKeyId! }),
      );
      await iam.send(new Iam.DeleteUserPolicyCommand(policy));
      await iam.send(new Iam.DeleteUserCommand(who));
    },
  );

  test('are not simulated with conditions', async () => {
    const asked = iam.send(
      new Iam.SimulatePrincipalPolicyCommand({
        PolicySourceArn: `arn:aws:iam::${TEST_ACCOUNT}:user/nobody`,
        ActionNames: ['iam:GetUser'],
        ContextEntries: [{ ContextKeyName: 'aws:SourceIp', ContextKeyValues: ['::1'] }],
      }),
    );
    expect(await errorOf(asked)).toContain('policies have no conditions here');
  });
});
