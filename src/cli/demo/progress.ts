import type { Clock } from '../../base/clock.ts';
import type { Io } from '../io.ts';
import type { RouteName } from './database.ts';
import { routes } from './database.ts';

/** What people call the routes. */
export const routeTitles = {
  direct: 'straight at the database',
  proxied: 'through Sluice',
} as const satisfies Record<RouteName, string>;

/** Shows how far the invocations are. */
export interface Progress {
  update(route: RouteName, succeeded: number, failed: number): void;
  /** Nothing is shown afterwards. */
  end(): void;
}

export const silence: Progress = { update: () => {}, end: () => {} };

interface Count {
  readonly succeeded: number;
  readonly failed: number;
}

const TENTHS = 10;

/** A line at each tenth of the way: for logs. */
export class Lines implements Progress {
  readonly #io: Io;
  readonly #invocations: number;
  readonly #tenths = new Map<RouteName, number>();
  #over = false;

  constructor(io: Io, invocations: number) {
    this.#io = io;
    this.#invocations = invocations;
  }

  update(route: RouteName, succeeded: number, failed: number): void {
    const tenth = Math.floor((TENTHS * (succeeded + failed)) / this.#invocations);
    if (this.#over || tenth <= (this.#tenths.get(route) ?? 0)) return;
    this.#tenths.set(route, tenth);
    this.#io.out(`${routeTitles[route]}: ${inWords({ succeeded, failed }, this.#invocations)}`);
  }

  end(): void {
    this.#over = true;
  }
}

const DRAW_EVERY_MS = 60;
/** What a redrawn line must not exceed, lest the terminal wraps it. */
const WIDEST = 79;
/** Below that there is no room for a bar. */
const NARROWEST = 60;
const TITLE_LENGTH = Math.max(...routes.map((route) => routeTitles[route].length));

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const UP = `\x1b[${routes.length}F`;
const CLEAR_REST = '\x1b[K';

/** True where bars can be drawn. */
export function canDraw({ isTty, columns, env }: Io): boolean {
  return isTty && columns >= NARROWEST && env['TERM'] !== 'dumb';
}

/** One bar for each route, drawn again in place a few times a second. */
export class Bars implements Progress {
  readonly #io: Io;
  readonly #invocations: number;
  readonly #counts: Record<RouteName, Count> = {
    direct: { succeeded: 0, failed: 0 },
    proxied: { succeeded: 0, failed: 0 },
  };
  readonly #stopDrawing: () => void;
  #drawn: string;
  #over = false;

  constructor(io: Io, invocations: number, clock: Clock) {
    this.#io = io;
    this.#invocations = invocations;
    this.#drawn = this.#bars();
    io.out(HIDE_CURSOR + this.#drawn);
    this.#stopDrawing = clock.every(DRAW_EVERY_MS, () => this.#draw());
  }

  update(route: RouteName, succeeded: number, failed: number): void {
    this.#counts[route] = { succeeded, failed };
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopDrawing();
    this.#io.out(UP + this.#bars() + SHOW_CURSOR);
  }

  #draw(): void {
    const bars = this.#bars();
    if (bars === this.#drawn) return;
    this.#drawn = bars;
    // One write, and nothing is cleared before it is written anew: no flicker.
    this.#io.out(UP + bars);
  }

  #bars(): string {
    return routes.map((route) => this.#bar(route) + CLEAR_REST).join('\n');
  }

  #bar(route: RouteName): string {
    const count = this.#counts[route];
    const words = inWords(count, this.#invocations);
    const longest = inWords({ succeeded: 0, failed: this.#invocations }, this.#invocations).length;
    const length = Math.min(this.#io.columns - 1, WIDEST) - TITLE_LENGTH - longest - 4;
    const failed = Math.ceil((length * count.failed) / this.#invocations);
    const ended = Math.floor((length * (count.failed + count.succeeded)) / this.#invocations);
    const succeeded = Math.max(0, ended - failed);
    const bar =
      paint(this.#io, 'green', '█'.repeat(succeeded)) +
      paint(this.#io, 'red', '▒'.repeat(failed)) +
      '░'.repeat(length - succeeded - failed);
    return `${routeTitles[route].padEnd(TITLE_LENGTH)}  ${bar}  ${words}`;
  }
}

function inWords({ succeeded, failed }: Count, invocations: number): string {
  const failures = failed === 0 ? '' : `, ${failed} failed`;
  return `${succeeded + failed} of ${invocations}${failures}`;
}

const codes = { bold: 1, red: 31, green: 32 } as const;

/** Colours are for terminals, and not for those who do not want them (https://no-color.org). */
export function paint({ isTty, env }: Io, how: keyof typeof codes, text: string): string {
  const wanted = isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return wanted && text !== '' ? `\x1b[${codes[how]}m${text}\x1b[39;22m` : text;
}
