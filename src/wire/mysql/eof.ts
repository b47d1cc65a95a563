import { concat, u8 } from '../../base/bytes.ts';
import { BodyReader } from '../../base/body-reader.ts';
import { byte, int16 } from './build.ts';
import { MAX_PACKET_BYTES } from './framing.ts';

/** Of an EOF packet, of an OK packet that ends rows, and of a value of more than 16 MB that begins a row. */
export const EOF_HEADER = 0xfe;
/** Rows that begin like an EOF packet are longer. */
const MOST_EOF_BYTES = 8;

/** An EOF packet. MySQL documentation, "EOF_Packet". */
export interface Eof {
  readonly warnings: number;
  readonly status: number;
}

/** Whether a payload, `bytes[start, end)`, is an EOF packet, where the two sides have not agreed to do without. */
export function isEof(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && u8(bytes, start) === EOF_HEADER && end - start <= MOST_EOF_BYTES;
}

/** Whether a payload ends rows, where the two sides have agreed to do without EOF packets: it is an OK packet then. */
export function isFinalOk(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && u8(bytes, start) === EOF_HEADER && end - start < MAX_PACKET_BYTES;
}

export function readEof(bytes: Uint8Array, start = 0, end = bytes.length): Eof {
  const reader = new BodyReader('EOF', bytes, start, end);
  reader.skip(1);
  const warnings = reader.u16le();
  const status = reader.u16le();
  reader.end();
  return { warnings, status };
}

export function eof({ warnings, status }: Eof): Uint8Array {
  return concat([byte(EOF_HEADER), int16(warnings), int16(status)]);
}
