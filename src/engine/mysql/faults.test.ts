import { expect, test } from 'bun:test';
import { packetsIn, transcript } from '../../../test/transcripts/mysql-visit.ts';
import type { Fault, FaultName } from '../../core/fault.ts';
import { faultFacts } from '../../core/fault.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { mysqlEngine } from './engine.ts';
import { faults, say } from './faults.ts';

const line = (fault: Fault, number = 1): string =>
  transcript([say(fault, number, capability.protocol41)]).join();

test('says what Amazon RDS Proxy says, where that is known', () => {
  const denied = "1 ERR 1045 28000 Access denied for user 'app'@'%' (using password: YES)";
  const known: readonly (readonly [Fault, string])[] = [
    [
      { name: 'borrowTimeout' },
      '1 ERR 9501 HY000 Timed-out waiting to acquire database connection',
    ],
    [
      { name: 'clientLimit', limit: 7 },
      '1 ERR 1040 HY000 Number simultaneous connections exceeded (7)',
    ],
    [{ name: 'iamRefused', user: 'app' }, denied],
    [{ name: 'loginRefused', user: 'app' }, denied],
    [{ name: 'internal' }, '1 ERR 1105 HY000 Unknown error'],
    [{ name: 'tlsRequired' }, '1 ERR 3159 HY000 This RDS Proxy requires TLS connections.'],
  ];
  for (const [fault, expected] of known) expect(line(fault)).toBe(expected);
});

test('has words for every fault, with a number and a SQLSTATE', () => {
  expect(Object.keys(faults).toSorted()).toEqual(Object.keys(faultFacts).toSorted());
  for (const name of Object.keys(faultFacts) as FaultName[])
    expect(line({ name, detail: 'why' }, 200)).toMatch(/^200 ERR \d{4} [\dA-Z]{5} \S/);
});

test('a detail is said once', () => {
  expect(line({ name: 'unsupported', detail: 'time travel' })).toBe(
    '1 ERR 1235 42000 Feature not supported: time travel',
  );
  expect(line({ name: 'borrowTimeout', detail: 'nobody is there' })).toEndWith(
    'database connection: nobody is there',
  );
});

test("the database's own error is passed on, with a SQLSTATE only for those who can tell it", () => {
  const original = Buffer.from("\xff\x19\x04#42000Unknown database 'nope'", 'latin1');
  const fault = { name: 'databaseRefused', original } as const;
  expect(line(fault, 3)).toBe("3 ERR 1049 42000 Unknown database 'nope'");
  expect(transcript([say(fault, 3, 0)])).toEqual(["3 ERR 1049  Unknown database 'nope'"]);
});

test('what is said without a conversation is the first packet', () => {
  const [packet] = packetsIn(mysqlEngine().sayFatal({ name: 'draining' }));
  expect(packet?.number).toBe(0);
});
