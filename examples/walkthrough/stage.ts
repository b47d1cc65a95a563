import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Sluice } from '../../test/support/sluice.ts';
import { startSluice } from '../../test/support/sluice.ts';
import type { ShopDatabase } from './database.ts';

export const REGION = 'eu-central-1';
export const ACCOUNT = '123456789012';
/** By which the settings declare the database. */
export const TARGET = 'shop-db';

/** Who may do everything, and where. */
export interface Administrator {
  /** For temporary files. */
  readonly directory: string;
  readonly endpoint: string;
  readonly region: string;
  readonly account: string;
  /** As AWS tools read it. */
  readonly credentialsFile: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Stage extends AsyncDisposable {
  readonly administrator: Administrator;
  readonly sluice: Sluice;
}

/** Starts Sluice with nothing but the API and an address of a database; its data are in `directory`. To be disposed of. */
export async function startStage(database: ShopDatabase, directory: string): Promise<Stage> {
  const { engine, server } = database;
  const data = join(directory, 'data');
  const port = await freePort();
  const settings = {
    region: REGION,
    account: ACCOUNT,
    admin: { listen: '127.0.0.1:0' },
    api: { ports: `${port}-${port}` },
    databases: [{ identifier: TARGET, engine, host: server.host, port: server.port }],
    drainTimeout: 0,
  };
  const sluice = await startSluice(settings, { args: ['--data-dir', data] });
  const stop = async (): Promise<void> => void (await sluice.stop());
  try {
    const credentialsFile = join(data, 'credentials');
    const { host, port: adminPort } = await sluice.waitForLog(
      ({ event }) => event === 'adminListening',
    );
    const administrator = {
      directory,
      endpoint: `http://${String(host)}:${String(adminPort)}`,
      region: REGION,
      account: ACCOUNT,
      credentialsFile,
      credentials: readCredentials(await readFile(credentialsFile, 'utf8')),
    };
    return { administrator, sluice, [Symbol.asyncDispose]: stop };
  } catch (problem) {
    await stop();
    throw problem;
  }
}

/** For a proxy, where the port that its family is known by is taken. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function readCredentials(file: string): Administrator['credentials'] {
  const value = (name: string): string => {
    const found = new RegExp(`^${name} *= *(\\S+)$`, 'm').exec(file)?.[1];
    if (found === undefined) throw new Error(`the credentials have no ${name}`);
    return found;
  };
  return {
    accessKeyId: value('aws_access_key_id'),
    secretAccessKey: value('aws_secret_access_key'),
  };
}
