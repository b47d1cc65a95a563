/** One peer's byte stream, whoever carries it. Implemented by `net/link` over a socket and by tests in memory. */
export interface Link {
  /** Who hears what arrives. Swapped when talk ends and relay begins. */
  handler: LinkHandler;
  /** Bytes accepted but not yet taken by the operating system. */
  readonly queuedBytes: number;
  /** The peer's address, `host:port`; a client's own where whoever passed the connection on has told it. */
  peer: string;
  /** The TLS version once TLS is on, otherwise undefined. */
  readonly tlsVersion: string | undefined;
  readonly isOpen: boolean;
  /** Sends now or queues what the socket did not take. The bytes may be reused by the caller at once. */
  write(bytes: Uint8Array): void;
  /** The peer is here to stay: from now on it is noticed if it vanishes without a word. Asking again is free. */
  keepAlive(): void;
  /** Stops and resumes reading, so that the peer feels the back-pressure. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. `closed` is heard once. */
  end(): void;
  /** Closes at once and drops what is queued. `closed` is heard once. */
  destroy(): void;
}

export interface LinkHandler {
  /** It goes on for long, and TLS is not started any more. */
  readonly isRelaying?: boolean;
  /** The bytes are the handler's from here on. */
  data(bytes: Uint8Array): void;
  /** All that was queued has been taken by the operating system. */
  drained(): void;
  /** The link is gone. `problem` is undefined for an orderly end. */
  closed(problem: string | undefined): void;
}
