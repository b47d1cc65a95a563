import { cachingSha2Response } from '../../src/auth/caching-sha2.ts';
import { nativePasswordResponse } from '../../src/auth/native-password.ts';
import { encryptPassword } from '../../src/auth/rsa-password.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import { authHeader, changeUser, readAuthRequest } from '../../src/wire/mysql/auth-packets.ts';
import type { ChangeUser } from '../../src/wire/mysql/auth-packets.ts';
import { capability, common, tellsExtensions } from '../../src/wire/mysql/capabilities.ts';
import type { Capabilities } from '../../src/wire/mysql/capabilities.ts';
import { comQuery } from '../../src/wire/mysql/com-query.ts';
import { command } from '../../src/wire/mysql/commands.ts';
import { readError } from '../../src/wire/mysql/err.ts';
import { MAX_PACKET_BYTES, packet } from '../../src/wire/mysql/framing.ts';
import { readHandshake } from '../../src/wire/mysql/handshake.ts';
import type { Handshake } from '../../src/wire/mysql/handshake.ts';
import { handshakeResponse } from '../../src/wire/mysql/handshake-response.ts';
import { DEADLINE_MS, plainHandlers, TestSocket } from './test-socket.ts';

/** A payload, with the sequence numbers of the packets that it came in. */
export interface Heard {
  readonly sequences: readonly number[];
  /** Not copied: there may be much of it. */
  readonly payload: Buffer;
}

/** What answers a command: nothing, one packet, results, column definitions, a prepared statement, rows. */
export type ReplyShape = 'nothing' | 'one' | 'results' | 'fields' | 'prepared' | 'rows';

export interface MysqlLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  /** Default `plainClient`. What the server does not offer is left out. */
  readonly capabilities?: Capabilities;
  /** The number of a collation. Default utf8mb4_general_ci. */
  readonly collation?: number;
  /** The longest wait for bytes. Default 10 s. */
  readonly deadlineMs?: number;
}

const needed =
  capability.protocol41 |
  capability.longFlag |
  capability.transactions |
  capability.secureConnection |
  capability.pluginAuth |
  capability.pluginAuthLenencClientData;

/** As most clients are today. */
export const plainClient: Capabilities = {
  flags:
    capability.longPassword |
    capability.multiStatements |
    capability.multiResults |
    capability.psMultiResults |
    capability.localFiles |
    capability.connectAttrs |
    capability.deprecateEof,
  extensions: 0,
};

const UTF8MB4_GENERAL_CI = 45;
const PREPARED_BYTES = 12;
const MORE_RESULTS = 0x0008;
const CURSOR_EXISTS = 0x0040;
const LAST_ROW_SENT = 0x0080;
/** MariaDB's reports of progress are errors of this number. */
const PROGRESS = 0xffff;
const RSA_KEY_REQUEST = 2;
const FAST_LOGIN_DONE = 3;

/** An ERR packet where none was expected. */
export class MysqlError extends Error {
  override readonly name = 'MysqlError';
  readonly payload: Uint8Array;
  readonly code: number;

  constructor(payload: Uint8Array) {
    const { code, sqlState, message } = readError(payload);
    super(`${code} (${sqlState}) ${message}`);
    this.payload = payload;
    this.code = code;
  }
}

/** A MySQL client that says exactly what a test tells it to, and shows exactly what came back. */
export class MysqlClient {
  readonly socket: TestSocket;
  /** What a server is asked for by LOAD DATA LOCAL: what is not here is refused. */
  readonly files = new Map<string, Uint8Array>();
  handshake: Handshake | undefined;
  /** What both sides can do. */
  capabilities: Capabilities = { flags: 0, extensions: 0 };
  /** The payload of the OK that let the client in. */
  welcome: Buffer = Buffer.alloc(0);

  /** The number of what the client says next in the same exchange. */
  #following = 0;
  /** The status flags as an OK or EOF packet told them last. */
  status = 0;

  private constructor(socket: TestSocket) {
    this.socket = socket;
  }

  /** Connects; says nothing yet. */
  static async connect({ host, port, deadlineMs }: MysqlLogin): Promise<MysqlClient> {
    const { promise, resolve } = Promise.withResolvers<TestSocket>();
    await Bun.connect<TestSocket>({
      hostname: host,
      port,
      socket: {
        ...plainHandlers,
        open(socket) {
          socket.data = new TestSocket(socket, deadlineMs ?? DEADLINE_MS);
          resolve(socket.data);
        },
      },
    });
    return new MysqlClient(await promise);
  }

  /** Connects and signs in; throws `MysqlError` where the server refuses. */
  static async signIn(login: MysqlLogin): Promise<MysqlClient> {
    const client = await MysqlClient.connect(login);
    try {
      await client.signIn(login);
    } catch (problem) {
      client.destroy();
      throw problem;
    }
    return client;
  }

