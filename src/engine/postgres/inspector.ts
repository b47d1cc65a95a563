import type { PinReason } from '../../core/pin.ts';
import { readParse, readQuery } from '../../wire/postgres/frontend-read.ts';
import type { StreamingClassifier, Verdict } from './pins.ts';
import { Classifier } from './pins.ts';

/** All sessions share what has been learnt about statement texts. */
const classifier = new Classifier();

/** Looks at the statements that a client sends, whole or as they stream by, and says what they leave on the connection. */
export class Inspector {
  readonly #pin: (reason: PinReason, digest: string) => void;
  #streaming: StreamingClassifier | undefined;
  /** The statement name of a Parse has not ended yet. */
  #inName = false;
  /** The text has ended; what follows are parameter types. */
  #textOver = false;

  constructor(pin: (reason: PinReason, digest: string) => void) {
    this.#pin = pin;
  }

  /** A Query, of which `bytes[start, end)` has arrived. */
  query(bytes: Uint8Array, start: number, end: number, bodyBytes: number): void {
    if (end - start < bodyBytes) {
      this.#stream(false, bytes, start, end);
      return;
    }
    this.#judge(classifier.classify(bytes, start, readQuery(bytes, start, end)));
  }

  /** A Parse, of which `bytes[start, end)` has arrived. A named statement outlives its request. */
  parse(bytes: Uint8Array, start: number, end: number, bodyBytes: number): void {
    if (end - start < bodyBytes) {
      this.#stream(true, bytes, start, end);
      return;
    }
    const { nameEnd, sqlStart, sqlEnd } = readParse(bytes, start, end);
    if (nameEnd > start) this.#pin('preparedStatement', classifier.digest(bytes, sqlStart, sqlEnd));
    this.#judge(classifier.classify(bytes, sqlStart, sqlEnd));
  }

  /** More of a message that streams by. */
  feed(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    if (this.#streaming === undefined) return;
    this.#look(bytes, start, end);
    if (!isLast) return;
    const verdict = this.#streaming.finish();
    this.#streaming = undefined;
    this.#judge(verdict);
  }

  #stream(hasName: boolean, bytes: Uint8Array, start: number, end: number): void {
    this.#streaming = classifier.beginStreaming();
    this.#inName = hasName;
    this.#textOver = false;
    this.#look(bytes, start, end);
  }

  #look(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    if (this.#inName && end > from) {
      // Its name alone makes a prepared statement outlive the request, whatever its text turns out to be.
      if (bytes[from] !== 0) this.#pin('preparedStatement', 'a statement that arrived in pieces');
      const nameEnd = bytes.indexOf(0, from);
      if (nameEnd < 0 || nameEnd >= end) return;
      this.#inName = false;
      from = nameEnd + 1;
    }
    if (this.#textOver) return;
    const textEnd = bytes.indexOf(0, from);
    this.#textOver = textEnd >= 0 && textEnd < end;
    this.#streaming?.feed(bytes, from, this.#textOver ? textEnd : end);
  }

  #judge(verdict: Verdict): void {
    for (const reason of verdict.reasons) this.#pin(reason, verdict.digest);
  }
}
