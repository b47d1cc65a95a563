import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManualClock } from '../base/clock.ts';
import type { LogFormat, LogLevel } from '../base/log.ts';
import { Log } from '../base/log.ts';
import { discardReasons } from '../core/discard.ts';
import type { DiscardReason } from '../core/discard.ts';
import type { RelayOptions } from '../core/engine.ts';
import { faultFacts } from '../core/fault.ts';
import type { FaultName } from '../core/fault.ts';
import type { PinReason } from '../core/pin.ts';
import { pinReasons } from '../core/pin.ts';
import { Report } from './report.ts';
import { LINES_PER_WINDOW, WINDOW_MS } from './throttle.ts';

type Line = Record<string, unknown>;

function rig(level: LogLevel, format: LogFormat = 'json', debugLogging = false) {
  const lines: string[] = [];
  const clock = new ManualClock();
  const log = new Log({ level, format, clock }, (line) => lines.push(line));
  const state: { debugLogging: boolean; pinning: RelayOptions['pinning'] } = {
    ...{ debugLogging, pinning: 'minimal' },
  };
  const report = new Report({
    log,
    clock,
    about: { proxy: 'p', endpoint: 'default' },
    debugLogging: () => state.debugLogging,
    pinning: () => state.pinning,
  });
  const parsed = (): Line[] => lines.map((line) => JSON.parse(line) as Line);
  return { lines, parsed, clock, state, report };
}

/** Everything that can happen, once. */
function everything(report: Report): void {
  report.clientConnected(7, { peer: '10.0.0.1:45678' }, '10.0.0.2:5678');
  report.introductionRefused(9, '10.0.0.2:5678', 'Why.');
  report.clientSignedIn(7, 'app', 'SCRAM-SHA-256');
  report.clientRefused(8, '10.0.0.1:45678', 'app', 'Invalid credentials.');
  report.clientClosed(7, 'The client requested that the connection close.');
  report.serverConnected(3, 'app', '10.0.0.9:5432 TLSv1.3');
  report.serverFailed('app', 'connection refused');
  for (const reason of Object.keys(discardReasons) as DiscardReason[])
    report.serverDiscarded(3, reason, 'more');
  for (const reason of Object.keys(pinReasons) as PinReason[]) {
    report.pinned(7, 3, reason, 'set x to $1');
    report.unpinned(7, 3, reason);
  }
  for (const name of Object.keys(faultFacts) as FaultName[])
    report.fault(7, { name, user: 'app', limit: 5, detail: 'More.' });
  report.cancelled(7, 3);
  report.bug('client 7', new Error('oh'));
}

/** The lines without their time. */
function said(act: (report: Report) => void): string[] {
  const { lines, report } = rig('debug', 'rds');
  act(report);
  return lines.map((line) => line.slice('2026-01-01T00:00:00.000Z '.length));
}

