import { concat, EMPTY } from '../../base/bytes.ts';
import { LongParameter } from '../../wire/tds/long-parameter.ts';
import { RpcParameters } from '../../wire/tds/rpc-parameters.ts';
import type { RpcHead } from '../../wire/tds/rpc.ts';
import { readCall } from '../../wire/tds/rpc.ts';
import type { Effects } from './sql/effects.ts';
import { UNSURE } from './sql/effects.ts';

/** A parameter that is longer is stepped over. */
const HELD_BYTES = 65_536;

/** A parameter, which may be looked at when its bytes are gone. */
export interface Glimpse {
  readonly name: string;
  readonly isNull: boolean;
  readonly valueAt: number;
  readonly valueEnd: number;
  int(): number | undefined;
  text(): string | undefined;
}

/** Who knows what calls are about. */
export interface Onlooker {
  /** A call begins, whose head stands in these bytes. Returns how many of its first parameters are to be looked at. */
  begin(head: RpcHead, bytes: Uint8Array): number;
  /** The first parameters of a call are there, or all that it has; their values stand in these bytes, which may be changed. */
  hear(head: RpcHead, first: readonly Glimpse[], bytes: Uint8Array): Effects | undefined;
  together(effects: readonly Effects[]): Effects | undefined;
}

/** The calls of a request that is too long to be put together, behind its beginning: they are told apart as they pass. */
export class LongCalls {
  readonly #onlooker: Onlooker;
  readonly #version: number;
  readonly #heard: Effects[];
  /** What has come and has not been told apart yet. */
  #held: Uint8Array = EMPTY;
  /** The call at hand, whose parameters are being gathered. */
  #head: RpcHead | undefined;
  readonly #first: Glimpse[] = [];
  #count = 0;
  /** A call's parameters follow, and what it is about is known. */
  #isKnown: boolean;
  readonly #long = new LongParameter();
  /** Where one parameter ends and another begins nobody knows any more. */
  #isLost = false;

  /** @param parts `isInCall`: parameters of a call come next that has been looked at; else another call does */
  constructor(
    onlooker: Onlooker,
    parts: {
      readonly version: number;
      readonly effects: Effects | undefined;
      readonly isInCall: boolean;
    },
  ) {
    this.#onlooker = onlooker;
    this.#version = parts.version;
    this.#heard = parts.effects === undefined ? [] : [parts.effects];
    this.#isKnown = parts.isInCall;
  }

  /** More of them has come. Returns what can be passed on; the rest comes with what is next. */
  add(bytes: Uint8Array): Uint8Array {
    if (this.#isLost) return bytes;
    const all = this.#held.length === 0 ? bytes : concat([this.#held, bytes]);
    let at = 0;
    for (let next: number | undefined = 0; next !== undefined;) {
      at = next;
      next = this.#isLost ? undefined : this.#step(all, at, all.length);
    }
    if (this.#isLost) at = all.length;
    this.#held = all.slice(at);
    return all.subarray(0, at);
  }

  /** There is no more. Returns what is left to be passed on. */
  end(): Uint8Array {
    const rest = this.#held;
    this.#held = EMPTY;
    if (rest.length > 0 || !this.#long.isDone) this.#isLost = true;
    this.#endCall(rest);
    return rest;
  }

  get effects(): Effects | undefined {
    if (this.#isLost) return UNSURE;
    return this.#heard.length < 2 ? this.#heard[0] : this.#onlooker.together(this.#heard);
  }

  /** Goes past what is at `at`. Returns where that ends; undefined: more of it is to come. */
  #step(bytes: Uint8Array, at: number, end: number): number | undefined {
    if (at === end) return undefined;
    if (!this.#long.isDone) return this.#long.goOn(bytes, at, end);
    if (this.#head === undefined && !this.#isKnown) return this.#begin(bytes, at, end);
    const parameters = new RpcParameters(bytes, at, end, this.#version, false);
    const next = parameters.next();
    if (next === 'more') return end - at < HELD_BYTES ? undefined : this.#stepOver(bytes, at, end);
    if (next === 'end') {
      this.#endCall(bytes);
      this.#isKnown = false;
      return parameters.nextCallAt;
    }
    if (this.#head !== undefined) {
      const [int, text] = [next.int(), next.text()];
      const { name, isNull, valueAt, valueEnd } = next;
      const looked = { name, isNull, valueAt, valueEnd, int: () => int, text: () => text };
      this.#first.push(looked);
      if (this.#first.length >= this.#count) this.#endCall(bytes);
    }
    return next.end;
  }

  #begin(bytes: Uint8Array, at: number, end: number): number | undefined {
    const head = readCall(bytes, at, end);
    if (head === undefined) return undefined;
    this.#head = head;
    this.#count = this.#onlooker.begin(head, bytes);
    return head.parametersAt;
  }

  #stepOver(bytes: Uint8Array, at: number, end: number): number | undefined {
    const next = this.#long.begin(bytes, at, end, this.#version);
    this.#endCall(bytes);
    if (next === undefined) this.#isLost = true;
    return next;
  }

  /** As much as is looked at is there. */
  #endCall(bytes: Uint8Array): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#isKnown = true;
    const effects = this.#onlooker.hear(head, this.#first, bytes);
    this.#first.length = 0;
    if (effects !== undefined) this.#heard.push(effects);
  }
}
