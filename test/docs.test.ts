import { afterAll, describe, expect, test } from 'bun:test';
import { Glob } from 'bun';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchmarks } from '../bench/benchmarks.ts';
import { limits } from '../src/base/limits.ts';
import { run } from '../src/cli/run.ts';
import type { FaultName } from '../src/core/fault.ts';
import { faultFacts } from '../src/core/fault.ts';
import { pinReasons } from '../src/core/pin.ts';
import { DETAIL_IN_TEXT as faultsWithDetail, wordsOf } from '../src/engine/mysql/faults.ts';
import { say } from '../src/engine/postgres/faults.ts';
import {
  DETAIL_IN_TEXT as sqlServerFaultsWithDetail,
  wordsOf as sqlServerWordsOf,
} from '../src/engine/sqlserver/faults.ts';
import { loadSettings } from '../src/server/settings/load.ts';
import { readReport } from '../src/wire/postgres/backend-read.ts';
import { HEADER_BYTES } from '../src/wire/postgres/framing.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = [...new Glob('src/**/*.ts').scanSync(root)].filter(
  (path) => !path.endsWith('.test.ts'),
);
const pages = ['*.md', 'docs/**/*.md'].flatMap((glob) =>
  [...new Glob(glob).scanSync(root)].toSorted(),
);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Whether the page says `text` between its marks for `name`. After a change: UPDATE_DOCS=1 bun test test/docs.test.ts */
function expectGenerated(path: string, name: string, text: string): void {
  const marked = `<!-- generated: ${name} -->\n\n${text}\n\n<!-- end -->`;
  const found = new RegExp(`<!-- generated: ${name} -->[^]*?<!-- end -->`);
  if (Bun.env['UPDATE_DOCS'] !== undefined) {
    writeFileSync(
      join(root, path),
      read(path).replace(found, () => marked),
    );
  }
  expect(found.exec(read(path))?.[0]).toBe(marked);
}

describe('docs/reference/limits.md', () => {
  test('lists each limit', () => {
    const rows = Object.entries(limits).map(([name, { value, unit, what }]) => {
      return `| \`${name}\` | ${value.toLocaleString('en-US')} ${unit} | ${what} |`;
    });
    const head = '| Limit | Value | What |\n|---|---|---|';
    expectGenerated('docs/reference/limits.md', 'limits', [head, ...rows].join('\n'));
  });

  test('and each is kept somewhere', () => {
    const code = sources.map(read).join('\n');
    const unused = Object.keys(limits).filter(
      (name) => !new RegExp(`limits\\.${name}\\b`).test(code),
    );
    expect(unused).toEqual([]);
  });
});

describe('docs/reference/cli.md', () => {
  const help = async (...args: string[]): Promise<string> => {
    let out = '';
    const io = { isTty: false, columns: 100, env: {}, err: () => {} };
    await run([...args, '--help'], { ...io, out: (text) => (out += text) });
    return `\`\`\`text\n${out.trimEnd()}\n\`\`\``;
  };

  test('shows the help of each command', async () => {
    const overview = await help();
    expectGenerated('docs/reference/cli.md', 'sluice', overview);
    const commands = Array.from(overview.matchAll(/^ {2}(\w+) /gm), ([, name = '']) => name);
    const withHelp = commands.filter((name) => name !== 'help' && name !== 'version');
    expect(withHelp.length).toBeGreaterThan(3);
    for (const name of withHelp) {
      expectGenerated('docs/reference/cli.md', `sluice ${name}`, await help(name));
    }
  });
});

test('docs/guides/benchmark.md shows the help of each benchmark', () => {
  for (const { name, help } of benchmarks) {
    const shown = `\`\`\`text\n${help}\n\`\`\``;
    expectGenerated('docs/guides/benchmark.md', `bench ${name}`, shown);
  }
});

describe('docs/reference/errors.md', () => {
  const [page = ''] = read('docs/reference/errors.md').split('## MySQL and MariaDB');
  const rows = page.split('\n').filter((line) => /^\| `\w+` \|/.test(line));

  test('says each fault as the client and the log do', () => {
    const facts = Object.entries(faultFacts) as [FaultName, { level: string; side: string }][];
    const expected = facts.map(([name, { level, side }]) => {
      const fault = { name, user: 'USER', detail: 'DETAIL', limit: 4711 };
      const { code, message } = readReport(say(fault, 'FATAL').subarray(HEADER_BYTES));
      return `| \`${name}\` | ${code} | ${message.replace('4711', 'LIMIT')} | ${level}, ${side} |`;
    });
    expect(rows.map((row) => `${row.split(' |').slice(0, 4).join(' |')} |`)).toEqual(expected);
  });

  test("says each in MySQL's words, too", () => {
    const lines = Object.keys(faultFacts).map((name) => {
      const fault = { name: name as FaultName, user: 'USER', detail: 'DETAIL', limit: 4711 };
      const { code, sqlState, message } = wordsOf(fault);
      const text = message.replace('4711', 'LIMIT').replace(': DETAIL', '');
      const shown = faultsWithDetail.includes(fault.name) ? `${text}: DETAIL` : text;
      return `| \`${name}\` | ${code} | ${sqlState} | ${shown} |`;
    });
    const head = '| Fault | Code | SQLSTATE | Text |\n|---|---|---|---|';
    expectGenerated('docs/reference/errors.md', 'mysql errors', [head, ...lines].join('\n'));
  });

  test("says each in SQL Server's words, too", () => {
    const lines = Object.keys(faultFacts).map((name) => {
      const fault = { name: name as FaultName, user: 'USER', limit: 4711 };
      const isSaid = sqlServerFaultsWithDetail.includes(fault.name);
      const { number, severity, message } = sqlServerWordsOf({
        ...fault,
        ...(isSaid ? { detail: 'DETAIL' } : {}),
      });
      return `| \`${name}\` | ${number} | ${severity} | ${message.replace('4711', 'LIMIT')} |`;
    });
    const head = '| Fault | Number | Severity | Text |\n|---|---|---|---|';
    expectGenerated('docs/reference/errors.md', 'sqlserver errors', [head, ...lines].join('\n'));
  });

  test('says what each ends, why it happens and how to mend it', () => {
    for (const row of rows) {
      expect(row).toMatch(
        /^(?:\|[^|]+){4}\| (?:connection|request|request or sign-in) \|[^|]{9,}\|[^|]{9,}\|$/,
      );
    }
  });
});

