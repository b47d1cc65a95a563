import { readFileSync } from 'node:fs';
import { pinReasons } from '../../../src/core/pin.ts';

const page = new URL('../../../docs/reference/drivers.md', import.meta.url);

/** What `docs/reference/drivers.md` says of a driver. */
export interface DocumentedDriver {
  /** As exact as the page cares to be: `42.5` stands for 42.5.5 too. */
  readonly version: string;
  /** The reasons that stand under "Pins through Sluice", sorted. */
  readonly pins: readonly string[];
}

/** What the page calls the databases. */
export type Family = 'PostgreSQL' | 'MySQL and MariaDB' | 'SQL Server';

/**
 * The row of this client under a heading that begins with the family. Throws where there is none, or where it names a
 * reason that does not exist.
 */
export function documentedDriver(family: Family, client: string): DocumentedDriver {
  const parts = readFileSync(page, 'utf8').split(/^## /m);
  const rows = parts
    .filter((part) => part.startsWith(family))
    .flatMap((part) => part.split('\n'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, name]) => name === client);
  const [row, ...more] = rows;
  if (row === undefined || more.length > 0 || row.length !== 7) {
    throw new Error(`docs/reference/drivers.md must have one row of five cells for ${client}`);
  }
  const [, , version = '', , said = ''] = row;
  const pins = Array.from(said.matchAll(/`(\w+)`/g), ([, reason = '']) => reason).toSorted();
  const unknown = pins.filter((reason) => !(reason in pinReasons));
  if (unknown.length > 0 || (pins.length === 0) !== (said === 'none')) {
    throw new Error(`docs/reference/drivers.md: the pins of ${client} are ${said}`);
  }
  return { version, pins };
}
