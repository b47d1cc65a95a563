import { login7 } from '../../../src/wire/tds/login7.ts';
import { flags1, flags2 } from '../../../src/wire/tds/login-flags.ts';
import { message, packetType } from '../../../src/wire/tds/packets.ts';
import { encryption, prelogin, readPrelogin } from '../../../src/wire/tds/prelogin.ts';
import { procedure, rpcCall } from '../../../src/wire/tds/rpc.ts';
import { sqlBatch } from '../../../src/wire/tds/sql-batch.ts';
import { tdsVersion } from '../../../src/wire/tds/versions.ts';
import { utf16 } from '../../../src/base/bytes.ts';
import { Connection } from '../../support/load/connection.ts';
import type { Login } from '../../support/load/order.ts';
import type { Answer } from './answer.ts';
import { readAnswer } from './answer.ts';
import { framing, readReply } from './packets.ts';
import { EnvelopedTls } from './tls.ts';

/** What the drivers of Microsoft's ask for. */
const PACKET_BYTES = 8_000;
/** Before the login has agreed on another size. */
const FIRST_PACKET_BYTES = 4_096;
const CLIENT_VERSION = Uint8Array.of(0, 1, 0, 0, 0, 0);
const NOTHING = new Uint8Array(0);

/** A client that has signed in. */
export class Client {
  readonly connection: Connection;
  /** What the server says that it is. */
  readonly server: string;
  readonly #packetBytes: number;

  private constructor(connection: Connection, { server, packetBytes }: Answer) {
    if (server === undefined) throw new Error('the server does not acknowledge the login');
    this.connection = connection;
    this.server = server;
    this.#packetBytes = packetBytes ?? FIRST_PACKET_BYTES;
  }

  static async signIn(login: Login): Promise<Client> {
    const connection = await Connection.open(login.host, login.port, framing);
    try {
      await agree(connection, login.tls);
      return new Client(connection, await enter(connection, login));
    } catch (problem) {
      connection.destroy();
      throw problem;
    }
  }

  /** Whether the server at this address has TLS for those who want it. */
  static async hasTls({ host, port }: Pick<Login, 'host' | 'port'>): Promise<boolean> {
    const connection = await Connection.open(host, port, framing);
    try {
      return isOn(await offered(connection, encryption.on));
    } finally {
      connection.destroy();
    }
  }

  /** Runs a batch outside of transactions. */
  async ask(sql: string): Promise<Answer> {
    this.send(sql);
    return readAnswer(await readReply(this.connection));
  }

  /** Sends a batch, whose answer is the caller's. */
  send(sql: string): void {
    const payload = sqlBatch(sql, 0n, tdsVersion.v74);
    this.connection.send(message(packetType.sqlBatch, payload, this.#packetBytes));
  }

  /** The handle that the server gives to the statement. */
  async prepare(sql: string, parameters: string): Promise<number> {
    const handle = { isOutput: true, int: undefined };
    const others = [{ text: parameters }, { text: sql }, { int: 1 }];
    const payload = rpcCall(procedure.prepare, [handle, ...others], 0n, tdsVersion.v74);
    this.connection.send(message(packetType.rpc, payload, this.#packetBytes));
    const { returned } = readAnswer(await readReply(this.connection));
    if (returned === undefined) throw new Error('sp_prepare has returned no handle');
    return returned;
  }

  /** Leaves and waits until the server has closed. */
  async quit(): Promise<void> {
    await this.connection.leave();
  }

  destroy(): void {
    this.connection.destroy();
  }
}

/** On TLS, or on none of it. */
async function agree(connection: Connection, tls: boolean): Promise<void> {
  const answered = await offered(connection, tls ? encryption.on : encryption.notSupported);
  if (tls && !isOn(answered)) throw new Error('the server has no TLS');
  if (!tls && answered !== encryption.notSupported)
    throw new Error('the server lets nobody in without TLS');
  if (tls) await EnvelopedTls.start(connection);
}

function isOn(answered: number | undefined): boolean {
  return answered === encryption.on || answered === encryption.required;
}

/** What the server says of encryption to a client that says this of it. */
async function offered(connection: Connection, wanted: number): Promise<number | undefined> {
  const said = prelogin({
    ...{ version: CLIENT_VERSION, encryption: wanted, instance: '' },
    ...{ threadId: new Uint8Array(4), mars: false },
    ...{ traceId: undefined, fedAuthRequired: undefined, nonce: undefined },
  });
  connection.send(message(packetType.prelogin, said, FIRST_PACKET_BYTES));
  return readPrelogin(await readReply(connection)).encryption;
}

async function enter(
  connection: Connection,
  { host, user, password, database }: Login,
): Promise<Answer> {
  const said = login7({
    ...{ tdsVersion: tdsVersion.v74, packetBytes: PACKET_BYTES, clientVersion: 1 },
    ...{ clientPid: process.pid, connectionId: 0 },
    flags1: flags1.useDb | flags1.databaseFatal | flags1.setLang,
    flags2: flags2.languageFatal | flags2.odbc,
    ...{ typeFlags: 0, flags3: 0, timeZone: 0, lcid: 0x0409 },
    ...{ hostName: 'bench', userName: user, password: utf16(password), appName: 'bench' },
    ...{ serverName: host, libraryName: 'bench', language: '', database },
    ...{ clientId: new Uint8Array(6), sspi: NOTHING, attachFile: '', newPassword: NOTHING },
    features: [],
  });
  connection.send(message(packetType.login, said, FIRST_PACKET_BYTES));
  return readAnswer(await readReply(connection));
}
