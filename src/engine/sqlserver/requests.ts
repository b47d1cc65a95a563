import { u8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { packetStatus, packetType } from '../../wire/tds/packets.ts';
import { procedure } from '../../wire/tds/rpc.ts';
import { tmRequest } from '../../wire/tds/transaction-manager.ts';
import type { Template } from './prepared.ts';
import type { Effects } from './sql/effects.ts';
import { digestOf } from './sql/sql-digest.ts';

/** A request as it arrived: its payload, and the packet that it fills where it is only one. */
export interface Parcel {
  readonly type: number;
  /** The status of its first packet. */
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Where the packet begins in `bytes`; undefined where there are several, whose payloads have been put together. */
  readonly packetAt: number | undefined;
  /** There is more of it, which is passed on as it arrives. */
  readonly isCut: boolean;
}

/** One call of a remote procedure. One of these serves for many, one after the other. */
export class Call {
  procedure: number | string = 0;
  /** Where the handle that it names stands in the payload, counted from its beginning: an integer of four bytes. */
  handleAt: number | undefined;
  /** Of a call that prepares: what is to be closed first, as JDBC has it. */
  handle: number | undefined;
  /** The statement that it prepares. */
  prepares: { readonly parameters: string; readonly text: string } | undefined;
  /** The statement that it runs or closes or, once it has a connection, prepares; and the client's handle for that. */
  template: Template | undefined;
  given: number | undefined;

  begin(called: number | string): void {
    this.procedure = called;
    this.handleAt = undefined;
    this.handle = undefined;
    this.prepares = undefined;
    this.template = undefined;
    this.given = undefined;
  }
}

/** Reads what follows of a request that is too long to be put together. */
export interface LongRequest {
  /** The beginning ends there, counted from the payload's beginning: what is behind it has not been told apart. */
  readonly from: number;
  readonly reader: {
    /** More of it has come. Returns what can be passed on now. */
    add(bytes: Uint8Array): Uint8Array;
    /** There is no more. Returns what is left. */
    end(): Uint8Array;
    /** What all of it does, when there is no more. */
    readonly effects: Effects | undefined;
  };
  /** Puts the connection's handle in place of the client's. It is told who does. */
  exchange: (call: Call, bytes: Uint8Array) => void;
}

export const NO_CALLS: readonly Call[] = [];

/** What a request is about. One of these serves for many, one after the other. */
export class Request {
  effects: Effects | undefined;
  calls: readonly Call[] = NO_CALLS;
  /** Of a request to the transaction manager. */
  transactionRequest: number | undefined;
  /** How long its text is. */
  textBytes = 0;
  /** Its text, where a log may want it. */
  text = '';
  /** Of one that goes on: what reads the rest. */
  long: LongRequest | undefined;
  /** The same without its values. */
  readonly digest = (): string => digestOf(this.text);
  /** Nearly all that call anything call one thing. */
  readonly #only = new Call();
  readonly #one: readonly Call[] = [this.#only];

  /** It is about nothing yet. */
  begin(): void {
    this.effects = undefined;
    this.calls = NO_CALLS;
    this.transactionRequest = undefined;
    this.textBytes = 0;
    this.text = '';
    this.long = undefined;
  }

  /** Its next call. */
  call(called: number | string): Call {
    const before = this.calls;
    const call = before.length === 0 ? this.#only : new Call();
    call.begin(called);
    this.calls = before.length === 0 ? this.#one : [...before, call];
    return call;
  }

  /** Lets go of what it has been about. */
  forget(): void {
    this.begin();
    this.#only.begin(0);
  }
}

/** All that it asks is that prepared statements be closed. */
export function onlyCloses({ calls }: Request): boolean {
  return calls.length > 0 && calls.every((call) => call.procedure === procedure.unprepare);
}

/** It is to join a transaction of several databases, or to begin one (trap TD-31). */
export function wantsCoordinator({ transactionRequest }: Request): boolean {
  return (
    transactionRequest === tmRequest.getDtcAddress ||
    transactionRequest === tmRequest.propagate ||
    transactionRequest === tmRequest.promote
  );
}

/** What a packet's status asks of the connection. */
export function asksForReset(status: number): boolean {
  return (status & (packetStatus.resetConnection | packetStatus.resetConnectionSkipTran)) !== 0;
}

/** The first byte of a multiplexed session's packets (MARS), which nobody has been offered. */
export const MARS_BYTE = 0x53;

/** A request longer than this is passed on as it arrives. */
export const INSPECTED_BYTES = limits.inspectedRequestBytes.value;

export function isAttention(bytes: Uint8Array, at: number): boolean {
  return u8(bytes, at) === packetType.attention;
}
