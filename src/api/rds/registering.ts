import { z } from 'zod';
import { wholeText } from '../fields.ts';
import type { Call, Operation } from '../service.ts';
import { operation } from '../service.ts';
import {
  deregisterDatabase,
  isSame,
  leadingToInstance,
  registerDatabase,
} from '../../state/rds-registering.ts';
import type { Database, StoredDatabase } from '../../state/rds-types.ts';
import { databaseEngines, defaultPort, familyOf, tlsModes } from '../../state/rds-types.ts';
import { instanceShape } from './databases.ts';
import {
  complain,
  instanceNotFound,
  instanceQuotaExceeded,
  invalidCombination,
  invalidInstanceState,
} from './faults.ts';
import { identifier, oneOf, reference } from './inputs.ts';
import type { RdsParts } from './parts.ts';
import { authorize, defaultQuotas } from './parts.ts';

const LONGEST_CA = 65_536;

const hostName = z
  .string()
  .regex(/^[\w.:%-]{1,253}$/, { error: 'must be a host name or an IP address, without a port' });
const port = wholeText(1, 65_535);

const registerInput = z.object({
  DBInstanceIdentifier: identifier,
  Engine: oneOf(databaseEngines),
  Host: hostName.optional(),
  Port: port.optional(),
  Endpoint: z.object({ Address: hostName.optional(), Port: port.optional() }).optional(),
  DBClusterIdentifier: identifier.optional(),
  Role: oneOf(['writer', 'reader']).optional(),
  TlsMode: oneOf(tlsModes).optional(),
  TlsServerName: hostName.optional(),
  TlsCaCertificate: z
    .string()
    .max(LONGEST_CA, { error: `must not be longer than ${LONGEST_CA} characters` })
    .regex(/-----BEGIN CERTIFICATE-----/, { error: 'must be certificates in PEM format' })
    .optional(),
  MaxConnections: wholeText(1, 262_143).optional(),
  Database: z
    .string()
    .regex(/^[^\0]{1,128}$/, { error: 'must be the name of a database' })
    .optional(),
});
type RegisterInput = z.output<typeof registerInput>;

/**
 * RegisterDatabase and DeregisterDatabase are Sluice's own: AWS knows its databases, and Sluice must be told where they are.
 *
 * - `DBInstanceIdentifier`, by which RegisterDBProxyTargets names it; a registered one is replaced
 * - `Engine`: postgres, mysql, mariadb or sqlserver
 * - `Host` and `Port`, or `Endpoint.Address` and `Endpoint.Port`; the engine's own port by default
 * - `DBClusterIdentifier`: the cluster that it is a member of, which is there from its first member to its last
 * - `Role` in the cluster: writer or reader; by default it is the writer if the cluster has none
 * - `TlsMode`: disable, prefer (by default), require, verify-ca or verify-full; `TlsServerName`; `TlsCaCertificate`, PEM
 * - `MaxConnections`, instead of what the database says; `Database`, that the proxy watches it by
 *
 * Both answer with the `DBInstance`, as DescribeDBInstances tells it.
 */
export function registeringOperations(parts: RdsParts): Readonly<Record<string, Operation>> {
  return {
    RegisterDatabase: operation(
      registerInput,
      (input, call) => register(parts, input, call),
      complain,
    ),

    DeregisterDatabase: operation(
      z.object({ DBInstanceIdentifier: reference }),
      ({ DBInstanceIdentifier: name }, call) => {
        const database = parts.proxies.databases.find(name);
        authorize(parts, call, 'DeregisterDatabase', 'database', database?.identifier);
        if (database === undefined) throw instanceNotFound(name);
        mustNotBeDeclared(database);
        const told = instanceShape(parts, database);
        deregisterDatabase(parts.proxies, database);
        return { DBInstance: told };
      },
      complain,
    ),
  };
}