test.each(['postgres', 'mysql', 'sqlserver'])(
  'docs/guides/pinning.md has each reason of %s to pin',
  (engine) => {
    const code = sources
      .filter((path) => path.startsWith(`src/engine/${engine}/`))
      .map(read)
      .join('\n');
    const given = Object.keys(pinReasons).filter((reason) => code.includes(`'${reason}'`));
    expect(given.length).toBeGreaterThan(5);
    const [, table = ''] =
      new RegExp(`<!-- reasons: ${engine} -->([^]*?)<!-- end -->`).exec(
        read('docs/guides/pinning.md'),
      ) ?? [];
    const rows = table.match(/^\| `[^|]+\|/gm) ?? [];
    const documented = rows.flatMap((cell) =>
      Array.from(cell.matchAll(/`(\w+)`/g), ([, reason = '']) => reason),
    );
    expect([...new Set(documented)].toSorted()).toEqual(given.toSorted());
  },
);

test('docs/reference/logs.md lists the events of the program with their levels', () => {
  // A proxy's own events are held to the page by the test of src/server/report.ts.
  const told = new Map<string, Set<string>>();
  const call = /(?:\.event|tell)\(\s*(?:[\w.#]+, )?([^()]*?)'(\w+)',\s*(?:\{|[\w.]+[,)])/g;
  for (const path of sources.filter(
    (one) => /^src\/(?:server|base)\//.test(one) && !one.endsWith('report.ts'),
  )) {
    for (const [, levels = '', event = ''] of read(path).matchAll(call)) {
      const seen = told.get(event) ?? new Set();
      told.set(event, seen);
      for (const [level] of levels.matchAll(/\b(?:debug|info|warn|error)\b/g)) seen.add(level);
    }
  }
  expect(told.size).toBeGreaterThan(10);
  const page = read('docs/reference/logs.md');
  const rows = page
    .slice(page.indexOf('## The program'))
    .matchAll(/^\| `(\w+)` \| ([a-z, ]+) \|/gm);
  const documented = Array.from(rows, ([, event = '', levels = '']) => `${event}: ${levels}`);
  const expected = [...told].map(([event, levels]) => {
    return `${event}: ${['debug', 'info', 'warn', 'error'].filter((one) => levels.has(one)).join(', ')}`;
  });
  expect(documented.toSorted()).toEqual(expected.toSorted());
});

describe('every page', () => {
  const prose = (page: string): string => read(page).replaceAll(/^ *```[^]*?^ *```/gm, '');

  test.each(pages)('%s has links that lead somewhere', (page) => {
    const links = Array.from(
      prose(page).matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g),
      ([, a, b]) => a ?? b ?? '',
    );
    const broken = links.filter((link) => {
      const [path = '', heading] = link.split('#');
      if (/^https?:/.test(link)) return false;
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      return heading !== undefined && !anchorsOf(read(target)).includes(heading);
    });
    expect(broken).toEqual([]);
  });

  const forUsers = pages.filter((page) =>
    /^(?:README|CHANGELOG|docs\/(?:guides|reference))/.test(page),
  );
  test.each(forUsers)('%s has lines that fit', (page) => {
    const long = prose(page)
      .split('\n')
      .filter((line) => line.length > 120 && !line.startsWith('|'));
    expect(long).toEqual([]);
  });

  test.each(pages.filter((page) => settingsIn(page).length > 0))(
    '%s has settings that are understood',
    (page) => {
      const variables = {
        APP_PASSWORD: 'a',
        REPORTS_PASSWORD: 'b',
        REPORTS_SECRET_ACCESS_KEY: 'c',
      };
      for (const name of ['proxy.crt', 'proxy.key', 'database-ca.pem'])
        writeFileSync(join(directory, name), '');
      const path = join(directory, 'sluice.yaml');
      for (const settings of settingsIn(page)) {
        writeFileSync(path, settings);
        // Without proxies it is for those that come by the API.
        const hasApi = !/^proxies:/m.test(settings);
        expect(loadSettings(path, variables, { hasApi }).warnings).toEqual([]);
      }
    },
  );
});

/** Whole settings files that a page shows. */
function settingsIn(page: string): readonly string[] {
  const blocks = read(page).matchAll(/^```yaml\n([^]*?)^```/gm);
  return Array.from(blocks, ([, text = '']) => text).filter((text) => /^region:/m.test(text));
}

/** The headings, as GitHub makes anchors of them. */
function anchorsOf(text: string): readonly string[] {
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) => {
    return heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
  });
}
