import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Value } from './types/sql-type.ts';
import { readAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { cut, packetStatus, packetType } from './wire/packets.ts';

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

export interface LoginOptions {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly language?: string;
  readonly appName?: string;
  readonly hostName?: string;
  readonly packetBytes?: number;
  readonly tdsVersion?: number;
  readonly isReadOnly?: boolean;
  readonly features?: readonly { readonly id: number; readonly data: Uint8Array }[];
}

/** LOGIN7, written apart from what reads it. */
export function loginMessage(options: LoginOptions): Buffer {
  const { user = 'sa', password = 'Secret-1', database = '', language = '' } = options;
  const hidden = utf16(password).map((byte) => (((byte & 15) << 4) | (byte >> 4)) ^ 0xa5);
  const features = options.features ?? [];
  const texts = [utf16(options.hostName ?? 'here'), utf16(user), Buffer.from(hidden)];
  texts.push(utf16(options.appName ?? 'bare'), utf16('server'), Buffer.alloc(4), utf16('library'));
  texts.push(utf16(language), utf16(database));
  const fixed = Buffer.alloc(94);
  let at = fixed.length;
  for (const [n, bytes] of texts.entries()) {
    fixed.writeUInt16LE(at, 36 + n * 4);
    fixed.writeUInt16LE(n === 5 ? 4 : bytes.length / 2, 38 + n * 4);
    at += bytes.length;
  }
  for (const place of [78, 82, 86]) fixed.writeUInt16LE(at, place);
  if (features.length > 0) texts[5]?.writeUInt32LE(at);
  const extension = features.flatMap(({ id, data }) => {
    const head = Buffer.alloc(5);
    head[0] = id;
    head.writeUInt32LE(data.length, 1);
    return [head, data];
  });
  const tail = features.length > 0 ? [...extension, Uint8Array.of(0xff)] : [];
  const whole = Buffer.concat([fixed, ...texts, ...tail]);
  whole.writeUInt32LE(whole.length, 0);
  whole.writeUInt32LE(options.tdsVersion ?? 0x74000004, 4);
  whole.writeUInt32LE(options.packetBytes ?? 4096, 8);
  whole[25] = 0x03;
  whole[26] = options.isReadOnly === true ? 0x20 : 0;
  whole[27] = features.length > 0 ? 0x10 : 0;
  return whole;
}

/** ALL_HEADERS with a transaction descriptor. */
export function headers(transaction = 0n, outstanding = 1): Buffer {
  const bytes = Buffer.from('16000000120000000200000000000000000000000000', 'hex');
  bytes.writeBigUInt64LE(transaction, 10);
  bytes.writeUInt32LE(outstanding, 18);
  return bytes;
}

/**
 * A client that does exactly what a test says, right or wrong, without TLS. It follows transactions as drivers do:
 * `transaction` is what goes into the headers.
 */
export class BareClient {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #isClosed = false;
  transaction = 0n;
  packetBytes = 4096;
  readonly tdsVersion: number;

  private constructor(socket: Socket, tdsVersion: number) {
    this.#socket = socket;
    this.tdsVersion = tdsVersion;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake?.();
    });
    socket.on('error', () => {});
  }

  /** A connection before its first byte. */
  static async open(port: number, tdsVersion = 0x74000004): Promise<BareClient> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new BareClient(socket, tdsVersion);
  }

  /** A session; throws the first error of a login that fails. */
  static async logIn(port: number, options: LoginOptions = {}): Promise<BareClient> {
    const client = await BareClient.open(port, options.tdsVersion);
    const answer = await client.signIn(options);
    const [error] = answer.errors;
    if (error !== undefined) throw new Error(`${error.number}: ${error.message}`);
    return client;
  }

  async signIn(options: LoginOptions = {}): Promise<Answer> {
    this.send(
      packetType.prelogin,
      Buffer.from('00000b000601001100 01ff00000000000002'.replace(' ', ''), 'hex'),
    );
    await this.message();
    this.send(packetType.login, loginMessage(options));
    const answer = await this.answer();
    const size = answer.changes.find(({ type }) => type === 4);
    if (size !== undefined) this.packetBytes = Number(size.now);
    return answer;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** One message, cut into packets. `status` is of its first. */
  send(type: number, payload: Uint8Array, status = 0): void {
    const packets = cut(payload, type, this.packetBytes);
    packets[1] = (packets[1] ?? 0) | status;
    this.#socket.write(packets);
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Without its answer. */
  sendBatch(sql: string, status = 0): void {
    const head = this.tdsVersion >= 0x72000000 ? headers(this.transaction) : Buffer.alloc(0);
    this.send(packetType.sqlBatch, Buffer.concat([head, utf16(sql)]), status);
  }

  async batch(sql: string, status = 0): Promise<Answer> {
    this.sendBatch(sql, status);
    return await this.answer();
  }

  /** The rows of the first result; errors are thrown. */
  async rows(sql: string): Promise<readonly (readonly Value[])[]> {
    const { errors, sets } = await this.batch(sql);
    const [error] = errors;
    if (error !== undefined) throw new Error(`${error.number}: ${error.message}`);
    return sets[0]?.rows ?? [];
  }

  /** The one value of a query. */
  async value(sql: string): Promise<Value> {
    return (await this.rows(sql))[0]?.[0] ?? null;
  }

  /** RPC, with parameters as bytes; see `parameter`. */
  async call(
    procedure: number | string,
    parameters: readonly Uint8Array[],
    status = 0,
  ): Promise<Answer> {
    const name = Buffer.alloc(4);
    if (typeof procedure === 'number') {
      name.writeUInt16LE(0xff_ff, 0);
      name.writeUInt16LE(procedure, 2);
    }
    const text = typeof procedure === 'string' ? utf16(procedure) : Buffer.alloc(0);
    if (typeof procedure === 'string') name.writeUInt16LE(text.length / 2, 0);
    const head = typeof procedure === 'string' ? Buffer.concat([name.subarray(0, 2), text]) : name;
    const all = this.tdsVersion >= 0x72000000 ? headers(this.transaction) : Buffer.alloc(0);
    const payload = Buffer.concat([all, head, Buffer.alloc(2), ...parameters]);
    this.send(packetType.rpc, payload, status);
    return await this.answer();
  }

  /** A transaction manager's request. */
  async transact(request: number, rest: Uint8Array, status = 0): Promise<Answer> {
    const payload = Buffer.concat([headers(this.transaction), Buffer.from([request, 0]), rest]);
    this.send(packetType.transactionManager, payload, status);
    return await this.answer();
  }

  attention(): void {
    this.send(packetType.attention, new Uint8Array(0));
  }

  async answer(): Promise<Answer> {
    const answer = readAnswer(await this.message(), this.tdsVersion);
    for (const { type, now } of answer.changes) {
      if (type === 8 && now instanceof Uint8Array)
        this.transaction = Buffer.from(now).readBigUInt64LE(0);
      if (type === 9 || type === 10 || type === 18) this.transaction = 0n;
    }
    return answer;
  }

  /** The payload of the next message. Throws where the connection closes first. */
  async message(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (;;) {
      const head = await this.#take(8);
      pieces.push(await this.#take(head.readUInt16BE(2) - 8));
      if (((head[1] ?? 0) & packetStatus.last) !== 0) return Buffer.concat(pieces);
    }
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  close(): void {
    this.#socket.destroy();
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.#isClosed) throw new Error('the connection was closed');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }
}

/** A parameter of an RPC request: an int or a text, by name or by place. */
export function parameter(
  value: number | string | null,
  { name = '', isOutput = false } = {},
): Buffer {
  const head = Buffer.concat([
    Buffer.from([name.length]),
    utf16(name),
    Buffer.from([isOutput ? 1 : 0]),
  ]);
  if (typeof value === 'string') {
    const text = utf16(value);
    const about = Buffer.from('e7401f0904d00034', 'hex');
    const size = Buffer.alloc(2);
    size.writeUInt16LE(text.length);
    return Buffer.concat([head, about, size, text]);
  }
  if (value === null) return Buffer.concat([head, Buffer.from([0x26, 4, 0])]);
  const body = Buffer.from([0x26, 4, 4, 0, 0, 0, 0]);
  body.writeInt32LE(value, 3);
  return Buffer.concat([head, body]);
}
