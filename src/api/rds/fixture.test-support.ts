import type { Clock } from '../../base/clock.ts';
import { ManualClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import type { NewProxy } from '../../state/proxies.ts';
import { ProxyStore } from '../../state/proxies.ts';
import type { DataPlane, Health, ProxyStatus } from '../../state/rds-data-plane.ts';
import { registerDatabase } from '../../state/rds-registering.ts';
import { rdsSchema } from '../../state/rds-schema.ts';
import type { Database, ProxySettings } from '../../state/rds-types.ts';
import { Store } from '../../state/store.ts';
import { ApiError } from '../api-error.ts';
import { readForm } from '../query-form.ts';
import type { Output, Service } from '../service.ts';
import type { RdsParts } from './parts.ts';
import { rdsService } from './service.ts';

export const REGION = 'eu-west-1';
export const ACCOUNT = '123456789012';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/proxy`;
export const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:app-AbCdEf`;

/** A part that runs proxies, or does so only when it is told to. */
export class FakePlane implements DataPlane {
  readonly #statuses = new Map<string, ProxyStatus>();
  readonly #healths = new Map<string, Health>();
  readonly #proxies: ProxyStore;

  constructor(proxies: ProxyStore) {
    this.#proxies = proxies;
  }

  statusOf(id: string): ProxyStatus {
    return this.#statuses.get(id) ?? { listening: false, port: undefined };
  }

  healthOf(_id: string, identifier: string): Health {
    return this.#healths.get(identifier) ?? { state: 'REGISTERING' };
  }

  setHealth(identifier: string, health: Health): void {
    this.#healths.set(identifier, health);
  }

  /** Runs what the store has, as it is now, and nothing else. */
  follow(): void {
    this.#statuses.clear();
    for (const { id, listenPort: port, revision } of this.#proxies.list())
      this.#statuses.set(id, { listening: true, port, revision });
  }

  /** Cannot run it, for this reason. */
  fail(id: string, trouble: string): void {
    this.#statuses.set(id, { listening: false, port: undefined, trouble });
  }

  /** Lets go of all, as when the server has only just started. */
  stop(): void {
    this.#statuses.clear();
  }
}

export interface Asking {
  /** Whose every action is allowed but for these, each as `action resource`. */
  readonly denied?: readonly string[];
}

export interface Stage {
  readonly store: Store;
  readonly proxies: ProxyStore;
  readonly plane: FakePlane;
  readonly clock: ManualClock;
  readonly service: Service;
  /** What has been asked permission for, as `action resource`, in this order. */
  readonly asked: string[];
  /** Asks for an operation with a form of the Query protocol. Throws where it answers without asking for permission. */
  ask(operation: string, form?: string, asking?: Asking): Promise<Output>;
}

/** @param time what it goes by instead of its own clock */
export function stage(parts: Partial<RdsParts> = {}, time?: Clock): Stage {
  const store = Store.inMemory([rdsSchema]);
  const clock = new ManualClock();
  const random = seededRandom(7);
  const place = { region: REGION, account: ACCOUNT };
  const proxies = new ProxyStore(store, { ...place, clock: time ?? clock, random });
  const plane = new FakePlane(proxies);
  const service = rdsService({
    proxies,
    dataPlane: plane,
    ports: { host: '127.0.0.1', preferDefault: true, from: 7000, to: 7099 },
    hostName: (name) => `${name}.proxy-abcdefghijkl.${REGION}.rds.sluice.test`.toLowerCase(),
    ...parts,
  });
  const asked: string[] = [];
  return {
    store,
    proxies,
    plane,
    clock,
    service,
    asked,
    async ask(name, form = '', { denied = [] } = {}) {
      asked.length = 0;
      const operation = service.operations[name];
      if (operation === undefined) throw new Error(`there is no operation ${name}`);
      const output = await operation(readForm(form), {
        caller: { accessKeyId: '', account: ACCOUNT, arn: '', userId: '', policies: [] },
        requestId: '',
        nowMs: clock.wallMs(),
        authorize(action, resource) {
          asked.push(`${action} ${resource}`);
          if (denied.includes(`${action} ${resource}`)) throw new ApiError('AccessDenied', '', 403);
        },
      });
      if (asked.length === 0) throw new Error(`${name} has asked for no permission`);
      return output;
    },
  };
}

/** A form of CreateDBProxy that is right, and what else is given. */
export function createForm(name: string, more = '', family = 'POSTGRESQL'): string {
  const base = {
    DBProxyName: name,
    EngineFamily: family,
    RoleArn: ROLE,
    'VpcSubnetIds.member.1': 'subnet-a',
    'VpcSubnetIds.member.2': 'subnet-b',
    'Auth.member.1.SecretArn': SECRET,
  };
  const given = Object.fromEntries(new URLSearchParams(more));
  return new URLSearchParams({ ...base, ...given }).toString();
}

export function database(identifier: string, more: Partial<Database> = {}): Database {
  return {
    identifier,
    engine: 'postgres',
    host: `${identifier}.internal`,
    port: 5432,
    cluster: undefined,
    role: 'writer',
    connection: { tlsMode: 'prefer' },
    ...more,
  };
}

/** A cluster of a writer `<name>-1` and readers behind it. */
export function registerCluster(proxies: ProxyStore, cluster: string, readers = 1): void {
  registerDatabase(proxies, database(`${cluster}-1`, { cluster }), 'api');
  for (let number = 2; number < readers + 2; number += 1)
    registerDatabase(proxies, database(`${cluster}-${number}`, { cluster, role: 'reader' }), 'api');
}

export const settings: ProxySettings = {
  engineFamily: 'POSTGRESQL',
  roleArn: ROLE,
  auth: [{ secretArn: SECRET, iamAuth: 'DISABLED' }],
  defaultAuthScheme: 'NONE',
  requireTls: false,
  idleClientTimeoutS: 1800,
  debugLogging: false,
  subnetIds: ['subnet-a', 'subnet-b'],
  securityGroupIds: [],
  endpointNetworkType: 'IPV4',
  targetConnectionNetworkType: 'IPV4',
};

export function newProxy(name: string, more: Partial<NewProxy> = {}): NewProxy {
  return {
    name,
    settings,
    pool: {},
    target: undefined,
    listenHost: '127.0.0.1',
    listenPort: 6432,
    origin: 'api',
    ...more,
  };
}

/** The code and the HTTP status of what it is refused with; undefined where it is not. */
export async function refusal(
  answer: Promise<unknown>,
): Promise<
  { readonly code: string; readonly status: number; readonly message: string } | undefined
> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, status, message } = error;
    return { code, status, message };
  }
}
