import { must } from '../base/assert.ts';
import { text } from '../base/bytes.ts';

/**
 * Talk (greeting, login, TLS, reset) is written as a generator that yields what it wants and is resumed with bytes.
 * A socket drives it in production (`net/converse`), an array in tests (`test/support/rehearse`).
 */
export type Conversation<Result> = Generator<Step, Result, Uint8Array>;

export type Step =
  /** Exactly `bytes` bytes from the peer, taken. */
  | { readonly kind: 'read'; readonly bytes: number }
  /** At least `bytes` bytes from the peer, looked at and left where they are. */
  | { readonly kind: 'peek'; readonly bytes: number }
  /** True to the peer's end: resumes when the peer has closed its side. */
  | { readonly kind: 'readEnd' }
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /**
   * From here on TLS. Plaintext that the peer sent too early ends the connection, unless it is the TLS hello itself.
   * Resumes with the name of the protocol that ALPN agreed on, empty for none.
   */
  | {
      readonly kind: 'startTls';
      readonly side: 'server' | 'client';
      readonly helloIsBuffered: boolean;
    }
  /** Something that takes time and is not the peer: a lookup, a key derivation, a free connection. */
  | { readonly kind: 'wait'; readonly work: () => Promise<void> };

export function* read(bytes: number): Conversation<Uint8Array> {
  return yield { kind: 'read', bytes };
}

export function* peek(bytes: number): Conversation<Uint8Array> {
  return yield { kind: 'peek', bytes };
}

export function* readEnd(): Conversation<void> {
  yield { kind: 'readEnd' };
}

export function* send(bytes: Uint8Array): Conversation<void> {
  yield { kind: 'send', bytes };
}

/** Returns the name of the protocol that ALPN agreed on, empty for none. */
export function* startTls(
  side: 'server' | 'client',
  helloIsBuffered = false,
): Conversation<string> {
  return text(yield { kind: 'startTls', side, helloIsBuffered });
}

/** Runs `work` off to the side and resumes with its value. A rejection is thrown inside the conversation. */
export function* wait<T>(work: () => Promise<T>): Conversation<T> {
  let settled: { readonly value: T } | undefined;
  yield {
    kind: 'wait',
    work: async () => {
      settled = { value: await work() };
    },
  };
  return must(settled, 'a conversation was resumed before its work was done').value;
}
