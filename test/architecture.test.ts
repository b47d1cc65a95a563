import { describe, expect, test } from 'bun:test';
import { Glob, Transpiler } from 'bun';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the composition root puts together. */
const everything = [
  'api',
  'auth',
  'aws',
  'console',
  'core',
  'engine',
  'iam',
  'metrics',
  'net',
  'secrets',
  'state',
  'wire',
] as const;

/** Who may import whom; everyone may import `base` and its own folder. A folder that is not here may not exist. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli'],
  cli: [...everything, 'server'],
  server: everything,
  net: ['core'],
  core: [],
  engine: ['auth', 'core', 'wire'],
  wire: [],
  auth: [],
  aws: ['secrets'],
  secrets: [],
  iam: [],
  state: [],
  api: ['auth', 'iam', 'state'],
  console: ['metrics', 'state'],
  metrics: ['core'],
  base: [],
};

interface Rule {
  readonly name: string;
  readonly what: RegExp;
  /** Beginnings of the paths that may. */
  readonly where: readonly string[];
}

/** Looked for in code without comments and types. */
const rules: readonly Rule[] = [
  {
    name: 'sockets',
    what: /import (?!\{ isIP \})[^;]*from "node:(?:net|tls|dgram|https?|http2)"|\bBun\.(?:listen|connect|serve|udpSocket)\b/,
    where: ['net/'],
  },
  {
    name: 'a database client',
    what: /\bBun\.(?:SQL|sql)\b|import \{[^}]*\bSQL\b[^}]*\} from "bun"/i,
    where: [
      'cli/embedded-mysql.ts',
      'cli/embedded-postgres.ts',
      'cli/demo/postgres/connection.ts',
      'server/control/rotation/',
    ],
  },
  { name: 'foreign functions', what: /"bun:ffi"/, where: ['net/io-uring.ts'] },
  { name: 'other programs', what: /"node:child_process"|\bBun\.spawn/, where: ['cli/', 'server/'] },
  {
    name: 'the environment',
    what: /\bprocess\.(?:env|argv|exit|exitCode)\b|\bBun\.(?:env|argv)\b|\bimport\.meta\.env\b/,
    where: ['main.ts'],
  },
  {
    name: 'time',
    what: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(?:Timeout|Interval|Immediate)\(|\bBun\.(?:sleep|nanoseconds)|"node:timers/,
    where: ['base/clock.ts'],
  },
  {
    name: 'chance',
    what: /\bMath\.random\b|\brandom(?:Bytes|Int|UUID|FillSync)\b|\bgetRandomValues\b/,
    where: ['base/random.ts'],
  },
  { name: 'the terminal', what: /\bconsole\./, where: ['cli/', 'main.ts'] },
  { name: 'inheritance', what: /\bclass \w+ extends (?!Error\b)/, where: [] },
  { name: 'EventEmitter', what: /\bEventEmitter\b/, where: [] },
];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Without comments and types. */
  readonly code: string;
}

const transpiler = new Transpiler({ loader: 'ts' });
const files: readonly SourceFile[] = [...new Glob('**/*.ts').scanSync(join(root, 'src'))]
  .filter((path) => !path.endsWith('.test.ts'))
  .toSorted()
  .map((path) => {
    const text = readFileSync(join(root, 'src', path), 'utf8');
    return { path, text, code: transpiler.transformSync(text) };
  });

