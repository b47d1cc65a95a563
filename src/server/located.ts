import type { AwsAccount, WantedTarget } from '../aws/account.ts';
import type { TargetHealth } from '../core/watcher.ts';
import type { Readiness } from './admin.ts';
import type { DatabaseSettings, Settings } from './settings/settings.ts';

/** Asks AWS for all addresses that the settings leave to it. Never rejects. */
export async function lookUp({ databases }: Settings, aws: AwsAccount | undefined): Promise<void> {
  if (aws === undefined) return;
  await Promise.all(
    databases.flatMap(({ aws: target }) =>
      target === undefined ? [] : [aws.databases.lookUp(target)],
    ),
  );
}

/** The settings with the addresses that AWS has told. */
export function located(settings: Settings, aws: AwsAccount | undefined): Settings {
  if (aws === undefined) return settings;
  return { ...settings, databases: settings.databases.map((one) => locatedDatabase(one, aws)) };
}

function locatedDatabase(database: DatabaseSettings, aws: AwsAccount): DatabaseSettings {
  const { aws: target, engine, tlsServerName } = database;
  if (target === undefined) return database;
  const found = aws.databases.find(target);
  if (found === undefined) return database;
  if (found instanceof Error) return { ...database, trouble: found.message };
  if (found.engine !== engine) {
    const trouble = `The DB ${target.kind} ${target.identifier}: it is ${found.engine} at AWS, and ${engine} in the settings`;
    return { ...database, trouble };
  }
  const { host, port, resourceId } = found;
  return {
    ...database,
    host,
    port,
    resourceId,
    tlsServerName: tlsServerName === '' ? host : tlsServerName,
    trouble: undefined,
  };
}

/** The databases whose addresses AWS tells, with what is known of them here. */
export function wantedOf(
  { databases }: Settings,
  targets: Readiness['targets'] = [],
): readonly WantedTarget[] {
  const lost = targets.filter(isLost);
  return databases.flatMap(({ identifier, aws: target }) => {
    if (target === undefined) return [];
    return [{ target, isLost: lost.some((one) => one.target === identifier) }];
  });
}

/** Whether it may be elsewhere by now: who refuses us is there. */
export function isLost({ state, reason }: Pick<TargetHealth, 'state' | 'reason'>): boolean {
  return state === 'UNAVAILABLE' && reason !== 'AUTH_FAILURE';
}
