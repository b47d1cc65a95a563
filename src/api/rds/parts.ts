import type { Call } from '../service.ts';
import type { ProxyStore } from '../../state/proxies.ts';
import type { DataPlane } from '../../state/rds-data-plane.ts';
import type { ResourceKind } from '../../state/rds-names.ts';
import type { Target } from '../../state/rds-types.ts';
import type { PortSettings } from './ports.ts';

/** What the RDS API works with. */
export interface RdsParts {
  readonly proxies: ProxyStore;
  readonly dataPlane: DataPlane;
  readonly ports: PortSettings;
  /** The host name of a proxy's endpoint; for a custom one, `name` is `<endpoint>.endpoint`, as in AWS. */
  hostName(name: string, proxyId: string): string;
  /** Whether there is such an IAM role; without it, any may be named. */
  roleExists?(arn: string): boolean;
  /** Where databases come from that nobody has registered; without it there are none. */
  adopt?(target: Target): Promise<Adoption>;
  readonly quotas?: Partial<Quotas>;
}

/** What came of looking for a database elsewhere: it is in the store now, or there is none, or it cannot be had. */
export type Adoption =
  | { readonly kind: 'adopted' }
  | { readonly kind: 'none' }
  | { readonly kind: 'memberOf'; readonly cluster: string }
  /** @param why a sentence */
  | { readonly kind: 'trouble'; readonly why: string };

export interface Quotas {
  /** Proxies that the API has made; those that are declared do not count. */
  readonly proxies: number;
  /** Custom endpoints of one proxy. */
  readonly endpoints: number;
  readonly databases: number;
}

/** AWS's, where it has one. */
export const defaultQuotas: Quotas = { proxies: 20, endpoints: 20, databases: 1_000 };

/** Asks for permission to do this to one resource, or, where there is none of the name, to all of the kind. */
export function authorize(
  { proxies }: RdsParts,
  call: Call,
  operation: string,
  kind: ResourceKind,
  key = '*',
): void {
  call.authorize(`rds:${operation}`, proxies.arn(kind, key));
}
