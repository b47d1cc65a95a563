import { createHash } from 'node:crypto';
import type { Random } from '../base/random.ts';

const LETTERS_AND_DIGITS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 17;
const RESOURCE_ID_LENGTH = 26;

/** Where resources are. */
export interface Place {
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
}

export type ResourceKind = 'proxy' | 'group' | 'endpoint' | 'database' | 'cluster';

const types: Readonly<Record<ResourceKind, string>> = {
  proxy: 'db-proxy',
  group: 'target-group',
  endpoint: 'db-proxy-endpoint',
  database: 'db',
  cluster: 'cluster',
};

/** The ARN of a resource; `*` as its key stands for all of the kind. Proxies, groups and endpoints go by id, the others by identifier. */
export function arnOf({ region, account }: Place, kind: ResourceKind, key: string): string {
  return `arn:aws:rds:${region}:${account}:${types[kind]}:${key}`;
}

/** What an ARN names; undefined for another place's, and for what this service has none of. */
export function readArn(
  { region, account }: Place,
  arn: string,
): { readonly kind: ResourceKind; readonly key: string } | undefined {
  const [scheme, partition, service, itsRegion, itsAccount, type, key, ...more] = arn.split(':');
  const isOurs = scheme === 'arn' && partition === 'aws' && service === 'rds';
  if (!isOurs || itsRegion !== region || itsAccount !== account || more.length > 0) return;
  const kind = kinds.find((one) => types[one] === type);
  return kind === undefined || key === undefined || key === '' ? undefined : { kind, key };
}

const kinds: readonly ResourceKind[] = ['proxy', 'group', 'endpoint', 'database', 'cluster'];

/** A new id, such as `prx-` and 17 letters and digits. */
export function newId(prefix: string, random: Random): string {
  const characters = Array.from(random.bytes(ID_LENGTH), (byte) =>
    LETTERS_AND_DIGITS.charAt(byte % LETTERS_AND_DIGITS.length),
  );
  return `${prefix}${characters.join('')}`;
}

/** `db-…` or `cluster-…`, made from what it names. */
export function resourceId(
  prefix: 'db-' | 'cluster-',
  { region, account }: Place,
  identifier: string,
): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([account, region, prefix, identifier.toLowerCase()]))
    .digest('hex');
  const number = BigInt(`0x${digest}`) % 36n ** BigInt(RESOURCE_ID_LENGTH);
  return `${prefix}${number.toString(36).padStart(RESOURCE_ID_LENGTH, '0').toUpperCase()}`;
}
