import { latin1 } from '../../base/bytes.ts';
import { message } from '../../wire/postgres/build.ts';
import { backend } from '../../wire/postgres/message-types.ts';
import type { Move } from './positions.ts';
import { positionGiven } from './positions.ts';
import { STATEMENT_PREFIX } from './realm.ts';

const OUR_NAMES = new RegExp(`${STATEMENT_PREFIX}[0-9a-z]+`, 'g');
const PREFIX = Buffer.from(STATEMENT_PREFIX, 'latin1');

/** As in the protocol: the position of an error in the query, in characters from 1 on. */
const POSITION = /\0P(\d+)\0/;

/**
 * An ErrorResponse, of which `bytes[start, end)` is the body, with the client's own names for prepared statements in place of
 * ours, and places in its own text; undefined where nothing of it is ours.
 */
export function translated(
  bytes: Uint8Array,
  start: number,
  end: number,
  clientsNameOf: (name: string) => string | undefined,
  moves: readonly Move[] | undefined,
): Uint8Array | undefined {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  if (!body.includes(PREFIX) && moves === undefined) return undefined;
  const said = latin1(bytes, start, end)
    .replaceAll(OUR_NAMES, (name) => clientsNameOf(name) ?? name)
    .replace(POSITION, (_, at: string) => `\0P${positionGiven(Number(at), moves ?? [])}\0`);
  return message(backend.errorResponse, Buffer.from(said, 'latin1'));
}
