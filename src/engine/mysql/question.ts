import { limits } from '../../base/limits.ts';
import { NAMES, quoted } from './state.ts';

/** Names of variables that the database is to be asked about. */
export interface Question {
  readonly sql: string;
  readonly settings: readonly string[];
  readonly userVariables: readonly string[];
  readonly asksForLastInsertId: boolean;
}

/** A user variable's value, and what it takes to write it. */
export const FIELDS_OF_USER_VARIABLE = 4;

/** The question that asks for these. */
export function ask(
  settings: readonly string[],
  userVariables: readonly string[],
  asksForLastInsertId = false,
): Question {
  const fields = [
    ...settings.map((name) => `@@session.${quoted(name)}`),
    ...userVariables.flatMap((name) => {
      const variable = `@${quoted(name)}`;
      return [variable, `HEX(${variable})`, `CHARSET(${variable})`, `COLLATION(${variable})`];
    }),
    ...(asksForLastInsertId ? ['LAST_INSERT_ID()'] : []),
  ];
  const most = limits.carriedVariableBytes.value;
  const isShort = userVariables.map((name) => `COALESCE(LENGTH(@${quoted(name)}), 0) <= ${most}`);
  const where = isShort.length === 0 ? '' : ` FROM DUAL WHERE ${isShort.join(' AND ')}`;
  // Without LIMIT, sql_select_limit counts.
  return {
    sql: `SELECT ${fields.join(', ')}${where} LIMIT 1`,
    settings,
    userVariables,
    asksForLastInsertId,
  };
}

/**
 * One of several that the database does not know, or that is too long, spoils the answer for all; one alone that it does not know
 * was never set. What SET NAMES has set, which every database knows, says more together.
 */
export function askSingly({ settings, userVariables, asksForLastInsertId }: Question): Question[] {
  const others = settings.filter((name) => !NAMES.includes(name));
  const isOfNames = others.length + userVariables.length === 0 && !asksForLastInsertId;
  const named = isOfNames ? [] : settings.filter((name) => NAMES.includes(name));
  const singly = [
    ...(named.length === 0 ? [] : [ask(named, [])]),
    ...(isOfNames ? settings : others).map((name) => ask([name], [])),
    ...userVariables.map((name) => ask([], [name])),
    ...(asksForLastInsertId ? [ask([], [], true)] : []),
  ];
  return singly.length === 1 ? [] : singly;
}
