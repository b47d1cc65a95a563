import type { Context } from '../run/context.ts';
import type { Given, SystemProcedure } from '../run/execute.ts';
import { int, nvarchar } from '../types/sql-type.ts';
import { argument, giveValue, numberOf } from './arguments.ts';

// Procedures that every database of this server has, for tests.

/** `@a int, @b int OUTPUT, @text nvarchar(50) OUTPUT`: @b is twice @a, and the status is 7. */
function outputs(given: readonly Given[]): number {
  const doubled = numberOf(argument(given, 'a', 0)) * 2;
  giveValue(argument(given, 'b', 1), int, doubled);
  giveValue(
    given.find(({ name }) => name.toLowerCase() === '@text'),
    nvarchar(50),
    `twice is ${doubled}`,
  );
  return 7;
}

/** Leaves a transaction open behind it. */
function begins(_given: readonly Given[], { session }: Context): number {
  session.begin();
  return 0;
}

function commits(_given: readonly Given[], { session }: Context): number {
  session.commit();
  return 0;
}

function rollsBack(_given: readonly Given[], { session }: Context): number {
  session.rollback();
  return 0;
}

export const testProcedures: Readonly<Record<string, SystemProcedure>> = {
  sluice_outputs: outputs,
  sluice_begin: begins,
  sluice_commit: commits,
  sluice_rollback: rollsBack,
};
