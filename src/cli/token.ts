import { Signer } from '@aws-sdk/rds-signer';
import type { Command, Given } from './command.ts';
import { UsageError } from './command.ts';
import type { Io } from './io.ts';

export const tokenCommand: Command = {
  // The SDK's own chain of credentials; `main.ts` keeps it away from metadata services.
  summary:
    'Print an IAM token to use as the password, signed with the credentials that AWS tools use.',
  flags: [
    {
      name: 'host',
      value: 'NAME',
      required: true,
      what: 'The name by which the client reaches the proxy.',
    },
    { name: 'port', value: 'PORT', required: true, what: 'The port of the proxy.' },
    { name: 'user', value: 'USER', required: true, what: 'The database user.' },
    {
      name: 'region',
      value: 'REGION',
      what: "The settings' region. Default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's",
    },
  ],
  run: token,
};

async function token(given: Given, io: Io): Promise<number> {
  const region = given.get('region') ?? io.env['AWS_REGION'] ?? io.env['AWS_DEFAULT_REGION'];
  const signer = new Signer({
    hostname: given.get('host') ?? '',
    port: portOf(given.get('port') ?? ''),
    username: given.get('user') ?? '',
    ...(region === undefined ? {} : { region }),
  });
  try {
    io.out(await signer.getAuthToken());
    return 0;
  } catch (error) {
    io.err(whyNot(error));
    return 1;
  }
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new UsageError('--port must be a number from 1 to 65535');
  return port;
}

function whyNot(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message === 'Region is missing') return 'no region: give --region, or set AWS_REGION';
  if (error instanceof Error && error.name === 'CredentialsProviderError')
    return `no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (${message})`;
  return message;
}
