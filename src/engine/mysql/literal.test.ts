import { describe, expect, test } from 'bun:test';
import { utf8 } from '../../base/bytes.ts';
import { settingLiteral, userLiteral } from './literal.ts';
import type { Field } from './own.ts';

type Kind = 'text' | 'number' | 'double' | 'unsigned';

function field(text: string | undefined, type: Kind = 'text'): Field {
  const isDouble = type === 'double';
  return {
    text: text === undefined ? undefined : utf8(text),
    isNumber: type !== 'text',
    isDouble,
    isUnsigned: type === 'unsigned',
    collation: 45,
  };
}

describe('a value as SQL writes it, whatever sql_mode is (MY-52)', () => {
  test('of a session variable', () => {
    expect(settingLiteral(field(undefined))).toBe('NULL');
    expect(settingLiteral(field('+01:00'))).toBe("'+01:00'");
    expect(settingLiteral(field("it's"))).toBe("'it''s'");
    for (const number of ['0', '-1', '18446744073709551615', '0.5', '1e-7', '1.5e+30'])
      expect(settingLiteral(field(number, 'number'))).toBe(number);
  });

  test('is none where it would depend on that, or is not what it should be', () => {
    for (const text of [String.raw`a\b`, 'caf\u00e9', 'a\0b', 'a\nb'])
      expect(settingLiteral(field(text))).toBeUndefined();
    for (const number of ['', 'x', '1; drop table t', '0x10', '.5', 'NULL'])
      expect(settingLiteral(field(number, 'number'))).toBeUndefined();
  });

  const literalOf = (value: Field, hex = '', charset = 'utf8mb4', order = 'utf8mb4_bin') =>
    userLiteral(value, field(hex), field(charset), field(order));

  test('of a user variable, of its type, character set and collation (MY-47)', () => {
    expect(literalOf(field(undefined))).toBe('NULL');
    expect(literalOf(field('7', 'number'))).toBe('7');
    expect(literalOf(field('7', 'unsigned'))).toBe('CAST(7 AS UNSIGNED)');
    // A double stays one.
    expect(literalOf(field('7', 'double'))).toBe('7e0');
    expect(literalOf(field('1e300', 'double'))).toBe('1e300');
    expect(literalOf(field("a'b\\"), '6127625C')).toBe("_utf8mb4 X'6127625C' COLLATE utf8mb4_bin");
    expect(literalOf(field(''))).toBe("_utf8mb4 X'' COLLATE utf8mb4_bin");
    expect(literalOf(field('x'), '00FF', 'binary', 'binary')).toBe("_binary X'00FF'");
  });

  test('is none where the database says what it cannot mean', () => {
    for (const hex of ["'", "00' OR '", '0', 'gg', '00ff'])
      expect(literalOf(field('x'), hex)).toBeUndefined();
    for (const name of ['', 'utf8 COLLATE x', "utf8'", 'a'.repeat(100)]) {
      expect(literalOf(field('x'), '00', name)).toBeUndefined();
      expect(literalOf(field('x'), '00', 'utf8mb4', name)).toBeUndefined();
    }
    expect(literalOf(field('nan', 'double'))).toBeUndefined();
  });
});
