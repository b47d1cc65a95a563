import { i32be, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { peek, read } from '../../core/conversation.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';

export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

/** One whole message of a conversation; what is larger than a login needs is a violation. */
export function* readMessage(): Conversation<Message> {
  const header = yield* peek(HEADER_BYTES);
  const bodyBytes = checkMessageLength(i32be(header, 1), limits.passwordMessageBytes.value);
  const message = yield* read(HEADER_BYTES + bodyBytes);
  return { type: u8(message, 0), body: message.subarray(HEADER_BYTES) };
}
