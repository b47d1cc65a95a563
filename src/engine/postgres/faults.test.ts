import { describe, expect, test } from 'bun:test';
import { backend, parseMessages } from '../../../test/support/messages.ts';
import { transcript } from '../../../test/support/transcript.ts';
import type { Fault } from '../../core/fault.ts';
import { faultFacts } from '../../core/fault.ts';
import { postgresEngine } from './engine.ts';
import { faults, say } from './faults.ts';

function line(fault: Fault, severity: 'FATAL' | 'ERROR' = 'FATAL'): string {
  return transcript(parseMessages(say(fault, severity))).join();
}

/** Codes and texts as Amazon RDS Proxy has them. */
const amazon: readonly (readonly [Fault, string])[] = [
  [{ name: 'borrowTimeout' }, '08000 Timed-out waiting to acquire database connection.'],
  [
    { name: 'clientLimit', limit: 100 },
    '53300 The maximum number of client connections to the proxy exceeded 100.',
  ],
  [
    { name: 'databaseRefused', detail: 'too many clients (53300)' },
    'XX000 Request returned an error: too many clients (53300)',
  ],
  [
    { name: 'iamExpected' },
    '28000 Enable IAM authentication for the client connection to the proxy and try again.',
  ],
  [{ name: 'iamNeedsTls' }, '28000 IAM authentication is allowed only with SSL connections.'],
  [
    { name: 'iamRefused', user: 'app' },
    '28P01 The IAM authentication failed for the role app. Check the IAM token for this role and try again.',
  ],
  [{ name: 'internal' }, 'XX000 Unknown error.'],
  [
    { name: 'loginRefused', user: 'app' },
    '28P01 The password that was provided for the role app is wrong.',
  ],
  [{ name: 'tlsRequired' }, '28000 This RDS Proxy requires TLS connections.'],
  [
    {
      name: 'unsupported',
      detail: "RDS Proxy currently doesn't support streaming replication mode.",
    },
    "0A000 Feature not supported: RDS Proxy currently doesn't support streaming replication mode.",
  ],
  [
    { name: 'userMissing' },
    '28000 A user name is missing from the connection startup packet. Provide a user name for this connection.',
  ],
];

/** As PostgreSQL says them, or in our own words where neither has any. */
const others: readonly (readonly [Fault, string])[] = [
  [{ name: 'cancelled' }, '57014 canceling statement due to user request'],
  [{ name: 'channelBindingFailed' }, '28000 SCRAM channel binding check failed'],
  [
    { name: 'channelBindingUnseen', detail: 'The client …' },
    '28000 SCRAM channel binding negotiation error D=The client …',
  ],
  [{ name: 'clientTooSlow' }, '08006 The client did not read its result in time.'],
  [
    { name: 'databaseLost' },
    '08006 The database connection was lost. Whether the request took effect is not known.',
  ],
  [{ name: 'draining' }, '57P01 terminating connection due to administrator command'],
  [{ name: 'idleClient' }, '57P05 terminating connection due to idle-session timeout'],
  [{ name: 'killed' }, '57P01 terminating connection due to administrator command'],
  [{ name: 'loginTimeout' }, '08006 The client did not finish its login in time.'],
  [
    { name: 'restoreFailed' },
    "08006 The session's settings could not be restored on a database connection. Nothing was run.",
  ],
  [
    { name: 'tooManyStatements', limit: 5 },
    '53400 A client may have 5 prepared statements at a time.',
  ],
  [
    { name: 'protocolViolation', detail: 'invalid frontend message type 122' },
    '08P01 protocol violation: invalid frontend message type 122',
  ],
];

describe('a fault in the words of PostgreSQL', () => {
  test('each has its code and its text, as a farewell and as an error', () => {
    const table = [...amazon, ...others];
    for (const [fault, words] of table) {
      expect(line(fault)).toBe(`E FATAL ${words}`);
      expect(line(fault, 'ERROR')).toBe(`E ERROR ${words}`);
    }
    expect(table.map(([{ name }]) => name).toSorted()).toEqual(
      (Object.keys(faultFacts) as Fault['name'][]).toSorted(),
    );
  });

  test('every code is a SQLSTATE', () => {
    for (const { code } of Object.values(faults)) expect(code).toMatch(/^[0-9A-Z]{5}$/);
  });

  test('a detail goes beside a text that does not name it', () => {
    expect(line({ name: 'borrowTimeout', detail: 'no route' })).toEndWith('connection. D=no route');
    expect(line({ name: 'databaseRefused', detail: 'no' })).toEndWith('error: no');
  });

  test('the engine says goodbye with FATAL', () => {
    const words = postgresEngine().sayFatal({ name: 'draining' });
    expect(transcript(parseMessages(words)).join()).toStartWith('E FATAL 57P01');
  });

  test("PG-119: the database's own error keeps all its words, at the severity that is meant", () => {
    const said = { S: 'FATAL', V: 'FATAL', C: '3D000', M: 'no such database', H: 'Make it.' };
    const fault = { name: 'databaseRefused', original: backend.error(said) } as const;
    expect(line(fault, 'ERROR')).toBe('E ERROR 3D000 no such database H=Make it.');
    expect(line(fault)).toBe('E FATAL 3D000 no such database H=Make it.');
  });

  test('a name that a client made up cannot break out of its field', () => {
    const user = 'x\ny" FATAL';
    expect(line({ name: 'loginRefused', user })).toContain(`role ${user} is wrong`);
  });
});
