import { createHash } from 'node:crypto';
import { capability } from '../../src/wire/mysql/capabilities.ts';
import { comQuery } from '../../src/wire/mysql/com-query.ts';
import { PeerGone } from './byte-queue.ts';
import { MysqlClient } from './mysql-client.ts';
import type { Heard, MysqlLogin, ReplyShape } from './mysql-client.ts';

/** Statements that a script has prepared, by the names that it gave them. */
export type Prepared = ReadonlyMap<string, number>;

/** One command. A text is a COM_QUERY. */
export type Step =
  | string
  | {
      /** For people. */
      readonly about: string;
      /** Undefined where there is nothing to say. */
      readonly say: (client: MysqlClient, prepared: Prepared) => Uint8Array | undefined;
      readonly reply: ReplyShape;
      /** What the statement that it prepares is called from here on. */
      readonly names?: string;
    };

export type Script = readonly Step[];

/** What was answered to the sign-in and to each step, a line for each payload. */
export type Performance = readonly (readonly string[])[];

/** A piece of a line that must differ, and what takes its place before lines are compared. Each stands beside its reason. */
export type Mask = readonly [pattern: RegExp, instead: string];

export interface Performing {
  readonly masks?: readonly Mask[];
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** Called after each step that was answered. */
  readonly between?: () => Promise<void>;
}

const CLOSED = 'closed';
/** Of longer payloads the beginning is shown, and a digest of all. */
const SHOWN_BYTES = 1_000;

/** Says a script, and keeps all that is answered. */
export async function perform(
  script: Script,
  login: MysqlLogin,
  { masks = [], files = new Map(), between }: Performing = {},
): Promise<Performance> {
  const mask = (line: string): string =>
    masks.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line);
  const client = await MysqlClient.signIn(login);
  for (const [name, bytes] of files) client.files.set(name, bytes);
  const prepared = new Map<string, number>();
  try {
    const answers: (readonly string[])[] = [greeting(client).map(mask)];
    for (const step of script) {
      const { about, say, reply, names } = typeof step === 'string' ? query(step) : step;
      const said = say(client, prepared);
      if (said !== undefined) client.send(said);
      const heard: Heard[] = [];
      const isGone = said !== undefined && (await collect(client, about, reply, heard));
      if (names !== undefined) remember(prepared, names, heard);
      answers.push([...tell(heard, reply).map(mask), ...(isGone ? [CLOSED] : [])]);
      if (isGone) return answers;
      await between?.();
    }
    await client.end();
    return answers;
  } finally {
    client.destroy();
  }
}

/** Where two performances of a script differ: what was said, and the lines that differ, for people. */
export function compare(
  script: Script,
  expected: Performance,
  actual: Performance,
): readonly (readonly string[])[] {
  const longer = expected.length >= actual.length ? expected : actual;
  return longer.flatMap((_, at) => {
    const direct = expected[at] ?? [];
    const proxied = actual[at] ?? [];
    if (direct.join('\n') === proxied.join('\n')) return [];
    return [[`${at}: ${saidBy(script[at - 1])}`, ...linesThatDiffer(direct, proxied)]];
  });
}

function linesThatDiffer(direct: readonly string[], proxied: readonly string[]): readonly string[] {
  const longer = direct.length >= proxied.length ? direct : proxied;
  const lines: string[] = [];
  for (const at of longer.keys()) {
    const [expected, actual] = [direct[at], proxied[at]];
    if (expected === actual) continue;
    if (expected !== undefined) lines.push(`directly     ${expected}`);
    if (actual !== undefined) lines.push(`through it   ${actual}`);
  }
  return lines;
}

export function query(sql: string | Uint8Array): Exclude<Step, string> {
  return {
    about: sql.toString(),
    say: ({ capabilities: { flags } }) => comQuery(Buffer.from(sql), flags),
    reply: 'results',
  };
}

/** Returns whether the server has left in the middle of it. */
async function collect(
  client: MysqlClient,
  about: string,
  reply: ReplyShape,
  heard: Heard[],
): Promise<boolean> {
  try {
    await client.collect(reply, heard);
    return false;
  } catch (problem) {
    if (problem instanceof PeerGone) return true;
    throw new Error(`${heard.length} packets answered ${about}`, { cause: problem });
  }
}

export function remember(
  prepared: Map<string, number>,
  name: string,
  [first]: readonly Heard[],
): void {
  const payload = first?.payload;
  if (payload?.[0] === 0 && payload.length >= 12) prepared.set(name, payload.readUInt32LE(1));
  else prepared.delete(name);
}

/**
 * What the server says before the first command: its version, what it can do, its collation; and the OK. The connection's number and
 * the challenge must differ, and the plug-in and the sequence numbers are those of the sign-in, which is Sluice's own.
 */
export function greeting({ handshake, capabilities, welcome }: MysqlClient): readonly string[] {
  if (handshake === undefined) return [];
  const { serverVersion, collation, status } = handshake;
  const { flags, extensions } = handshake.capabilities;
  const offered = `${(flags & ~NOT_OFFERED) >>> 0} ${extensions & ~CACHE_METADATA}`;
  const agreed = `${(capabilities.flags & ~NOT_OFFERED) >>> 0} ${capabilities.extensions}`;
  const said = textOf(welcome).replace(PROOF, (_, rest) => (rest === '' ? '' : `\\00${rest}`));
  return [`${serverVersion} ${collation} ${status}`, offered, agreed, said];
}

/** MariaDB proves its certificate, also to clients who have not asked for TLS, by a digest of its challenge and more. */
const PROOF = /A\\01[0-9A-F]{64}(.*)/;

/** What Sluice offers by its own settings, or not at all (docs/differences.md). */
const NOT_OFFERED =
  capability.ssl |
  capability.compress |
  capability.zstdCompression |
  capability.canHandleExpiredPasswords |
  capability.multiFactorAuthentication |
  capability.sslVerifyServerCert |
  capability.rememberOptions;
const CACHE_METADATA = 1 << 4;

/** A line for each payload: the sequence numbers of its packets, and all its bytes. */
export function tell(heard: readonly Heard[], reply: ReplyShape): readonly string[] {
  return heard.map(({ sequences, payload }, at) => {
    const isNumbered = reply === 'prepared' && at === 0 && payload[0] === 0;
    return `${sequences.join(' ')}: ${textOf(isNumbered ? withoutNumber(payload) : payload)}`;
  });
}

/** Prepared statements have numbers of Sluice's own (docs/differences.md). */
function withoutNumber(payload: Buffer): Buffer {
  const masked = Buffer.from(payload);
  masked.fill(0, 1, 5);
  return masked;
}

function textOf(payload: Buffer): string {
  const text = payload
    .toString('latin1', 0, SHOWN_BYTES)
    .replaceAll(/[^ -[\]-~]/g, (one) => `\\${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
  if (payload.length <= SHOWN_BYTES) return text;
  return `${text}… ${payload.length} ${createHash('sha1').update(payload).digest('hex')}`;
}

function saidBy(step: Step | undefined): string {
  if (step === undefined) return 'sign-in';
  const text = typeof step === 'string' ? step : step.about;
  return text.slice(0, SHOWN_BYTES);
}
