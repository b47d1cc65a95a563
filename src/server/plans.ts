import { must } from '../base/assert.ts';
import type { KeyRing } from '../iam/caller.ts';
import { parsePolicy } from '../iam/policy.ts';
import { Principals } from '../iam/principals.ts';
import { DeclaredSecrets } from '../secrets/declared.ts';
import type { SecretSource } from '../secrets/source.ts';
import { EitherKeys, EitherSecrets } from './made.ts';
import type { Made } from './made.ts';
import type { DatabaseSettings, ProxySettings, Settings } from './settings/settings.ts';
import { GeneratedCertificates, loadClientTls, loadServerTls } from './tls-material.ts';

/** One proxy's settings with all that they refer to. */
export interface ProxyPlan {
  readonly settings: Settings;
  readonly proxy: ProxySettings;
  readonly database: DatabaseSettings;
  readonly secrets: SecretSource;
  /** Who may sign tokens. */
  readonly keys: KeyRing;
}

/** @param made what the API has made, where there is one */
export function plansOf(settings: Settings, made?: Made): readonly ProxyPlan[] {
  const declared = new DeclaredSecrets(settings.secrets);
  const principals = declaredKeys(settings);
  const keys = made === undefined ? principals : new EitherKeys(principals, made.keys);
  return settings.proxies.map((proxy) => {
    const database = settings.databases.find(({ identifier }) => identifier === proxy.target);
    const secrets = new EitherSecrets(declared, made?.secretsOf(proxy.roleArn));
    return {
      settings,
      proxy,
      secrets,
      keys,
      database: must(database, 'a proxy without its target'),
    };
  });
}

/** Of the principals that the settings declare. */
export function declaredKeys({ principals, account }: Settings): Principals {
  const read = principals.map(({ policy, ...rest }) => ({ ...rest, policy: parsePolicy(policy) }));
  return new Principals(read, account);
}

/** What is wrong with the certificates and keys that the plans name, as sentences; none where all can be used. */
export function tlsTrouble(
  plans: readonly ProxyPlan[],
  generated = new GeneratedCertificates(),
): Promise<readonly string[]> {
  return collect(plans, async ({ proxy, database }) => {
    await loadServerTls(proxy, generated);
    await loadClientTls(database);
  });
}

/** Does the work for each plan, one after the other, and returns what went wrong as sentences. */
export async function collect(
  plans: readonly ProxyPlan[],
  work: (plan: ProxyPlan) => Promise<void>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const plan of plans) {
    try {
      await work(plan);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`proxy ${plan.proxy.name}: ${why}`);
    }
  }
  return problems;
}
