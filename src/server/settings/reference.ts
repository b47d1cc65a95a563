import { z } from 'zod';
import { settingsSchema } from './schema.ts';

/** One key of the settings, as the schema has it. */
export interface KeyReference {
  /** `proxies[].pool.initQuery` */
  readonly path: string;
  /** What it may hold: `1–100 %`, `text`, `list`, `mapping` … */
  readonly holds: string;
  /** JSON of the default; undefined where there is none. */
  readonly byDefault: string | undefined;
  readonly required: boolean;
  readonly what: string;
}

type Schema = z.core.JSONSchema.BaseSchema;

/** All keys, each followed by the keys below it. */
export function settingsReference(): readonly KeyReference[] {
  const root = z.toJSONSchema(settingsSchema, {
    io: 'input',
    // Zod leaves defaults out where a value is also preprocessed.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodDefault) jsonSchema.default = zodSchema.def.defaultValue;
      // Of mappings the defaults of their keys are told.
      if (zodSchema instanceof z.ZodPrefault && typeof zodSchema.def.defaultValue === 'string')
        jsonSchema.default = zodSchema.def.defaultValue;
    },
  });
  return keysBelow(root, '');
}

/** The keys that may stand directly below a path such as `proxies[].pool`; the empty path is the file itself. */
export function knownKeys(path: string): readonly string[] {
  const prefix = path === '' ? '' : `${path}.`;
  return settingsReference()
    .filter((key) => key.path.startsWith(prefix))
    .map((key) => key.path.slice(prefix.length))
    .filter((rest) => /^\w+$/.test(rest));
}

function keysBelow(schema: Schema, path: string): readonly KeyReference[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (typeof property === 'boolean') return [];
    const here = path === '' ? key : `${path}.${key}`;
    const item = itemOf(property);
    const own: KeyReference = {
      path: here,
      holds: holds(property, item),
      byDefault: property.default === undefined ? undefined : JSON.stringify(property.default),
      required: required.has(key) && property.default === undefined,
      what: property.description ?? '',
    };
    return [own].concat(
      item === undefined ? keysBelow(property, here) : keysBelow(item, `${here}[]`),
    );
  });
}

function itemOf({ items }: Schema): Schema | undefined {
  return typeof items !== 'object' || Array.isArray(items) ? undefined : items;
}

function holds(schema: Schema, item: Schema | undefined): string {
  if (typeof schema['shown'] === 'string') return schema['shown'];
  if (item === undefined) return 'mapping';
  return item.properties === undefined ? 'list of texts' : 'list of mappings';
}

/** The page `docs/reference/configuration.md`. */
export function settingsPage(): string {
  return `# Settings

Sluice reads one YAML file: \`sluice serve --config sluice.yaml\`. \`sluice check\` tells what is wrong with it and
what it means. \`sluice.example.yaml\` shows a small one.

- \`\${NAME}\` in a value is replaced by the environment variable NAME, \`\${NAME:-default}\` by the default where NAME is
  unset or empty; \`$\${\` stands for \`\${\`. Inside braces and brackets such a value must be in quotes.
- Times are whole seconds, shown as \`s\`. Paths are relative to the settings file.
- A key that is not in this table is an error.

| Key | Holds | Default | What |
|---|---|---|---|
${settingsReference().map(row).join('\n')}
`;
}

function row({ path, holds: type, byDefault, required, what }: KeyReference): string {
  const defaults = required
    ? '**required**'
    : byDefault === undefined || byDefault === '{}'
      ? ''
      : `\`${byDefault}\``;
  return `| \`${path}\` | ${type} | ${defaults} | ${what} |`;
}
