import { expect, test } from 'bun:test';
import { messagesIn } from '../../../test/transcripts/tds-rig.ts';
import { EMPTY } from '../../base/bytes.ts';
import type { Fault, FaultName } from '../../core/fault.ts';
import { faultFacts } from '../../core/fault.ts';
import { packetType } from '../../wire/tds/packets.ts';
import { readResults } from '../../wire/tds/results.ts';
import { doneStatus, error } from '../../wire/tds/tokens.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';
import { sqlServerEngine } from './engine.ts';
import { errorTokens, faults, say } from './faults.ts';

/** Number, severity and text of what a client hears, whatever its version. */
function heard(fault: Fault, version: number = tdsVersion.v74): string {
  const [reply] = messagesIn(say(fault, version));
  expect(reply?.type).toBe(packetType.result);
  const payload = reply?.payload ?? EMPTY;
  const { errors } = readResults(payload, version);
  expect(payload.at(version >= tdsVersion.v72 ? -12 : -8)).toBe(doneStatus.error);
  return errors.map(({ number, severity, message }) => `${number} ${severity} ${message}`).join();
}

test('says what the database says, or Amazon RDS Proxy, where that is known', () => {
  const failed = "18456 14 Login failed for user 'app'.";
  const known: readonly (readonly [Fault, string])[] = [
    [{ name: 'borrowTimeout' }, '40501 16 Timed-out waiting to acquire database connection.'],
    [{ name: 'iamRefused', user: 'app' }, failed],
    [{ name: 'loginRefused', user: 'app' }, failed],
    [{ name: 'internal' }, '40197 20 Unknown error.'],
    [{ name: 'tlsRequired' }, '17835 20 This RDS Proxy requires TLS connections.'],
  ];
  for (const [fault, expected] of known)
    for (const version of [tdsVersion.v71, tdsVersion.v72, tdsVersion.v74])
      expect(heard(fault, version)).toBe(expected);
});

test('has words for every fault', () => {
  expect(Object.keys(faults).toSorted()).toEqual(Object.keys(faultFacts).toSorted());
  for (const name of Object.keys(faultFacts) as FaultName[])
    expect(heard({ name, detail: 'why' })).toMatch(/^\d{3,5} (?:14|16|20|21) \S.*/);
});

test('TD-36: what ends a session has a severity at which drivers give the connection up', () => {
  const going: readonly FaultName[] = [
    'clientTooSlow',
    'databaseLost',
    'draining',
    'idleClient',
    'internal',
    'killed',
    'protocolViolation',
    'restoreFailed',
  ];
  for (const name of going) expect(faults[name].severity).toBeGreaterThanOrEqual(20);
  for (const name of ['borrowTimeout', 'cancelled', 'tooManyStatements', 'unsupported'] as const)
    expect(faults[name].severity).toBeLessThan(20);
});

test('a detail is said once', () => {
  expect(heard({ name: 'unsupported', detail: 'time travel' })).toBe(
    '40510 16 Feature not supported: time travel',
  );
  expect(heard({ name: 'borrowTimeout', detail: 'nobody is there' })).toEndWith(
    'database connection: nobody is there',
  );
});

test("the database's own errors are passed on as they are", () => {
  const said = {
    number: 4_060,
    state: 1,
    severity: 11,
    message: 'Cannot open database "nope".',
    server: 'db',
    procedure: '',
    line: 1,
  };
  const original = error(said, tdsVersion.v74);
  const fault = { name: 'databaseRefused', original } as const;
  expect(errorTokens(fault, tdsVersion.v74)).toBe(original);
  expect(heard(fault)).toBe('4060 11 Cannot open database "nope".');
});

test('a long text comes in several packets', () => {
  expect(heard({ name: 'unsupported', detail: 'x'.repeat(2_000) })).toEndWith('x'.repeat(2_000));
});

test('what is said without a conversation is a reply', () => {
  const [reply] = messagesIn(sqlServerEngine().sayFatal({ name: 'draining' }));
  expect(reply?.type).toBe(packetType.result);
});