describe('sentences of RDS Proxy', () => {
  test('clients', () => {
    expect(said((r) => r.clientConnected(1, { peer: '10.0.0.1:45678' }))).toEqual([
      '[DEBUG] [proxyEndpoint=default] [clientConnection=1] A new client connected from 10.0.0.1:45678.',
    ]);
    expect(said((r) => r.clientConnected(1, { peer: '192.0.2.1:5' }, '10.0.0.1:45678'))).toEqual([
      '[DEBUG] [proxyEndpoint=default] [clientConnection=1] A new client connected from 192.0.2.1:5 through 10.0.0.1:45678.',
    ]);
    expect(
      said((r) => r.clientRefused(1, '10.0.0.1:45678', 'root', 'Invalid credentials.')),
    ).toEqual([
      '[WARN] [proxyEndpoint=default] [clientConnection=1] Proxy authentication failed for user "root". Reason: Invalid credentials.',
    ]);
    expect(
      said((r) => r.clientClosed(1, 'The client requested that the connection close.')),
    ).toEqual([
      '[DEBUG] [proxyEndpoint=default] [clientConnection=1] The client connection closed. Reason: The client requested that the connection close.',
    ]);
  });

  test('database connections', () => {
    expect(said((r) => r.serverDiscarded(2, 'clientGoneMidRequest', ''))).toEqual([
      '[INFO] [proxyEndpoint=default] [dbConnection=2] The database connection closed. Reason: The client connection that borrowed this database connection from the connection pool was closed in the middle of a request.',
    ]);
  });

  test('a pin warns with its reason and the digest, and says how long it lasts', () => {
    const pinned = (pinning: RelayOptions['pinning'], reason: PinReason, digest = ''): string => {
      const { report, state, parsed } = rig('info');
      state.pinning = pinning;
      report.pinned(1, 2, reason, digest);
      return String(parsed()[0]?.['message']);
    };
    expect(pinned('aws', 'setting', 'set search_path to $1,$2,$3')).toBe(
      'The client session was pinned to the database connection [dbConnection=2] for the remainder of the session. ' +
        "The proxy can't reuse this connection until the session ends. Reason: SQL changed session settings that the proxy doesn't track. " +
        'Consider moving session configuration to the proxy\'s initialization query. Digest: "set search_path to $1,$2,$3".',
    );
    expect(pinned('minimal', 'listen')).toBe(
      'The client session was pinned to the database connection [dbConnection=2] until what pins it is gone. ' +
        "The proxy can't reuse this connection until then. Reason: The session listens for notifications.",
    );
    expect(pinned('minimal', 'library')).toContain('for the remainder of the session');
  });

  test('a fault says whom and what it is about', () => {
    expect(said((r) => r.fault(1, { name: 'clientLimit', limit: 100 }))[0]).toEndWith(
      'The maximum number of client connections to the proxy was reached. Limit: 100.',
    );
    expect(
      said((r) => r.fault(1, { name: 'databaseRefused', user: 'u"', detail: 'No.' }))[0],
    ).toEndWith('The database refused the connection that the client needs. User: "u\\"". No.');
  });
});

test('whoever was not introduced is named, with what to do', () => {
  const line =
    '[WARN] [proxyEndpoint=default] [clientConnection=1] The connection from 10.0.0.1:45678 was closed before it began.';
  expect(
    said((r) => {
      r.introductionRefused(1, '10.0.0.1:45678', 'Mend it.');
      r.introductionRefused(1, '10.0.0.1:45678', undefined);
    }),
  ).toEqual([
    `${line} Mend it.`,
    `${line} Nothing, or a part of a PROXY protocol header only, came within clientLoginTimeout: see that the load balancer sends one.`,
  ]);
});

describe('levels', () => {
  test('a short connection leaves no line at info', () => {
    const { lines, report } = rig('info');
    report.clientConnected(1, { peer: 'peer' });
    report.clientSignedIn(1, 'app', 'method');
    report.clientClosed(1, 'why');
    report.serverDiscarded(1, 'idleLimit', '');
    expect(lines).toEqual([]);
  });

  test('debugLogging can be switched on for one proxy while it runs, whatever the level', () => {
    const { lines, report, state } = rig('error');
    report.clientConnected(1, { peer: 'peer' });
    state.debugLogging = true;
    report.clientConnected(2, { peer: 'peer' });
    report.pinned(2, 1, 'listen', '');
    state.debugLogging = false;
    report.clientConnected(3, { peer: 'peer' });
    expect(lines).toHaveLength(2);
  });

  test('faults have the level of their table', () => {
    const { parsed, report } = rig('debug');
    everything(report);
    const faults = parsed().filter((line) => line['event'] === 'fault');
    expect(Object.fromEntries(faults.map((line) => [line['reason'], line['level']]))).toEqual(
      Object.fromEntries(Object.entries(faultFacts).map(([name, { level }]) => [name, level])),
    );
  });

  test('a refused login warns once', () => {
    const { parsed, report } = rig('info');
    report.clientRefused(5, '10.0.0.1:45678', 'app', 'why');
    report.fault(5, { name: 'loginRefused', user: 'app' });
    report.fault(6, { name: 'loginRefused', user: 'app' });
    expect(parsed().map((line) => [line['event'], line['client']])).toEqual([
      ['clientRefused', 5],
      ['fault', 6],
    ]);
  });
});

