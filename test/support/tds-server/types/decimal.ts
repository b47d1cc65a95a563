/** A number with a fixed count of digits behind the point: `unscaled / 10^scale`. */
export class Decimal {
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /** Of `-12.50` and the like; undefined for what is no such number. */
  static parse(text: string): Decimal | undefined {
    const found = /^\s*([+-]?)(\d*)(?:\.(\d*))?\s*$/.exec(text);
    const [, sign, whole = '', fraction = ''] = found ?? [];
    if (found === null || whole + fraction === '') return undefined;
    const digits = BigInt(whole + fraction);
    return new Decimal(sign === '-' ? -digits : digits, fraction.length);
  }

  static of(value: number | bigint): Decimal {
    if (typeof value === 'bigint') return new Decimal(value, 0);
    if (Number.isInteger(value)) return new Decimal(BigInt(value), 0);
    return Decimal.parse(value.toFixed(15)) ?? new Decimal(0n, 0);
  }

  /** Rounded half away from zero where digits go. */
  withScale(scale: number): Decimal {
    if (scale === this.scale) return this;
    if (scale > this.scale)
      return new Decimal(this.unscaled * 10n ** BigInt(scale - this.scale), scale);
    return new Decimal(divided(this.unscaled, 10n ** BigInt(this.scale - scale)), scale);
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.withScale(scale).unscaled + other.withScale(scale).unscaled, scale);
  }

  minus(other: Decimal): Decimal {
    return this.plus(new Decimal(-other.unscaled, other.scale));
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.unscaled * other.unscaled, this.scale + other.scale);
  }

  /** To `scale` digits. The divisor is not zero. */
  over(other: Decimal, scale: number): Decimal {
    const shifted = this.unscaled * 10n ** BigInt(Math.max(0, scale + other.scale - this.scale));
    return new Decimal(divided(shifted, other.unscaled), Math.max(scale, this.scale - other.scale));
  }

  remainder(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.withScale(scale).unscaled % other.withScale(scale).unscaled, scale);
  }

  compare(other: Decimal): number {
    const difference = this.minus(other).unscaled;
    if (difference === 0n) return 0;
    return difference < 0n ? -1 : 1;
  }

  get digits(): number {
    return String(this.unscaled < 0n ? -this.unscaled : this.unscaled).length;
  }

  toNumber(): number {
    return Number(this.toString());
  }

  /** Towards zero. */
  toBigInt(): bigint {
    return this.unscaled / 10n ** BigInt(this.scale);
  }

  toString(): string {
    const isNegative = this.unscaled < 0n;
    const digits = String(isNegative ? -this.unscaled : this.unscaled).padStart(
      this.scale + 1,
      '0',
    );
    const whole = digits.slice(0, digits.length - this.scale);
    const fraction = this.scale === 0 ? '' : `.${digits.slice(-this.scale)}`;
    return `${isNegative ? '-' : ''}${whole}${fraction}`;
  }
}

function divided(value: bigint, by: bigint): bigint {
  const [quotient, rest] = [value / by, value % by];
  const size = (n: bigint): bigint => (n < 0n ? -n : n);
  if (size(rest) * 2n < size(by)) return quotient;
  return quotient + (value < 0n === by < 0n ? 1n : -1n);
}
