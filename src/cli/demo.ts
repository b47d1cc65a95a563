import type { Io } from './io.ts';

export async function demo(_args: readonly string[], io: Io): Promise<number> {
  io.err('The demonstration is not there yet.');
  return 1;
}
