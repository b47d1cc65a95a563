import type { Load } from '../../support/cases.ts';
import type { Client } from './client.ts';
import { command, EXECUTE, QUERY } from './packets.ts';

/** Each row has one of these numbers, all of the same length as texts. */
export const IDS = { first: 100_000, count: 100_000 } as const;
export const TABLE = 'account';

/** A transaction is one select by the primary key, or BEGIN, two of them, an update likewise, and COMMIT. */
export const works = ['select', 'mix'] as const;
export type Work = (typeof works)[number];
/** Statements as texts, or prepared ones with binary values. */
export const modes = ['text', 'binary'] as const;
export type Mode = (typeof modes)[number];

export interface MysqlLoad extends Load {
  readonly work: Work;
  readonly mode: Mode;
}

const SELECT = `SELECT balance FROM ${TABLE} WHERE id = `;
const UPDATE = `UPDATE ${TABLE} SET balance = balance + 1 WHERE id = `;

/** What a client sends for its next statement: the same bytes each time, but for the row's number. */
export type Draw = () => Uint8Array;

/** The statements of a transaction, prepared where they have to be. */
export async function statementsOf(
  work: Work,
  mode: Mode,
  client: Pick<Client, 'prepare'>,
): Promise<readonly Draw[]> {
  const make = async (sql: string): Promise<Draw> =>
    mode === 'text' ? byText(sql) : byNumber(await client.prepare(`${sql}?`));
  const select = await make(SELECT);
  if (work === 'select') return [select];
  const update = await make(UPDATE);
  return [constant('BEGIN'), select, select, update, constant('COMMIT')];
}

function constant(sql: string): Draw {
  const bytes = command(QUERY, Buffer.from(sql));
  return () => bytes;
}

function byText(sql: string): Draw {
  const bytes = command(QUERY, Buffer.from(`${sql}${IDS.first}`));
  const at = bytes.length - String(IDS.first).length;
  return () => {
    bytes.write(String(randomId()), at, 'latin1');
    return bytes;
  };
}

/** COM_STMT_EXECUTE with one value, whose type is said each time, as most drivers do. */
function byNumber(statement: number): Draw {
  const head = Buffer.alloc(13);
  head.writeUInt32LE(statement, 0);
  // No cursor, once, no NULL, types are said: a number of 32 bits.
  head.writeUInt32LE(1, 5);
  head.set([0, 1, 0x03, 0x00], 9);
  const bytes = command(EXECUTE, head, new Uint8Array(4));
  const at = bytes.length - 4;
  return () => {
    bytes.writeUInt32LE(randomId(), at);
    return bytes;
  };
}

function randomId(): number {
  return IDS.first + Math.floor(Math.random() * IDS.count);
}
