import { cstrings, errorFields } from '../support/messages.ts';
import type { Message } from '../support/messages.ts';

/** What may differ between two databases that are alike; each is a number or a name that tells who, and not what. */
const masks: readonly (readonly [RegExp, string])[] = [
  // The twin's name, where an error tells the database's.
  [/\b(east|west)_twin\b/g, '$1'],
  // Temporary schemas are numbered by the server's processes.
  [/\bpg_(toast_)?temp_\d+/g, 'pg_$1temp_*'],
  // One text under two names in one pipeline: which of them is meant is told by either (docs/differences.md, "Afterwards").
  [
    /(bind message supplies \d+ parameters, but prepared statement )"(?:s\d|S "4"|long_x+)"/g,
    '$1"*"',
  ],
  // Named as the search_path was when the function was first called on the connection.
  [/(function )public\.(turn\()/g, '$1$2'],
];

/**
 * A message as a line that says all of it: two lines are equal where no client could tell the messages apart. Left out are
 * process ids, the numbers of tables, and the server's own source file and line.
 */
export function seen(message: Message): string {
  const { type, body } = message;
  const line = `${type} ${contentOf(type, Buffer.from(body))}`.trimEnd();
  return masks.reduce((text, [what, by]) => text.replace(what, by), line);
}

function contentOf(type: string, body: Buffer): string {
  switch (type) {
    case 'D':
      return cells(body).join(' ');
    case 'T':
      return columns(body).join(' ');
    case 'E':
    case 'N':
      return complaint(body);
    case 'C':
    case 'S':
      return JSON.stringify(cstrings(body));
    case 'A':
      return JSON.stringify(cstrings(body.subarray(4)));
    case 'Z':
      return body.toString('latin1');
    case 'd':
      return JSON.stringify(body.toString('latin1'));
    default:
      return body.toString('hex');
  }
}

/** The values of a row, byte by byte. */
function cells(body: Buffer): readonly string[] {
  const found: string[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left -= 1) {
    const length = body.readInt32BE(at);
    at += 4;
    found.push(length < 0 ? 'null' : JSON.stringify(body.toString('latin1', at, at + length)));
    at += Math.max(0, length);
  }
  return found;
}

/** `"name"`, then whether it is a table's column, the type, its size and modifier, and the format. */
function columns(body: Buffer): readonly string[] {
  const found: string[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left -= 1) {
    const end = body.indexOf(0, at);
    const name = JSON.stringify(body.toString('latin1', at, end));
    const table = body.readUInt32BE(end + 1) === 0 ? 'free' : 'table';
    const rest = [
      body.readInt16BE(end + 5),
      body.readUInt32BE(end + 7),
      body.readInt16BE(end + 11),
      body.readInt32BE(end + 13),
      body.readInt16BE(end + 17),
    ];
    found.push(`${name}:${table}:${rest.join(':')}`);
    at = end + 19;
  }
  return found;
}

function complaint(body: Buffer): string {
  const { F, L, R, S, V, C, M, ...more } = errorFields(body);
  const rest = Object.entries(more).map(([field, value]) => `${field}=${value}`);
  return [V ?? S, C, M, ...rest].join(' ');
}

/** The SQLSTATE of an error; undefined where the message is none. */
export function codeOf({ type, body }: Message): string | undefined {
  return type === 'E' ? errorFields(body)['C'] : undefined;
}

/** Equal bytes; the quick way for large answers. */
export function isSame(one: Message, other: Message): boolean {
  return one.type === other.type && Buffer.compare(one.body, other.body) === 0;
}
