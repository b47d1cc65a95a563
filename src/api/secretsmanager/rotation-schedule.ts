import { z } from 'zod';
import type { RotationSettings, Secret } from '../../state/secrets.ts';
import { wholeField } from './fields.ts';
import { nextTime, parseCron } from './cron.ts';
import { invalidParameter } from './problems.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const rotationRules = z
  .object({
    AutomaticallyAfterDays: wholeField(1, 1_000).optional(),
    Duration: z
      .string()
      .regex(/^\d{1,2}h$/, { error: 'must be hours, such as 3h' })
      .optional(),
    ScheduleExpression: z
      .string()
      .max(256, { error: 'must have at most 256 characters' })
      .optional(),
  })
  .optional();

/** The settings with these rules in place of those that they had. Throws InvalidParameterException. */
export function withRules(
  former: RotationSettings | undefined,
  rules: z.output<typeof rotationRules>,
): RotationSettings {
  if (rules === undefined) return { ...former, isEnabled: true };
  const { AutomaticallyAfterDays: afterDays, ScheduleExpression: schedule, Duration } = rules;
  if (afterDays !== undefined && schedule !== undefined)
    throw invalidParameter(
      'You can set either AutomaticallyAfterDays or ScheduleExpression in RotationRules, not both.',
    );
  if (schedule !== undefined) scheduleOf(schedule);
  return {
    isEnabled: true,
    lambdaArn: former?.lambdaArn,
    afterDays,
    schedule,
    duration: Duration,
  };
}

/** When it is to be rotated next, counted from the last time; undefined where that is left to somebody. */
export function nextRotationMs(
  { rotation }: Pick<Secret, 'rotation'>,
  fromMs: number,
): number | undefined {
  if (rotation?.isEnabled !== true) return undefined;
  const { afterDays, schedule } = rotation;
  if (schedule !== undefined) return scheduleOf(schedule)(fromMs);
  return afterDays === undefined ? undefined : fromMs + afterDays * DAY_MS;
}

/** From one time to the next; there may be none. Throws InvalidParameterException. */
function scheduleOf(expression: string): (fromMs: number) => number | undefined {
  if (expression.startsWith('cron')) {
    const cron = parseCron(expression);
    return (fromMs) => nextTime(cron, fromMs);
  }
  const ms = rateMs(expression);
  return (fromMs) => fromMs + ms;
}

function rateMs(expression: string): number {
  const [, count = '', unit = ''] = /^rate\((\d{1,3}) (hour|day)s?\)$/.exec(expression) ?? [];
  const ms = Number(count) * (unit === 'hour' ? HOUR_MS : DAY_MS);
  if (ms < 4 * HOUR_MS)
    throw invalidParameter(
      'ScheduleExpression must be rate(N days), rate(N hours) with at least 4 hours, or cron(0 …) with six fields.',
    );
  return ms;
}
