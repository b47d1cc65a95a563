import { z } from 'zod';
import { memberList, wholeText } from '../fields.ts';
import type { Operation } from '../service.ts';
import { operation } from '../service.ts';
import type { StoredEvent } from '../../state/rds-events.ts';
import { complain, invalidCombination } from './faults.ts';
import { oneOf, reference } from './inputs.ts';
import { pageFields, pageOf } from './paging.ts';
import type { RdsParts } from './parts.ts';

const MINUTE_MS = 60_000;
const MINUTES_BY_DEFAULT = 60;
const MOST_MINUTES = 20_160;

/** AWS's; things happen to `db-proxy` only. */
const SOURCE_TYPES = [
  'db-instance',
  'db-parameter-group',
  'db-security-group',
  'db-snapshot',
  'db-cluster',
  'db-cluster-snapshot',
  'custom-engine-version',
  'db-proxy',
  'blue-green-deployment',
  'db-shard-group',
  'zero-etl',
] as const;

const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/, {
    error: 'must be a time in ISO 8601 format, as in 2026-01-31T18:00Z',
  })
  // Without a zone it is UTC, wherever we are.
  .transform((text) => Date.parse(/(?:Z|[+-]\d\d:?\d\d)$|^[^T]*$/.test(text) ? text : `${text}Z`))
  .refine((ms) => Number.isFinite(ms), {
    error: 'must be a time in ISO 8601 format, as in 2026-01-31T18:00Z',
  });

const input = z.object({
  SourceIdentifier: reference.optional(),
  SourceType: oneOf(SOURCE_TYPES).optional(),
  StartTime: time.optional(),
  EndTime: time.optional(),
  Duration: wholeText(1, MOST_MINUTES).optional(),
  EventCategories: memberList(z.string(), { name: 'EventCategory', most: 100 }),
  ...pageFields,
});

/** DescribeEvents. By default it tells of the last hour; of what is older than 14 days nothing is known any more. */
export function eventOperations({ proxies }: RdsParts): Readonly<Record<string, Operation>> {
  return {
    DescribeEvents: operation(
      input,
      (query, call) => {
        call.authorize('rds:DescribeEvents', '*');
        if (query.SourceIdentifier !== undefined && query.SourceType === undefined)
          throw invalidCombination('SourceType must be given where SourceIdentifier is given.');
        const { fromMs, untilMs } = spanOf(query, call.nowMs);
        const found = proxies.events.find(
          {
            sourceType: query.SourceType,
            source: query.SourceIdentifier,
            categories: query.EventCategories ?? [],
            fromMs,
            untilMs,
          },
          call.nowMs,
        );
        const { items, marker } = pageOf(found, numberOf, query);
        return {
          Events: {
            Event: items.map((event) => ({
              SourceIdentifier: event.source,
              SourceType: event.sourceType,
              Message: event.message,
              EventCategories: { EventCategory: [event.category] },
              Date: new Date(event.atMs),
              SourceArn: event.sourceArn,
            })),
          },
          Marker: marker,
        };
      },
      complain,
    ),
  };
}

function numberOf({ number }: StoredEvent): string {
  return String(number).padStart(16, '0');
}

interface Span {
  readonly StartTime?: number | undefined;
  readonly EndTime?: number | undefined;
  /** Minutes. */
  readonly Duration?: number | undefined;
}

/** Throws InvalidParameterCombination. */
function spanOf({ StartTime: start, EndTime: end, Duration: minutes }: Span, nowMs: number) {
  if (start !== undefined && end !== undefined && minutes !== undefined)
    throw invalidCombination('Give two of StartTime, EndTime and Duration, not all three.');
  const lengthMs = (minutes ?? MINUTES_BY_DEFAULT) * MINUTE_MS;
  const untilMs = end ?? (start !== undefined && minutes !== undefined ? start + lengthMs : nowMs);
  const fromMs = start ?? untilMs - lengthMs;
  if (fromMs > untilMs) throw invalidCombination('StartTime must not be later than EndTime.');
  return { fromMs, untilMs };
}
