import { discardReasons } from '../core/discard.ts';
import type { Counters, Gauges, Latency } from '../core/observer.ts';
import { pinReasons } from '../core/pin.ts';
import type { Exposition, Labels, MetricType } from './exposition.ts';

/** One proxy's numbers at the moment of a scrape. */
export interface Moment {
  readonly counters: Counters;
  readonly gauges: Partial<Gauges>;
  readonly targetUp: boolean;
}

/** CloudWatch's dimensions: what clients see is told by endpoint, what the database sees by target. */
export type Scope = 'endpoint' | 'target';

export interface Family {
  readonly name: string;
  readonly type: MetricType;
  readonly scope: Scope;
  readonly help: string;
  samples(out: Exposition, labels: Labels, moment: Moment): void;
}

type FieldsOf<T, Kind> = { [Field in keyof T]: T[Field] extends Kind ? Field : never }[keyof T];
type Table<Field> = readonly (readonly [field: Field, scope: Scope, help: string])[];

// The fields have CloudWatch's names; so do the families, in snake case.

const counterTable: Table<FieldsOf<Counters, number>> = [
  ['clientConnectionsReceived', 'endpoint', 'Client connections received.'],
  ['clientConnectionsSetupSucceeded', 'endpoint', 'Client connections that signed in.'],
  ['clientConnectionsSetupFailedAuth', 'endpoint', 'Client connections that could not sign in.'],
  ['clientConnectionsClosed', 'endpoint', 'Client connections closed.'],
  ['queryRequestsTls', 'endpoint', 'Queries received with TLS.'],
  ['queryRequestsNoTls', 'endpoint', 'Queries received without TLS.'],
  ['bytesFromClients', 'endpoint', 'Bytes received from clients that had signed in.'],
  ['bytesToClients', 'endpoint', 'Bytes sent to clients that had signed in.'],
  ['borrowTimeouts', 'endpoint', 'Requests that waited in vain for a database connection.'],
  ['cancelRequests', 'endpoint', 'Cancel requests received.'],
  ['databaseConnectionRequests', 'target', 'Attempts to open a database connection.'],
  ['databaseConnectionRequestsWithTls', 'target', 'Database connections opened with TLS.'],
  ['databaseConnectionsSetupSucceeded', 'target', 'Database connections opened.'],
  ['databaseConnectionsSetupFailed', 'target', 'Failed attempts to open a database connection.'],
];

const gaugeTable: Table<keyof Gauges> = [
  ['clientConnections', 'endpoint', 'Client connections now.'],
  ['clientConnectionsInSetup', 'endpoint', 'Client connections that have not signed in yet.'],
  ['clientConnectionsTls', 'endpoint', 'Client connections with TLS now.'],
  ['clientConnectionsNoTls', 'endpoint', 'Client connections without TLS now.'],
  ['clientsWaiting', 'endpoint', 'Clients that wait for a database connection now.'],
  ['longestWaitMs', 'endpoint', 'How long the first of the waiting clients has waited.'],
  ['databaseConnections', 'target', 'Database connections now.'],
  ['databaseConnectionsWithTls', 'target', 'Database connections with TLS now.'],
  ['databaseConnectionsIdle', 'target', 'Database connections that wait to be borrowed.'],
  ['databaseConnectionsCurrentlyBorrowed', 'target', 'Database connections in use now.'],
  ['databaseConnectionsCurrentlyInTransaction', 'target', 'Database connections in a transaction.'],
  ['databaseConnectionsCurrentlySessionPinned', 'target', 'Database connections pinned now.'],
  ['maxDatabaseConnectionsAllowed', 'target', 'The most database connections that may be open.'],
];

const latencyTable: readonly (readonly [
  field: FieldsOf<Counters, Latency>,
  name: string,
  scope: Scope,
  help: string,
])[] = [
  [
    'borrowLatency',
    'database_connections_borrow_latency',
    'endpoint',
    'How long requests waited for a database connection.',
  ],
  [
    'queryResponseLatency',
    'query_response_latency',
    'endpoint',
    'From a request to the end of its response.',
  ],
  [
    'queryDatabaseResponseLatency',
    'query_database_response_latency',
    'target',
    'The part of it that the database took.',
  ],
];

/** Everything that is told of a proxy, in the order of the exposition. */
export const families: readonly Family[] = [
  single(
    'target_up',
    'gauge',
    'target',
    '1 while the target is AVAILABLE, otherwise 0.',
    (moment) => (moment.targetUp ? 1 : 0),
  ),
  ...gaugeTable.map(([field, scope, help]) => {
    const isMs = field.endsWith('Ms');
    const name = isMs ? `${snake(field.slice(0, -2))}_seconds` : snake(field);
    return single(
      name,
      'gauge',
      scope,
      help,
      ({ gauges }) => (gauges[field] ?? 0) / (isMs ? 1000 : 1),
    );
  }),
  ...counterTable.map(([field, scope, help]) =>
    single(`${snake(field)}_total`, 'counter', scope, help, ({ counters }) => counters[field]),
  ),
  single('query_requests_total', 'counter', 'endpoint', 'Queries received.', ({ counters }) => {
    return counters.queryRequestsTls + counters.queryRequestsNoTls;
  }),
  byReason('pins_total', 'Sessions pinned.', Object.keys(pinReasons), ({ pins }) => pins),
  byReason(
    'discards_total',
    'Database connections closed.',
    Object.keys(discardReasons),
    (counters) => counters.discards,
  ),
  ...latencyTable.map(([field, name, scope, help]) =>
    histogram(`${name}_seconds`, scope, help, (counters) => counters[field]),
  ),
];

function single(
  name: string,
  type: MetricType,
  scope: Scope,
  help: string,
  value: (moment: Moment) => number,
): Family {
  const full = `sluice_${name}`;
  return {
    name: full,
    type,
    scope,
    help,
    samples: (out, labels, moment) => out.sample(full, labels, value(moment)),
  };
}

/** Every reason has a sample from the start, so that the first of its kind is seen as an increase. */
function byReason(
  name: string,
  help: string,
  reasons: readonly string[],
  counts: (counters: Counters) => ReadonlyMap<string, number>,
): Family {
  const full = `sluice_${name}`;
  return {
    name: full,
    type: 'counter',
    scope: 'target',
    help,
    samples(out, labels, { counters }) {
      for (const reason of reasons)
        out.sample(full, { ...labels, reason }, counts(counters).get(reason) ?? 0);
    },
  };
}

/** Powers of two of a microsecond: 32 µs to 2.1 s one by one, then to 134 s (the default borrow timeout is 120 s). */
const bucketExponents = [...Array.from({ length: 17 }, (_, i) => i + 5), 23, 25, 27];

function histogram(
  name: string,
  scope: Scope,
  help: string,
  latency: (counters: Counters) => Latency,
): Family {
  const full = `sluice_${name}`;
  return {
    name: full,
    type: 'histogram',
    scope,
    help,
    samples(out, labels, { counters }) {
      const { buckets, count, sumMicros } = latency(counters);
      for (const exponent of bucketExponents) {
        const le = String(2 ** exponent / 1e6);
        const below = buckets.subarray(0, exponent + 1).reduce((sum, one) => sum + one, 0);
        out.sample(`${full}_bucket`, { ...labels, le }, below);
      }
      out.sample(`${full}_bucket`, { ...labels, le: '+Inf' }, count);
      out.sample(`${full}_sum`, labels, sumMicros / 1e6);
      out.sample(`${full}_count`, labels, count);
    },
  };
}

function snake(camel: string): string {
  return camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
