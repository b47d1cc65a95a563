import { must } from '../base/assert.ts';

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
   * Resumes once `agreed` has been told what came of it.
   */
  | {
      readonly kind: 'startTls';
      readonly side: 'server' | 'client';
      readonly helloIsBuffered: boolean;
      readonly agreed: (tls: AgreedTls) => void;
    }
  /** Something that takes time and is not the peer: a lookup, a key derivation, a free connection. */
  | { readonly kind: 'wait'; readonly work: () => Promise<void> };

/** What the two sides of a TLS handshake know of it. */
export interface AgreedTls {
  /** The name of the protocol that ALPN agreed on, empty for none. */
  readonly protocol: string;
  /** The certificate of whoever is the server, as DER; the same bytes on both sides. */
  readonly certificate: () => Uint8Array;
}

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

export function* startTls(
  side: 'server' | 'client',
  helloIsBuffered = false,
): Conversation<AgreedTls> {
  let tls: AgreedTls | undefined;
  const agreed = (heard: AgreedTls): void => {
    tls = heard;
  };
  yield { kind: 'startTls', side, helloIsBuffered, agreed };
  return must(tls, 'a conversation was resumed before TLS had been agreed');
}

/**
 * Runs `work` off to the side and resumes with its value; what is known at once is not waited for. What it throws, or is rejected
 * with, is thrown inside the conversation.
 */
export function* wait<T>(work: () => T | Promise<T>): Conversation<T> {
  const value = work();
  if (!(value instanceof Promise)) return value;
  let settled: { readonly value: T } | undefined;
  yield {
    kind: 'wait',
    work: async () => {
      settled = { value: await value };
    },
  };
  return must(settled, 'a conversation was resumed before its work was done').value;
}
