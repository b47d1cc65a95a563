import type { SystemProcedure } from '../run/execute.ts';
import { cursorProcedures } from './cursors.ts';
import { preparedProcedures } from './prepared.ts';
import { sessionProcedures } from './session.ts';
import { testProcedures } from './tests.ts';
import { catalogProcedures } from './catalog.ts';

export const systemProcedures: Readonly<Record<string, SystemProcedure>> = {
  ...preparedProcedures,
  ...cursorProcedures,
  ...sessionProcedures,
  ...catalogProcedures,
  ...testProcedures,
};
