import type { Clock } from '../base/clock.ts';
import type { Conversation } from '../core/conversation.ts';
import type { Link } from '../core/link.ts';
import { assert } from '../base/assert.ts';
import type { Address, Network, Talked, TalkOptions } from '../core/network.ts';
import { converse } from '../net/converse.ts';
import { dial } from '../net/dial.ts';
import { SocketLink } from '../net/link.ts';
import type { TlsClient, TlsServer } from '../net/tls.ts';

/** One proxy's way to the world: its target's address, and both sides' TLS, as they are at this moment. */
export class SocketNetwork implements Network {
  /** Where it is not known where that is, `trouble` says why. */
  target: Address & { readonly trouble?: string | undefined };
  /** Undefined where the target is reached without TLS. */
  tlsClient: TlsClient | undefined;
  tlsServer: TlsServer | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock, target: SocketNetwork['target']) {
    this.#clock = clock;
    this.target = target;
  }

  dial(timeoutMs: number): Promise<Link> {
    const { trouble } = this.target;
    if (trouble !== undefined) return Promise.reject(new Error(trouble));
    return dial(this.target, timeoutMs, (delayMs, work) => this.#clock.after(delayMs, work));
  }

  talk<Result>(
    link: Link,
    conversation: Conversation<Result>,
    options: TalkOptions,
  ): Promise<Talked<Result>> {
    assert(link instanceof SocketLink, 'a link that is not a socket');
    const tls = { server: this.tlsServer, client: this.tlsClient };
    return converse(link, conversation, options, tls, this.#clock);
  }
}
