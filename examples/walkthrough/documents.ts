// The policies of the walkthrough, as every tutorial has them.

export interface Document {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Principal?: Readonly<Record<string, string>>;
  readonly Resource?: string;
}

/** Who may take on the proxy's role: the service. */
export const trustInProxies = document(
  allow('sts:AssumeRole', { Principal: { Service: 'rds.amazonaws.com' } }),
);

/** What the proxy must be able to read. */
export function readingOf(secretArn: string): Document {
  return document(
    allow(
      [
        'secretsmanager:GetResourcePolicy',
        'secretsmanager:GetSecretValue',
        'secretsmanager:DescribeSecret',
        'secretsmanager:ListSecretVersionIds',
      ],
      { Resource: secretArn },
    ),
    allow(['secretsmanager:GetRandomPassword', 'secretsmanager:ListSecrets'], { Resource: '*' }),
  );
}

/** Who may take on the function's role: Lambda at AWS; here an administrator of the account does. */
export function trustInFunctions(account: string): Document {
  return document(
    allow('sts:AssumeRole', { Principal: { Service: 'lambda.amazonaws.com' } }),
    allow('sts:AssumeRole', { Principal: { AWS: `arn:aws:iam::${account}:root` } }),
  );
}

/** Signing in at the proxy as this user of the database. */
export function connectingAs(dbUserArn: string): Document {
  return document(allow('rds-db:connect', { Resource: dbUserArn }));
}

function document(...Statement: readonly Statement[]): Document {
  return { Version: '2012-10-17', Statement };
}

function allow(
  Action: Statement['Action'],
  what: Pick<Statement, 'Principal' | 'Resource'>,
): Statement {
  return { Effect: 'Allow', Action, ...what };
}
