import { convert } from '../types/convert.ts';
import { SqlError } from '../types/errors.ts';
import { Moment } from '../types/moment.ts';
import type { SqlType, Value } from '../types/sql-type.ts';
import { bigint, datetime, datetime2, int, isTime, nvarchar, sqlType } from '../types/sql-type.ts';
import type { Context } from './context.ts';
import type { Scalar } from './functions.ts';

const offsetType = sqlType('datetimeoffset', 0, 0, 7);
const wide = sqlType('datetime2', 0, 0, 7);

const now = (type: SqlType): Scalar => ({
  type,
  value: (_, { engine }) => convert(Moment.fromUnixMs(engine.nowMs()), wide, type),
});

const parts: Readonly<Record<string, string>> = {
  ...{
    yy: 'year',
    yyyy: 'year',
    qq: 'quarter',
    q: 'quarter',
    mm: 'month',
    m: 'month',
    dy: 'dayofyear',
  },
  ...{ y: 'dayofyear', dd: 'day', d: 'day', wk: 'week', ww: 'week', dw: 'weekday', w: 'weekday' },
  ...{ hh: 'hour', mi: 'minute', n: 'minute', ss: 'second', s: 'second', ms: 'millisecond' },
  ...{ mcs: 'microsecond', ns: 'nanosecond' },
};

const ticks: Readonly<Record<string, number>> = {
  ...{
    week: 6_048_000_000_000,
    day: 864_000_000_000,
    weekday: 864_000_000_000,
    dayofyear: 864_000_000_000,
  },
  ...{ hour: 36_000_000_000, minute: 600_000_000, second: 10_000_000, millisecond: 10_000 },
  ...{ microsecond: 10, nanosecond: 0.01 },
};

function partOf(value: Value | undefined): string {
  const name = String(value);
  const part = parts[name] ?? name;
  if (ticks[part] === undefined && !['year', 'quarter', 'month'].includes(part))
    throw new SqlError(155, `'${name}' is not a recognized datepart option.`, 15, 1, 'batch');
  return part;
}

function momentOf(value: Value | undefined, type: SqlType | undefined): Moment {
  if (value instanceof Moment) return value;
  const found = convert(value ?? null, type ?? int, datetime);
  if (found instanceof Moment) return found;
  throw new SqlError(
    241,
    'Conversion failed when converting date and/or time from character string.',
    16,
    1,
    'batch',
  );
}

function added(part: string, count: number, at: Moment): Moment {
  const months = { year: 12, quarter: 3, month: 1 }[part as 'year'];
  if (months === undefined) {
    const tick = BigInt(Math.round(count * (ticks[part] ?? 0)));
    return Moment.fromInstant(at.instant + tick, at.offset);
  }
  const { year, month, day } = at.parts;
  const whole = year * 12 + (month - 1) + count * months;
  const [newYear, newMonth] = [Math.floor(whole / 12), (whole % 12) + 1];
  const last = Moment.date(newMonth === 12 ? newYear + 1 : newYear, (newMonth % 12) + 1, 1).day - 1;
  const first = Moment.date(newYear, newMonth, 1).day;
  return new Moment(Math.min(first + day - 1, last), at.tick, at.offset);
}

/** How often `part` begins anew between the two. */
function between(part: string, from: Moment, to: Moment): bigint {
  const [a, b] = [from.parts, to.parts];
  if (part === 'year') return BigInt(b.year - a.year);
  if (part === 'month') return BigInt((b.year - a.year) * 12 + b.month - a.month);
  if (part === 'quarter')
    return BigInt(
      (b.year - a.year) * 4 + Math.floor((b.month - 1) / 3) - Math.floor((a.month - 1) / 3),
    );
  const unit = ticks[part] ?? 1;
  if (unit < 1) return (to.instant - from.instant) * 100n;
  return to.instant / BigInt(unit) - from.instant / BigInt(unit);
}

function datePart(part: string, at: Moment, { session }: Context): number {
  const { year, month, day, weekday, seconds } = at.parts;
  switch (part) {
    case 'year':
      return year;
    case 'quarter':
      return Math.floor((month - 1) / 3) + 1;
    case 'month':
      return month;
    case 'day':
      return day;
    case 'dayofyear':
      return at.day - Moment.date(year, 1, 1).day + 1;
    case 'week':
      return (
        Math.floor(
          (at.day - Moment.date(year, 1, 1).day + Moment.date(year, 1, 1).parts.weekday) / 7,
        ) + 1
      );
    case 'weekday':
      // DATEFIRST says which day is the first, 7 for Sunday.
      return ((weekday - session.options.dateFirst + 14) % 7) + 1;
    case 'hour':
      return Math.floor(seconds / 3600);
    case 'minute':
      return Math.floor(seconds / 60) % 60;
    case 'second':
      return seconds % 60;
    default:
      return Math.floor((at.tick % 10_000_000) / (ticks[part] ?? 1));
  }
}

const months =
  'January February March April May June July August September October November December'.split(
    ' ',
  );
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

const simple = (part: string): Scalar => ({
  ...{ type: int, isStrict: true },
  value: ([at], context, [type]) => datePart(part, momentOf(at, type), context),
});

export const dateFunctions: Readonly<Record<string, Scalar>> = {
  GETDATE: now(datetime),
  CURRENT_TIMESTAMP: now(datetime),
  GETUTCDATE: now(datetime),
  SYSDATETIME: now(datetime2),
  SYSUTCDATETIME: now(datetime2),
  SYSDATETIMEOFFSET: now(offsetType),
  YEAR: simple('year'),
  MONTH: simple('month'),
  DAY: simple('day'),
  DATEPART: {
    ...{ type: int, isStrict: true },
    value: ([part, at], context, [, type]) => datePart(partOf(part), momentOf(at, type), context),
  },
  DATENAME: {
    ...{ type: nvarchar(30), isStrict: true },
    value: ([name, value], context, [, type]) => {
      const [part, at] = [partOf(name), momentOf(value, type)];
      if (part === 'month') return months[at.parts.month - 1] ?? '';
      if (part === 'weekday') return days[at.parts.weekday] ?? '';
      return String(datePart(part, at, context));
    },
  },
  DATEADD: {
    ...{
      type: ([, , at]) => (at !== undefined && isTime(at.type) ? at.type : datetime),
      isStrict: true,
    },
    value: ([part, count, at], _, [, , type]) =>
      added(partOf(part), Math.trunc(Number(count)), momentOf(at, type)),
  },
  DATEDIFF: {
    ...{ type: int, isStrict: true },
    value: ([part, from, to], _, [, a, b]) =>
      Number(between(partOf(part), momentOf(from, a), momentOf(to, b))),
  },
  DATEDIFF_BIG: {
    ...{ type: bigint, isStrict: true },
    value: ([part, from, to], _, [, a, b]) =>
      between(partOf(part), momentOf(from, a), momentOf(to, b)),
  },
  DATEFROMPARTS: {
    ...{ type: sqlType('date'), isStrict: true },
    value: ([year, month, day]) => Moment.date(Number(year), Number(month), Number(day)),
  },
  ISDATE: {
    ...{ type: int, isStrict: true },
    value: ([text]) => (Moment.parse(String(text)) === undefined ? 0 : 1),
  },
  'AT TIME ZONE': {
    ...{ type: offsetType, isStrict: true },
    value: ([at], _, [type]) => momentOf(at, type),
  },
};
