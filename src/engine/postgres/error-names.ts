import { text, utf8 } from '../../base/bytes.ts';
import { message } from '../../wire/postgres/build.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import { STATEMENT_PREFIX } from './realm.ts';

const OUR_NAMES = new RegExp(`${STATEMENT_PREFIX}[0-9a-z]+`, 'g');
const PREFIX = Buffer.from(STATEMENT_PREFIX, 'latin1');

/**
 * An ErrorResponse, of which `bytes[start, end)` is the body, with the client's own names for prepared statements in place of
 * ours; undefined where it names none.
 */
export function translated(
  bytes: Uint8Array,
  start: number,
  end: number,
  clientsNameOf: (name: string) => string | undefined,
): Uint8Array | undefined {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  if (!body.includes(PREFIX)) return undefined;
  const said = text(body).replaceAll(OUR_NAMES, (name) => clientsNameOf(name) ?? name);
  return message(backend.errorResponse, utf8(said));
}
