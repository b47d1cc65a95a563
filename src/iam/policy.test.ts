import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { allows, parsePolicy } from './policy.ts';

const arn = 'arn:aws:rds-db:us-east-1:123456789012:dbuser:prx-abcdefghijklmn012/app';
const connect = 'rds-db:connect';

const policy = (...statements: readonly unknown[]) =>
  parsePolicy({ Version: '2012-10-17', Statement: statements });
const allow = (changes: object = {}) => ({
  Effect: 'Allow',
  Action: connect,
  Resource: arn,
  ...changes,
});
const deny = (changes: object = {}) => allow({ Effect: 'Deny', ...changes });
const without = (statement: object, element: string) =>
  Object.fromEntries(Object.entries(statement).filter(([name]) => name !== element));

describe('a policy', () => {
  test('denies what nothing allows', () => {
    expect(allows([], connect, arn)).toBe(false);
    expect(allows([policy(allow({ Action: 's3:*' }))], connect, arn)).toBe(false);
    expect(allows([policy(allow({ Resource: `${arn}2` }))], connect, arn)).toBe(false);
    expect(allows([policy(deny({ Action: 's3:*' }))], connect, arn)).toBe(false);
  });

  test('allows what a statement allows', () => {
    expect(allows([policy(allow())], connect, arn)).toBe(true);
    expect(allows([parsePolicy({ Statement: allow() })], connect, arn)).toBe(true);
    expect(
      allows([policy(allow({ Action: ['s3:*', connect], Resource: ['*'] }))], connect, arn),
    ).toBe(true);
    expect(allows([policy(allow({ Resource: arn.replace('app', '*') }))], connect, arn)).toBe(true);
    expect(allows([policy(allow({ Resource: arn.replace('app', 'a?p') }))], connect, arn)).toBe(
      true,
    );
    expect(
      allows(
        [policy(allow({ Resource: arn.replace('us-east-1:123456789012', '*:*') }))],
        connect,
        arn,
      ),
    ).toBe(true);
    expect(allows([policy(allow({ Action: '*', Resource: '*' }))], connect, arn)).toBe(true);
    expect(allows([policy(allow({ Resource: 'arn:aws:rds-db:*' }))], connect, arn)).toBe(true);
  });

  test('lets a Deny win, wherever it stands', () => {
    const open = policy(allow({ Action: '*', Resource: '*' }));
    expect(allows([open, policy(deny())], connect, arn)).toBe(false);
    expect(allows([policy(deny()), open], connect, arn)).toBe(false);
    expect(allows([policy(allow(), deny({ Action: 'rds-db:*' }))], connect, arn)).toBe(false);
    expect(
      allows([open, policy(deny({ Resource: arn.replace('app', 'admin') }))], connect, arn),
    ).toBe(true);
  });

  test('compares actions without regard to case, and resources with it', () => {
    expect(allows([policy(allow({ Action: 'RDS-DB:Connect' }))], connect, arn)).toBe(true);
    expect(allows([policy(allow({ Action: 'rds-db:c*' }))], 'RDS-DB:CONNECT', arn)).toBe(true);
    expect(allows([policy(allow({ Resource: arn.replace('app', 'App') }))], connect, arn)).toBe(
      false,
    );
  });

  test('knows NotAction and NotResource', () => {
    const notAction = { ...without(allow(), 'Action'), NotAction: ['s3:*', 'iam:*'] };
    expect(allows([policy(notAction)], connect, arn)).toBe(true);
    expect(allows([policy({ ...notAction, NotAction: 'rds-db:*' })], connect, arn)).toBe(false);
    const notResource = { ...without(allow(), 'Resource'), NotResource: arn };
    expect(allows([policy(notResource)], connect, arn)).toBe(false);
    expect(allows([policy(notResource)], connect, `${arn}2`)).toBe(true);
    const onlyApp = { ...notResource, Effect: 'Deny' };
    expect(allows([policy(allow({ Resource: '*' }), onlyApp)], connect, `${arn}2`)).toBe(false);
    expect(allows([policy(allow({ Resource: '*' }), onlyApp)], connect, arn)).toBe(true);
  });

  test('takes a user name that looks like a pattern for what it is', () => {
    expect(allows([policy(allow())], connect, arn.replace('app', '*'))).toBe(false);
    expect(
      allows(
        [policy(allow({ Resource: arn.replace('app', 'a*') }))],
        connect,
        arn.replace('app', '*'),
      ),
    ).toBe(false);
  });
});

