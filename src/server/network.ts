import type { Clock } from '../base/clock.ts';
import type { Conversation } from '../core/conversation.ts';
import type { Link } from '../core/link.ts';
import { assert } from '../base/assert.ts';
import type { Address, Network, Talked, TalkOptions } from '../core/network.ts';
import { converse } from '../net/converse.ts';
import { dial } from '../net/dial.ts';
import { SocketLink } from '../net/link.ts';
import type { TlsClient, TlsServer } from '../net/tls.ts';
import { about, isAbout } from '../net/tls.ts';

/** One proxy's way to the world: its target's address, and both sides' TLS, as they are at this moment. */
export class SocketNetwork implements Network {
  /** Where it is not known where that is, `trouble` says why. */
  target: Address & { readonly trouble?: string | undefined };
  /** Undefined where the target is reached without TLS. */
  tlsClient: TlsClient | undefined;
  tlsServer: TlsServer | undefined;
  readonly #clock: Clock;
  /** Hosts to which the target has sent us. */
  readonly #elsewhere = new WeakMap<Link, string>();

  constructor(clock: Clock, target: SocketNetwork['target']) {
    this.#clock = clock;
    this.target = target;
  }

  async dial(timeoutMs: number, elsewhere?: Address): Promise<Link> {
    const { trouble } = this.target;
    if (elsewhere === undefined && trouble !== undefined) throw new Error(trouble);
    const link = await dial(elsewhere ?? this.target, timeoutMs, (delayMs, work) =>
      this.#clock.after(delayMs, work),
    );
    if (elsewhere !== undefined) this.#elsewhere.set(link, elsewhere.host);
    return link;
  }

  talk<Result>(
    link: Link,
    conversation: Conversation<Result>,
    options: TalkOptions,
  ): Promise<Talked<Result>> {
    assert(link instanceof SocketLink, 'a link that is not a socket');
    const tls = { server: this.tlsServer, client: this.#clientTlsOf(link) };
    return converse(link, conversation, options, tls, this.#clock);
  }

  /** Another host shows a certificate of its own, unless the settings name the one that all show. */
  #clientTlsOf(link: Link): TlsClient | undefined {
    const host = this.#elsewhere.get(link);
    const { tlsClient } = this;
    if (host === undefined || tlsClient === undefined) return tlsClient;
    return isAbout(tlsClient, this.target.host) ? about(tlsClient, host) : tlsClient;
  }
}
