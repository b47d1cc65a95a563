import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import * as fc from 'fast-check';
import { ManualClock } from './clock.ts';
import { LOG_VALUE_LENGTH, Log, quoted } from './log.ts';
import type { LogFormat, LogLevel } from './log.ts';
import { SecretText } from './secret-text.ts';

function recording(format: LogFormat, level: LogLevel = 'debug') {
  const lines: string[] = [];
  const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  return { lines, log: new Log({ level, format, clock }, (line) => lines.push(line)) };
}

const only = (lines: readonly string[]): Record<string, unknown> => {
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
};

describe('json', () => {
  test('a line has its time, level, event and message first, then the fields', () => {
    const { lines, log } = recording('json');
    log.with({ proxy: 'p' }).event('info', 'listening', { message: 'Here.', port: 5432, on: true });
    expect(lines).toEqual([
      '{"time":"2026-01-02T03:04:05.006Z","level":"info","event":"listening","message":"Here.","proxy":"p","port":5432,"on":true}',
    ]);
  });

  test('what is undefined is left out, and a list stays a list', () => {
    const { lines, log } = recording('json');
    log.event('warn', 'x', { message: 'm', gone: undefined, nothing: null, many: ['a', 'b'] });
    const line = only(lines);
    expect(line).toMatchObject({ nothing: null, many: ['a', 'b'] });
    expect('gone' in line).toBe(false);
  });

  test('a long value is cut and says so', () => {
    const { lines, log } = recording('json');
    log.event('info', 'x', { message: 'm', user: 'u'.repeat(9999) });
    expect(only(lines)['user']).toBe(`${'u'.repeat(LOG_VALUE_LENGTH)}… (9999 characters)`);
  });
});

describe('rds', () => {
  test("is RDS Proxy's own line format", () => {
    const { lines, log } = recording('rds');
    const proxy = log.with({ proxy: 'p', endpoint: 'default' });
    proxy.event('info', 'x', { message: 'A new client.', client: 123, server: 456 });
    proxy.event('warn', 'x', { message: 'Hm.', server: undefined });
    log.event('error', 'x', { message: 'Oh.' });
    expect(lines).toEqual([
      '2026-01-02T03:04:05.006Z [INFO] [proxyEndpoint=default] [clientConnection=123] [dbConnection=456] A new client.',
      '2026-01-02T03:04:05.006Z [WARN] [proxyEndpoint=default] Hm.',
      '2026-01-02T03:04:05.006Z [ERROR] Oh.',
    ]);
  });
});

describe('levels', () => {
  test('a line below the level costs no formatting', () => {
    const { lines, log } = recording('json', 'warn');
    const trap = {
      message: 'm',
      get costly(): string {
        throw new Error('looked at');
      },
    };
    log.event('info', 'x', trap);
    expect(lines).toEqual([]);
    expect(log.enabled('info')).toBe(false);
    expect(log.enabled('error')).toBe(true);
  });

  test('one part of a program can be louder than the rest', () => {
    const { lines, log } = recording('rds', 'error');
    log.with({ proxy: 'p' }, 'debug').event('debug', 'x', { message: 'heard' });
    log.with({ proxy: 'p' }).event('debug', 'x', { message: 'not heard' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toEndWith('[DEBUG] heard');
  });
});

describe('what a peer sends', () => {
  const formats = fc.constantFrom<LogFormat>('json', 'rds');
  const nasty = fc.array(
    fc.constantFrom(
      '\n',
      '\r',
      '\t',
      '\0',
      '\u001b',
      '\u007f',
      '\u0085',
      '\u2028',
      '\u2029',
      '\u202e',
      '\u{e0041}',
      '"',
      '\\',
      ']',
      'x',
    ),
  );

  test('a secret is never shown, wherever it stands', () => {
    fc.assert(
      fc.property(formats, fc.stringMatching(/^[a-z]{12,20}$/), (format, text) => {
        const { lines, log } = recording(format);
        const secret = new SecretText(text);
        log
          .with({ secret })
          .event('info', 'x', { message: `m ${String(secret)}`, password: secret, client: secret });
        expect(lines.join('\n')).not.toContain(text);
        expect(lines.join('\n')).toContain('m [secret]');
      }),
    );
  });

  test('cannot forge a line or move the cursor in either format', () => {
    fc.assert(
      fc.property(formats, fc.oneof(nasty, fc.array(fc.string())), (format, parts) => {
        const { lines, log } = recording(format);
        const value = parts.join('');
        log.event('info', 'x', { message: `user ${quoted(value)} ${value}`, user: value });
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        if (format === 'json') expect(only(lines)['user']).toBe(value);
      }),
    );
  });

  test('cannot leave its quotes', () => {
    expect(quoted('a" Reason: "b\n')).toBe('"a\\" Reason: \\"b\\n"');
  });
});

test('nothing is lost at exit when a slow reader holds a pipe that does not block', async () => {
  const program = `
    import { openLog } from '${import.meta.dirname}/log.ts';
    import { systemClock } from '${import.meta.dirname}/clock.ts';
    process.stdout.write(''); // Bun stops standard output from blocking here
    const { log, flush } = openLog({ level: 'info', format: 'json', clock: systemClock });
    for (let i = 0; i < 3000; i += 1) log.event('info', 'x', { message: 'm'.repeat(200), i });
    process.stderr.write('written');
    flush();
    process.exit(0);`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  await new Promise<void>((resolve) => child.stderr.once('data', () => resolve()));
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  const lines = output.trimEnd().split('\n');
  expect(lines).toHaveLength(3000);
  expect(JSON.parse(lines[2999] ?? '')).toMatchObject({ i: 2999 });
});
