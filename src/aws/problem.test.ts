import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { AwsProblem, problemOf } from './problem.ts';

const asked = {
  about: 'The secret app',
  permission: 'secretsmanager:GetSecretValue',
  service: 'AWS Secrets Manager at http://127.0.0.1:1',
};

/** As the SDK makes them. */
function failure(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}
const service = (name: string, message: string, httpStatusCode = 400): Error =>
  failure(name, message, { $fault: 'client', $metadata: { httpStatusCode } });

describe('a problem with AWS', () => {
  const user = 'User: arn:aws:iam::123456789012:user/sluice is not authorized to perform:';
  const cases: readonly (readonly [error: unknown, kind: string, message: string])[] = [
    [
      service('AccessDeniedException', `${user} secretsmanager:GetSecretValue on resource: app`),
      'denied',
      `The secret app: AWS does not allow to ask for it: ${user} secretsmanager:GetSecretValue on resource: app`,
    ],
    [
      service('AccessDeniedException', 'Access to KMS is not allowed'),
      'denied',
      'The secret app: AWS does not allow to ask for it (secretsmanager:GetSecretValue): Access to KMS is not allowed',
    ],
    [
      service('AccessDenied', `${user} sts:AssumeRole on resource: role`),
      'denied',
      `The secret app: AWS does not allow to ask for it: ${user} sts:AssumeRole on resource: role`,
    ],
    [
      service('ResourceNotFoundException', "Secrets Manager can't find the specified secret."),
      'missing',
      "The secret app: Secrets Manager can't find the specified secret.",
    ],
    [
      failure('CredentialsProviderError', 'Could not load credentials from any providers'),
      'credentials',
      'The secret app: there are no credentials that AWS accepts: Could not load credentials from any providers',
    ],
    [
      failure('Error', 'connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' }),
      'unavailable',
      'The secret app: AWS Secrets Manager at http://127.0.0.1:1 cannot be reached: ECONNREFUSED',
    ],
    [
      service('InternalServiceError', 'An error occurred on the server side.', 500),
      'unavailable',
      'The secret app: AWS Secrets Manager at http://127.0.0.1:1 cannot be reached: An error occurred on the server side.',
    ],
    [
      service('ThrottlingException', 'Rate exceeded'),
      'unavailable',
      'The secret app: AWS Secrets Manager at http://127.0.0.1:1 cannot be reached: Rate exceeded',
    ],
    [service('ValidationException', 'Invalid name.'), 'other', 'The secret app: Invalid name.'],
  ];
  test.each([...cases])('%s is told', (error, kind, message) => {
    const problem = problemOf(error, asked);
    expect(problem).toBeInstanceOf(AwsProblem);
    expect([problem.kind as string, problem.message]).toEqual([kind, message]);
  });

  test('does not quote an answer that is none', () => {
    const error = failure('SyntaxError', 'Unexpected token in JSON: {"password":"hunter2"', {
      $metadata: { httpStatusCode: 200 },
    });
    expect(problemOf(error, asked).message).toBe('The secret app: the answer is not understood');
  });

  test('is one, whatever was thrown', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        fc.string(),
        fc.string(),
        fc.anything(),
        (thrown, name, message, more) => {
          expect(problemOf(thrown, asked)).toBeInstanceOf(AwsProblem);
          const error = failure(name, message, { $metadata: more, code: more });
          expect(problemOf(error, asked)).toBeInstanceOf(AwsProblem);
        },
      ),
    );
  });
});
