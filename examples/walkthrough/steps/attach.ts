import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildFunction } from '../../../src/cli/demo/function/functions.ts';
import { dbUserArn } from '../../../src/iam/principals.ts';
import type { Around } from '../around.ts';
import { certificateAt } from '../certificate.ts';
import type { Calls } from '../cloud.ts';
import { DATABASE, USER } from '../database.ts';
import { connectingAs, trustInFunctions } from '../documents.ts';
import type { FunctionProgram } from '../gateway.ts';
import type { Seen } from '../teller.ts';
import type { ProxyMade } from './proxy.ts';

const ROLE_NAME = 'shop-function';

type Parts = Pick<Around, 'administrator' | 'database' | 'teller' | 'path'> & {
  readonly proxy: ProxyMade;
};

/** Gives the function a role that may sign in at the proxy, and the variables that lead it there. */
export async function attachFunction(
  calls: Calls,
  { administrator, database, teller, path, proxy }: Parts,
): Promise<Seen<FunctionProgram>> {
  const { account, region, directory } = administrator;
  const resource = dbUserArn({ region, account, proxyId: proxy.id, user: USER });
  const { Role } = await calls.call('CreateRole', {
    RoleName: ROLE_NAME,
    AssumeRolePolicyDocument: JSON.stringify(trustInFunctions(account)),
  });
  await calls.call('PutRolePolicy', {
    RoleName: ROLE_NAME,
    PolicyName: 'connect',
    PolicyDocument: JSON.stringify(connectingAs(resource)),
  });
  const session = await calls.call('AssumeRole', {
    RoleArn: Role.Arn,
    RoleSessionName: 'shop',
  });
  const variables = {
    REGION: region,
    DB_PROXY_ENDPOINT: proxy.host,
    DB_PROXY_PORT: String(proxy.port),
    DB_USERNAME: USER,
  };
  teller.progress(
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  );
  const certificate = join(directory, 'proxy.crt');
  await writeFile(certificate, await certificateAt(proxy.host, proxy.port, database.engineFamily));
  const { AccessKeyId, SecretAccessKey, SessionToken } = session.Credentials;
  const env = {
    ...variables,
    DB_NAME: DATABASE,
    DB_DIALECT: database.dialect,
    NODE_EXTRA_CA_CERTS: certificate,
    // As Lambda hands them over.
    AWS_ACCESS_KEY_ID: AccessKeyId,
    AWS_SECRET_ACCESS_KEY: SecretAccessKey,
    AWS_SESSION_TOKEN: SessionToken,
    AWS_EC2_METADATA_DISABLED: 'true',
    // Node keeps what it has compiled there: a process for each invocation starts a little sooner.
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
    HOME: directory,
    PATH: path,
  };
  return {
    value: { node: 'node', program: await buildFunction(directory), env },
    detail: `${session.AssumedRoleUser.Arn} may connect as ${USER}`,
  };
}
