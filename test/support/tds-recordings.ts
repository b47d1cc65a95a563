import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { concat } from '../../src/base/bytes.ts';
import { HEADER_BYTES, packetBytes, packetStatus } from '../../src/wire/tds/packets.ts';
import { tdsVersion } from '../../src/wire/tds/versions.ts';

const folder = fileURLToPath(new URL('../transcripts/tds/', import.meta.url));

/** One message of a recorded conversation, its packets put together. */
export interface RecordedMessage {
  readonly connection: number;
  readonly from: 'client' | 'server';
  readonly type: number;
  /** Of its first packet. */
  readonly status: number;
  readonly packets: readonly Uint8Array[];
  readonly payload: Uint8Array;
}

interface Line {
  readonly connection: number;
  readonly from: 'client' | 'server';
  readonly hex: string;
}

/** The names of the conversations that are in clear: of one, the bytes behind the PRELOGIN are TLS. */
export const recordedConversations: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.jsonl') && !file.startsWith('freetds'))
  .map((file) => file.replace('.jsonl', ''))
  .toSorted();

export function tdsLines(name: string): readonly Line[] {
  const text = readFileSync(`${folder}${name}.jsonl`, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** All messages of a conversation, in the order in which they ended. */
export function tdsMessages(name: string): readonly RecordedMessage[] {
  const waiting = new Map<string, Uint8Array>();
  const begun = new Map<string, Uint8Array[]>();
  const messages: RecordedMessage[] = [];
  for (const { connection, from, hex } of tdsLines(name)) {
    const key = `${connection} ${from}`;
    let bytes = concat([
      waiting.get(key) ?? new Uint8Array(0),
      Uint8Array.from(Buffer.from(hex, 'hex')),
    ]);
    while (bytes.length >= HEADER_BYTES && bytes.length >= packetBytes(bytes, 0)) {
      const packet = bytes.slice(0, packetBytes(bytes, 0));
      const packets = [...(begun.get(key) ?? []), packet];
      begun.set(key, packets);
      bytes = bytes.slice(packet.length);
      if ((packet[1]! & packetStatus.endOfMessage) === 0) continue;
      begun.delete(key);
      const payload = concat(packets.map((one) => one.subarray(HEADER_BYTES)));
      const [type = 0, status = 0] = packets[0] ?? [];
      messages.push({ connection, from, type, status, packets, payload });
    }
    waiting.set(key, bytes);
  }
  return messages;
}

/** The payloads of a kind in all conversations, without those that there are already. */
export function tdsPayloads(from: 'client' | 'server', type: number): readonly Uint8Array[] {
  const payloads = recordedConversations
    .flatMap(tdsMessages)
    .filter((message) => message.from === from && message.type === type)
    .map(({ payload }) => payload);
  const byText = new Map(
    payloads.map((payload) => [Buffer.from(payload).toString('hex'), payload]),
  );
  return [...byText.values()];
}

export function versionOf(name: string): number {
  return name === 'tds-7_1' ? tdsVersion.v71rev1 : tdsVersion.v74;
}
