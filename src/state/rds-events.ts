import type { Store } from './store.ts';

const KEPT_MS = 14 * 86_400_000;
const MOST_KEPT = 5_000;

export type EventCategory = 'creation' | 'configuration change' | 'deletion' | 'failure';

export interface NewEvent {
  /** Such as `RDS-EVENT-0203`. */
  readonly eventId: string;
  readonly category: EventCategory;
  /** The proxy's name. */
  readonly source: string;
  readonly sourceArn: string;
  readonly message: string;
}

export interface StoredEvent extends NewEvent {
  /** Grows with every event, and never comes again. */
  readonly number: number;
  readonly sourceType: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

export interface EventQuery {
  readonly sourceType?: string | undefined;
  readonly source?: string | undefined;
  /** None for all. */
  readonly categories: readonly string[];
  readonly fromMs: number;
  /** Inclusive. */
  readonly untilMs: number;
}

/** What has happened, for two weeks, and at most some thousand things. */
export class EventStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  record(event: NewEvent, atMs: number): void {
    this.#store.write(() => {
      this.#store.run(
        'INSERT INTO rds_events (at_ms, event_id, source_type, source, source_arn, category, message) VALUES (?, ?, ?, ?, ?, ?, ?)',
        atMs,
        event.eventId,
        'db-proxy',
        event.source,
        event.sourceArn,
        event.category,
        event.message,
      );
      this.#store.run(
        'DELETE FROM rds_events WHERE at_ms < ? OR number <= (SELECT max(number) FROM rds_events) - ?',
        atMs - KEPT_MS,
        MOST_KEPT,
      );
    });
  }

  /** In their order. Of what is too old to be kept nothing is told, even if it is still there. */
  find(query: EventQuery, nowMs: number): readonly StoredEvent[] {
    const rows = this.#store.all(
      `SELECT * FROM rds_events WHERE at_ms >= ? AND at_ms <= ?
        AND (?3 IS NULL OR source_type = ?3) AND (?4 IS NULL OR source = ?4) ORDER BY number`,
      Math.max(query.fromMs, nowMs - KEPT_MS),
      query.untilMs,
      query.sourceType ?? null,
      query.source ?? null,
    );
    return rows
      .map((row) => ({
        number: Number(row['number']),
        atMs: Number(row['at_ms']),
        eventId: String(row['event_id']),
        sourceType: String(row['source_type']),
        source: String(row['source']),
        sourceArn: String(row['source_arn']),
        category: readCategory(row['category']),
        message: String(row['message']),
      }))
      .filter(
        ({ category }) => query.categories.length === 0 || query.categories.includes(category),
      );
  }
}

function readCategory(value: unknown): EventCategory {
  const known: readonly EventCategory[] = ['creation', 'deletion', 'failure'];
  return known.find((one) => one === value) ?? 'configuration change';
}
