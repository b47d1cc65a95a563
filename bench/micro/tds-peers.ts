import { concat } from '../../src/base/bytes.ts';
import { message, packetStatus, packetType } from '../../src/wire/tds/packets.ts';
import { procedure, rpcCall } from '../../src/wire/tds/rpc.ts';
import { done, doneStatus, token } from '../../src/wire/tds/tokens.ts';
import { tmRequest, transactionRequest } from '../../src/wire/tds/transaction-manager.ts';
import * as say from '../../test/transcripts/tds-conversations.ts';
import { VERSION } from '../../test/transcripts/tds-rig.ts';
import type { Peer, Poll } from './peers.ts';
import { arrived, MemoryLink } from './peers.ts';

/** A SELECT as a batch, by sp_executesql, by sp_execute; and a transaction by the protocol with two of the last. */
export const manners = ['batch', 'executesql', 'execute', 'transaction'] as const;
type Manner = (typeof manners)[number];

const SQL = 'SELECT id, balance FROM accounts WHERE id = ';
const ROWS = { first: 100_000, count: 900_000 } as const;
const PACKET_BYTES = 4_096;
/** What sessions get for the first statement that they prepare. */
const HANDLE = 0x4000_0001;
/** In a request of one packet: where the procedure's number is, behind the headers and the mark of a number. */
const PROCEDURE_AT = 8 + 22 + 2;
const REQUEST_AT = 8 + 22;

/** What a client says, by how often it has been answered before: each time about another row. */
export function sayings(manner: Manner, seed: number): (answers: number) => Uint8Array {
  const prepare = say.prepare(`${SQL}@id`, '@id int');
  const run = runOf(manner);
  const begin = about(tmRequest.begin, 0);
  const commit = about(tmRequest.commit, undefined);
  const turns = manner === 'transaction' ? [begin, run, run, commit] : [run];
  const isPrepared = manner === 'execute' || manner === 'transaction';
  let row = seed;
  return (answers) => {
    if (isPrepared && answers === 0) return prepare;
    row = (Math.imul(row, 1_103_515_245) + 12_345) >>> 0;
    const turn = turns[(answers + turns.length - (isPrepared ? 1 : 0)) % turns.length];
    if (turn === run) writeRow(run, ROWS.first + (row % ROWS.count), manner === 'batch');
    return turn ?? run;
  };
}

function runOf(manner: Manner): Buffer {
  const id = { name: '@id', int: ROWS.first };
  switch (manner) {
    case 'batch':
      return Buffer.from(say.batch(`${SQL}${ROWS.first}`));
    case 'executesql':
      return call(procedure.executeSql, [{ text: `${SQL}@id` }, { text: '@id int' }, id]);
    default:
      return call(procedure.execute, [{ int: HANDLE }, id]);
  }
}

function call(called: number, given: Parameters<typeof rpcCall>[1]): Buffer {
  return Buffer.from(message(packetType.rpc, rpcCall(called, given, 0n, VERSION), PACKET_BYTES));
}

function about(request: number, isolation: number | undefined): Uint8Array {
  const payload = transactionRequest({ request, isolation }, 0n, VERSION);
  return message(packetType.transactionManager, payload, PACKET_BYTES);
}

/** It is what the request ends with. */
function writeRow(request: Buffer, row: number, isText: boolean): void {
  const digits = String(row);
  if (isText) request.write(digits, request.length - 2 * digits.length, 'utf16le');
  else request.writeInt32LE(row, request.length - 4);
}

/** An answer is a packet, or the last of several. */
export function endsReply(bytes: Uint8Array): boolean {
  return ((bytes[1] ?? 0) & packetStatus.endOfMessage) !== 0;
}

const DESCRIPTOR = 9n;
const byBatch = say.oneRow();
const byCall = say.reply(
  say.row(1),
  done(token.doneInProc, doneStatus.more | doneStatus.count, 0xc1, 1n, VERSION),
  ...say.procEnded(),
);
const begun = say.reply(say.began(DESCRIPTOR), say.ended(doneStatus.inTransaction));
const over = say.reply(say.committed(DESCRIPTOR), say.ended());

/** A database that answers at once, with one small row. */
export class TdsServerPeer implements Peer {
  readonly link = new MemoryLink(this);
  readonly #poll: Poll;
  #answers: Uint8Array[] = [];
  #handles = 0;

  constructor(poll: Poll) {
    this.#poll = poll;
  }

  hear(bytes: Uint8Array): void {
    if (this.#answers.length === 0) this.#poll.add(this);
    this.#answers.push(this.#answer(bytes));
  }

  speak(): void {
    const answers = this.#answers;
    this.#answers = [];
    this.link.handler.data(arrived(answers.length === 1 ? (answers[0] ?? over) : concat(answers)));
  }

  #answer(bytes: Uint8Array): Uint8Array {
    switch (bytes[0]) {
      case packetType.sqlBatch:
        return byBatch;
      case packetType.transactionManager:
        return bytes[REQUEST_AT] === tmRequest.begin ? begun : over;
      default:
        if (bytes[PROCEDURE_AT] !== procedure.prepare) return byCall;
        this.#handles += 1;
        return say.prepared(this.#handles);
    }
  }
}