  async signIn(login: MysqlLogin): Promise<void> {
    const first = await this.hear();
    if (first.payload[0] === authHeader.error) throw new MysqlError(first.payload);
    const handshake = readHandshake(first.payload);
    this.handshake = handshake;
    const { capabilities: asked = plainClient, database } = login;
    const flags = asked.flags | needed | (database === undefined ? 0 : capability.connectWithDb);
    this.capabilities = common({ ...asked, flags }, handshake.capabilities);
    // MariaDB hears of extensions where the client does not say that it is MySQL's.
    if (asked.extensions !== 0 && tellsExtensions(handshake.capabilities.flags))
      this.capabilities = {
        flags: this.capabilities.flags & ~capability.longPassword,
        extensions: this.capabilities.extensions,
      };
    const { plugin } = handshake;
    const password = new SecretText(login.password);
    this.send(
      handshakeResponse({
        capabilities: this.capabilities,
        maxPacketBytes: 0x40000000,
        collation: login.collation ?? UTF8MB4_GENERAL_CI,
        user: login.user,
        authData: answer(plugin, password, handshake.authData),
        database,
        plugin,
        attributes: [['program_name', 'test']],
        zstdLevel: undefined,
      }),
      1,
    );
    await this.#prove(handshake, password);
  }

  /** Signs in anew, as another user perhaps. Returns the payload of the OK; throws `MysqlError` where the server refuses. */
  async changeUser({
    user,
    password,
    database,
    collation,
  }: Pick<MysqlLogin, 'user' | 'password' | 'database' | 'collation'>): Promise<Uint8Array> {
    if (this.handshake === undefined) throw new Error('nobody has signed in');
    const none = new Uint8Array(0);
    const attributes: ChangeUser['attributes'] = [['program_name', 'test']];
    // A plug-in that no server has: it says which it wants.
    const said = { user, authData: none, database, collation, plugin: 'any', attributes };
    this.send(changeUser(said, this.capabilities.flags));
    await this.#prove(this.handshake, new SecretText(password));
    return this.welcome;
  }

  /** Sends a payload in as many packets as it takes. */
  send(payload: Uint8Array, sequence = 0): void {
    this.socket.send(packet(sequence, payload));
  }

  /** The next payload. */
  async hear(): Promise<Heard> {
    const sequences: number[] = [];
    const pieces: Buffer[] = [];
    for (;;) {
      const header = await this.socket.read(4);
      const [low = 0, middle = 0, high = 0, sequence = 0] = header;
      const length = low + middle * 0x100 + high * 0x10000;
      sequences.push(sequence);
      this.#following = sequence + 1;
      pieces.push(await this.socket.read(length));
      if (length < MAX_PACKET_BYTES) break;
    }
    const [one = Buffer.alloc(0)] = pieces;
    return { sequences, payload: pieces.length === 1 ? one : Buffer.concat(pieces) };
  }

  /** Sends a statement as it is, and reads all that answers it, errors included. */
  async query(sql: string): Promise<readonly Heard[]> {
    this.send(comQuery(Buffer.from(sql), this.capabilities.flags));
    return await this.reply('results');
  }

