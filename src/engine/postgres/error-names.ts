import { fromLatin1 } from '../../base/bytes.ts';
import { message } from '../../wire/postgres/build.ts';
import type { Move } from './positions.ts';
import { positionGiven } from './positions.ts';
import { STATEMENT_PREFIX } from './realm.ts';
import type { Statement } from './statement.ts';

const OUR_NAMES = new RegExp(`${STATEMENT_PREFIX}[0-9a-z]+`, 'g');
const PREFIX = Buffer.from(STATEMENT_PREFIX, 'latin1');

/** As in the protocol: the position of an error in the query, in characters from 1 on. */
const POSITION = /\0P(\d+)\0/;

/**
 * An ErrorResponse or a NoticeResponse with this body, with the client's own names for prepared statements in place of
 * ours, and places in its own text; undefined where nothing of it is ours.
 */
export function translated(
  type: number,
  body: Uint8Array,
  clientsNameOf: (name: string) => string | undefined,
  moves: readonly Move[] | undefined,
): Uint8Array | undefined {
  const told = Buffer.from(body.buffer, body.byteOffset, body.length);
  if (!told.includes(PREFIX) && moves === undefined) return undefined;
  const said = told
    .toString('latin1')
    .replaceAll(OUR_NAMES, (name) => clientsNameOf(name) ?? name)
    .replace(POSITION, (_, at: string) => `\0P${positionGiven(Number(at), moves ?? [])}\0`);
  return message(type, fromLatin1(said));
}

/** What a statement is called by the client which has this name on the connection. */
export function callingOf(
  name: string,
  privateNames: ReadonlyMap<string, Statement>,
  statements: Iterable<readonly [calling: string, Statement]>,
): string | undefined {
  for (const [calling, statement] of statements) {
    if (statement.isCalled(name) || privateNames.get(name) === statement) return calling;
  }
  return undefined;
}
