import { afterAll, beforeAll, describe, test } from 'bun:test';
import { Glob } from 'bun';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MysqlRelease } from '../../../../src/cli/embedded-mysql-install.ts';
import { mysqlReleasesHere } from '../../../support/mysql.ts';
import { readMysqlFile } from '../../../support/mysql-file.ts';
import type { MysqlFile, MysqlParagraph } from '../../../support/mysql-file.ts';
import { MysqlTwins } from './twins.ts';
import type { Name, User } from './twins.ts';
import { ways } from './ways.ts';

const directory = fileURLToPath(new URL('corpus', import.meta.url));
const names = [...new Glob('*.sql').scanSync(directory)].toSorted();
const texts = new Map(names.map((name) => [name, readFileSync(`${directory}/${name}`, 'utf8')]));

/** What belongs to the whole server ends in `_mine` and gets the client's own name; `home_mine` is its schema. */
function fileOf(name: string, client: Name = 'one'): MysqlFile {
  return readMysqlFile((texts.get(name) ?? '').replaceAll(/_mine\b/g, `_${client}`));
}

function paragraphsOf(
  name: string,
  release: MysqlRelease,
  client?: Name,
): readonly MysqlParagraph[] {
  return fileOf(name, client)
    .paragraphs.map((paragraph) =>
      paragraph.filter(
        ({ only }) => only.length === 0 || only.some((one) => release.startsWith(one)),
      ),
    )
    .filter(({ length }) => length > 0);
}

function userOf(name: string): User {
  return fileOf(name).notes.get('user') === 'chief' ? 'chief' : 'app';
}

for (const release of await mysqlReleasesHere()) {
  describe(`the language of ${release}, directly and through Sluice`, () => {
    let twins: MysqlTwins;
    beforeAll(async () => {
      twins = await MysqlTwins.open(release);
    });
    afterAll(() => twins.close());

    for (const name of names) {
      for (const [way, scriptOf] of Object.entries(ways)) {
        test(`${name}, ${way}`, () =>
          twins.expectSame(scriptOf(paragraphsOf(name, release)), userOf(name)));
      }
    }
  });
}
