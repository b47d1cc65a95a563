import { convert } from '../types/convert.ts';
import { Decimal } from '../types/decimal.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { float, int, isDecimal } from '../types/sql-type.ts';
import type { Compiled } from './frame.ts';
import type { Scalar } from './functions.ts';

const same = ([first]: readonly Compiled[]): SqlType => first?.type ?? int;

function real(compute: (...numbers: number[]) => number): Scalar {
  return {
    ...{ type: float, isStrict: true },
    value: (args, _, types) =>
      compute(...args.map((one, n) => Number(convert(one, types[n] ?? int, float)))),
  };
}

/** Of decimals exactly, else of numbers. */
function exact(
  ofDecimal: (value: Decimal) => Decimal,
  ofNumber: (value: number) => number,
): Scalar {
  return {
    ...{ type: same, isStrict: true },
    value: ([value = null]): Value => {
      if (value instanceof Decimal) return ofDecimal(value);
      if (typeof value === 'bigint') return ofNumber(-1) === 1 && value < 0n ? -value : value;
      return ofNumber(Number(value));
    },
  };
}

const whole = (value: Decimal, up: boolean): Decimal => {
  const cut = new Decimal(value.toBigInt(), 0);
  const difference = value.compare(cut);
  if (difference === 0) return cut;
  if (up) return difference > 0 ? cut.plus(new Decimal(1n, 0)) : cut;
  return difference < 0 ? cut.minus(new Decimal(1n, 0)) : cut;
};

export const mathFunctions: Readonly<Record<string, Scalar>> = {
  ABS: exact(
    (value) => new Decimal(value.unscaled < 0n ? -value.unscaled : value.unscaled, value.scale),
    Math.abs,
  ),
  CEILING: exact((value) => whole(value, true).withScale(value.scale), Math.ceil),
  FLOOR: exact((value) => whole(value, false).withScale(value.scale), Math.floor),
  SIGN: exact((value) => new Decimal(BigInt(value.compare(new Decimal(0n, 0))), 0), Math.sign),
  ROUND: {
    ...{ type: same, isStrict: true },
    value: ([value = null, digits], _, [type = int]) => {
      const places = Number(digits);
      if (value instanceof Decimal)
        return places >= value.scale
          ? value
          : value.withScale(Math.max(places, 0)).withScale(value.scale);
      const factor = 10 ** places;
      const rounded = Math.round(Number(value) * factor) / factor;
      return isDecimal(type) ? value : typeof value === 'bigint' ? BigInt(rounded) : rounded;
    },
  },
  POWER: { ...real((a = 0, b = 0) => a ** b) },
  SQRT: real((a = 0) => Math.sqrt(a)),
  EXP: real((a = 0) => Math.exp(a)),
  LOG: real((a = 0) => Math.log(a)),
  LOG10: real((a = 0) => Math.log10(a)),
  PI: real(() => Math.PI),
  SIN: real((a = 0) => Math.sin(a)),
  COS: real((a = 0) => Math.cos(a)),
  RAND: real(() => Math.random()),
  CHECKSUM: {
    type: int,
    value: (args) =>
      Array.from(args.join('\u0001')).reduce(
        (sum, one) => (sum * 31 + (one.codePointAt(0) ?? 0)) | 0,
        7,
      ),
  },
};
