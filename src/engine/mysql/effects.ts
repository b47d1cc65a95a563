import type { PinReason } from '../../core/pin.ts';

/** What the connection remembers of the statement before. */
export type Remnant = 'lastInsertId' | 'rowCount' | 'foundRows' | 'diagnostics';

export interface Effects {
  readonly digest: string;
  readonly pins: readonly PinReason[];
  readonly awsPins: readonly PinReason[];
  readonly releases: readonly PinReason[];
  /** Session variables that it sets, in lower case; `unknown` where the words do not tell. */
  readonly touches: readonly string[] | 'unknown';
  /** User variables that it assigns, in lower case; `unknown` where the words do not tell. */
  readonly assigns: readonly string[] | 'unknown';
  readonly transaction: 'none' | 'ends' | 'oneShot';
  readonly asksFor: ReadonlySet<Remnant>;
  readonly calculatesFoundRows: boolean;
}
