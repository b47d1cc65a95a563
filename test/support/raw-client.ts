import { createHash } from 'node:crypto';
import { cstrings, errorFields, frontend, parseMessages, rowValues } from './messages.ts';
import type { Message } from './messages.ts';
import { scramClient } from './scram-client.ts';
import type { SaidBinding, ScramClient } from './scram-client.ts';
import { DEADLINE_MS, plainHandlers, TestSocket } from './test-socket.ts';

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** `direct` begins with the TLS hello, as libpq 17 does with `sslnegotiation=direct`. Default `none`. */
  readonly tls?: 'none' | 'startTls' | 'direct';
  /** What goes ahead of everything, as from a load balancer. */
  readonly header?: Uint8Array;
  /** PEM of the certificate to trust; without it none is checked. */
  readonly ca?: string;
  /** Default: the host. */
  readonly serverName?: string;
  /** The longest wait for bytes. Default 10 s. */
  readonly deadlineMs?: number;
}

export interface Login {
  readonly user: string;
  readonly password?: string;
  /** Default: the user's name, as the server has it. */
  readonly database?: string;
  /** Further start-up parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Protocol 3.x. Default 0. */
  readonly minor?: number;
  /** By SCRAM: the mechanism to choose and what to say of channel binding. Default `SCRAM-SHA-256`, and nothing. */
  readonly scram?: { readonly mechanism: string; readonly binding: SaidBinding };
}

const PLAIN_SCRAM = { mechanism: 'SCRAM-SHA-256', binding: { flag: 'n' } } as const;

/** What a database told a client that it let in. */
export interface Welcome {
  readonly parameters: ReadonlyMap<string, string>;
  readonly pid: number;
  readonly secret: Uint8Array;
  /** Every message up to ReadyForQuery. */
  readonly messages: readonly Message[];
}

/** An ErrorResponse where none was expected. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  /** By letter: S, V, C, M, D, H, … */
  readonly fields: Readonly<Record<string, string>>;

  constructor(body: Uint8Array) {
    const fields = errorFields(body);
    super(`${fields['S']} ${fields['C']} ${fields['M']}`);
    this.fields = fields;
  }

  get code(): string | undefined {
    return this.fields['C'];
  }
}

/** A PostgreSQL client that says exactly what a test tells it to, and shows exactly what came back. */
export class RawClient {
  /** For bytes that are no messages, and for pausing and cutting the connection. */
  readonly socket: TestSocket;
  #welcome: Welcome | undefined;

  private constructor(socket: TestSocket) {
    this.socket = socket;
  }

  /** Connects, with TLS where asked for; says nothing else yet. */
  static async connect(options: ConnectOptions): Promise<RawClient> {
    const { promise, resolve } = Promise.withResolvers<TestSocket>();
    await Bun.connect<TestSocket>({
      hostname: options.host,
      port: options.port,
      socket: {
        ...plainHandlers,
        open(socket) {
          socket.data = new TestSocket(socket, options.deadlineMs ?? DEADLINE_MS);
          resolve(socket.data);
        },
      },
    });
    const client = new RawClient(await promise);
    if (options.header !== undefined) client.send(options.header);
    if (options.tls === 'startTls') await client.negotiateTls();
    if (options.tls === 'startTls' || options.tls === 'direct') await client.startTls(options);
    return client;
  }

  /** Connects and signs in; throws `ServerError` where the server refuses. */
  static async signIn(options: ConnectOptions & Login): Promise<RawClient> {
    const client = await RawClient.connect(options);
    try {
      await client.signIn(options);
    } catch (problem) {
      client.destroy();
      throw problem;
    }
    return client;
  }

