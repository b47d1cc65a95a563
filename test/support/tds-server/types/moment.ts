const DAY_MS = 86_400_000;
/** 100 ns in a day. */
const DAY_TICKS = 864_000_000_000;
/** Days from 0001-01-01 to 1970-01-01. */
const EPOCH = 719_162;

/** A date, a time of day or both, as they are on a clock at `offset` minutes from UTC. */
export class Moment {
  /** Days since 0001-01-01. */
  readonly day: number;
  /** Hundreds of nanoseconds since midnight. */
  readonly tick: number;
  readonly offset: number;

  constructor(day: number, tick: number, offset = 0) {
    const over = Math.floor(tick / DAY_TICKS);
    this.day = day + over;
    this.tick = tick - over * DAY_TICKS;
    this.offset = offset;
  }

  static fromUnixMs(ms: number, offset = 0): Moment {
    const local = ms + offset * 60_000;
    const day = Math.floor(local / DAY_MS);
    return new Moment(day + EPOCH, Math.round((local - day * DAY_MS) * 10_000), offset);
  }

  /** Of ISO 8601 and what is near to it; undefined for what is not understood. */
  static parse(text: string): Moment | undefined {
    const found =
      /^\s*(?:(\d{4})-?(\d{2})-?(\d{2})|(\d{1,2})[/-](\d{1,2})[/-](\d{4}))?(?:[T ]\s*|$|(?=\d{1,2}:))(?:(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?)?\s*(Z|[+-]\d{2}:\d{2})?\s*$/i.exec(
        text,
      );
    if (found === null || text.trim() === '') return undefined;
    const [, y, m, d, usMonth, usDay, usYear, h = '0', min = '0', s = '0', fraction = '', zone] =
      found;
    const year = Number(y ?? usYear ?? 1900);
    const month = Number(m ?? usMonth ?? 1);
    const dayOfMonth = Number(d ?? usDay ?? 1);
    if (month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > 31 || year < 1) return undefined;
    if (Number(h) > 23 || Number(min) > 59 || Number(s) > 59) return undefined;
    const day = Moment.date(year, month, dayOfMonth);
    if (day.parts.day !== dayOfMonth) return undefined;
    const seconds = Number(h) * 3600 + Number(min) * 60 + Number(s);
    const tick = seconds * 10_000_000 + Number(fraction.padEnd(7, '0'));
    const [, sign, hours, minutes] = /([+-])(\d{2}):(\d{2})/.exec(zone ?? '') ?? [];
    const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1);
    return new Moment(day.day, tick, offset);
  }

  /** `month` from 1. */
  static date(year: number, month: number, day: number): Moment {
    const at = new Date(0);
    at.setUTCFullYear(year, month - 1, day);
    return new Moment(Math.floor(at.getTime() / DAY_MS) + EPOCH, 0);
  }

  /** `month` from 1, `weekday` from 0 for Sunday. */
  get parts(): { year: number; month: number; day: number; weekday: number; seconds: number } {
    const at = new Date((this.day - EPOCH) * DAY_MS);
    return {
      year: at.getUTCFullYear(),
      month: at.getUTCMonth() + 1,
      day: at.getUTCDate(),
      weekday: at.getUTCDay(),
      seconds: Math.floor(this.tick / 10_000_000),
    };
  }

  /** For comparisons: hundreds of nanoseconds of UTC since 0001-01-01. */
  get instant(): bigint {
    return BigInt(this.day) * BigInt(DAY_TICKS) + BigInt(this.tick - this.offset * 600_000_000);
  }

  static fromInstant(instant: bigint, offset: number): Moment {
    const local = instant + BigInt(offset) * 600_000_000n;
    return new Moment(Number(local / BigInt(DAY_TICKS)), Number(local % BigInt(DAY_TICKS)), offset);
  }

  /** With `scale` digits of seconds, rounded. */
  rounded(scale: number): Moment {
    const unit = 10 ** (7 - scale);
    return new Moment(this.day, Math.round(this.tick / unit) * unit, this.offset);
  }

  toString(): string {
    return `${this.dateText()} ${this.timeText(7)}`;
  }

  dateText(): string {
    const { year, month, day } = this.parts;
    return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  }

  timeText(scale: number): string {
    const { seconds } = this.parts;
    const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    const fraction = String(this.tick % 10_000_000)
      .padStart(7, '0')
      .slice(0, scale);
    return scale === 0 ? clock : `${clock}.${fraction}`;
  }

  offsetText(): string {
    const size = Math.abs(this.offset);
    return `${this.offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
