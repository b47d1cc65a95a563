import { i32be, u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import type { Conversation } from '../../core/conversation.ts';
import { read } from '../../core/conversation.ts';
import { checkMessageLength, HEADER_BYTES } from '../../wire/postgres/framing.ts';

export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

/** One whole message of a conversation; what is larger than a login needs is a violation. */
export function* readMessage(): Conversation<Message> {
  const header = yield* read(HEADER_BYTES);
  const type = u8(header, 0);
  const bodyBytes = checkMessageLength(i32be(header, 1), limits.passwordMessageBytes.value);
  return { type, body: yield* read(bodyBytes) };
}
