import { invalidParameter } from './problems.ts';

// AWS's cron expressions for rotations: minutes, hours, day of the month, month, day of the week, year; in UTC.
// Source: "Schedule expressions in Secrets Manager rotation" in the user guide of AWS Secrets Manager.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A secret can be rotated every four hours, and not more often. */
const LEAST_HOURS = 4;
/** Whatever is to come comes within these: the 29th of February comes again after eight years at the latest. */
const MOST_DAYS = 8 * 366 + 1;

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** One of the six fields. */
interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** What stands for the numbers from `least` on. */
  readonly words?: readonly string[];
}

const HOURS: Field = { name: 'hours', least: 0, most: 23 };
const MONTH: Field = { name: 'month', least: 1, most: 12, words: MONTHS };
const YEAR: Field = { name: 'year', least: 1970, most: 2199 };
const DAY_OF_MONTH: Field = { name: 'day-of-month', least: 1, most: 31 };
const DAY_OF_WEEK: Field = { name: 'day-of-week', least: 1, most: 7, words: DAYS };

/** When something is to be done. */
export interface Cron {
  /** In ascending order. */
  readonly hours: readonly number[];
  /** @param day its beginning */
  isDay(day: Date): boolean;
}

/** Reads `cron(0 8 ? * MON-FRI *)`. Throws InvalidParameterException, which says what is wrong. */
export function parseCron(expression: string): Cron {
  const [, inner = ''] = /^cron\(([^()]*)\)$/.exec(expression) ?? [];
  const fields = inner.trim().split(/ +/);
  const [minutes = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  if (fields.length !== 6)
    throw problem(
      'it must have six fields, as in cron(0 8 ? * MON *): minutes, hours, day of the month, month, day of the week, year',
    );
  if (minutes !== '0') throw problem('minutes must be 0: rotations begin on the hour');
  if ((dayOfMonth === '?') === (dayOfWeek === '?'))
    throw problem('one of day-of-month and day-of-week must be ?, and the other must not');
  const hours = numbersIn(HOURS, hour);
  checkHours(hours);
  const [months, years] = [new Set(numbersIn(MONTH, month)), new Set(numbersIn(YEAR, year))];
  const isDay = dayOfMonth === '?' ? weekdays(dayOfWeek) : monthDays(dayOfMonth);
  return {
    hours,
    isDay: (day) =>
      months.has(day.getUTCMonth() + 1) && years.has(day.getUTCFullYear()) && isDay(day),
  };
}

/** The first time after this one (milliseconds since 1970); undefined where there is none. */
export function nextTime({ hours, isDay }: Cron, afterMs: number): number | undefined {
  const first = Math.floor(afterMs / DAY_MS) * DAY_MS;
  for (let day = 0; day < MOST_DAYS; day += 1) {
    const dayMs = first + day * DAY_MS;
    if (!isDay(new Date(dayMs))) continue;
    const hour = hours.find((one) => dayMs + one * HOUR_MS > afterMs);
    if (hour !== undefined) return dayMs + hour * HOUR_MS;
  }
  return undefined;
}

/** Also from the last of one day to the first of the next. */
function checkHours(hours: readonly number[]): void {
  const gaps = hours.map((hour, at) => (hours[at + 1] ?? 24 + (hours[0] ?? 0)) - hour);
  if (Math.min(...gaps) < LEAST_HOURS)
    throw problem(`hours must be at least ${LEAST_HOURS} hours from each other`);
}

type IsDay = (day: Date) => boolean;

function monthDays(text: string): IsDay {
  const parts = text.split(',');
  const isLast = parts.includes('L');
  const numbers = parts.filter((part) => part !== 'L').join(',');
  const days = new Set(numbers === '' && isLast ? [] : numbersIn(DAY_OF_MONTH, numbers));
  return (day) => days.has(day.getUTCDate()) || (isLast && isInLastWeek(day, 1));
}

function weekdays(text: string): IsDay {
  const tests = text.split(',').map(weekday);
  return (day) => tests.some((isDay) => isDay(day));
}

/** `MON`, `2-6`, `FRI#2` for the second Friday of the month, `FRIL` for its last. */
function weekday(part: string): IsDay {
  const [, which = '', nth] = /^(\w+)#(\d)$/.exec(part) ?? [];
  if (nth !== undefined) {
    if (nth < '1' || nth > '5') throw problem('what stands behind # in day-of-week must be 1 to 5');
    const wanted = numberIn(DAY_OF_WEEK, which);
    return (day) =>
      day.getUTCDay() + 1 === wanted && Math.ceil(day.getUTCDate() / 7) === Number(nth);
  }
  const [, lastWhich] = /^(\w+)L$/.exec(part) ?? [];
  if (lastWhich !== undefined) {
    const wanted = numberIn(DAY_OF_WEEK, lastWhich);
    return (day) => day.getUTCDay() + 1 === wanted && isInLastWeek(day, 7);
  }
  const days = new Set(part === 'L' ? [7] : numbersIn(DAY_OF_WEEK, part));
  return (day) => days.has(day.getUTCDay() + 1);
}

/** Whether it is one of the last days of its month. */
function isInLastWeek(day: Date, days: number): boolean {
  return new Date(day.getTime() + days * DAY_MS).getUTCMonth() !== day.getUTCMonth();
}

/** In ascending order: `*`, `1,15`, `MON-FRI`, `8/8`, `/8`, `JAN/3`. */
function numbersIn(field: Field, text: string): readonly number[] {
  const numbers = new Set(text.split(',').flatMap((part) => rangeIn(field, part)));
  return [...numbers].toSorted((a, b) => a - b);
}

function rangeIn(field: Field, part: string): readonly number[] {
  const [, range = '', step] = /^([^/]*)(?:\/(\d{1,4}))?$/.exec(part) ?? [];
  if (part === '' || (step === undefined && range === '') || step === '0') throw odd(field);
  const [first, last] = boundsIn(field, range, step !== undefined);
  if (first > last) throw odd(field);
  const by = step === undefined ? 1 : Number(step);
  return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, at) => first + at * by);
}

function boundsIn(field: Field, range: string, isStepped: boolean): readonly [number, number] {
  if (range === '*' || range === '') return [field.least, field.most];
  const [from = '', to, more] = range.split('-');
  if (more !== undefined) throw odd(field);
  const first = numberIn(field, from);
  if (to === undefined) return [first, isStepped ? field.most : first];
  return [first, numberIn(field, to)];
}

function numberIn(field: Field, text: string): number {
  const word = field.words?.indexOf(text.toUpperCase()) ?? -1;
  const number = word >= 0 ? word + field.least : /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  if (number >= field.least && number <= field.most) return number;
  throw odd(field);
}

function odd({ name, least, most, words }: Field): Error {
  const named = words === undefined ? '' : ` (${words[0]} to ${words.at(-1)})`;
  return problem(
    `${name} must be *, or numbers from ${least} to ${most}${named}, ranges and steps`,
  );
}

function problem(what: string): Error {
  return invalidParameter(`ScheduleExpression is no cron expression that can be used: ${what}.`);
}