describe('a policy that cannot be honoured whole is refused', () => {
  const cases: readonly (readonly [what: string, value: unknown, message: string])[] = [
    ['no object', 'allow all', 'policy must be an object'],
    ['a list', [], 'policy must be an object'],
    ['nothing', null, 'policy must be an object'],
    ['no statement', {}, 'policy.Statement is missing'],
    ['an empty list', { Statement: [] }, 'policy.Statement is empty'],
    [
      'an unknown version',
      { Version: '2012-10-18', Statement: allow() },
      "policy.Version must be the text '2012-10-17'",
    ],
    ['a version that is a date', { Version: new Date(0), Statement: allow() }, 'in quotes'],
    ['an unknown element', { Statement: allow(), Extra: 1 }, 'policy.Extra is not supported'],
    ['an Id that is no text', { Id: 1, Statement: allow() }, 'policy.Id must be a text'],
    [
      'a statement that is no object',
      { Statement: [allow(), 'x'] },
      'policy.Statement[1] must be an object',
    ],
    [
      'a condition',
      { Statement: [allow({ Condition: {} })] },
      'policy.Statement[0].Condition is not supported',
    ],
    [
      'a condition in a single statement',
      { Statement: allow({ Condition: {} }) },
      'policy.Statement.Condition is not',
    ],
    [
      'a principal',
      { Statement: [allow({ Principal: '*' })] },
      'policy.Statement[0].Principal is not supported',
    ],
    [
      'an element in other letters',
      { Statement: [allow({ action: '*' })] },
      'policy.Statement[0].action is not',
    ],
    [
      'a Sid that is no text',
      { Statement: [allow({ Sid: null })] },
      'policy.Statement[0].Sid must be a text',
    ],
    [
      'no effect',
      { Statement: [without(allow(), 'Effect')] },
      "policy.Statement[0].Effect must be 'Allow' or 'Deny'",
    ],
    ['another effect', { Statement: [allow({ Effect: 'allow' })] }, 'policy.Statement[0].Effect'],
    ['no action', { Statement: [without(allow(), 'Action')] }, 'needs either Action or NotAction'],
    [
      'both actions',
      { Statement: [allow({ NotAction: '*' })] },
      'needs either Action or NotAction',
    ],
    [
      'no resource',
      { Statement: [without(allow(), 'Resource')] },
      'needs either Resource or NotResource',
    ],
    [
      'both resources',
      { Statement: [allow({ NotResource: '*' })] },
      'needs either Resource or NotResource',
    ],
    [
      'an empty list of actions',
      { Statement: [allow({ Action: [] })] },
      'policy.Statement[0].Action is empty',
    ],
    [
      'an action that is no text',
      { Statement: [allow({ Action: ['*', 1] })] },
      'Action[1] must be a text',
    ],
    [
      'an action without a service',
      { Statement: [allow({ Action: 'connect' })] },
      "must be '*' or start with a service",
    ],
    [
      'a resource that is no ARN',
      { Statement: [allow({ Resource: 'app' })] },
      "must be '*' or an ARN",
    ],
    [
      'half an ARN',
      { Statement: [allow({ Resource: 'arn:aws:rds-db' })] },
      "must be '*' or an ARN",
    ],
    [
      'a policy variable',
      { Statement: [allow({ Resource: `${arn}/\${aws:username}` })] },
      'policy variable',
    ],
    [
      'an endless pattern',
      { Statement: [allow({ Resource: arn + '*'.repeat(2_048) })] },
      'longer than 2048',
    ],
    ['a prototype', { Statement: [JSON.parse('{"__proto__": {}}')] }, '__proto__ is not supported'],
  ];
  for (const [what, value, message] of cases) {
    test(what, () => {
      expect(() => parsePolicy(value)).toThrow(message);
    });
  }

  test('by the name that the caller gives it', () => {
    expect(() => parsePolicy({}, 'principals[2].policy')).toThrow(
      'principals[2].policy.Statement is missing',
    );
  });

  test('any value is a policy or an Error', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => parsePolicy(value)).toThrow(Error);
        expect(() => parsePolicy({ Statement: value })).toThrow(Error);
      }),
    );
  });
});
