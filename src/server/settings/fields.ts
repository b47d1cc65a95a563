import { z } from 'zod';
import type { IpNetwork } from '../../base/ip.ts';
import { parseNetwork } from '../../base/ip.ts';
import { SecretText } from '../../base/secret-text.ts';
import type { Address } from '../../core/network.ts';

type Complaint = (issue: { readonly input?: unknown }) => string;

/** What to say of a value that is not `wanted`. Never shows the value. */
function needs(wanted: string, isText = false): Complaint {
  return ({ input }) => {
    if (input === undefined) return `is missing; give ${wanted}`;
    if (input === null) return `has no value; give ${wanted}, or leave the key out`;
    if (isText && (typeof input === 'number' || typeof input === 'boolean'))
      return `must be ${wanted}: put it in quotes, since YAML takes it for a ${typeof input}`;
    return `must be ${wanted}`;
  };
}

const ANY_TEXT = /^[^\0]+$/;

/** A text. `wanted` completes "must be …". */
export function text(wanted: string, what: string, pattern = ANY_TEXT) {
  const error = needs(wanted, true);
  return z.string({ error }).regex(pattern, { error }).meta({ description: what, shown: 'text' });
}

/** A text that is a secret from here on. */
export function secretText(what: string) {
  const error = needs('a text that is not empty', true);
  return z
    .string({ error })
    .regex(ANY_TEXT, { error })
    .transform((value) => new SecretText(value))
    .meta({ description: what, shown: 'text, secret' });
}

/** The names of proxies, endpoints and databases in the RDS API. */
const NAME = /^(?=.{1,63}$)[a-zA-Z][a-zA-Z0-9]*(?:-[a-zA-Z0-9]+)*$/;

export function name(what: string) {
  const wanted =
    'a name of at most 63 letters, digits and single hyphens that begins with a letter and does not end with a hyphen';
  return text(wanted, what, NAME);
}

/** A whole number; variables are texts, so digits in quotes are welcome. `unit` is shown in the reference. */
export function whole(min: number, max: number, what: string, unit?: 's' | '%') {
  const units = { s: ' (seconds)', '%': ' (percent)' } as const;
  const shown = unit === undefined ? '' : units[unit];
  const error = needs(`a whole number from ${min} to ${max}${shown}`);
  return z
    .preprocess(
      (value) => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
      z.int({ error }).min(min, { error }).max(max, { error }),
    )
    .meta({ description: what, shown: `${min}–${max}${unit === undefined ? '' : ` ${unit}`}` });
}

export function flag(what: string) {
  return z
    .preprocess(
      (value) => (value === 'true' ? true : value === 'false' ? false : value),
      z.boolean({ error: needs('true or false') }),
    )
    .meta({ description: what, shown: 'true, false' });
}

/** One of the given words; `others` says more about those that are not among them. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  words: Words,
  what: string,
  others = '',
) {
  const wanted = words.length === 1 ? words[0] : `one of ${words.join(', ')}`;
  const error = needs(others === '' ? wanted : `${wanted}; ${others}`);
  return z.enum(words, { error }).meta({ description: what, shown: words.join(', ') });
}

export function listOf<Item extends z.ZodType>(item: Item, what: string, least = 0, most = 10_000) {
  const count = least > 0 ? `${least} to ${most}` : `at most ${most}`;
  const error = needs(`a list of ${count} items`);
  return z
    .array(item, { error })
    .min(least, { error })
    .max(most, { error })
    .meta({ description: what });
}

/** A mapping that knows all of its keys. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape, what: string) {
  return z
    .strictObject(shape, { error: needs('a mapping of keys to values') })
    .meta({ description: what });
}

/** A mapping whose other keys do not matter. */
export function looseMapping<Shape extends z.core.$ZodLooseShape>(shape: Shape, what: string) {
  return z
    .object(shape, { error: needs('a mapping of keys to values') })
    .meta({ description: what });
}

const LISTEN = /^(?:\[([\da-fA-F:.]+(?:%\w+)?)\]|([\w.-]{1,253})):(\d{1,5})$/;

/** `host:port` or `[IPv6 address]:port`. */
export function listenAddress(what: string) {
  const wanted = 'host:port, such as 127.0.0.1:6432, 0.0.0.0:6432 or [::1]:6432';
  return parsed(wanted, parseListenAddress).meta({ description: what, shown: 'host:port' });
}

/** Ports, from the first to the last. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export function portRange(what: string) {
  const wanted = 'two ports with a hyphen between them, such as 6500-6599';
  return parsed(wanted, parsePortRange).meta({ description: what, shown: 'port-port' });
}

function parsePortRange(value: string): PortRange | undefined {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(value) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from >= 1 && from <= to && to <= 65_535 ? { from, to } : undefined;
}

/** A block of IP addresses, or one of them. */
export function network(what: string) {
  const wanted = 'an IP network, such as 10.0.0.0/8 or 2001:db8::/32, or an IP address';
  return parsed(wanted, parseNetwork).meta({ description: what });
}

/** A text that means something else from here on. `wanted` completes "must be …". */
function parsed<Value extends Address | IpNetwork | PortRange>(
  wanted: string,
  parse: (text: string) => Value | undefined,
) {
  const error = needs(wanted);
  return z.string({ error }).transform((value, context): Value => {
    const meant = parse(value);
    if (meant !== undefined) return meant;
    context.addIssue({ code: 'custom', message: error({ input: value }) });
    return z.NEVER;
  });
}

function parseListenAddress(value: string): Address | undefined {
  const [, ipv6, host, digits] = LISTEN.exec(value) ?? [];
  const port = Number(digits);
  const named = ipv6 ?? host;
  return named === undefined || port > 65_535 ? undefined : { host: named, port };
}
