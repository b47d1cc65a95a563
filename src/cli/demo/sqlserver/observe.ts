import type { Clock } from '../../../base/clock.ts';
import type { RouteName } from '../database.ts';
import { pause } from '../pause.ts';
import type { Connection } from './connection.ts';

const ASK_EVERY_MS = 20;
/** Others may come and go in a database that is not ours alone. */
const PATIENCE_MS = 10_000;

/** Everybody in this database but the one who asks. */
const CLIENTS = `
  SELECT COUNT(*) FROM sys.dm_exec_sessions
  WHERE is_user_process = 1 AND session_id <> @@SPID AND database_id = DB_ID()`;

/** What is needed of a connection. */
export type Asked = Pick<Connection, 'value'>;

/** Counts the clients of one database, from a connection that is there already. */
export class Observer {
  readonly #connection: Asked;
  readonly #clock: Clock;
  /** Who was there before; undefined where we are not told who is. */
  readonly #others: number | undefined;

  private constructor(connection: Asked, clock: Clock, others: number | undefined) {
    this.#connection = connection;
    this.#clock = clock;
    this.#others = others;
  }

  /** `other` is a connection of the same user's: without VIEW SERVER STATE it is not seen either. */
  static async of(connection: Asked, other: Asked, clock: Clock): Promise<Observer> {
    const id = Number(await other.value('SELECT @@SPID'));
    const seen = `SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE session_id = ${id}`;
    const isSeen = await connection.value(seen).catch(() => 0);
    const others = Number(isSeen) > 0 ? Number(await connection.value(CLIENTS)) : undefined;
    return new Observer(connection, clock, others);
  }

  /** Runs `work` and tells how many clients there were at most meanwhile, beside those who had been there; undefined where they are not seen. */
  async peakDuring<T>(work: () => Promise<T>): Promise<readonly [T, number | undefined]> {
    if (this.#others === undefined) return [await work(), undefined];
    const watch = { isOver: false, peak: 0 };
    const working = work().finally(() => {
      watch.isOver = true;
    });
    const watching = async (): Promise<void> => {
      while (!watch.isOver) {
        watch.peak = Math.max(watch.peak, await this.#clients());
        await pause(this.#clock, ASK_EVERY_MS);
      }
    };
    const [outcome] = await Promise.all([working, watching()]);
    return [outcome, watch.peak];
  }

  /** Resolves when nobody is left who was not there before, or has been for long. */
  async untilAlone(): Promise<void> {
    const untilMs = this.#clock.nowMs() + PATIENCE_MS;
    while (this.#clock.nowMs() < untilMs && (await this.#clients()) > 0)
      await pause(this.#clock, ASK_EVERY_MS);
  }

  /** How many invocations left their row behind on this route. */
  async rowsOf(route: RouteName): Promise<number> {
    const sql = `SELECT COUNT(*) FROM orders WHERE request LIKE '${route}-%'`;
    return Number(await this.#connection.value(sql));
  }

  async #clients(): Promise<number> {
    if (this.#others === undefined) return 0;
    return Number(await this.#connection.value(CLIENTS)) - this.#others;
  }
}
