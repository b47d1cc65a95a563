import type { Connection, Framing } from '../../support/load/connection.ts';

/** Type, status, length, process, number, window: [MS-TDS] 2.2.3.1. */
export const HEAD_BYTES = 8;
const REPLY = 0x04;
const END_OF_MESSAGE = 0x01;

export const framing: Framing = { headBytes: HEAD_BYTES, lengthOf: (head) => head.readUInt16BE(2) };

/** Throws where the packet is none of a reply; tells whether it is the reply's last. */
export function endsReply(packet: Buffer): boolean {
  if (packet[0] !== REPLY) throw new Error(`a packet of type ${packet[0] ?? -1} is no reply`);
  return ((packet[1] ?? 0) & END_OF_MESSAGE) !== 0;
}

/** The next reply's payload. */
export async function readReply(connection: Connection): Promise<Buffer> {
  const payloads: Buffer[] = [];
  for (;;) {
    const packet = await connection.read();
    payloads.push(packet.subarray(HEAD_BYTES));
    if (endsReply(packet)) return Buffer.concat(payloads);
  }
}
