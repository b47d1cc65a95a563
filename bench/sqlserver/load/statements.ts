import { message, packetType } from '../../../src/wire/tds/packets.ts';
import type { RpcArgument } from '../../../src/wire/tds/rpc.ts';
import { procedure, rpcCall } from '../../../src/wire/tds/rpc.ts';
import { sqlBatch } from '../../../src/wire/tds/sql-batch.ts';
import { tmRequest, transactionRequest } from '../../../src/wire/tds/transaction-manager.ts';
import { tdsVersion } from '../../../src/wire/tds/versions.ts';
import type { Load } from '../../support/cases.ts';
import type { Answer } from './answer.ts';
import { NO_TRANSACTION } from './answer.ts';
import type { Client } from './client.ts';

/** Each row has one of these numbers, all of the same length as texts. */
export const IDS = { first: 100_000, count: 100_000 } as const;
export const TABLE = 'sluice_bench';

/** A transaction is one select by the primary key, or all of: begin, such a select, an update likewise, commit. */
export const works = ['select', 'mix'] as const;
export type Work = (typeof works)[number];
/** Statements as texts, as calls of sp_executesql with a parameter, or prepared once and called by their handle. */
export const modes = ['batch', 'rpc', 'prepared'] as const;
export type Mode = (typeof modes)[number];

export interface TdsLoad extends Load {
  readonly work: Work;
  readonly mode: Mode;
}

const SELECT = `SELECT id, balance FROM ${TABLE} WHERE id = `;
const UPDATE = `UPDATE ${TABLE} SET balance = balance + 1 WHERE id = `;

/** What a client says next. */
export interface Statement {
  /** The same bytes each time, but for the row's number. @param transaction the descriptor of the one that is open */
  draw(transaction: Uint8Array): Uint8Array;
  /** Throws where this is no answer to what has been drawn last. */
  check(answer: Answer): void;
}

/** The statements of a transaction, prepared where they have to be. */
export async function statementsOf(
  { work, mode }: Pick<TdsLoad, 'work' | 'mode'>,
  client: Pick<Client, 'prepare'>,
): Promise<readonly Statement[]> {
  const select = await rowStatement(SELECT, mode, client, (answer, id) => {
    const [found, balance] = answer.values;
    return answer.rows === 1 && found === id && balance !== undefined;
  });
  if (work === 'select') return [select];
  const update = await rowStatement(UPDATE, mode, client, ({ count }) => count === 1);
  return [begin(), select, update, commit()];
}

/** Where a request's headers have the transaction's descriptor: behind the packet's head, two lengths and a type. */
const DESCRIPTOR_AT = 8 + 4 + 4 + 2;

/** About a row that it draws. */
async function rowStatement(
  sql: string,
  mode: Mode,
  client: Pick<Client, 'prepare'>,
  isRight: (answer: Answer, id: number) => boolean,
): Promise<Statement> {
  const { bytes, write } = await requestOf(sql, mode, client);
  let id: number = IDS.first;
  return {
    draw(transaction) {
      id = IDS.first + Math.floor(Math.random() * IDS.count);
      write(id);
      bytes.set(transaction, DESCRIPTOR_AT);
      return bytes;
    },
    check(answer) {
      if (!isRight(answer, id))
        throw new Error(`${sql}${id} is answered with ${JSON.stringify(answer)}`);
    },
  };
}

interface Template {
  readonly bytes: Buffer;
  write(id: number): void;
}

/** All of these have the number at the end. */
async function requestOf(
  sql: string,
  mode: Mode,
  client: Pick<Client, 'prepare'>,
): Promise<Template> {
  if (mode === 'batch') {
    const digits = String(IDS.first);
    const bytes = request(packetType.sqlBatch, sqlBatch(`${sql}${digits}`, 0n, tdsVersion.v74));
    const at = bytes.length - 2 * digits.length;
    return { bytes, write: (id) => void bytes.write(String(id), at, 'utf16le') };
  }
  const [called, ...first]: readonly [number, ...RpcArgument[]] =
    mode === 'rpc'
      ? [procedure.executeSql, { text: `${sql}@id` }, { text: PARAMETERS }]
      : [procedure.execute, { int: await client.prepare(`${sql}@id`, PARAMETERS) }];
  const parameter = { ...(mode === 'rpc' ? { name: '@id' } : {}), int: IDS.first };
  const call = rpcCall(called, [...first, parameter], 0n, tdsVersion.v74);
  const bytes = request(packetType.rpc, call);
  const at = bytes.length - 4;
  return { bytes, write: (id) => void bytes.writeInt32LE(id, at) };
}

const PARAMETERS = '@id int';

function begin(): Statement {
  return about({ request: tmRequest.begin, isolation: 0 }, ({ transaction }) => {
    return transaction?.some((byte) => byte !== 0) === true;
  });
}

function commit(): Statement {
  return about({ request: tmRequest.commit, isolation: undefined }, ({ transaction }) => {
    return transaction === NO_TRANSACTION;
  });
}

function about(
  asked: Parameters<typeof transactionRequest>[0],
  isRight: (answer: Answer) => boolean,
): Statement {
  const payload = transactionRequest(asked, 0n, tdsVersion.v74);
  const bytes = request(packetType.transactionManager, payload);
  return {
    draw(transaction) {
      bytes.set(transaction, DESCRIPTOR_AT);
      return bytes;
    },
    check(answer) {
      if (!isRight(answer))
        throw new Error(`the transaction's request is answered with ${JSON.stringify(answer)}`);
    },
  };
}

/** Packets of any server have room for what is said here. */
function request(type: number, payload: Uint8Array): Buffer {
  return Buffer.from(message(type, payload, 4_096));
}
