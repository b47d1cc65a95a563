import { text } from '../../base/bytes.ts';
import type { Field } from './own.ts';

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
const PLAIN = /^[ -[\]-~]*$/; // neither a backslash nor anything but ASCII
const CHARSET = /^[a-z0-9]{1,32}$/;
const COLLATION = /^\w{1,64}$/;
const HEX = /^(?:[0-9A-F]{2})*$/;

/** A session variable's value as SQL writes it, whatever `sql_mode` is; undefined where that cannot be done. */
export function settingLiteral({ text: value, isNumber }: Field): string | undefined {
  if (value === undefined) return 'NULL';
  const said = text(value);
  if (isNumber) return NUMBER.test(said) ? said : undefined;
  return PLAIN.test(said) ? `'${said.replaceAll("'", "''")}'` : undefined;
}

/**
 * A user variable's value as SQL writes it, of the same type, character set and collation. Each of the other fields is a function
 * of the variable: `HEX`, `CHARSET` and `COLLATION`.
 */
export function userLiteral(
  value: Field,
  hex: Field,
  charset: Field,
  collation: Field,
): string | undefined {
  if (value.text === undefined) return 'NULL';
  const said = text(value.text);
  if (value.isNumber) {
    if (!NUMBER.test(said)) return undefined;
    if (value.isUnsigned) return `CAST(${said} AS UNSIGNED)`;
    return value.isDouble && !said.includes('e') ? `${said}e0` : said;
  }
  const [digits, set, order] = [textOf(hex), textOf(charset), textOf(collation)];
  if (!HEX.test(digits) || !CHARSET.test(set) || !COLLATION.test(order)) return undefined;
  const bytes = `_${set} X'${digits}'`;
  return set === 'binary' ? bytes : `${bytes} COLLATE ${order}`;
}

function textOf(field: Field): string {
  return field.text === undefined ? '' : text(field.text);
}
