import type { z } from 'zod';
import type { Path, Problems } from './problems.ts';
import { knownKeys } from './reference.ts';
import type {
  DatabaseInput,
  PrincipalInput,
  ProxyInput,
  SecretInput,
  SettingsInput,
} from './schema.ts';
import {
  databaseSchema,
  principalSchema,
  proxySchema,
  secretSchema,
  settingsSchema,
} from './schema.ts';
import { didYouMean } from './suggest.ts';

/** An item of a list, and where it stands. */
export interface Placed<Item> {
  readonly at: Path;
  readonly item: Item;
}

/** What can be said of the parts, also where others are wrong. */
export interface Parts {
  readonly principals: readonly Placed<PrincipalInput>[];
  readonly secrets: readonly Placed<SecretInput>[];
  readonly databases: readonly Placed<DatabaseInput>[];
  readonly proxies: readonly Placed<ProxyInput>[];
  readonly admin: SettingsInput['admin'] | undefined;
  readonly aws: SettingsInput['aws'];
  /** Whether there is an `aws`, right or wrong. */
  readonly hasAws: boolean;
  /** The names that are given, also by items that are wrong in other ways. */
  readonly names: {
    readonly secrets: ReadonlySet<string>;
    readonly databases: ReadonlySet<string>;
    readonly clusters: ReadonlySet<string>;
  };
}

/** Holds the content to the schema. Undefined where it does not fit; the problems say why. */
export function readShape(
  value: unknown,
  problems: Problems,
): { readonly input: SettingsInput | undefined; readonly parts: Parts } {
  const result = settingsSchema.safeParse(value);
  for (const issue of result.error?.issues ?? []) report(issue, value, problems);
  return { input: result.data, parts: partsOf(value) };
}

function report(issue: z.core.$ZodIssue, value: unknown, problems: Problems): void {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code !== 'unrecognized_keys') {
    problems.add(path, issue.message);
    return;
  }
  const known = knownKeys(pattern(path));
  for (const key of issue.keys) {
    const shown = canShow(key, at(value, [...path, key])) ? ` \`${key}\`` : '';
    const hint = didYouMean(key, known) || `; known are ${known.join(', ')}`;
    problems.unknownKey(path, key, `unknown key${shown}${hint}`);
  }
}

/** Where a colon was forgotten, a secret may stand in the place of a key: only what looks like a key is shown. */
function canShow(key: string, value: unknown): boolean {
  return value !== null && /^[A-Za-z][A-Za-z_-]{0,39}$/.test(key);
}

/** `proxies[].pool` */
function pattern(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? '[]' : `.${key}`))
    .join('')
    .slice(1);
}

function partsOf(value: unknown): Parts {
  return {
    principals: itemsOf(value, 'principals', principalSchema),
    secrets: itemsOf(value, 'secrets', secretSchema),
    databases: itemsOf(value, 'databases', databaseSchema),
    proxies: itemsOf(value, 'proxies', proxySchema),
    admin: settingsSchema.shape.admin.safeParse(at(value, ['admin'])).data,
    aws: settingsSchema.shape.aws.safeParse(at(value, ['aws'])).data,
    hasAws: at(value, ['aws']) !== undefined,
    names: {
      secrets: namesIn(value, 'secrets', 'name'),
      databases: namesIn(value, 'databases', 'identifier'),
      clusters: namesIn(value, 'databases', 'memberOf'),
    },
  };
}

function itemsOf<Item>(
  value: unknown,
  section: string,
  schema: z.ZodType<Item>,
): readonly Placed<Item>[] {
  return listIn(value, section).flatMap((raw, index) => {
    const { data } = schema.safeParse(raw);
    return data === undefined ? [] : [{ at: [section, index], item: data }];
  });
}

function namesIn(value: unknown, section: string, key: string): ReadonlySet<string> {
  const names = listIn(value, section).map((_, index) => at(value, [section, index, key]));
  return new Set(names.filter((one) => typeof one === 'string'));
}

function listIn(value: unknown, section: string): readonly unknown[] {
  const list = at(value, [section]);
  return Array.isArray(list) ? list : [];
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (typeof inner !== 'object' || inner === null) return undefined;
    return Object.entries(inner).find(([name]) => name === String(key))?.[1];
  }, value);
}
