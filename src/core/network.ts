import type { Conversation } from './conversation.ts';
import type { Link } from './link.ts';

/** Where a database listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface TalkOptions {
  /** How long the peer may take in all; what the conversation waits for on our own side does not count. */
  readonly timeoutMs: number;
}

export interface Talked<Result> {
  readonly result: Result;
  /** What the peer sent beyond the conversation's last read. */
  readonly leftover: Uint8Array;
}

/** How the core reaches peers without knowing sockets: `net/` in production, memory in tests. */
export interface Network {
  /** Opens a connection to the target, or where that has sent us. Rejects with a sentence for the log. */
  dial(timeoutMs: number, elsewhere?: Address): Promise<Link>;
  /**
   * Runs a conversation over a link and hands the link's handler back to the caller. Rejects with the conversation's own
   * error, with `TalkTimeout`, or with `PeerClosed`.
   */
  talk<Result>(
    link: Link,
    conversation: Conversation<Result>,
    options: TalkOptions,
  ): Promise<Talked<Result>>;
}

/** The peer took longer than the conversation was given. */
export class TalkTimeout extends Error {
  override readonly name = 'TalkTimeout';
}

/** The peer closed in the middle of a conversation. */
export class PeerClosed extends Error {
  override readonly name = 'PeerClosed';
}

/** Whoever was asked to let us in sends us on to somebody else, for this connection. */
export class Elsewhere extends Error {
  override readonly name = 'Elsewhere';
  readonly address: Address;

  constructor(address: Address) {
    super('the database sends connections on to another address');
    this.address = address;
  }
}
