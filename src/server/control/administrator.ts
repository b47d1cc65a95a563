import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Data } from './data.ts';

const NAME = 'administrator';
const FILE = 'credentials';
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});

/**
 * Where nobody is there yet who could sign anything, makes a user who may do everything, and writes the access key to a file that AWS
 * tools read (`AWS_SHARED_CREDENTIALS_FILE`), for its owner only. Returns the file where it has been written now: the secret is told
 * nowhere else, and never again.
 */
export function makeAdministrator(
  { iam }: Pick<Data, 'iam'>,
  { directory, region, nowMs }: { directory: string; region: string; nowMs: number },
): string | undefined {
  const path = join(directory, FILE);
  // Under its name only when the user is sure to be there: whatever cuts us off, the next start finishes it.
  const draft = `${path}.new`;
  if (iam.identities.users().length > 0) {
    if (!existsSync(draft)) return undefined;
    renameSync(draft, path);
    return path;
  }
  if (existsSync(path))
    throw new Error(
      `${path} is there, but the user that it belongs to is not: move it away, and an administrator is made anew`,
    );
  iam.write(() => {
    const { id } = iam.identities.addUser({ name: NAME, path: '/', nowMs });
    iam.policies.putInline(id, { name: 'everything', document: POLICY });
    const key = iam.keys.add(id, nowMs);
    writePrivately(
      draft,
      `[default]\naws_access_key_id = ${key.id}\naws_secret_access_key = ${key.secretAccessKey.reveal()}\nregion = ${region}\n`,
    );
  });
  renameSync(draft, path);
  return path;
}

function writePrivately(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
