import { poolOf } from '../../state/rds-types.ts';
import { targetIn } from './normalise.ts';
import type { Problems } from './problems.ts';
import type { ProxyInput, SettingsInput } from './schema.ts';

/** What is allowed but probably not meant. */
export function warn(input: SettingsInput, warnings: Problems): void {
  input.databases.forEach(({ tls, tlsCaFile }, index) => {
    if (tlsCaFile !== undefined && !tls.startsWith('verify-'))
      warnings.add(
        ['databases', index, 'tlsCaFile'],
        'has no effect; set tls to verify-ca or verify-full',
      );
  });
  const percents = new Map<string, number>();
  input.proxies.forEach((proxy, index) => {
    const { maxConnectionsPercent: own } = poolOf(proxy.engineFamily, proxy.pool);
    const sums = databasesOf(input, proxy).map((identifier) => {
      const sum = (percents.get(identifier) ?? 0) + own;
      percents.set(identifier, sum);
      return sum;
    });
    const most = Math.max(...sums);
    if (most > 100) {
      const text = `the proxies of this database may take ${most} % of its connections together; share out 100 %`;
      warnings.add(['proxies', index, 'pool', 'maxConnectionsPercent'], text);
    }
    if (proxy.proxyProtocol === 'disabled' && proxy.proxyProtocolNetworks.length > 0)
      warnings.add(
        ['proxies', index, 'proxyProtocolNetworks'],
        'has no effect; set proxyProtocol to required',
      );
    warnOfTokens(input, proxy, index, warnings);
  });
}

/** Those that the proxy connects to. */
function databasesOf({ databases }: SettingsInput, proxy: ProxyInput): readonly string[] {
  const target = targetIn(databases, proxy.target);
  if (target === undefined) return [];
  const isRead = proxy.endpoints.some(({ targetRole }) => targetRole === 'READ_ONLY');
  const all = isRead ? [target.writer, ...target.readers] : [target.writer];
  return all.map(({ identifier }) => identifier);
}

function warnOfTokens(
  input: SettingsInput,
  proxy: ProxyInput,
  index: number,
  warnings: Problems,
): void {
  const entry = proxy.auth.findIndex(({ iamAuth }) => iamAuth !== 'DISABLED');
  if (entry === -1) return;
  if (input.principals.length === 0)
    warnings.add(
      ['proxies', index, 'auth', entry, 'iamAuth'],
      'nobody can sign in with a token, since there are no principals; declare some',
    );
  if (proxy.hostnames === undefined && ['0.0.0.0', '::'].includes(proxy.listen.host))
    warnings.add(
      ['proxies', index, 'hostnames'],
      `tokens must be made for the host ${proxy.listen.host}; give the names that clients use`,
    );
}
