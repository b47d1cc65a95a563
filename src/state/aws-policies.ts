import { createHash } from 'node:crypto';
import type { ManagedPolicy } from './iam-policies.ts';

// Policies of AWS's own that guides to RDS Proxy attach. Of what they allow, what concerns services that are not here has no effect;
// statements with conditions, all of which concern such services, are left out.

const PREFIX = 'arn:aws:iam::aws:policy';
const MADE_MS = Date.UTC(2015, 1, 6);

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

function allow(...statements: readonly Statement[]): string {
  const Statement = statements.map(({ Action, Resource }) => ({
    Effect: 'Allow',
    Action,
    Resource,
  }));
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

const everywhere = (...Action: readonly string[]): Statement => ({ Action, Resource: '*' });

const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

/** By path and name. */
const documents: Readonly<Record<string, string>> = {
  '/AdministratorAccess': allow(everywhere('*')),
  '/IAMFullAccess': allow(
    everywhere(
      'iam:*',
      'organizations:DescribeAccount',
      'organizations:DescribeOrganization',
      'organizations:DescribeOrganizationalUnit',
      'organizations:DescribePolicy',
      'organizations:ListChildren',
      'organizations:ListParents',
      'organizations:ListPoliciesForTarget',
      'organizations:ListRoots',
      'organizations:ListPolicies',
      'organizations:ListTargetsForPolicy',
    ),
  ),
  '/AmazonRDSFullAccess': allow(
    everywhere(
      'rds:*',
      'application-autoscaling:*',
      'cloudwatch:DescribeAlarms',
      'cloudwatch:GetMetricData',
      'cloudwatch:GetMetricStatistics',
      'cloudwatch:ListMetrics',
      'cloudwatch:PutMetricAlarm',
      'cloudwatch:DeleteAlarms',
      'ec2:Describe*',
      'logs:DescribeLogStreams',
      'logs:GetLogEvents',
      'sns:ListSubscriptions',
      'sns:ListTopics',
      'sns:Publish',
    ),
    { Action: 'pi:*', Resource: 'arn:aws:pi:*:*:metrics/rds/*' },
  ),
  '/SecretsManagerReadWrite': allow(
    everywhere(
      'secretsmanager:*',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcs',
      'kms:DescribeKey',
      'kms:ListAliases',
      'kms:ListKeys',
      'lambda:ListFunctions',
      'rds:DescribeDBClusters',
      'rds:DescribeDBInstances',
      'tag:GetResources',
    ),
    {
      Action: [
        'lambda:AddPermission',
        'lambda:CreateFunction',
        'lambda:GetFunction',
        'lambda:InvokeFunction',
        'lambda:UpdateFunctionConfiguration',
      ],
      Resource: 'arn:aws:lambda:*:*:function:SecretsManager*',
    },
  ),
  '/service-role/AWSLambdaBasicExecutionRole': allow(everywhere(...LOGS)),
  '/service-role/AWSLambdaVPCAccessExecutionRole': allow(
    everywhere(
      ...LOGS,
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ),
  ),
};

export interface AwsPolicy extends Omit<ManagedPolicy, 'attachments'> {
  readonly document: string;
}

/** By name. */
export const awsPolicies: readonly AwsPolicy[] = Object.entries(documents)
  .map(([place, document]): AwsPolicy => {
    const nameAt = place.lastIndexOf('/') + 1;
    return {
      id: idOf(place),
      name: place.slice(nameAt),
      path: place.slice(0, nameAt),
      arn: PREFIX + place,
      document,
      description: undefined,
      createdMs: MADE_MS,
      updatedMs: MADE_MS,
      defaultVersion: 1,
    };
  })
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));

export function isAwsPolicy({ arn }: Pick<ManagedPolicy, 'arn'>): boolean {
  return arn.startsWith(`${PREFIX}/`);
}

/** `ANPA…`, always the same. */
function idOf(place: string): string {
  const digest = createHash('sha256').update(place).digest('hex');
  return `ANPA${BigInt(`0x${digest}`).toString(36).toUpperCase().slice(0, 17)}`;
}
