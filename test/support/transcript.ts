import { columns, cstrings, errorFields, rowValues } from './messages.ts';
import type { Message } from './messages.ts';

/**
 * A database's messages as lines that people can read and tests can compare: `T a:23`, `D 1|NULL`, `C SELECT 1`,
 * `Z I`, `E ERROR 42601 syntax error …`. Process ids and cancel keys are left out, as they never agree.
 */
export function transcript(messages: readonly Message[]): readonly string[] {
  return messages.map(line);
}

function line({ type, body }: Message): string {
  const bytes = Buffer.from(body);
  switch (type) {
    case 'T':
      return `T ${columns(body).join(',')}`;
    case 'D':
      return `D ${rowValues(body)
        .map((value) => value ?? 'NULL')
        .join('|')}`;
    case 'C':
    case 'S':
      return `${type} ${cstrings(body).join('=')}`;
    case 'Z':
      return `Z ${bytes.toString('latin1')}`;
    case 'E':
    case 'N':
      return `${type} ${complaint(body)}`;
    case 'A':
      return `A ${cstrings(bytes.subarray(4)).join(' ')}`;
    case 'R':
      return `R ${bytes.readInt32BE(0)}`;
    case 'K':
      return `K ${bytes.length - 4}`;
    case 't':
    case 'G':
    case 'H':
    case 'W':
    case 'v':
    case 'V':
      return `${type} ${bytes.toString('hex')}`;
    case 'd':
      return `d ${bytes.toString('utf8')}`;
    default:
      return body.length === 0 ? type : `${type} ${bytes.toString('hex')}`;
  }
}

/** Severity, code and text, then what else there is; the server's file and line only matter to its developers. */
function complaint(body: Uint8Array): string {
  const { S: localized, V: severity = localized, C, M, F, L, R, ...rest } = errorFields(body);
  const more = Object.entries(rest).map(([field, value]) => `${field}=${value}`);
  return [severity, C, M, ...more].join(' ');
}
