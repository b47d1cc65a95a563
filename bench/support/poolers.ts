import type { Stage } from '../stage.ts';
import type { Line } from './line.ts';
import type { Options } from './options.ts';
import type { Pooler } from './pooler.ts';
import type { Engine } from './sluice.ts';
import { otherSluice, ourSluice } from './sluice.ts';

/** Finds a rival, or rejects with what to install. */
export type Find<Database extends Line> = (
  say: (line: string) => void,
  signal: AbortSignal,
) => Promise<Pooler<Database>>;

/** Sluice, and the rivals that are chosen; by default all that are known. */
export async function findPoolers<Database extends Line>(
  { pooler, rivals }: Options,
  known: Readonly<Record<string, Find<Database>>>,
  engine: Engine,
  { say, signal }: Stage,
): Promise<readonly Pooler<Database>[]> {
  const found = [await ourSluice<Database>(pooler, engine, signal)];
  let others = 0;
  for (const rival of rivals ?? Object.keys(known)) {
    const find = known[rival];
    others += find === undefined ? 1 : 0;
    found.push(
      find === undefined
        ? await otherSluice(others, rival, engine, signal)
        : await find(say, signal),
    );
  }
  return found;
}
