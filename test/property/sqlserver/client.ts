import { EMPTY, utf16 } from '../../../src/base/bytes.ts';
import { flags1, flags2 } from '../../../src/wire/tds/login-flags.ts';
import { login7 } from '../../../src/wire/tds/login7.ts';
import {
  DEFAULT_PACKET_BYTES,
  HEADER_BYTES,
  message,
  packetBytes,
  packetStatus,
  packetType,
} from '../../../src/wire/tds/packets.ts';
import { encryption, prelogin } from '../../../src/wire/tds/prelogin.ts';
import { DEADLINE_MS, plainHandlers, TestSocket } from '../../support/test-socket.ts';
import { readReply } from './reply.ts';
import type { Reply } from './reply.ts';

export interface TdsLoginParts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Empty: the login's own. */
  readonly language: string;
  readonly appName: string;
  readonly hostName: string;
  readonly packetBytes: number;
  /** As `versions.ts` has it. */
  readonly version: number;
  /** The session begins with what ODBC wants. */
  readonly isOdbc: boolean;
  /** The longest wait for bytes. Default 10 s. */
  readonly deadlineMs?: number;
}

/** The server has answered with an error. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly numbers: readonly number[];

  constructor(reply: Reply) {
    super(reply.lines.join('\n'));
    this.numbers = reply.errors;
  }
}

/**
 * A client of SQL Server's, without TLS, that says exactly what it is told to. It follows the transaction as drivers do: its
 * descriptor goes into what comes next.
 */
export class TdsTalker {
  readonly socket: TestSocket;
  readonly version: number;
  /** What let it in. */
  welcome: Reply | undefined;
  packetBytes = DEFAULT_PACKET_BYTES;
  /** The descriptor of the transaction that it has been told of last; 0 for none. */
  transaction = 0n;
  /** The server has said so with its last word, or has told of a transaction that began. */
  inTransaction = false;

  private constructor(socket: TestSocket, version: number) {
    this.socket = socket;
    this.version = version;
  }

  /** Throws `Refused`. */
  static async signIn(login: TdsLoginParts): Promise<TdsTalker> {
    const { promise, resolve } = Promise.withResolvers<TestSocket>();
    await Bun.connect<TestSocket>({
      hostname: login.host,
      port: login.port,
      socket: {
        ...plainHandlers,
        open(socket) {
          socket.data = new TestSocket(socket, login.deadlineMs ?? DEADLINE_MS);
          resolve(socket.data);
        },
      },
    });
    const talker = new TdsTalker(await promise, login.version);
    try {
      await talker.#signIn(login);
    } catch (problem) {
      talker.destroy();
      throw problem;
    }
    return talker;
  }

  async #signIn(login: TdsLoginParts): Promise<void> {
    this.socket.send(this.packets(packetType.prelogin, GREETING));
    await this.hearPayload();
    this.socket.send(this.packets(packetType.login, loginOf(login)));
    const reply = await this.hear();
    if (reply.errors.length > 0) throw new Refused(reply);
    this.welcome = reply;
    this.packetBytes = reply.packetBytes ?? DEFAULT_PACKET_BYTES;
  }

  /** One message, cut into packets as agreed. @param status of the first */
  packets(type: number, payload: Uint8Array, status = 0): Uint8Array {
    return message(type, payload, this.packetBytes, status);
  }

  /** The next message, and what follows from it. */
  async hear(): Promise<Reply> {
    const reply = readReply(await this.hearPayload(), this.version);
    this.transaction = reply.transaction ?? this.transaction;
    this.inTransaction = reply.isInTransaction || this.transaction !== 0n;
    return reply;
  }

  async hearPayload(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const head = await this.socket.peek(HEADER_BYTES);
      const packet = await this.socket.read(packetBytes(head, 0));
      if (packet[0] !== packetType.result) throw new Error(`a packet of type ${packet[0]}`);
      if (packet.length > this.packetBytes)
        throw new Error(`${packet.length} bytes where packets have ${this.packetBytes}`);
      pieces.push(packet.slice(HEADER_BYTES));
      if (((packet[1] ?? 0) & packetStatus.endOfMessage) !== 0) return Buffer.concat(pieces);
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}

const GREETING = prelogin({
  version: Uint8Array.of(18, 0, 0, 0, 0, 0),
  encryption: encryption.notSupported,
  instance: '',
  threadId: new Uint8Array(4),
  mars: false,
  traceId: undefined,
  fedAuthRequired: undefined,
  nonce: undefined,
});

function loginOf(login: TdsLoginParts): Uint8Array {
  return login7({
    tdsVersion: login.version,
    packetBytes: login.packetBytes,
    clientVersion: 1,
    clientPid: 1,
    connectionId: 0,
    flags1: flags1.useDb | flags1.databaseFatal | flags1.setLang,
    flags2: flags2.languageFatal | (login.isOdbc ? flags2.odbc : 0),
    typeFlags: 0,
    flags3: 0,
    timeZone: 0,
    lcid: 1033,
    hostName: login.hostName,
    userName: login.user,
    password: utf16(login.password),
    appName: login.appName,
    serverName: 'localhost',
    libraryName: 'talker',
    language: login.language,
    database: login.database,
    clientId: new Uint8Array(6),
    sspi: EMPTY,
    attachFile: '',
    newPassword: EMPTY,
    features: [],
  });
}
