import { RDSClient } from '@aws-sdk/client-rds';
import type { Stage } from '../../../src/api/rds/fixture.test-support.ts';
import { stage } from '../../../src/api/rds/fixture.test-support.ts';
import type { RdsParts } from '../../../src/api/rds/parts.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Credentials, OpenApi } from '../../support/api.ts';
import { openApi } from '../../support/api.ts';
import { signedHeaders } from '../../support/signed.ts';

export interface OpenRds extends Stage {
  readonly api: OpenApi;
  readonly client: RDSClient;
  clientOf(credentials: Credentials): RDSClient;
  /** For operations that the SDK does not know. */
  post(form: Readonly<Record<string, string>>): Promise<{ status: number; body: string }>;
  close(): Promise<void>;
}

/** RDS at a port of its own, a client of the AWS SDK, and a data plane that a test moves. */
export function openRds(parts: Partial<RdsParts> = {}): OpenRds {
  const on = stage(parts, systemClock);
  const api = openApi({ services: [on.service] });
  const { endpoint, region } = api;
  const clientOf = (credentials: Credentials) =>
    new RDSClient({ endpoint, region, credentials, maxAttempts: 1 });
  return {
    ...on,
    api,
    clientOf,
    client: clientOf(api.credentials),
    async post(form) {
      const body = new URLSearchParams({ Version: '2014-10-31', ...form }).toString();
      const { host } = new URL(endpoint);
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const headers = await signedHeaders(
        { host, body, region, headers: type, dateMs: systemClock.wallMs() },
        api.credentials,
      );
      const response = await fetch(endpoint, { method: 'POST', headers, body });
      return { status: response.status, body: await response.text() };
    },
    async close() {
      await api.close();
      on.store.close();
    },
  };
}
