import { must } from '../base/assert.ts';
import { DeclaredSecrets } from '../secrets/declared.ts';
import type { SecretSource } from '../secrets/source.ts';
import type { DatabaseSettings, ProxySettings, Settings } from './settings/settings.ts';
import { GeneratedCertificates, loadClientTls, loadServerTls } from './tls-material.ts';

/** One proxy's settings with all that they refer to. */
export interface ProxyPlan {
  readonly settings: Settings;
  readonly proxy: ProxySettings;
  readonly database: DatabaseSettings;
  readonly secrets: SecretSource;
}

export function plansOf(settings: Settings): readonly ProxyPlan[] {
  const secrets = new DeclaredSecrets(settings.secrets);
  return settings.proxies.map((proxy) => {
    const database = settings.databases.find(({ identifier }) => identifier === proxy.target);
    return { settings, proxy, secrets, database: must(database, 'a proxy without its target') };
  });
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
