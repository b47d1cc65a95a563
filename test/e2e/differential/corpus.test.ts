import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Glob } from 'bun';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSqlFile } from '../../support/sql-file.ts';
import type { Paragraph, SqlFile } from '../../support/sql-file.ts';
import { commandOf, commands } from './commands.ts';
import { CorpusTwins } from './corpus-twins.ts';
import type { Name, User } from './corpus-twins.ts';
import { preparedInBinary, statementByStatement, waysAlone } from './ways.ts';

const directory = fileURLToPath(new URL('corpus', import.meta.url));
const names = [...new Glob('*.sql').scanSync(directory)].toSorted();
const texts = new Map(names.map((name) => [name, readFileSync(`${directory}/${name}`, 'utf8')]));

/** What belongs to the whole server ends in `_mine` and gets the client's own name; `home_mine` is its schema. */
function fileOf(name: string, client: Name = 'one'): SqlFile {
  return readSqlFile((texts.get(name) ?? '').replaceAll(/_mine\b/g, `_${client}`));
}

function paragraphsOf(name: string, version: number, client?: Name): readonly Paragraph[] {
  return fileOf(name, client)
    .paragraphs.map((paragraph) => paragraph.filter(({ since }) => since <= version))
    .filter(({ length }) => length > 0);
}

function userOf(name: string): User {
  return fileOf(name).notes.get('user') === 'chief' ? 'chief' : 'app';
}

describe('the corpus', () => {
  const found = new Set(
    names.flatMap((name) => fileOf(name).paragraphs.flat()).map(({ sql }) => commandOf(sql)),
  );

  test.each(commands)('has %s', (command) => {
    expect(found).toContain(command);
  });
});

for (const version of [18, 14] as const) {
  describe(`the language of PostgreSQL ${version}, directly and through Sluice`, () => {
    let twins: CorpusTwins;
    let inventory: readonly (readonly string[])[];
    beforeAll(async () => {
      twins = await CorpusTwins.open(version);
      inventory = await twins.inventory();
    });
    afterAll(() => twins.close());

    for (const name of names) {
      for (const [way, scriptOf] of Object.entries(waysAlone)) {
        test(`${name}, ${way}`, () =>
          twins.expectSame(scriptOf(paragraphsOf(name, version)), userOf(name)));
      }

      // Their schemas and all that is named after them differ; on the one connection they take turns.
      test(`${name}, statement by statement, and in binary on the same connection`, () => {
        const one = statementByStatement(paragraphsOf(name, version, 'one'));
        const two = preparedInBinary(paragraphsOf(name, version, 'two'));
        return twins.expectSameAsAlone({ one, two }, userOf(name));
      });
    }

    test('nothing is left behind', async () => {
      expect(await twins.inventory()).toEqual(inventory);
    });
  });
}
