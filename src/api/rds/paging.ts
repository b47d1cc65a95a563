import { z } from 'zod';
import { wholeText } from '../fields.ts';
import { invalidValue } from './faults.ts';

const FEWEST = 20;
const MOST = 100;
const MARKER_VERSION = 'v1:';

/** The parameters of operations that tell page by page. */
export const pageFields = {
  Marker: z.string().optional(),
  MaxRecords: wholeText(-999_999_999, 999_999_999).optional(),
};

export interface PageInput {
  readonly Marker?: string | undefined;
  readonly MaxRecords?: number | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined for the last one. */
  readonly marker: string | undefined;
}

/**
 * One page of what is ordered by a key, which is compared without regard to case. What comes and goes between two pages moves
 * nothing else: a page begins behind the last key of the one before. Throws InvalidParameterValue.
 */
export function pageOf<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { Marker, MaxRecords = MOST }: PageInput,
): Page<Item> {
  if (MaxRecords < FEWEST || MaxRecords > MOST)
    throw invalidValue(
      `Invalid value ${MaxRecords} for MaxRecords. Must be between ${FEWEST} and ${MOST}`,
    );
  const after = Marker === undefined || Marker === '' ? undefined : readMarker(Marker);
  const rest =
    after === undefined ? items : items.filter((item) => keyOf(item).toLowerCase() > after);
  const page = rest.slice(0, MaxRecords);
  const last = page.at(-1);
  const isLast = rest.length === page.length || last === undefined;
  return { items: page, marker: isLast ? undefined : markerOf(keyOf(last).toLowerCase()) };
}

function markerOf(key: string): string {
  return Buffer.from(`${MARKER_VERSION}${key}`).toString('base64url');
}

/** Throws InvalidParameterValue for what `markerOf` has not made. */
export function readMarker(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString();
  const key = text.slice(MARKER_VERSION.length);
  if (!text.startsWith(MARKER_VERSION) || markerOf(key) !== marker)
    throw invalidValue(
      'Invalid Marker: give the one that the page before was answered with, as it is.',
    );
  return key;
}
