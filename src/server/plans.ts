import type { AwsAccount } from '../aws/account.ts';
import { must } from '../base/assert.ts';
import type { KeyRing } from '../iam/caller.ts';
import { parsePolicy } from '../iam/policy.ts';
import { Principals } from '../iam/principals.ts';
import { DeclaredSecrets } from '../secrets/declared.ts';
import type { SecretSource } from '../secrets/source.ts';
import { DatabaseTokens } from './database-tokens.ts';
import type { TokenSource } from './database-tokens.ts';
import { EitherKeys } from './made.ts';
import type { Made } from './made.ts';
import { ProxySecrets } from './secrets.ts';
import type { DatabaseSettings, ProxySettings, Settings } from './settings/settings.ts';
import type { CertificateSource } from './tls-material.ts';
import { GeneratedCertificates, loadClientTls, loadServerTls } from './tls-material.ts';

/** One proxy's settings with all that they refer to. */
export interface ProxyPlan {
  readonly settings: Settings;
  readonly proxy: ProxySettings;
  readonly database: DatabaseSettings;
  readonly secrets: SecretSource;
  /** How users sign in at the database who have no secret; undefined where there are none of them. */
  readonly tokens?: TokenSource | undefined;
  /** The databases that READ_ONLY endpoints lead to. */
  readonly readers: readonly DatabaseSettings[];
  /** Who may sign tokens. */
  readonly keys: KeyRing;
}

/**
 * @param made what the API has made, where there is one
 * @param aws where AWS may be asked
 */
export function plansOf(settings: Settings, made?: Made, aws?: AwsAccount): readonly ProxyPlan[] {
  const declared = new DeclaredSecrets(settings.secrets);
  const principals = declaredKeys(settings);
  const keys = made === undefined ? principals : new EitherKeys(principals, made.keys);
  return settings.proxies.map((proxy) => {
    const tokens =
      proxy.defaultAuthScheme === 'IAM_AUTH'
        ? new DatabaseTokens(settings, proxy, { made, aws })
        : undefined;
    const find = (wanted: string): DatabaseSettings => {
      const found = settings.databases.find(({ identifier }) => identifier === wanted);
      const database = must(found, 'a proxy without its target');
      // Tokens are sent as they are: not without TLS.
      return tokens === undefined ? database : withTls(database);
    };
    const sources = { declared, awsSecrets: settings.awsSecrets, made, aws };
    return {
      settings,
      proxy,
      secrets: new ProxySecrets(sources, proxy.roleArn),
      tokens,
      keys,
      database: find(proxy.target),
      readers: proxy.readers.map(find),
    };
  });
}

function withTls(database: DatabaseSettings): DatabaseSettings {
  const { tlsMode } = database;
  return tlsMode === 'disable' || tlsMode === 'prefer'
    ? { ...database, tlsMode: 'require' }
    : database;
}

/** Of the principals that the settings declare. */
export function declaredKeys({ principals, account }: Settings): Principals {
  const read = principals.map(({ policy, ...rest }) => ({ ...rest, policy: parsePolicy(policy) }));
  return new Principals(read, account);
}

/** What is wrong with the certificates and keys that the plans name, as sentences; none where all can be used. */
export function tlsTrouble(
  plans: readonly ProxyPlan[],
  generated: CertificateSource = new GeneratedCertificates(),
): Promise<readonly string[]> {
  return collect(plans, async ({ proxy, database, readers }) => {
    await loadServerTls(proxy, generated);
    for (const one of [database, ...readers]) await loadClientTls(one);
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
