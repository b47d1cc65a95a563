import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { message, packetType } from '../../../src/wire/tds/packets.ts';
import type { Connection, Ends, Layer } from '../../support/load/connection.ts';
import { framing, HEAD_BYTES } from './packets.ts';

const PACKET_BYTES = 4_096;
const NOTHING = Buffer.alloc(0);
/** What an envelope has no room for begins with 1.3: tickets, which come when the handshake is over. */
export const TLS_VERSION = 'TLSv1.2';

/** TLS as TDS has it up to 7.4: the handshake in packets, and everything else as it is. [MS-TDS] 2.2.6.5 */
export class EnvelopedTls implements Layer {
  readonly #stream: Duplex;
  readonly #tls: TLSSocket;
  readonly #agreed = Promise.withResolvers<void>();
  #isShaking = true;
  #unread: Buffer = NOTHING;

  private constructor(ends: Ends) {
    this.#stream = new Duplex({
      read() {},
      write: (bytes: Uint8Array, _, done) => {
        ends.send(this.#isShaking ? message(packetType.prelogin, bytes, PACKET_BYTES) : bytes);
        done();
      },
    });
    this.#tls = connect({
      ...{ socket: this.#stream, rejectUnauthorized: false, maxVersion: TLS_VERSION },
    });
    this.#tls.on('data', (bytes: Buffer) => ends.arrived(bytes));
    this.#tls.on('error', (problem) => ends.ended(problem));
    this.#tls.on('secureConnect', () => {
      this.#isShaking = false;
      this.#agreed.resolve();
    });
  }

  /** Resolves when everything is encrypted. */
  static async start(connection: Connection): Promise<void> {
    const agreed = Promise.withResolvers<void>();
    connection.put((ends) => {
      const layer = new EnvelopedTls(ends);
      layer.#agreed.promise.then(agreed.resolve, agreed.reject);
      return layer;
    });
    await agreed.promise;
  }

  get tlsVersion(): string | undefined {
    return this.#tls.getProtocol() ?? undefined;
  }

  send(bytes: Uint8Array): void {
    // A copy: the next statement is drawn in the same bytes.
    this.#tls.write(Buffer.from(bytes));
  }

  arrived(bytes: Buffer): void {
    if (!this.#isShaking) {
      // A copy: the socket keeps what it has handed over.
      this.#stream.push(Buffer.from(bytes));
      return;
    }
    this.#unread = Buffer.concat([this.#unread, bytes]);
    while (this.#unread.length >= HEAD_BYTES) {
      const length = framing.lengthOf(this.#unread);
      if (this.#unread.length < length) return;
      this.#stream.push(this.#unread.subarray(HEAD_BYTES, length));
      this.#unread = this.#unread.subarray(length);
    }
  }

  ended(problem: Error): void {
    this.#agreed.reject(problem);
  }

  destroy(): void {
    this.#tls.destroy();
  }
}
