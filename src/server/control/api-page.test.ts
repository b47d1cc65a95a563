import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PolicyReader } from '../../api/iam/documents.ts';
import { iamService } from '../../api/iam/service.ts';
import { rdsService } from '../../api/rds/service.ts';
import { secretsManagerService } from '../../api/secretsmanager/service.ts';
import type { Service } from '../../api/service.ts';
import { stsService } from '../../api/sts/service.ts';
import { ManualClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { IamState, iamSchema } from '../../state/iam.ts';
import { ProxyStore } from '../../state/proxies.ts';
import { rdsSchema } from '../../state/rds-schema.ts';
import { AesSealer } from '../../state/sealed.ts';
import { SecretStore, secretsSchema } from '../../state/secrets.ts';
import { Store } from '../../state/store.ts';

const page = readFileSync(
  fileURLToPath(new URL('../../../docs/reference/api.md', import.meta.url)),
  'utf8',
);

function services(): readonly Service[] {
  const store = Store.inMemory([iamSchema, secretsSchema, rdsSchema]);
  const random = seededRandom(1);
  const sealer = new AesSealer({ key: random.bytes(32), random });
  const place = { region: 'eu-central-1', account: '123456789012' };
  const iam = {
    state: new IamState(store, { ...place, sealer, random }),
    reader: new PolicyReader(),
  };
  return [
    rdsService({
      proxies: new ProxyStore(store, { ...place, clock: new ManualClock(), random }),
      dataPlane: {
        statusOf: () => ({ listening: false, port: undefined }),
        healthOf: () => ({ state: 'REGISTERING' }),
      },
      ports: { host: '127.0.0.1', preferDefault: true, from: 6500, to: 6599 },
      hostName: (name) => name,
    }),
    secretsManagerService({
      secrets: new SecretStore({ store, sealer, random, ...place }),
      random,
    }),
    iamService(iam),
    stsService(iam),
  ];
}

const titles: Readonly<Record<string, string>> = {
  rds: 'RDS',
  secretsmanager: 'Secrets Manager',
  iam: 'IAM',
  sts: 'STS',
};

test.each(services())('the page names the operations of $name, and no others', (service) => {
  const section = page
    .split(/^## /m)
    .find((one) => one.startsWith(`${titles[service.name] ?? service.name}\n`));
  const [, table = ''] = /<!-- operations -->\n([\s\S]*?)<!-- end -->/.exec(section ?? '') ?? [];
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
  expect(named.toSorted()).toEqual(Object.keys(service.operations).toSorted());
});
