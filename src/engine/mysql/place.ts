/** Where a command stands: its payload is `bytes[start, start + length)`, of which all up to `end` is there. */
export interface Place {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly length: number;
}
