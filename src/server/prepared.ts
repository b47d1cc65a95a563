import { SecretText } from '../base/secret-text.ts';
import type { TlsClient, TlsServer } from '../net/tls.ts';
import { CredentialBook } from './credentials.ts';
import type { ProxyPlan } from './plans.ts';
import { DEFAULT } from './running-endpoint.ts';
import type { EndpointPlan } from './running-endpoint.ts';
import type { Surroundings } from './running-proxy.ts';
import type { TargetPlan } from './running-target.ts';
import type { DatabaseSettings, EndpointSettings } from './settings/settings.ts';
import { loadClientTls, loadServerTls } from './tls-material.ts';

/** What must be read or derived before settings can be applied: whatever can fail, fails here. */
export interface Prepared {
  readonly plan: ProxyPlan;
  readonly credentials: CredentialBook;
  readonly tlsServer: TlsServer;
  /** By the databases' identifiers. */
  readonly tlsClients: ReadonlyMap<string, TlsClient | undefined>;
}

/** Rejects where a certificate cannot be used; a secret that cannot be read keeps only its own user out. */
export async function prepare(plan: ProxyPlan, around: Surroundings): Promise<Prepared> {
  const { proxy, secrets, tokens } = plan;
  const credentials = new CredentialBook({
    source: secrets,
    auth: proxy.auth,
    tokens,
    clock: around.clock,
    graceMs: proxy.previousPasswordGraceMs,
    unknowable: new SecretText(Buffer.from(around.random.bytes(24)).toString('base64')),
    troubled: (problem) =>
      around.log.event('warn', 'secretTrouble', {
        message: `Credentials couldn't be retrieved. ${problem}`,
        proxy: proxy.name,
      }),
  });
  await credentials.load();
  const tlsClients = new Map<string, TlsClient | undefined>();
  for (const database of [plan.database, ...plan.readers])
    tlsClients.set(database.identifier, await loadClientTls(database));
  const tlsServer = await loadServerTls(proxy, around.certificates);
  return { plan, credentials, tlsServer, tlsClients };
}

/** One that has another role is another one. */
export function keyOf({ id, role }: EndpointSettings): string {
  return `${role} ${id}`;
}

export function defaultEndpoint({ proxy: { listen, hostnames } }: ProxyPlan): EndpointSettings {
  return { id: DEFAULT, name: DEFAULT, role: 'READ_WRITE', listen, hostnames };
}

export function endpointPlan(
  { plan, credentials, tlsServer: tls }: Prepared,
  endpoint: EndpointSettings,
): EndpointPlan {
  return { plan, endpoint, credentials, tls };
}

export function targetPlan(
  { plan, credentials, tlsClients }: Prepared,
  database: DatabaseSettings,
): TargetPlan {
  return { plan, database, credentials, tls: tlsClients.get(database.identifier) };
}