describe('storms', () => {
  test('refusals are limited, and what was left out is counted', () => {
    const { parsed, clock, report } = rig('info');
    for (let i = 0; i < 1000; i += 1) report.clientRefused(i, '10.0.0.1:45678', `user${i}`, 'why');
    report.pinned(1, 1, 'listen', '');
    expect(parsed()).toHaveLength(LINES_PER_WINDOW + 1);
    clock.advance(WINDOW_MS);
    expect(parsed().at(-1)).toMatchObject({
      level: 'warn',
      event: 'linesLeftOut',
      message: '980 more clientRefused lines were left out in 10 s.',
      proxy: 'p',
      of: 'clientRefused',
      lines: 980,
    });
  });

  test('stop tells what was left out and schedules nothing', () => {
    const { parsed, clock, report } = rig('info');
    for (let i = 0; i < 30; i += 1) report.fault(i, { name: 'borrowTimeout' });
    report.stop();
    expect(parsed().at(-1)).toMatchObject({ of: 'fault', reason: 'borrowTimeout', lines: 10 });
    const { length } = parsed();
    clock.advance(WINDOW_MS);
    expect(parsed()).toHaveLength(length);
  });

  test('debugLogging leaves nothing out', () => {
    const { lines, report } = rig('info', 'json', true);
    for (let i = 0; i < 1000; i += 1) report.clientRefused(i, '10.0.0.1:45678', 'user', 'why');
    expect(lines).toHaveLength(1000);
  });
});

test('what a client calls itself cannot forge a line or leave its quotes', () => {
  for (const format of ['json', 'rds'] as const) {
    const { lines, report } = rig('debug', format);
    const evil = 'x". Reason: none\r\n2026-01-01T00:00:00.000Z [ERROR] forged';
    report.clientRefused(1, '10.0.0.1:45678', evil, 'why');
    report.pinned(1, 1, 'setting', evil);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).not.toMatch(/[\r\n]|x". Reason/);
  }
});

test('docs/reference/logs.md lists each event with its levels and fields', () => {
  const loud = rig('debug');
  everything(loud.report);
  const quiet = rig('info');
  for (let i = 0; i < 30; i += 1) quiet.report.fault(i, { name: 'borrowTimeout' });
  quiet.report.stop();
  const events = new Map<unknown, { levels: Set<unknown>; fields: Set<string> }>();
  for (const { event, level, ...fields } of [...loud.parsed(), ...quiet.parsed()]) {
    const seen = events.get(event) ?? { levels: new Set(), fields: new Set() };
    events.set(event, seen);
    seen.levels.add(level);
    for (const field of Object.keys(fields)) seen.fields.add(field);
  }
  const onEachLine = new Set(['time', 'message', 'proxy', 'endpoint']);
  const rows = [...events].map(([event, { levels, fields }]) => {
    const level = ['debug', 'info', 'warn', 'error'].filter((one) => levels.has(one)).join(', ');
    const names = [...fields]
      .filter((field) => !onEachLine.has(field))
      .map((field) => `\`${field}\``);
    return `| \`${String(event)}\` | ${event === 'linesLeftOut' ? 'theirs' : level} | ${names.join(', ')} |`;
  });
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference/logs.md'), 'utf8');
  const section = page.slice(page.indexOf("## A proxy's events"), page.indexOf('## The program'));
  const documented = section.split('\n').filter((line) => line.startsWith('| `'));
  expect(documented.map((line) => line.split(' |').slice(0, 3).join(' |') + ' |')).toEqual(rows);

  const closed = loud.parsed().filter((line) => line['event'] === 'serverDiscarded');
  for (const level of ['debug', 'info', 'warn']) {
    const ofLevel = closed.filter((line) => line['level'] === level);
    const reasons = ofLevel.map((line) => `\`${String(line['reason'])}\``).join(', ');
    expect(section.replaceAll(/\s+/g, ' ')).toContain(`at ${level} ${reasons}`);
  }
});