  /** What the server said at sign-in. */
  get welcome(): Welcome {
    if (this.#welcome === undefined) throw new Error('this client has not signed in');
    return this.#welcome;
  }

  /** Asks for TLS; throws where the server will not. */
  async negotiateTls(): Promise<void> {
    this.send(frontend.sslRequest());
    const [answer = 0] = await this.socket.read(1);
    const said = String.fromCharCode(answer);
    if (said !== 'S') throw new Error(`the server answered ${said} to the request for TLS`);
  }

  async startTls(options: Pick<ConnectOptions, 'host' | 'ca' | 'serverName'>): Promise<void> {
    const tls = {
      serverName: options.serverName ?? options.host,
      ALPNProtocols: '\x0apostgresql',
      rejectUnauthorized: options.ca !== undefined,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    };
    await this.socket.startTls(tls, 'client');
  }

  async signIn(login: Login): Promise<Welcome> {
    const { user, database, parameters, minor } = login;
    this.send(
      frontend.startup(
        { user, ...(database === undefined ? {} : { database }), ...parameters },
        minor,
      ),
    );
    const messages: Message[] = [];
    const { binding } = login.scram ?? PLAIN_SCRAM;
    const scram = scramClient(login.password ?? '', undefined, binding);
    for (;;) {
      const message = await this.read();
      messages.push(message);
      if (message.type === 'E') throw new ServerError(message.body);
      if (message.type === 'R') this.#prove(message.body, login, scram);
      if (message.type === 'Z') break;
    }
    this.#welcome = welcomeOf(messages);
    return this.#welcome;
  }

  send(...parts: readonly Uint8Array[]): void {
    this.socket.send(...parts);
  }

  /** The next message. */
  async read(): Promise<Message> {
    return await this.socket.readMessage();
  }

  /** Messages up to and with the `count`th of this type. */
  async readUntil(type: string, count = 1): Promise<readonly Message[]> {
    const messages: Message[] = [];
    for (let left = count; left > 0;) {
      const message = await this.read();
      messages.push(message);
      if (message.type === type) left -= 1;
    }
    return messages;
  }

  /** Messages up to and with the `count`th ReadyForQuery. */
  async readUntilReady(count = 1): Promise<readonly Message[]> {
    return await this.readUntil('Z', count);
  }

  /** Sends a simple query and reads the whole answer, errors included. */
  async query(sql: string): Promise<readonly Message[]> {
    this.send(frontend.query(sql));
    return await this.readUntilReady();
  }

  /** The rows of a simple query as texts; throws `ServerError` where it fails. */
  async rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    const messages = await this.query(sql);
    for (const { type, body } of messages) if (type === 'E') throw new ServerError(body);
    return messages.filter(({ type }) => type === 'D').map(({ body }) => rowValues(body));
  }

  /** The first column of the first row. */
  async value(sql: string): Promise<string | null | undefined> {
    const [row] = await this.rows(sql);
    return row?.[0];
  }

  /** Waits for the server to close, and tells what it still said. */
  async readEnd(): Promise<readonly Message[]> {
    return parseMessages(await this.socket.readEnd());
  }

  /** Says goodbye and waits until the server has closed. */
  async end(): Promise<void> {
    this.send(frontend.terminate());
    await this.socket.readEnd();
    this.socket.end();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }

  #prove(body: Uint8Array, login: Login, scram: ScramClient): void {
    const request = Buffer.from(body);
    const password = login.password ?? '';
    const kind = request.readInt32BE(0);
    const data = request.subarray(4);
    switch (kind) {
      case 0:
        return;
      case 3:
        this.send(frontend.password(password));
        return;
      case 5:
        this.send(frontend.password(md5Answer(login.user, password, data)));
        return;
      case 10: {
        const { mechanism } = login.scram ?? PLAIN_SCRAM;
        if (!cstrings(data).includes('SCRAM-SHA-256'))
          throw new Error('the server offers no SCRAM-SHA-256');
        this.send(frontend.saslInitial(mechanism, scram.first()));
        return;
      }
      case 11:
        this.send(frontend.saslResponse(scram.final(data.toString())));
        return;
      case 12:
        scram.check(data.toString());
        return;
      default:
        throw new Error(`the server asks for authentication ${kind}`);
    }
  }
}

function welcomeOf(messages: readonly Message[]): Welcome {
  const parameters = new Map<string, string>();
  let pid = 0;
  let secret: Uint8Array = new Uint8Array(0);
  for (const { type, body } of messages) {
    if (type === 'S') {
      const [name = '', value = ''] = cstrings(body);
      parameters.set(name, value);
    }
    if (type === 'K') {
      pid = Buffer.from(body).readUInt32BE(0);
      secret = body.slice(4);
    }
  }
  return { parameters, pid, secret, messages };
}

function md5Answer(user: string, password: string, salt: Uint8Array): string {
  const inner = createHash('md5').update(password).update(user).digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}
