import { Violation } from '../../base/assert.ts';
import { concat, u16be, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { read, send } from '../../core/conversation.ts';
import {
  HEADER_BYTES,
  message,
  packetBytes,
  packetStatus,
  packetType,
} from '../../wire/tds/packets.ts';
import type { Results } from '../../wire/tds/results.ts';
import { readResults } from '../../wire/tds/results.ts';
import { sqlBatch } from '../../wire/tds/sql-batch.ts';
import { envChange } from '../../wire/tds/tokens.ts';
import type { SqlServerMemory } from './memory.ts';
import { transactionAfter } from './reader.ts';

/** A packet, or all packets of one message put together. */
export interface Message {
  readonly type: number;
  /** Of the first packet. */
  readonly status: number;
  /** By which the server's process is known. */
  readonly spid: number;
  readonly payload: Uint8Array;
}

/** One packet, up to `limitBytes` long. */
export function* readPacket(limitBytes: number): Conversation<Message> {
  const header = yield* read(HEADER_BYTES);
  const length = packetBytes(header, 0);
  if (length > limitBytes) throw new Violation(`a packet of ${length} bytes`);
  const [type, status, spid] = [u8(header, 0), u8(header, 1), u16be(header, 4)];
  const payload =
    length === HEADER_BYTES ? header.slice(HEADER_BYTES) : yield* read(length - HEADER_BYTES);
  return { type, status, spid, payload: payload.slice() };
}

/** A message whose first packet is there, up to `limitBytes` of payload. */
export function* readRest(first: Message, limitBytes: number): Conversation<Message> {
  const parts = [first.payload];
  let length = first.payload.length;
  for (let { status } = first; (status & packetStatus.endOfMessage) === 0;) {
    const packet = yield* readPacket(MOST_PACKET_BYTES);
    if (packet.type !== first.type)
      throw new Violation(`a packet of type ${packet.type} within a message of type ${first.type}`);
    parts.push(packet.payload);
    length += packet.payload.length;
    if (length > limitBytes) throw new Violation(`a message of more than ${limitBytes} bytes`);
    status = packet.status;
  }
  return parts.length === 1 ? first : { ...first, payload: concat(parts) };
}

/** As the field of the length has them: a login may ask for less only. */
export const MOST_PACKET_BYTES = 0xffff;

export function* readMessage(limitBytes: number): Conversation<Message> {
  const first = yield* readPacket(Math.min(MOST_PACKET_BYTES, limitBytes + HEADER_BYTES));
  return yield* readRest(first, limitBytes);
}

/** Has the database run a batch of ours and reads what comes of it. A reset that is due goes along. */
export function* batch(memory: SqlServerMemory, sql: string): Conversation<Results> {
  const payload = sqlBatch(sql, memory.transaction, memory.tdsVersion);
  const status = memory.resetDue ? packetStatus.resetConnection : 0;
  memory.resetDue = false;
  yield* send(message(packetType.sqlBatch, payload, memory.packetBytes, status));
  const reply = yield* readMessage(limits.inspectedMessageBytes.value);
  if (reply.type !== packetType.result)
    throw new Violation(`a message of type ${reply.type} in answer to a batch`);
  const results = readResults(reply.payload, memory.tdsVersion, memory.hasColumnEncryption);
  noteTransaction(memory, results);
  return results;
}

function noteTransaction(memory: SqlServerMemory, { envChanges, inTransaction }: Results): void {
  for (const { type, bytes } of envChanges) {
    const descriptor = type === envChange.resetDone ? 0n : transactionAfter(type, bytes);
    memory.transaction = descriptor ?? memory.transaction;
  }
  memory.inTransaction = memory.transaction !== 0n || inTransaction;
}