/** What a file imports of ours, types included, as paths below `src`. */
function importsOf({ path, text }: SourceFile): readonly string[] {
  const found = text.matchAll(
    /^(?:import|export)\b[^;']*?\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm,
  );
  return Array.from(found, ([, still = '', dynamic = still]) =>
    join(dirname(path), dynamic || still),
  );
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** Engines whose protocol has another name than they. */
const protocols: Readonly<Record<string, string>> = { sqlserver: 'tds' };

function protocolOf(path: string): string | undefined {
  const [, name = ''] = path.split('/');
  return protocols[name] ?? name;
}

function mayImport(from: string, to: string): boolean {
  const [source, target] = [folderOf(from), folderOf(to)];
  // The version.
  if (to === '../package.json') return source === 'cli';
  if (target === '..') return false;
  const crosses = protocolOf(from) !== protocolOf(to);
  // An engine knows neither another engine nor another's codecs; nor do codecs know each other.
  if (['engine', 'wire'].includes(source) && ['engine', 'wire'].includes(target) && crosses)
    return false;
  return target === 'base' || target === source || (arrows[source] ?? []).includes(target);
}

describe('the source', () => {
  test('is read whole', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(files.length);
  });

  test('has no folder without a place in the design', () => {
    expect(
      [...new Set(files.map(({ path }) => folderOf(path)))].filter((one) => !(one in arrows)),
    ).toEqual([]);
  });

  test('imports only along the arrows of the design', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !mayImport(file.path, target))
        .map((target) => `${file.path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test.each([...rules])('has $name only where it belongs', ({ what, where }) => {
    const wrong = files
      .filter(({ path }) => !where.some((beginning) => path.startsWith(beginning)))
      .flatMap(({ path, code }) =>
        (what.exec(code) ?? []).slice(0, 1).map((hit) => `${path}: ${hit}`),
      );
    expect(wrong).toEqual([]);
  });

  test('leaves nothing for later and silences no tool', () => {
    const words =
      /\b(?:TODO|FIXME|HACK|XXX)\b|(?:oxlint|eslint)-disable|@ts-(?:ignore|expect-error|nocheck)|_PLACEHOLDER/;
    expect(files.filter(({ text }) => words.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('has no barrels', () => {
    const wrong = files.filter(
      ({ path, text }) => path.endsWith('/index.ts') || /^export \*/m.test(text),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('a wrong arrow would be found', () => {
  test.each([
    ['core/pool.ts', 'engine/postgres/engine.ts'],
    ['engine/mysql/relay.ts', 'engine/postgres/relay.ts'],
    ['engine/mysql/relay.ts', 'wire/postgres/startup.ts'],
    ['wire/tds/login.ts', 'wire/postgres/startup.ts'],
    ['engine/sqlserver/relay.ts', 'wire/mysql/framing.ts'],
    ['api/rds/proxies.ts', 'engine/postgres/engine.ts'],
    ['server/serve.ts', 'cli/serve.ts'],
    ['base/log.ts', 'core/fault.ts'],
    ['core/pool.ts', '../package.json'],
    ['net/link.ts', '../test/support/messages.ts'],
  ])('%s → %s', (from, to) => {
    expect(mayImport(from, to)).toBe(false);
  });

  test.each([
    ['engine/mysql/relay.ts', 'wire/mysql/packet.ts'],
    ['engine/mysql/relay.ts', 'engine/mysql/pins.ts'],
    ['engine/sqlserver/relay.ts', 'wire/tds/packets.ts'],
    ['cli/serve.ts', 'server/serve.ts'],
    ['auth/scram.ts', 'base/bytes.ts'],
    ['cli/version.ts', '../package.json'],
  ])('and %s → %s would not', (from, to) => {
    expect(mayImport(from, to)).toBe(true);
  });
});

describe('decisions', () => {
  const folder = join(root, 'docs/decisions');
  const records = [...new Glob('*.md').scanSync(folder)].toSorted();
  const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

  test('say when to revisit them, and have a number of their own', () => {
    expect(records.filter((name) => !/^\d{4}-[a-z0-9-]+\.md$/.test(name))).toEqual([]);
    expect(records.filter((name) => !/\bwhen to revisit\b/i.test(textOf(name)))).toEqual([]);
    const numbers = records.map((name) => name.slice(0, 4));
    expect(numbers.length).toBe(new Set(numbers).size);
  });

  test('cover every dependency', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    ) as Readonly<Record<string, Readonly<Record<string, string>>>>;
    const named = new Set(records.flatMap((name) => textOf(name).match(/`[^`]+`/g) ?? []));
    const unnamed = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .map((name) => (name.startsWith('@embedded-postgres/') ? '@embedded-postgres/*' : name))
      .filter((name) => !named.has(`\`${name}\``));
    expect([...new Set(unnamed)]).toEqual([]);
  });
});
