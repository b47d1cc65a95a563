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
      readonly envelope: TlsEnvelope | undefined;
      readonly agreed: (tls: AgreedTls) => void;
    }
  /** From here on no TLS any more, where that was started in an envelope that `ends`. What the peer sends in clear is read from here on. */
  | { readonly kind: 'endTls' }
  /** Something that takes time and is not the peer: a lookup, a key derivation, a free connection. */
  | { readonly kind: 'wait'; readonly work: () => Promise<void> };

/**
 * How a protocol carries the bytes of a TLS handshake in packets of its own; for one handshake. With it, TLS is 1.2 at most: what 1.3
 * sends behind its handshake would belong to neither.
 */
export interface TlsEnvelope {
  /** TLS ends before the connection does, by `endTls`. */
  readonly ends: boolean;
  /** What goes out for TLS bytes of ours. */
  wrap(tls: Uint8Array): Uint8Array;
  /** Takes apart what has arrived, in whatever pieces it comes. Throws a `Violation` for what is nothing of the kind. */
  unwrap(arrived: Uint8Array): {
    readonly tls: Uint8Array;
    /** What stands behind all TLS, where that ends. */
    readonly clear: Uint8Array;
  };
}

/** What the two sides of a TLS handshake know of it. */
export interface AgreedTls {
  /** The name of the protocol that ALPN agreed on, empty for none. */
  readonly protocol: string;
  /** The certificate of whoever is the server, as DER; the same bytes on both sides. */
  readonly certificate: () => Uint8Array;
}

export function* read(bytes: number): Conversation<Uint8Array> {
  return yield reading(bytes);
}

export function* peek(bytes: number): Conversation<Uint8Array> {
  return yield peeking(bytes);
}

export function* readEnd(): Conversation<void> {
  yield { kind: 'readEnd' };
}

export function* send(bytes: Uint8Array): Conversation<void> {
  yield sending(bytes);
}

// The same three as steps, to be yielded: what every sign-in takes is cheaper without a conversation of its own.

export function reading(bytes: number): Step {
  return { kind: 'read', bytes };
}

export function peeking(bytes: number): Step {
  return { kind: 'peek', bytes };
}

export function sending(bytes: Uint8Array): Step {
  return { kind: 'send', bytes };
}

export function* startTls(
  side: 'server' | 'client',
  helloIsBuffered = false,
  envelope?: TlsEnvelope,
): Conversation<AgreedTls> {
  let tls: AgreedTls | undefined;
  const agreed = (heard: AgreedTls): void => {
    tls = heard;
  };
  yield { kind: 'startTls', side, helloIsBuffered, envelope, agreed };
  return must(tls, 'a conversation was resumed before TLS had been agreed');
}

export function* endTls(): Conversation<void> {
  yield { kind: 'endTls' };
}

/**
 * Runs `work` off to the side and resumes with its value; what is known at once is not waited for. What it throws, or is rejected
 * with, is thrown inside the conversation.
 */
export function* wait<T>(work: () => T | Promise<T>): Conversation<T> {
  const value = work();
  return value instanceof Promise ? yield* outcome(value) : value;
}

/** The same for work that is under way already. */
export function* outcome<T>(work: Promise<T>): Conversation<T> {
  let settled: { readonly value: T } | undefined;
  yield {
    kind: 'wait',
    work: async () => {
      settled = { value: await work };
    },
  };
  return must(settled, 'a conversation was resumed before its work was done').value;
}
