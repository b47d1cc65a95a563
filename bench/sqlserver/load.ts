import { fileURLToPath } from 'node:url';
import type { Line } from '../support/line.ts';
import { measureGenerated } from '../support/load/measure.ts';
import type { Figures, Measurement } from '../support/span.ts';
import type { TdsLoad } from './load/statements.ts';

const main = fileURLToPath(new URL('./load/main.ts', import.meta.url));

/** Puts the load on the line and measures what is finished and what the pooler uses. Rejects where a client fails. */
export function measureLoad(load: TdsLoad, line: Line, measurement: Measurement): Promise<Figures> {
  return measureGenerated(main, load, line, measurement);
}
