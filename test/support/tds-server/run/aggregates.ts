import type { Expression } from '../sql/ast.ts';
import { compare, keyOf } from '../types/convert.ts';
import { Decimal } from '../types/decimal.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { MAX, bigint, decimal, float, int, isDecimal, nvarchar } from '../types/sql-type.ts';
import type { Accumulator, Compiled, Frame } from './frame.ts';
import { casted } from './operators.ts';

const aggregates = new Set([
  'COUNT',
  'COUNT_BIG',
  'SUM',
  'MIN',
  'MAX',
  'AVG',
  'STRING_AGG',
  'CHECKSUM_AGG',
]);

export function isAggregate(name: string): boolean {
  return aggregates.has(name);
}

/** The aggregates that stand in an expression, outside of subqueries. */
export function hasAggregate(expression: Expression): boolean {
  switch (expression.kind) {
    case 'call':
      return (
        (expression.over === undefined && isAggregate(expression.name)) ||
        expression.args.some(hasAggregate)
      );
    case 'unary':
    case 'not':
    case 'isNull':
    case 'cast':
    case 'in':
      return hasAggregate(expression.of);
    case 'binary':
      return hasAggregate(expression.left) || hasAggregate(expression.right);
    case 'between':
      return [expression.of, expression.low, expression.high].some(hasAggregate);
    case 'like':
      return hasAggregate(expression.of) || hasAggregate(expression.pattern);
    case 'case':
      return (
        expression.branches.some(
          ({ when, result }) => hasAggregate(when) || hasAggregate(result),
        ) ||
        (expression.otherwise !== undefined && hasAggregate(expression.otherwise))
      );
    default:
      return false;
  }
}

/** The aggregate of the frame's present group. */
export function compileAggregate(
  call: Expression & { kind: 'call' },
  inner: (one: Expression) => Compiled,
  frame: Frame | undefined,
): Compiled {
  const grouping = frame?.grouping;
  if (grouping === undefined || grouping.isInside)
    throw new SqlError(147, 'An aggregate may not appear here.', 15, 1, 'batch');
  grouping.isInside = true;
  const args = call.args.map(inner);
  grouping.isInside = false;
  const { type, begin } = accumulator(call.name, args, call.isStar, call.isDistinct);
  const entry = { begin, current: begin() };
  grouping.aggregates.push(entry);
  const isCount = call.name.startsWith('COUNT');
  return { type, isNullable: !isCount, get: () => entry.current.result() };
}

/** How values are gathered, row by row. */
export function accumulator(
  name: string,
  args: readonly Compiled[],
  isStar: boolean,
  isDistinct: boolean,
): { type: SqlType; begin: () => Accumulator } {
  const [argument, second] = args;
  if (argument === undefined && !isStar)
    throw new SqlError(
      174,
      `The ${name.toLowerCase()} function requires 1 argument(s).`,
      15,
      1,
      'batch',
    );
  const of: Compiled = argument ?? { type: int, isNullable: false, get: () => 1 };
  const each = (add: (value: Value) => void, result: () => Value): Accumulator => {
    const seen = new Set<string>();
    return {
      add() {
        const value = of.get();
        if (value === null) return;
        if (isDistinct) {
          const key = keyOf(value);
          if (seen.has(key)) return;
          seen.add(key);
        }
        add(value);
      },
      result,
    };
  };
  switch (name) {
    case 'COUNT':
    case 'COUNT_BIG': {
      const isBig = name === 'COUNT_BIG';
      const begin = (): Accumulator => {
        let count = 0;
        return each(
          () => (count += 1),
          () => (isBig ? BigInt(count) : count),
        );
      };
      return { type: isBig ? bigint : int, begin };
    }
    case 'MIN':
    case 'MAX': {
      const sign = name === 'MIN' ? 1 : -1;
      const begin = (): Accumulator => {
        let best: Value = null;
        return each(
          (value) => {
            if (best === null || compare(value, best) * sign < 0) best = value;
          },
          () => best,
        );
      };
      return { type: of.type, begin };
    }
    case 'STRING_AGG': {
      const begin = (): Accumulator => {
        const parts: string[] = [];
        return each(
          (value) => parts.push(String(value)),
          () => (parts.length === 0 ? null : parts.join(String(second?.get() ?? ''))),
        );
      };
      return { type: nvarchar(MAX), begin };
    }
    default:
      return summing(name, of, each);
  }
}

function summing(
  name: string,
  of: Compiled,
  each: (add: (value: Value) => void, result: () => Value) => Accumulator,
): { type: SqlType; begin: () => Accumulator } {
  const type = sumType(of.type, name);
  const summed = casted(of, isDecimal(type) ? decimal(38, of.type.scale) : type);
  const begin = (): Accumulator => {
    let sum: Value = null;
    let count = 0;
    return each(
      () => {
        const value = summed.get();
        count += 1;
        sum = sum === null ? value : added(sum, value);
        if (type.name === 'int' && Math.abs(Number(sum)) >= 2 ** 31) throw errors.overflow('int');
      },
      () => (sum === null || name !== 'AVG' ? sum : averaged(sum, count, type)),
    );
  };
  return { type, begin };
}

function sumType(type: SqlType, name: string): SqlType {
  if (isDecimal(type))
    return name === 'AVG' ? decimal(38, Math.max(6, type.scale)) : decimal(38, type.scale);
  if (type.name === 'float' || type.name === 'real') return float;
  if (type.name === 'bigint') return bigint;
  if (type.name.endsWith('int')) return int;
  throw new SqlError(
    8117,
    `Operand data type ${type.name} is invalid for ${name.toLowerCase()} operator.`,
    16,
    1,
    'batch',
  );
}

function added(a: Value, b: Value): Value {
  if (a instanceof Decimal && b instanceof Decimal) return a.plus(b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return a + b;
  return Number(a) + Number(b);
}

function averaged(sum: Value, count: number, type: SqlType): Value {
  if (sum instanceof Decimal) return sum.over(Decimal.of(count), type.scale);
  if (typeof sum === 'bigint') return sum / BigInt(count);
  return type.name === 'float' ? Number(sum) / count : Math.trunc(Number(sum) / count);
}
