import type { z } from 'zod';
import { mapping, text, whole } from './fields.ts';

/** What regions of AWS look like. */
export const REGION = /^[a-z][a-z0-9-]{0,62}$/;

const AWS_ENDPOINT = /^https?:\/\/[\w.:[\]-]+(?:\/[\w./-]*)?$/;
const endpoint = (what: string) =>
  text('a URL, such as https://rds.eu-central-1.amazonaws.com', what, AWS_ENDPOINT).optional();

export const awsSchema = mapping(
  {
    region: text(
      'an AWS region, such as eu-central-1',
      'The region that is asked, and that tokens for databases are signed for; `region` by default.',
      REGION,
    ).optional(),
    profile: text(
      'the name of a profile',
      "The profile of AWS's shared configuration files; by default the one that the environment names.",
    ).optional(),
    roleArn: text(
      'the ARN of an IAM role, such as arn:aws:iam::123456789012:role/sluice',
      'A role to assume for all that is asked of AWS.',
      /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,577}$/,
    ).optional(),
    endpoints: mapping(
      {
        secretsManager: endpoint('Of Secrets Manager.'),
        rds: endpoint('Of RDS.'),
        sts: endpoint('Of STS.'),
      },
      "URLs to be asked instead of AWS's own.",
    ).prefault({}),
    refreshInterval: whole(
      1,
      86_400,
      'How often secrets are read again and databases looked up again.',
      's',
    ).default(60),
    watchUser: text(
      'the name of a database user, as text',
      'As whom a target is watched, with an IAM token, where a proxy with `defaultAuthScheme: IAM_AUTH` has no secret.',
    ).optional(),
  },
  "AWS itself as a source of secrets, addresses and tokens. Credentials are found as AWS's own tools find them.",
);

export type AwsInput = z.output<typeof awsSchema>;
