import { Violation } from '../base/assert.ts';
import type { IpNetwork } from '../base/ip.ts';
import { isWithin, parseIp } from '../base/ip.ts';
import type { Conversation } from '../core/conversation.ts';
import { peek, read } from '../core/conversation.ts';
import type { Link } from '../core/link.ts';
import { sayAddress } from '../net/wording.ts';
import type { Source } from '../wire/proxy-protocol/header.ts';
import { recognise } from '../wire/proxy-protocol/header.ts';
import { lineLength, readLine } from '../wire/proxy-protocol/version1.ts';
import { FIXED_BYTES, headerLength, readHeader } from '../wire/proxy-protocol/version2.ts';

export interface IntroductionSettings {
  readonly proxyProtocol: 'disabled' | 'optional' | 'required';
  /** Whose headers are believed. */
  readonly proxyProtocolNetworks: readonly IpNetwork[];
}

/**
 * Reads the PROXY protocol header by which a load balancer tells whose connection this is, before anybody else speaks.
 * Returns that client's address, or undefined where the link's peer itself is the client. A `Violation` is a sentence for the log that
 * says what to do.
 */
export function* introduction(
  link: Pick<Link, 'peer'>,
  { proxyProtocol, proxyProtocolNetworks }: IntroductionSettings,
): Conversation<string | undefined> {
  if (proxyProtocol === 'disabled') return undefined;
  const isRequired = proxyProtocol === 'required';
  const isTrusted = isOneOf(link.peer, proxyProtocolNetworks);
  if (isRequired && !isTrusted)
    throw new Violation(
      'Its address is in none of proxyProtocolNetworks: add it there if it is a load balancer; clients must come through one.',
    );
  const version = yield* recogniseVersion();
  if (version === 'none') {
    if (!isRequired) return undefined;
    throw new Violation(
      'It sent no PROXY protocol header, which this proxy requires: switch it on at the load balancer, or set proxyProtocol to optional.',
    );
  }
  if (!isTrusted)
    throw new Violation(
      'It sent a PROXY protocol header, but its address is in none of proxyProtocolNetworks: add it there if it is a load balancer.',
    );
  const source = yield* readSource(version);
  return source === undefined ? undefined : sayAddress(source.host, source.port);
}

/** Takes nothing: where there is no header, all that has come is the client's. */
function* recogniseVersion(): Conversation<'version1' | 'version2' | 'none'> {
  for (let bytes = yield* peek(1); ; bytes = yield* peek(bytes.length + 1)) {
    const version = recognise(bytes);
    if (version !== 'undecided') return version;
  }
}

function* readSource(version: 'version1' | 'version2'): Conversation<Source | undefined> {
  try {
    return version === 'version1' ? yield* readVersion1() : yield* readVersion2();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(
      `Its PROXY protocol header is wrong (${error.message}): let the load balancer send version 1 or 2 of it, or none.`,
    );
  }
}

function* readVersion1(): Conversation<Source | undefined> {
  for (let bytes = yield* peek(1); ; bytes = yield* peek(bytes.length + 1)) {
    const length = lineLength(bytes);
    if (length !== undefined) return readLine(yield* read(length));
  }
}

function* readVersion2(): Conversation<Source | undefined> {
  const length = headerLength(yield* peek(FIXED_BYTES));
  return readHeader(yield* read(length));
}

/** `peer` as a link has it: `host:port`. */
function isOneOf(peer: string, networks: readonly IpNetwork[]): boolean {
  const host = peer.slice(0, peer.lastIndexOf(':')).replaceAll(/^\[|\]$/g, '');
  const address = parseIp(host);
  return address !== undefined && networks.some((network) => isWithin(address, network));
}
