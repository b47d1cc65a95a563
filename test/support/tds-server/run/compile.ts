import type { Expression } from '../sql/ast.ts';
import { convert } from '../types/convert.ts';
import { SqlError, errors } from '../types/errors.ts';
import type { Value } from '../types/sql-type.ts';
import { common, int } from '../types/sql-type.ts';
import { compileAggregate, isAggregate } from './aggregates.ts';
import type { Context } from './context.ts';
import type { Compiled, Frame } from './frame.ts';
import { compileFunction } from './functions.ts';
import { compileGlobal } from './globals.ts';
import { likePattern } from './like.ts';
import { asText, casted, compileBinary, compileUnary, condition, negated } from './operators.ts';
import { compileWindow } from './windows.ts';

const noValue: Compiled = { type: int, isNullable: true, isNull: true, get: () => null };

/** What `expression` is for each row of `frame`. Errors in names are thrown here, errors in values by `get`. */
export function compile(
  expression: Expression,
  context: Context,
  frame: Frame | undefined,
): Compiled {
  const inner = (one: Expression): Compiled => compile(one, context, frame);
  switch (expression.kind) {
    case 'literal': {
      const { type, value } = expression;
      if (value === null) return noValue;
      return { type, isNullable: false, get: () => value };
    }
    case 'column':
      if (frame === undefined) throw unknownColumn(expression.name);
      return frame.column(expression.name);
    case 'variable': {
      const variable = context.scope.variable(expression.name);
      return { type: variable.type, isNullable: true, get: () => variable.value };
    }
    case 'global':
      return compileGlobal(expression.name, context);
    case 'unary':
      return compileUnary(expression.operator, inner(expression.of));
    case 'binary':
      return compileBinary(expression.operator, inner(expression.left), inner(expression.right));
    case 'not': {
      const of = inner(expression.of);
      return condition(() => negated(of.get()));
    }
    case 'isNull': {
      const of = inner(expression.of);
      const { isNot } = expression;
      return condition(() => (of.get() === null) !== isNot);
    }
    case 'in':
      return compileIn(expression, context, frame);
    case 'between': {
      const of = inner(expression.of);
      const low = compileBinary('>=', of, inner(expression.low));
      const high = compileBinary('<=', of, inner(expression.high));
      const both = compileBinary('AND', low, high);
      return expression.isNot ? condition(() => negated(both.get())) : both;
    }
    case 'like': {
      const of = asText(inner(expression.of));
      const pattern = asText(inner(expression.pattern));
      const escape = expression.escape === undefined ? noValue : inner(expression.escape);
      const { isNot } = expression;
      return condition(() => {
        const [text, like] = [of.get(), pattern.get()];
        if (text === null || like === null) return null;
        return likePattern(String(like), String(escape.get() ?? '')).test(String(text)) !== isNot;
      });
    }
    case 'case':
      return compileCase(expression, inner);
    case 'cast':
      return compileCast(expression, inner);
    case 'call': {
      if (expression.over !== undefined) return compileWindow(expression, inner, frame);
      if (isAggregate(expression.name)) return compileAggregate(expression, inner, frame);
      return compileFunction(expression.name, expression.args.map(inner), context);
    }
    case 'subquery': {
      const plan = context.tools.plan(expression.query, context, frame);
      const [column] = plan.columns;
      if (column === undefined || plan.columns.length > 1)
        throw new SqlError(
          116,
          'Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.',
          16,
          1,
          'batch',
        );
      return {
        type: column.type,
        isNullable: true,
        get: () => {
          let found: Value = null;
          let count = 0;
          for (const [value = null] of plan.rows()) {
            count += 1;
            if (count > 1)
              throw new SqlError(
                512,
                'Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.',
              );
            found = value;
          }
          return found;
        },
      };
    }
    case 'exists': {
      const plan = context.tools.plan(expression.query, context, frame);
      return condition(() => {
        for (const _row of plan.rows()) return true;
        return false;
      });
    }
  }
}

function unknownColumn(name: readonly string[]): Error {
  if (name.length > 1)
    return new SqlError(
      4104,
      `The multi-part identifier "${name.join('.')}" could not be bound.`,
      16,
      1,
      'batch',
    );
  return errors.noColumn(name[0] ?? '');
}

function compileIn(
  expression: Expression & { kind: 'in' },
  context: Context,
  frame: Frame | undefined,
): Compiled {
  const of = compile(expression.of, context, frame);
  const { isNot, list } = expression;
  if ('body' in list) {
    const plan = context.tools.plan(list, context, frame);
    let candidate: Value = null;
    const type = plan.columns[0]?.type ?? int;
    const equal = compileBinary('=', of, { type, isNullable: true, get: () => candidate });
    return condition(() => {
      let found: Value = false;
      for (const [value = null] of plan.rows()) {
        candidate = value;
        const is = equal.get();
        if (is === true) return !isNot;
        if (is === null) found = null;
      }
      return found === null ? null : isNot;
    });
  }
  const each = list.map((one) => compileBinary('=', of, compile(one, context, frame)));
  return condition(() => {
    let found: Value = false;
    for (const equal of each) {
      const is = equal.get();
      if (is === true) return !isNot;
      if (is === null) found = null;
    }
    return found === null ? null : isNot;
  });
}

function compileCase(
  expression: Expression & { kind: 'case' },
  inner: (one: Expression) => Compiled,
): Compiled {
  const of = expression.of === undefined ? undefined : inner(expression.of);
  const branches = expression.branches.map(({ when, result }) => ({
    when: of === undefined ? inner(when) : compileBinary('=', of, inner(when)),
    result: inner(result),
    isNull: isNullLiteral(result),
  }));
  const last = expression.otherwise === undefined ? noValue : inner(expression.otherwise);
  const isLastNull = expression.otherwise === undefined || isNullLiteral(expression.otherwise);
  const typed = [
    ...branches.filter(({ isNull }) => !isNull).map(({ result }) => result.type),
    ...(isLastNull ? [] : [last.type]),
  ];
  const type = typed.length === 0 ? int : typed.reduce(common);
  const results = branches.map(({ when, result }) => ({ when, result: casted(result, type) }));
  const otherwise = casted(last, type);
  return {
    ...{ type, isNullable: true },
    get: () => (results.find(({ when }) => when.get() === true)?.result ?? otherwise).get(),
  };
}

export function isNullLiteral(expression: Expression): boolean {
  return expression.kind === 'literal' && expression.value === null;
}

function compileCast(
  expression: Expression & { kind: 'cast' },
  inner: (one: Expression) => Compiled,
): Compiled {
  const of = inner(expression.of);
  const style = expression.style === undefined ? undefined : inner(expression.style);
  const { type, isTry } = expression;
  const from = of.type;
  return {
    ...{ type, isNullable: of.isNullable || isTry },
    get: () => {
      try {
        return convert(of.get(), from, type, Number(style?.get() ?? 0));
      } catch (error) {
        if (isTry && error instanceof SqlError) return null;
        throw error;
      }
    },
  };
}
