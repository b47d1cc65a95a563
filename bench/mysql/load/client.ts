import { Answers } from './answers.ts';
import { Connection } from '../../support/load/connection.ts';
import type { Login } from '../../support/load/order.ts';
import { answerGreeting, readGreeting, readSwitch, tlsRequest } from './greeting.ts';
import {
  command,
  expectNoError,
  framing,
  HEAD_BYTES,
  MORE_AUTH_DATA,
  OK,
  packet,
  PREPARE,
  QUERY,
  QUIT,
  SWITCH_AUTH,
} from './packets.ts';
import { proofOf, sealed } from './passwords.ts';

/** Of caching_sha2_password: the server knows the password already, or wants to see it. */
const KNOWN = 0x03;
const SHOW = 0x04;
const ASK_FOR_KEY = 0x02;

/** A client that has signed in. */
export class Client {
  readonly connection: Connection;
  /** As the server calls it. */
  readonly serverVersion: string;

  private constructor(connection: Connection, serverVersion: string) {
    this.connection = connection;
    this.serverVersion = serverVersion;
  }

  static async signIn(login: Login): Promise<Client> {
    const connection = await Connection.open(login.host, login.port, framing);
    try {
      return new Client(connection, await enter(connection, login));
    } catch (problem) {
      connection.destroy();
      throw problem;
    }
  }

  /** Runs a statement and reads over the answer. */
  async ask(sql: string): Promise<void> {
    this.connection.send(command(QUERY, Buffer.from(sql)));
    const answers = new Answers();
    for (;;) {
      const payload = await payloadOf(this.connection);
      if (answers.feed(packet(0, payload)) > 0) return;
    }
  }

  /** Of a query that returns one number. */
  async number(sql: string): Promise<number> {
    this.connection.send(command(QUERY, Buffer.from(sql)));
    // How many columns there are, and what they are called.
    for (let left = 2; left > 0; left -= 1) expectNoError(await payloadOf(this.connection));
    const row = expectNoError(await payloadOf(this.connection));
    await payloadOf(this.connection);
    return Number(Buffer.from(row).toString('latin1', 1));
  }

  /** The number that the server gives to the statement. */
  async prepare(sql: string): Promise<number> {
    this.connection.send(command(PREPARE, Buffer.from(sql)));
    const head = Buffer.from(expectNoError(await payloadOf(this.connection)));
    const descriptions = head.readUInt16LE(5) + head.readUInt16LE(7);
    for (let left = descriptions; left > 0; left -= 1) await payloadOf(this.connection);
    return head.readUInt32LE(1);
  }

  /** Says goodbye and waits until the server has closed. */
  async quit(): Promise<void> {
    this.connection.send(command(QUIT));
    await this.connection.end();
  }

  destroy(): void {
    this.connection.destroy();
  }
}

/** The next packet's. */
async function payloadOf(connection: Connection): Promise<Uint8Array> {
  return (await connection.read()).subarray(HEAD_BYTES);
}

/** Returns the server's version. */
async function enter(connection: Connection, login: Login): Promise<string> {
  const greeting = readGreeting(expectNoError(await payloadOf(connection)));
  const { user, database, password, tls } = login;
  let number = 1;
  const send = (payload: Uint8Array): void => {
    connection.send(packet(number, payload));
    number += 2;
  };
  if (tls) {
    if (!greeting.hasTls) throw new Error('the server has no TLS');
    connection.send(packet(number, tlsRequest()));
    number += 1;
    await connection.startTls();
  }
  let { plugin, nonce } = greeting;
  // A plugin that is not known here is answered like one that is: the server then switches to the user's own.
  if (plugin !== 'mysql_native_password') plugin = 'caching_sha2_password';
  send(answerGreeting({ tls, user, database, plugin, proof: proofOf(plugin, password, nonce) }));
  for (;;) {
    const payload = expectNoError(await payloadOf(connection));
    const [kind, what] = payload;
    if (kind === OK) return greeting.version;
    if (kind === SWITCH_AUTH) {
      ({ plugin, nonce } = readSwitch(payload));
      send(proofOf(plugin, password, nonce));
    } else if (kind === MORE_AUTH_DATA && what === SHOW) {
      if (tls) send(Buffer.from(`${password}\0`));
      else send(Uint8Array.of(ASK_FOR_KEY));
    } else if (kind === MORE_AUTH_DATA && what !== KNOWN) {
      send(sealed(password, nonce, Buffer.from(payload.subarray(1)).toString()));
    } else if (kind !== MORE_AUTH_DATA) {
      throw new Error(`the server answers the sign-in with ${String(kind)}`);
    }
  }
}
