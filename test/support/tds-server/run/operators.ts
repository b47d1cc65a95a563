import { compare, comparedAs, convert } from '../types/convert.ts';
import { Decimal } from '../types/decimal.ts';
import { SqlError, errors } from '../types/errors.ts';
import { Moment } from '../types/moment.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import {
  MAX,
  bit,
  common,
  decimal,
  digitsOf,
  int,
  isBinary,
  isDecimal,
  isText,
  isTime,
  isWide,
  sqlType,
} from '../types/sql-type.ts';
import type { Compiled } from './frame.ts';

export function condition(get: () => Value): Compiled {
  return { type: bit, isNullable: true, get };
}

/** The type of what is one of these. */
export function commonType(all: readonly Compiled[]): SqlType {
  const typed = all.filter(({ isNull }) => isNull !== true).map(({ type }) => type);
  return typed.length === 0 ? int : typed.reduce(common);
}

export function negated(value: Value): Value {
  return value === null ? null : value !== true;
}

/** The same as another type. */
export function casted(of: Compiled, to: SqlType, style = 0): Compiled {
  if (
    of.type.name === to.name &&
    (isText(to)
      ? to.length === MAX || to.length === of.type.length
      : of.type.scale === to.scale && of.type.precision === to.precision)
  )
    return { ...of, type: to };
  const from = of.type;
  return { type: to, isNullable: of.isNullable, get: () => convert(of.get(), from, to, style) };
}

export function asText(of: Compiled): Compiled {
  return isText(of.type) ? of : casted(of, sqlType('nvarchar', MAX));
}

export function compileUnary(operator: string, of: Compiled): Compiled {
  if (operator === '~')
    return {
      ...{ type: of.type, isNullable: of.isNullable },
      get: () => {
        const value = of.get();
        if (typeof value === 'bigint') return ~value;
        if (typeof value === 'boolean') return !value;
        return value === null ? null : ~Number(value);
      },
    };
  const zero: Compiled = { type: int, isNullable: false, get: () => 0 };
  return compileBinary('-', zero, of);
}

const comparators: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

export function compileBinary(operator: string, left: Compiled, right: Compiled): Compiled {
  if (operator === 'AND')
    return condition(() => {
      const a = left.get();
      if (a === false) return false;
      const b = right.get();
      if (b === false) return false;
      return a === null || b === null ? null : true;
    });
  if (operator === 'OR')
    return condition(() => {
      const a = left.get();
      if (a === true) return true;
      const b = right.get();
      if (b === true) return true;
      return a === null || b === null ? null : false;
    });
  const holds = comparators[operator];
  if (left.isNull === true || right.isNull === true) {
    const type = holds === undefined ? commonType([left, right]) : bit;
    return { type, isNullable: true, get: () => null };
  }
  if (holds !== undefined) {
    const type = comparedAs(left.type, right.type);
    const [a, b] = [casted(left, type), casted(right, type)];
    return condition(() => {
      const x = a.get();
      if (x === null) return null;
      const y = b.get();
      return y === null ? null : holds(compare(x, y));
    });
  }
  return compileArithmetic(operator, left, right);
}

function compileArithmetic(operator: string, left: Compiled, right: Compiled): Compiled {
  const isNullable = left.isNullable || right.isNullable;
  if (
    operator === '+' &&
    (isText(left.type) || isBinary(left.type)) &&
    (isText(right.type) || isBinary(right.type))
  )
    return concatenation(left, right);
  if (isTime(left.type) && !isTime(right.type)) return shifted(operator, left, right);
  const type = resultType(operator, left.type, right.type);
  // A text beside a number is a number; scales stay as they are.
  const asOperand = (one: Compiled): Compiled => {
    if (!isDecimal(type)) return casted(one, type);
    return isDecimal(one.type) ? one : casted(one, decimal(38, isText(one.type) ? type.scale : 0));
  };
  const [a, b] = [asOperand(left), asOperand(right)];
  return {
    ...{ type, isNullable },
    get: () => {
      const x = a.get();
      const y = b.get();
      if (x === null || y === null) return null;
      return convert(calculate(operator, x, y, type), type, type);
    },
  };
}

