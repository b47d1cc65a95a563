import type { Framing } from '../../support/load/connection.ts';

/** Of a packet's head: its length, and its number in the exchange. */
export const HEAD_BYTES = 4;

/** All of it is there where `HEAD_BYTES` are. */
export const framing: Framing = {
  headBytes: HEAD_BYTES,
  lengthOf: (head) => HEAD_BYTES + head.readUIntLE(0, 3),
};

/** The first byte of what a server sends. */
export const OK = 0x00;
export const MORE_AUTH_DATA = 0x01;
/** In sign-ins; the end of rows is another. */
export const SWITCH_AUTH = 0xfe;
export const END = 0xfe;
export const ERROR = 0xff;

/** The first byte of what a client sends. */
export const QUIT = 0x01;
export const QUERY = 0x03;
export const PREPARE = 0x16;
export const EXECUTE = 0x17;

/** One packet: all that is sent here is far from 16 MB. */
export function packet(number: number, ...parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const payload = Buffer.concat(parts);
  const whole = Buffer.alloc(HEAD_BYTES + payload.length);
  whole.writeUIntLE(payload.length, 0, 3);
  whole.writeUInt8(number, 3);
  payload.copy(whole, HEAD_BYTES);
  return whole;
}

/** A command, which begins an exchange. */
export function command(code: number, ...parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  return packet(0, Uint8Array.of(code), ...parts);
}

/** What a server says in an error. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  /** With the SQLSTATE, which is not there before a client has said what it is capable of. */
  constructor(payload: Uint8Array) {
    const body = Buffer.from(payload);
    super(`${body.readUInt16LE(1)} ${body.toString('utf8', 3)}`);
  }
}

/** Throws where it is an error. */
export function expectNoError(payload: Uint8Array): Uint8Array {
  if (payload[0] === ERROR) throw new Refusal(payload);
  return payload;
}
