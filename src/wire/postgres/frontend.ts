// What we say to databases, whose client we play. Each function returns one whole message.
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import type { SecretText } from '../../base/secret-text.ts';
import { byte, cstring, int16, int32, message } from './build.ts';
import { frontend } from './message-types.ts';

/** A password in the clear, or the answer to an MD5 request. */
export function passwordMessage(password: SecretText): Uint8Array {
  return message(frontend.password, cstring(password.reveal()));
}

/** `response` is undefined where the mechanism lets the server speak first. */
export function saslInitialResponse(mechanism: string, response: string | undefined): Uint8Array {
  const bytes = response === undefined ? EMPTY : utf8(response);
  const length = response === undefined ? -1 : bytes.length;
  return message(frontend.password, cstring(mechanism), int32(length), bytes);
}

export function saslResponse(data: string): Uint8Array {
  return message(frontend.password, utf8(data));
}

/** One or more statements, separated by semicolons. */
export function query(sql: string): Uint8Array {
  return message(frontend.query, cstring(sql));
}

export function sync(): Uint8Array {
  return message(frontend.sync);
}

export function flush(): Uint8Array {
  return message(frontend.flush);
}

export function terminate(): Uint8Array {
  return message(frontend.terminate);
}

/** A statement without parameter types. */
export function parse(name: string, sql: string | Uint8Array): Uint8Array {
  const text = typeof sql === 'string' ? cstring(sql) : concat([sql, byte(0)]);
  return message(frontend.parse, cstring(name), text, int16(0));
}

/** Without values, for results as text. */
export function bind(portal: string, statement: string): Uint8Array {
  return message(frontend.bind, cstring(portal), cstring(statement), int16(0), int16(0), int16(0));
}

/** All rows. */
export function execute(portal: string): Uint8Array {
  return message(frontend.execute, cstring(portal), int32(0));
}

export function describeStatement(name: string): Uint8Array {
  return message(frontend.describe, byte(0x53), cstring(name));
}

export function closeStatement(name: string): Uint8Array {
  return message(frontend.close, byte(0x53), cstring(name));
}

export function closePortal(name: string): Uint8Array {
  return message(frontend.close, byte(0x50), cstring(name));
}
