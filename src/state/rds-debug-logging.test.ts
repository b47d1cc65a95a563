import { expect, test } from 'bun:test';
import { ManualClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { ProxyStore } from './proxies.ts';
import { DEBUG_LOGGING_MS, endDebugLogging, withDebugLogging } from './rds-debug-logging.ts';
import { rdsSchema } from './rds-schema.ts';
import type { Origin, ProxySettings } from './rds-types.ts';
import { Store } from './store.ts';

const settings: ProxySettings = {
  ...{ engineFamily: 'POSTGRESQL', roleArn: '', auth: [], defaultAuthScheme: 'NONE' },
  ...{ requireTls: false, idleClientTimeoutS: 1800, debugLogging: false },
  ...{ subnetIds: [], securityGroupIds: [] },
  ...{ endpointNetworkType: 'IPV4', targetConnectionNetworkType: 'IPV4' },
};

/** A proxy that logs each statement from now on. */
function logging(origin: Origin) {
  const clock = new ManualClock();
  const place = { region: 'eu-west-1', account: '123456789012' };
  const store = Store.inMemory([rdsSchema]);
  const proxies = new ProxyStore(store, { ...place, clock, random: seededRandom(1) });
  const { id } = proxies.create({
    ...{ name: 'orders', pool: {}, target: undefined, listenHost: 'h', listenPort: 1, origin },
    settings: withDebugLogging(settings, true, proxies.nowMs()),
  });
  const isOn = (): boolean | undefined => proxies.findById(id)?.debugLogging;
  const events = (): readonly string[] =>
    proxies.events
      .find({ categories: [], fromMs: 0, untilMs: proxies.nowMs() }, proxies.nowMs())
      .map(({ eventId }) => eventId);
  return { clock, proxies, id, isOn, events };
}

test('debug logging ends after a day, with an event, whatever else has changed meanwhile', () => {
  const { clock, proxies, id, isOn, events } = logging('api');
  clock.advance(DEBUG_LOGGING_MS - 1);
  const before = proxies.findById(id);
  proxies.modify(id, {
    settings: { ...withDebugLogging(before ?? settings, true, proxies.nowMs()), requireTls: true },
  });
  endDebugLogging(proxies);
  expect(isOn()).toBe(true);
  clock.advance(1);
  endDebugLogging(proxies);
  expect(isOn()).toBe(false);
  const after = proxies.findById(id);
  expect([after?.requireTls, after?.debugLoggingSinceMs]).toEqual([true, undefined]);
  expect(events()).toEqual(['RDS-EVENT-0203', 'RDS-EVENT-0204', 'RDS-EVENT-0204']);
  endDebugLogging(proxies);
  expect(events()).toHaveLength(3);
});

test('it counts from anew when it is switched on again', () => {
  const { clock, proxies, id, isOn } = logging('api');
  clock.advance(DEBUG_LOGGING_MS);
  endDebugLogging(proxies);
  const off = proxies.findById(id) ?? settings;
  proxies.modify(id, { settings: withDebugLogging(off, true, proxies.nowMs()) });
  clock.advance(DEBUG_LOGGING_MS - 1);
  endDebugLogging(proxies);
  expect(isOn()).toBe(true);
});

test('that of a declared proxy is what the file says', () => {
  const { clock, proxies, isOn } = logging('declared');
  clock.advance(2 * DEBUG_LOGGING_MS);
  endDebugLogging(proxies);
  expect(isOn()).toBe(true);
});