function resultType(operator: string, left: SqlType, right: SqlType): SqlType {
  const type = common(left, right);
  if (isText(type))
    throw new SqlError(
      8117,
      `Operand data type ${type.name} is invalid for ${names[operator] ?? operator} operator.`,
      16,
      1,
      'batch',
    );
  if (type.name === 'bit') return int;
  if (!isDecimal(type) || type.name.endsWith('money')) return type;
  const [a, b] = [digitsOf(left), digitsOf(right)];
  if (operator === '*')
    return decimal(Math.min(38, a.precision + b.precision + 1), a.scale + b.scale);
  if (operator === '/') {
    const scale = Math.max(6, a.scale + b.precision + 1);
    const whole = a.precision - a.scale + b.scale;
    return decimal(Math.min(38, whole + scale), Math.min(scale, Math.max(6, 38 - whole)));
  }
  return decimal(Math.min(38, type.precision + 1), type.scale);
}

const names: Readonly<Record<string, string>> = {
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
};

function calculate(operator: string, x: Value, y: Value, type: SqlType): Value {
  if (x instanceof Decimal && y instanceof Decimal) return calculateDecimal(operator, x, y, type);
  if (typeof x === 'bigint' && typeof y === 'bigint') return calculateInteger(operator, x, y);
  if (type.name === 'float' || type.name === 'real') {
    const [a, b] = [Number(x), Number(y)];
    if (operator === '/' && b === 0) throw errors.divideByZero();
    return operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b;
  }
  const found = calculateInteger(operator, BigInt(Number(x)), BigInt(Number(y)));
  if (found < -(2n ** 31n) || found >= 2n ** 31n) throw errors.overflow(type.name);
  return Number(found);
}

function calculateInteger(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    default:
      if (b === 0n) throw errors.divideByZero();
      return operator === '/' ? a / b : a % b;
  }
}

function calculateDecimal(operator: string, a: Decimal, b: Decimal, type: SqlType): Decimal {
  switch (operator) {
    case '+':
      return a.plus(b);
    case '-':
      return a.minus(b);
    case '*':
      return a.times(b);
    default:
      if (b.unscaled === 0n) throw errors.divideByZero();
      return operator === '/' ? a.over(b, type.scale) : a.remainder(b);
  }
}

function concatenation(left: Compiled, right: Compiled): Compiled {
  const isBytes = isBinary(left.type) && isBinary(right.type);
  const isWideText = isWide(left.type) || isWide(right.type);
  const limit = isWideText ? 4000 : 8000;
  const sum =
    left.type.length === MAX || right.type.length === MAX
      ? MAX
      : left.type.length + right.type.length;
  const length = sum > limit ? limit : sum;
  const type = sqlType(isBytes ? 'varbinary' : isWideText ? 'nvarchar' : 'varchar', length);
  const unlimited = sqlType(type.name, MAX);
  const [a, b] = [casted(left, unlimited), casted(right, unlimited)];
  return {
    ...{ type, isNullable: left.isNullable || right.isNullable },
    get: () => {
      const [x, y] = [a.get(), b.get()];
      if (x === null || y === null) return null;
      if (x instanceof Uint8Array && y instanceof Uint8Array)
        return new Uint8Array(Buffer.concat([x, y]));
      const text = String(x) + String(y);
      return length === MAX ? text : text.slice(0, length);
    },
  };
}

/** `GETDATE() + 1`. */
function shifted(operator: string, left: Compiled, right: Compiled): Compiled {
  const days = casted(right, sqlType('float', 0, 53));
  return {
    ...{ type: left.type, isNullable: left.isNullable || right.isNullable },
    get: () => {
      const [at, by] = [left.get(), days.get()];
      if (!(at instanceof Moment) || by === null) return null;
      const signed = operator === '-' ? -Number(by) : Number(by);
      return new Moment(at.day, at.tick + Math.round(signed * 864e9), at.offset);
    },
  };
}
