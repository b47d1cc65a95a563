import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unlessAborted } from '../../src/cli/demo/abort.ts';
import type { Surroundings } from '../../src/cli/demo/database.ts';
import { AwsCli } from './aws-cli.ts';
import { AwsSdk } from './aws-sdk.ts';
import { Calls } from './cloud.ts';
import type { Cloud } from './cloud.ts';
import type { EngineName } from './database.ts';
import { startDatabase } from './database.ts';
import type { Administrator } from './stage.ts';
import { startStage } from './stage.ts';
import { attachFunction } from './steps/attach.ts';
import { makeProxy } from './steps/proxy.ts';
import { giveBack, takeAway } from './steps/permission.ts';
import { makeRole } from './steps/role.ts';
import { rotate } from './steps/rotation.ts';
import { runFunction } from './steps/run.ts';
import { makeSecret } from './steps/secret.ts';
import type { Teller } from './teller.ts';

export const cloudNames = ['cli', 'sdk'] as const;
export type CloudName = (typeof cloudNames)[number];

export interface WalkOptions extends Surroundings {
  readonly engine: EngineName;
  /** How the APIs are called; undefined for the CLI where there is one. */
  readonly cloud: CloudName | undefined;
  readonly teller: Teller;
}

/** From an empty machine to a function that works, step by step. All that it starts has ended when it settles. */
export async function walk(options: WalkOptions): Promise<void> {
  const { clock, env, signal, teller } = options;
  const path = env['PATH'] ?? '';
  await using cleanup = new AsyncDisposableStack();
  const within = <T>(work: Promise<T>): Promise<T> => unlessAborted(signal, work);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-walkthrough-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  teller.say('A database and Sluice are started on this machine, for this walk only.');
  const database = await startDatabase(options.engine, options);
  cleanup.defer(() => database.server.destroy());
  signal.throwIfAborted();
  const { administrator, sluice } = cleanup.use(await startStage(database, directory));
  const cloud = await chooseCloud(options.cloud, administrator, path);
  teller.say(`They are ${database.origin}, and the API at ${administrator.endpoint}.`);
  teller.say(`It is called by the ${cloud.title}, with the credentials that Sluice has made.`);

  const around = { administrator, sluice, database, clock, teller, path };
  const calls = new Calls(cloud, teller.call);
  const step = teller.step.bind(teller);
  const secret = await step('secret', 'A secret holds what the proxy signs in with', () =>
    within(makeSecret(calls, around)),
  );
  const role = await step('role', 'A role lets the proxy read the secret', () =>
    within(makeRole(calls, secret)),
  );
  const proxy = await step('proxy', 'The proxy, with the database as its target', () =>
    within(makeProxy(calls, { ...around, secret, role })),
  );
  const program = await step('attach', 'The function is attached to the proxy', () =>
    within(attachFunction(calls, { ...around, proxy })),
  );
  const gateway = await step('run', 'The function runs behind an API gateway', () =>
    within(runFunction({ ...around, program, cleanup })),
  );
  const run = { ...around, secret, role, proxy, gateway };
  await step('rotation', 'The password is rotated while orders come in', () =>
    within(rotate(calls, run)),
  );
  await step('permission-lost', 'The role may not read the secret any more', () =>
    within(takeAway(calls, run)),
  );
  await step('permission-back', 'The role may read the secret again', () =>
    within(giveBack(calls, run)),
  );
}

async function chooseCloud(
  name: CloudName | undefined,
  administrator: Administrator,
  path: string,
): Promise<Cloud> {
  if (name === 'sdk') return new AwsSdk(administrator);
  const cli = await AwsCli.find(administrator, path);
  if (cli !== undefined) return cli;
  if (name === 'cli')
    throw new Error('There is no AWS CLI in the PATH: install it, or leave out --cloud cli.');
  return new AwsSdk(administrator);
}