function register(parts: RdsParts, input: RegisterInput, call: Call) {
  const { proxies, quotas } = parts;
  const { databases } = proxies;
  const before = databases.find(input.DBInstanceIdentifier);
  const name = before?.identifier ?? input.DBInstanceIdentifier;
  authorize(parts, call, 'RegisterDatabase', 'database', name);
  if (input.DBClusterIdentifier !== undefined)
    authorize(parts, call, 'RegisterDatabase', 'cluster', input.DBClusterIdentifier);
  if (before !== undefined) mustNotBeDeclared(before);
  const most = quotas?.databases ?? defaultQuotas.databases;
  if (before === undefined && databases.list().length >= most) throw instanceQuotaExceeded(most);
  const database = readDatabase(parts, input, name, before);
  mustFitProxies(parts, database);
  registerDatabase(proxies, database, 'api');
  const stored = databases.find(name);
  return { DBInstance: stored && instanceShape(parts, stored) };
}

function readDatabase(
  parts: RdsParts,
  input: RegisterInput,
  name: string,
  before: StoredDatabase | undefined,
): Database {
  const host = input.Host ?? input.Endpoint?.Address;
  if (host === undefined) throw complain({ field: 'Host', what: 'is missing', isMissing: true });
  const isTwice = [
    [input.Host, input.Endpoint?.Address],
    [input.Port, input.Endpoint?.Port],
  ].some((values) => values.every((value) => value !== undefined));
  if (isTwice)
    throw invalidCombination('Give either Host and Port or Endpoint.Address and Endpoint.Port.');
  return {
    identifier: name,
    engine: input.Engine,
    host,
    port: input.Port ?? input.Endpoint?.Port ?? defaultPort[familyOf[input.Engine]],
    ...membership(parts, input, name, before),
    connection: {
      tlsMode: input.TlsMode ?? 'prefer',
      tlsServerName: input.TlsServerName,
      tlsCa: input.TlsCaCertificate,
      maxConnections: input.MaxConnections,
      database: input.Database,
    },
  };
}

/** Throws InvalidParameterCombination. */
function membership(
  { proxies }: RdsParts,
  { Engine: engine, DBClusterIdentifier: given, Role: role }: RegisterInput,
  name: string,
  before: StoredDatabase | undefined,
): Pick<Database, 'cluster' | 'role'> {
  if (given === undefined) {
    if (role === 'reader')
      throw invalidCombination(
        'A reader belongs to a cluster: give its DBClusterIdentifier, or leave Role out.',
      );
    return { cluster: undefined, role: 'writer' };
  }
  const cluster = proxies.databases.findCluster(given);
  const others = cluster?.members.filter((member) => !isSame(member.identifier, name)) ?? [];
  const writer = others.find((member) => member.role === 'writer');
  if (cluster !== undefined && cluster.engine !== engine)
    throw invalidCombination(
      `The DB cluster ${cluster.identifier} is ${cluster.engine}: a member must have the same Engine.`,
    );
  if (role === 'writer' && writer !== undefined)
    throw invalidCombination(
      `The DB cluster ${given} has a writer already, ${writer.identifier}: register that one as a reader first.`,
    );
  const isMember = isSame(before?.cluster, given);
  const usual =
    (isMember ? before?.role : undefined) ?? (writer === undefined ? 'writer' : 'reader');
  return { cluster: cluster?.identifier ?? given, role: role ?? usual };
}

/** Throws InvalidDBInstanceState where a proxy leads to it that could not any longer. */
function mustFitProxies(
  { proxies }: RdsParts,
  { identifier: name, engine, cluster }: Database,
): void {
  for (const proxy of leadingToInstance(proxies, name))
    if (cluster !== undefined || familyOf[engine] !== proxy.engineFamily)
      throw invalidInstanceState(
        `DB Instance ${name} is the target of the DB proxy ${proxy.name}, which is for an instance of the engine family ${proxy.engineFamily}: deregister it there first.`,
      );
}

function mustNotBeDeclared({ identifier: name, origin }: StoredDatabase): void {
  if (origin === 'declared')
    throw invalidInstanceState(
      `DB Instance ${name} is declared in the settings file of Sluice: change it there, and reload.`,
    );
}