  /** The rows of a statement that gives one result, as texts; throws `MysqlError` where it fails. */
  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    const heard = await this.query(sql);
    const last = heard.at(-1)?.payload ?? new Uint8Array(0);
    if (last[0] === 0xff) throw new MysqlError(last);
    const [count = 0] = heard[0]?.payload ?? [];
    const isDeprecated = (this.capabilities.flags & capability.deprecateEof) !== 0;
    const first = 1 + count + (isDeprecated ? 0 : 1);
    return heard.slice(first, -1).map(({ payload }) => texts(payload));
  }

  /** Reads what answers a command. */
  async reply(shape: ReplyShape): Promise<readonly Heard[]> {
    const heard: Heard[] = [];
    await this.collect(shape, heard);
    return heard;
  }

  /** Likewise, into `heard`: what has come is there even where the server leaves in the middle of it. */
  async collect(shape: ReplyShape, heard: Heard[]): Promise<void> {
    const next = async (): Promise<Buffer> => {
      const one = await this.hear();
      heard.push(one);
      return one.payload;
    };
    switch (shape) {
      case 'nothing':
        return;
      case 'one':
        await next();
        return;
      case 'prepared':
        await this.#prepared(next);
        return;
      case 'results':
        while (await this.#result(next));
        return;
      case 'fields':
      case 'rows':
        this.status = await this.#rows(next);
    }
  }

  /** Says goodbye and waits until the server has closed. */
  async end(): Promise<void> {
    this.send(Uint8Array.of(command.quit));
    await this.socket.readEnd();
    this.socket.end();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }

  /** There are rows that it can fetch. */
  get hasCursor(): boolean {
    return (this.status & CURSOR_EXISTS) !== 0 && (this.status & LAST_ROW_SENT) === 0;
  }

  get #deprecatesEof(): boolean {
    return (this.capabilities.flags & capability.deprecateEof) !== 0;
  }

  get #choosesMetadata(): boolean {
    return (this.capabilities.flags & capability.optionalResultsetMetadata) !== 0;
  }

  /** One result. Returns whether there is another one behind it. */
  async #result(next: () => Promise<Buffer>): Promise<boolean> {
    const first = await next();
    const [type] = first;
    if (type === 0x00) {
      this.status = statusOfOk(first);
      return (this.status & MORE_RESULTS) !== 0;
    }
    if (type === 0xff) return isProgress(first);
    if (type === 0xfb) {
      this.#sendFile(first.toString('utf8', 1), this.#following);
      return true;
    }
    const columns = lenencAt(first, 0);
    const isTold = !this.#choosesMetadata || first[columns.end] !== 0;
    for (let left = isTold ? columns.value : 0; left > 0; left -= 1) await next();
    if (!this.#deprecatesEof) {
      this.status = (await next()).readUInt16LE(3);
      if (this.hasCursor) return false;
    }
    this.status = await this.#rows(next);
    return (this.status & MORE_RESULTS) !== 0;
  }

  /** Rows, or column definitions, up to what ends them. Returns the status, 0 after an error. */
  async #rows(next: () => Promise<Buffer>): Promise<number> {
    for (;;) {
      const one = await next();
      if (one[0] === 0xff && !isProgress(one)) return 0;
      if (one[0] !== 0xfe || one.length >= MAX_PACKET_BYTES) continue;
      if (this.#deprecatesEof) return statusOfOk(one);
      if (one.length < 9) return one.readUInt16LE(3);
    }
  }

  async #prepared(next: () => Promise<Buffer>): Promise<void> {
    const first = await next();
    // MySQL answers a plain OK where a SET GLOBAL is not allowed, and has prepared nothing.
    if (first[0] === 0xff || first.length < PREPARED_BYTES) return;
    if (this.#choosesMetadata && first.length > 12 && first[12] === 0) return;
    for (const count of [first.readUInt16LE(7), first.readUInt16LE(5)]) {
      for (let left = count; left > 0; left -= 1) await next();
      if (count > 0 && !this.#deprecatesEof) await next();
    }
  }

  #sendFile(name: string, first: number): void {
    const file = this.files.get(name) ?? new Uint8Array(0);
    let sequence = first;
    for (let at = 0; at < file.length; at += FILE_PIECE_BYTES, sequence += 1)
      this.socket.send(packet(sequence & 0xff, file.subarray(at, at + FILE_PIECE_BYTES)));
    this.socket.send(packet(sequence & 0xff, new Uint8Array(0)));
  }

  async #prove(handshake: Handshake, password: SecretText): Promise<void> {
    let { plugin, authData: challenge } = handshake;
    for (;;) {
      const { payload } = await this.hear();
      const following = this.#following;
      const request = readAuthRequest(payload);
      switch (request.kind) {
        case 'ok':
          this.welcome = payload;
          return;
        case 'error':
          throw new MysqlError(payload);
        case 'switch':
          ({ plugin, challenge } = request);
          this.send(answer(plugin, password, challenge), following);
          break;
        case 'moreData':
          if (request.data[0] === FAST_LOGIN_DONE) break;
          if (request.data.length > 1)
            this.send(encryptPassword(password, challenge, request.data), following);
          else this.send(Uint8Array.of(RSA_KEY_REQUEST), following);
          break;
        default:
          throw new Error(`the server asks for ${request.kind}`);
      }
    }
  }
}

const FILE_PIECE_BYTES = 60_000;

function answer(plugin: string, password: SecretText, challenge: Uint8Array): Uint8Array {
  switch (plugin) {
    case 'mysql_native_password':
      return nativePasswordResponse(password, challenge);
    case 'caching_sha2_password':
      return cachingSha2Response(password, challenge);
    default:
      throw new Error(`the server asks for ${plugin}`);
  }
}

function isProgress(payload: Buffer): boolean {
  return payload.length >= 3 && payload.readUInt16LE(1) === PROGRESS;
}

function statusOfOk(payload: Buffer): number {
  return payload.readUInt16LE(lenencAt(payload, lenencAt(payload, 1).end).end);
}

function lenencAt(bytes: Buffer, at: number): { readonly value: number; readonly end: number } {
  const first = bytes[at] ?? 0;
  const size = { 0xfc: 2, 0xfd: 3, 0xfe: 8 }[first] ?? 0;
  if (size === 0) return { value: first, end: at + 1 };
  const value = size === 8 ? Number(bytes.readBigUInt64LE(at + 1)) : bytes.readUIntLE(at + 1, size);
  return { value, end: at + 1 + size };
}

function texts(row: Uint8Array): readonly (string | null)[] {
  const bytes = Buffer.from(row);
  const found: (string | null)[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0xfb) {
      found.push(null);
      at += 1;
      continue;
    }
    const { value, end } = lenencAt(bytes, at);
    found.push(bytes.toString('utf8', end, end + value));
    at = end + value;
  }
  return found;
}
