import { writeSync } from 'node:fs';
import type { Clock } from './clock.ts';
import { LineWriter } from './line-writer.ts';
import type { SecretText } from './secret-text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** `json`: one object per line. `rds`: the line format of Amazon RDS Proxy. */
export type LogFormat = 'json' | 'rds';

export type LogValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | SecretText
  | readonly string[];

/** What a log adds to each of its lines. `endpoint`, `client` and `server` are shown by both formats. */
export interface LogContext {
  /** Every line has its own. */
  readonly time?: never;
  readonly level?: never;
  readonly event?: never;
  readonly [name: string]: LogValue;
}

export interface LogFields extends LogContext {
  /** A sentence that stands on its own: it is all that the `rds` format shows. */
  readonly message: string;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly clock: Clock;
}

const severity = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<
  LogLevel,
  number
>;

/** The longest value of a field, in UTF-16 units: what a peer sends must not fill the disk. */
export const LOG_VALUE_LENGTH = 4096;

/** Writes events as lines. One event is one line, whatever its values hold. */
export class Log {
  readonly level: LogLevel;
  readonly #options: LogOptions;
  readonly #write: (line: string) => void;
  readonly #context: LogContext;
  readonly #least: number;

  /** `write` takes a finished line without its line break. */
  constructor(options: LogOptions, write: (line: string) => void, context: LogContext = {}) {
    this.level = options.level;
    this.#options = options;
    this.#write = write;
    this.#context = context;
    this.#least = severity[options.level];
  }

  /** Ask first where gathering the fields costs something. */
  enabled(level: LogLevel): boolean {
    return severity[level] >= this.#least;
  }

  /** `event` is a stable camelCase name that programs may look for; the message may change. */
  event(level: LogLevel, event: string, fields: LogFields): void {
    if (severity[level] < this.#least) return;
    const { clock, format } = this.#options;
    const time = new Date(clock.wallMs()).toISOString();
    const all = { ...this.#context, ...fields };
    this.#write(format === 'json' ? jsonLine(time, level, event, all) : rdsLine(time, level, all));
  }

  /** A log whose lines carry `context` too; with `level`, one that is louder or quieter than this. */
  with(context: LogContext, level = this.level): Log {
    return new Log({ ...this.#options, level }, this.#write, { ...this.#context, ...context });
  }
}

/** The log on standard output. `flush()` before the process exits. */
export function openLog(options: LogOptions): { readonly log: Log; flush(): void } {
  const writer = new LineWriter({
    clock: options.clock,
    write: (bytes) => writeSync(1, bytes),
    leftOut: (lines) =>
      log.event('warn', 'logLinesLost', {
        message: `The reader of the log was too slow: ${lines} lines were lost.`,
        lines,
      }),
  });
  const log = new Log(options, (line) => writer.line(line));
  return { log, flush: () => writer.flush() };
}

/** A peer's word inside a sentence: in quotes that it cannot leave. */
export function quoted(value: string): string {
  return JSON.stringify(shortened(value));
}

function jsonLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  const { message, ...rest } = fields;
  const values = { time, level, event, message, ...rest };
  return escaped(JSON.stringify(values, (_, value: unknown) => printable(value)));
}

/** `2026-01-01T00:00:00.000Z [INFO] [proxyEndpoint=default] [clientConnection=123] [dbConnection=456] message` */
function rdsLine(time: string, level: LogLevel, fields: LogFields): string {
  const where =
    tag('proxyEndpoint', fields['endpoint']) +
    tag('clientConnection', fields['client']) +
    tag('dbConnection', fields['server']);
  return escaped(`${time} [${level.toUpperCase()}]${where} ${shortened(fields.message)}`);
}

function tag(name: string, value: LogValue): string {
  return value === undefined || value === null ? '' : ` [${name}=${String(value)}]`;
}

function printable(value: unknown): unknown {
  return typeof value === 'string' ? shortened(value) : value;
}

function shortened(value: string): string {
  if (value.length <= LOG_VALUE_LENGTH) return value;
  return `${value.slice(0, LOG_VALUE_LENGTH)}… (${value.length} characters)`;
}

/** Line breaks, terminal controls and what turns the direction of writing: as `\uXXXX`, which is JSON's own escape too. */
function escaped(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    let escape = '';
    for (let i = 0; i < character.length; i += 1)
      escape += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
    return escape;
  });
}
