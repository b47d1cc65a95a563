import { Decimal } from '../types/decimal.ts';
import { toText } from '../types/convert.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import type { ResultColumn } from '../wire/reply.ts';

/** Rows as FOR JSON PATH has them, without nulls; undefined for no rows. */
export function jsonText(
  columns: readonly ResultColumn[],
  rows: readonly (readonly Value[])[],
): string | undefined {
  if (rows.length === 0) return undefined;
  const objects = rows.map((row) =>
    columns
      .flatMap(({ name, type }, n) => {
        const value = row[n] ?? null;
        return value === null ? [] : [`${JSON.stringify(name)}:${jsonValue(value, type)}`];
      })
      .join(','),
  );
  return `[${objects.map((one) => `{${one}}`).join(',')}]`;
}

function jsonValue(value: Value, type: SqlType): string {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  return JSON.stringify(toText(value, type, 126));
}
