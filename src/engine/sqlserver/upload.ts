import type { RelaySink } from '../../core/engine.ts';
import type { Repacker } from '../../wire/tds/packets.ts';
import type { LongRequest } from './requests.ts';
import type { Effects } from './sql/effects.ts';

/** A request that is too long to be put together: it is passed on as it arrives, and read as it passes where that tells what it does. */
export class Upload {
  readonly #sink: Pick<RelaySink, 'toServer'>;
  readonly #packets: Repacker;
  readonly #reader: LongRequest['reader'] | undefined;

  constructor(
    sink: Pick<RelaySink, 'toServer'>,
    packets: Repacker,
    reader: LongRequest['reader'] | undefined,
  ) {
    this.#sink = sink;
    this.#packets = packets;
    this.#reader = reader;
  }

  /** What it does becomes known at its end. */
  get isRead(): boolean {
    return this.#reader !== undefined;
  }

  /** What all of it does, once it has ended. */
  get effects(): Effects | undefined {
    return this.#reader?.effects;
  }

  /** Its payload goes on with these bytes. */
  add(bytes: Uint8Array): void {
    this.pass(this.#reader?.add(bytes) ?? bytes);
  }

  /** The same of what has been read already. */
  pass(bytes: Uint8Array): void {
    this.#send(this.#packets.add(bytes, 0, bytes.length));
  }

  /** That was all of it. @param status of the last packet, besides that it is the last */
  end(status: number): void {
    if (this.#reader !== undefined) this.pass(this.#reader.end());
    this.#send(this.#packets.finish(status));
  }

  #send(packets: Uint8Array): void {
    if (packets.length > 0) this.#sink.toServer(packets);
  }
}
