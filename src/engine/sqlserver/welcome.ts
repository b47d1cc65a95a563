import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import type { Address } from '../../core/network.ts';
import type { Feature } from '../../wire/tds/features.ts';
import { feature, featureExtAck, readFeatureExtAck } from '../../wire/tds/features.ts';
import {
  DEFAULT_PACKET_BYTES,
  MAX_PACKET_BYTES,
  message,
  MIN_PACKET_BYTES,
  packetBytes,
  packetType,
} from '../../wire/tds/packets.ts';
import type { TokenVisitor } from '../../wire/tds/token-walker.ts';
import { TokenWalker } from '../../wire/tds/token-walker.ts';
import type { LoginAck, ServerError } from '../../wire/tds/tokens.ts';
import {
  done,
  envChange,
  envChangeText,
  loginAck,
  readEnvChangeBytes,
  readEnvChangeText,
  readError,
  readLoginAck,
  readRouting,
  token,
} from '../../wire/tds/tokens.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';

/** What a database has told at login, to be told to every client of its lot (trap TD-15). */
export interface Welcome {
  /** ENVCHANGEs and INFOs of what is the same for all, as they came. */
  readonly tokens: Uint8Array;
  readonly ack: LoginAck;
  /** What it has acknowledged. */
  readonly features: readonly Feature[];
  /** The names that it has told in the tokens; empty where it has not. */
  readonly database: string;
  readonly language: string;
  /** The five bytes of its collation; undefined where it has told none. */
  readonly collation: Uint8Array | undefined;
}

/** A database's answer to a LOGIN7. */
export interface LoginAnswer {
  /** Undefined where it has not let us in. */
  readonly welcome: Welcome | undefined;
  readonly packetBytes: number;
  readonly errors: readonly ServerError[];
  /** Where it sends us instead. */
  readonly routing: Address | undefined;
}

/** @param version of TDS that was asked for */
export function readLoginAnswer(payload: Uint8Array, version: number): LoginAnswer {
  const listener = new Listener(version);
  const walker = new TokenWalker(version, listener);
  walker.begin();
  walker.feed(payload, 0, payload.length);
  return listener.answer;
}

/** What is the same for all of a lot: neither sizes of packets nor hosts, nor instances of a user's own. */
const SHARED: readonly number[] = [
  envChange.database,
  envChange.language,
  envChange.charset,
  envChange.collation,
];

/** ENVCHANGE and INFO begin with the token and two bytes of length, the first one with its type besides. */
const HEADER_BYTES = 3;

class Listener implements TokenVisitor {
  readonly #version: number;
  readonly #tokens: Uint8Array[] = [];
  readonly #errors: ServerError[] = [];
  #ack: LoginAck | undefined;
  #features: readonly Feature[] = [];
  #database = '';
  #language = '';
  #collation: Uint8Array | undefined;
  #packetBytes = DEFAULT_PACKET_BYTES;
  #routing: Address | undefined;

  constructor(version: number) {
    this.#version = version;
  }

  get answer(): LoginAnswer {
    const told = {
      tokens: concat(this.#tokens),
      features: this.#features,
      database: this.#database,
      language: this.#language,
      collation: this.#collation,
    };
    return {
      welcome: this.#ack === undefined ? undefined : { ...told, ack: this.#ack },
      packetBytes: this.#packetBytes,
      errors: this.#errors,
      routing: this.#routing,
    };
  }

  envChange(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (SHARED.includes(type)) this.#tokens.push(bytes.slice(start - HEADER_BYTES - 1, end));
    switch (type) {
      case envChange.database:
        this.#database = readEnvChangeText(bytes, start, end).now;
        break;
      case envChange.language:
        this.#language = readEnvChangeText(bytes, start, end).now;
        break;
      case envChange.collation:
        this.#collation = readEnvChangeBytes(bytes, start, end).now;
        break;
      case envChange.packetSize:
        this.#packetBytes = agreedPacketBytes(readEnvChangeText(bytes, start, end).now);
        break;
      case envChange.routing: {
        const { host, port } = readRouting(type, bytes, start, end);
        this.#routing = { host, port };
        break;
      }
      default:
    }
  }

  info(bytes: Uint8Array, start: number, end: number): void {
    this.#tokens.push(bytes.slice(start - HEADER_BYTES, end));
  }

  error(bytes: Uint8Array, start: number, end: number): void {
    this.#errors.push(readError(bytes, start, end, this.#version));
  }

  other(kind: number, bytes: Uint8Array, start: number, end: number): void {
    if (kind === token.loginAck) this.#ack = readLoginAck(bytes, start, end);
    else if (kind === token.featureExtAck) this.#features = readFeatureExtAck(bytes, start, end);
  }

  done(): void {}

  handle(): void {}
}

function agreedPacketBytes(said: string): number {
  const bytes = Number(said);
  if (!Number.isInteger(bytes) || bytes < MIN_PACKET_BYTES || bytes > MAX_PACKET_BYTES)
    throw new Violation('packets of a size that cannot be');
  return bytes;
}

/** What is a client's own in the answer to its login. */
export interface Newcomer {
  /** Of TDS, as it has asked for. */
  readonly version: number;
  /** As agreed with it. */
  readonly packetBytes: number;
  /** It has signed in by a token: that is acknowledged as an extension. */
  readonly usedToken: boolean;
  /** By which it shall know its process. */
  readonly spid: number;
}

/** Lets a client in, as the database would: the answer to its LOGIN7, in packets. */
export function welcomeReply(welcome: Welcome, client: Newcomer): Uint8Array {
  const { ack, tokens, features } = welcome;
  // Whoever comes by TDS 8.0 is answered so; what it is spoken to in is 7.4 all the same.
  const version = client.version === tdsVersion.v80 ? tdsVersion.v80 : ack.version;
  const agreed = [...features, ...(client.usedToken ? [TOKEN_ACCEPTED] : [])];
  const size = String(client.packetBytes);
  const reply = concat([
    tokens,
    loginAck({ ...ack, version }),
    envChangeText(envChange.packetSize, size, String(DEFAULT_PACKET_BYTES)),
    ...(agreed.length > 0 ? [featureExtAck(agreed)] : []),
    done(token.done, 0, 0, 0n, version),
  ]);
  // The size that was agreed on holds from the next message on.
  const packets = message(packetType.result, reply, DEFAULT_PACKET_BYTES);
  return withSpid(packets, client.spid);
}

/** No more is said of it: there was no nonce. */
const TOKEN_ACCEPTED: Feature = { id: feature.fedAuth, data: EMPTY };

function withSpid(packets: Uint8Array, spid: number): Uint8Array {
  for (let at = 0; at < packets.length; at += packetBytes(packets, at)) {
    packets[at + 4] = spid >>> 8;
    packets[at + 5] = spid;
  }
  return packets;
}
