import { cstrings } from '../support/messages.ts';

const LONGEST = 200;

/** Messages of a client as people read them: `P "s1" "SELECT 1" · B "s1" · E · S`. */
export function said(messages: readonly Uint8Array[]): string {
  return messages.map((bytes) => one(Buffer.from(bytes))).join(' · ');
}

function one(bytes: Buffer): string {
  const type = bytes.toString('latin1', 0, 1);
  const text = contentOf(type, bytes.subarray(5));
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length})` : text;
  return `${type} ${short}`.trimEnd();
}

function contentOf(type: string, body: Buffer): string {
  switch (type) {
    case 'Q':
      return body.toString('utf8', 0, body.length - 1);
    case 'P':
      return parse(body);
    case 'B':
      return bind(body);
    case 'D':
    case 'C':
      return `${body.toString('latin1', 0, 1)} ${JSON.stringify(cstrings(body.subarray(1))[0])}`;
    case 'E':
      return execute(body);
    case 'd':
    case 'f':
      return JSON.stringify(body.toString('utf8'));
    case 'F':
      return String(body.readInt32BE(0));
    default:
      return '';
  }
}

function parse(body: Buffer): string {
  const [name = '', sql = ''] = cstrings(body);
  let at = Buffer.byteLength(name) + Buffer.byteLength(sql) + 2;
  const types: number[] = [];
  for (let left = body.readInt16BE(at); left > 0; left -= 1) {
    types.push(body.readInt32BE(at + 2));
    at += 4;
  }
  return `${JSON.stringify(name)} ${sql}${types.length === 0 ? '' : ` [${types.join()}]`}`;
}

function bind(body: Buffer): string {
  const [portal = '', name = ''] = cstrings(body);
  let at = Buffer.byteLength(portal) + Buffer.byteLength(name) + 2;
  at += 2 + 2 * body.readInt16BE(at);
  const values: string[] = [];
  for (let left = body.readInt16BE((at += 2) - 2); left > 0; left -= 1) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? 'null' : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return `${JSON.stringify(portal)} ${JSON.stringify(name)} (${values.join(', ')})`;
}

function execute(body: Buffer): string {
  const [portal = ''] = cstrings(body);
  const limit = body.readInt32BE(body.length - 4);
  return `${portal === '' ? '' : JSON.stringify(portal)}${limit === 0 ? '' : ` limit ${limit}`}`;
}
