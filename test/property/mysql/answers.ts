import { capability } from '../../../src/wire/mysql/capabilities.ts';
import type { Capabilities } from '../../../src/wire/mysql/capabilities.ts';
import { readError } from '../../../src/wire/mysql/err.ts';
import { okOffsets, scanOk } from '../../../src/wire/mysql/ok.ts';
import type { Heard, ReplyShape } from '../../support/mysql-client.ts';

export interface Answer {
  /** One for each payload, as `tell` of the differential tests has them. */
  readonly lines: readonly string[];
  readonly payloads: readonly Uint8Array[];
  /** The other side has closed. */
  readonly ended: boolean;
}

const ERR = 0xff;
const OK = 0x00;
const EOF = 0xfe;

/** Undefined where the payload is no error. */
export function codeOf(payload: Uint8Array | undefined): number | undefined {
  return payload?.[0] === ERR ? readError(payload).code : undefined;
}

export function codesIn({ payloads }: Answer): readonly number[] {
  return payloads.flatMap((payload) => codeOf(payload) ?? []);
}

/** The status flags that the last packet tells; undefined where it tells none. */
export function lastStatus(
  heard: readonly Heard[],
  reply: ReplyShape,
  { flags }: Capabilities,
): number | undefined {
  const payload = heard.at(-1)?.payload;
  if (payload === undefined || reply === 'prepared') return undefined;
  const [first] = payload;
  const isEof = first === EOF && (flags & capability.deprecateEof) === 0;
  if (isEof && payload.length === 5) return Buffer.from(payload).readUInt16LE(3);
  if (first !== OK && first !== EOF) return undefined;
  const offsets = okOffsets();
  scanOk(offsets, payload, 0, payload.length, flags);
  return offsets.status;
}

const SUMMED_UP = 5;

/** In one short line. */
export function summary({ payloads, lines, ended }: Answer): string {
  const told = payloads.map((payload, at) => {
    if (payload[0] !== ERR) return (lines[at] ?? '').slice(0, 60);
    const { code, message } = readError(payload);
    return `${code} ${message}`;
  });
  const middle = told.length > 2 * SUMMED_UP ? [`… ${told.length} packets …`] : [];
  const first = told.slice(0, middle.length === 0 ? 2 * SUMMED_UP : SUMMED_UP);
  const last = middle.length === 0 ? [] : told.slice(-SUMMED_UP);
  return [...first, ...middle, ...last, ...(ended ? ['closed'] : [])].join(' · ');
}

/** The first value of the first row of a text result with one column. */
export function valueIn({ payloads }: Answer, { flags }: Capabilities): string | null | undefined {
  const row = payloads[(flags & capability.deprecateEof) === 0 ? 3 : 2];
  if (row === undefined || codeOf(payloads.at(-1)) !== undefined) return undefined;
  if (row[0] === NULL) return null;
  return Buffer.from(row).toString('latin1', 1, 1 + (row[0] ?? 0));
}

const NULL = 0xfb;
