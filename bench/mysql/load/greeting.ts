// Connection phase: dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
const CONNECT_WITH_DATABASE = 1 << 3;
const PROTOCOL_41 = 1 << 9;
const TLS = 1 << 11;
const TRANSACTIONS = 1 << 13;
const SECURE_CONNECTION = 1 << 15;
const PLUGIN_AUTH = 1 << 19;
/** Rows end with an OK packet, and descriptions with nothing. */
const DEPRECATE_EOF = 1 << 24;

/** What both MySQL and MariaDB have, and what most clients ask for. */
const CAPABILITIES =
  CONNECT_WITH_DATABASE |
  PROTOCOL_41 |
  TRANSACTIONS |
  SECURE_CONNECTION |
  PLUGIN_AUTH |
  DEPRECATE_EOF;
/** utf8mb4_general_ci, of both. */
const COLLATION = 45;
const MAX_PACKET = 1 << 24;
const NONCE_BYTES = 20;

/** How a server greets. */
export interface Greeting {
  readonly version: string;
  readonly nonce: Uint8Array;
  /** How it would like to be shown the password. */
  readonly plugin: string;
  readonly hasTls: boolean;
}

/** Throws where the server lacks what is needed here. */
export function readGreeting(payload: Uint8Array): Greeting {
  const body = Buffer.from(payload);
  const versionEnd = body.indexOf(0, 1);
  // The connection's number comes first, a zero after the beginning of the nonce.
  const nonceAt = versionEnd + 1 + 4;
  const lowAt = nonceAt + 8 + 1;
  const highAt = lowAt + 2 + 1 + 2;
  const capabilities = body.readUInt16LE(lowAt) | (body.readUInt16LE(highAt) << 16);
  const restAt = highAt + 2 + 1 + 10;
  const nonce = [body.subarray(nonceAt, nonceAt + 8), body.subarray(restAt, restAt + 12)];
  if ((capabilities & CAPABILITIES) !== CAPABILITIES)
    throw new Error(`the server lacks capabilities: it has ${(capabilities >>> 0).toString(16)}`);
  const pluginAt = restAt + 13;
  const pluginEnd = body.indexOf(0, pluginAt);
  return {
    version: body.toString('latin1', 1, versionEnd),
    nonce: Buffer.concat(nonce),
    plugin: body.toString('latin1', pluginAt, pluginEnd < 0 ? body.length : pluginEnd),
    hasTls: (capabilities & TLS) !== 0,
  };
}

/** The server asks for another plugin, with a nonce for it. */
export function readSwitch(payload: Uint8Array): Pick<Greeting, 'plugin' | 'nonce'> {
  const body = Buffer.from(payload);
  const end = body.indexOf(0, 1);
  return {
    plugin: body.toString('latin1', 1, end),
    nonce: body.subarray(end + 1, end + 1 + NONCE_BYTES),
  };
}

/** What a client begins its answer with; with TLS it says so much in the clear, and then all of it again. */
function preamble(tls: boolean): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(CAPABILITIES | (tls ? TLS : 0), 0);
  head.writeUInt32LE(MAX_PACKET, 4);
  head.writeUInt8(COLLATION, 8);
  return head;
}

export function tlsRequest(): Uint8Array {
  return preamble(true);
}

export interface Answer {
  readonly tls: boolean;
  readonly user: string;
  readonly database: string;
  readonly plugin: string;
  /** What the plugin makes of the password; shorter than 251 bytes. */
  readonly proof: Uint8Array;
}

export function answerGreeting({ tls, user, database, plugin, proof }: Answer): Uint8Array {
  return Buffer.concat([
    preamble(tls),
    Buffer.from(`${user}\0`),
    Uint8Array.of(proof.length),
    proof,
    Buffer.from(`${database}\0${plugin}\0`),
  ]);
}
