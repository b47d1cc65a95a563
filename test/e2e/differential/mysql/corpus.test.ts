import { afterAll, beforeAll, describe, test } from 'bun:test';
import { Glob } from 'bun';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MysqlRelease } from '../../../../src/cli/embedded-mysql-install.ts';
import { mysqlReleasesHere } from '../../../support/mysql.ts';
import { readMysqlFile } from '../../../support/mysql-file.ts';
import type { MysqlFile, MysqlParagraph, MysqlStatement } from '../../../support/mysql-file.ts';
import { MysqlTwins } from './twins.ts';
import type { Name, User } from './twins.ts';
import { ways } from './ways.ts';

const directory = fileURLToPath(new URL('corpus', import.meta.url));
const names = [...new Glob('*.sql').scanSync(directory)].toSorted();
const texts = new Map(names.map((name) => [name, readFileSync(`${directory}/${name}`, 'utf8')]));

/**
 * What belongs to the whole server ends in `_mine` and gets the client's own name; `home_mine` is its schema. A variable that was
 * NULL is told of with another type than one that never was: each client has its own, and each way those that end in `_way`.
 */
function fileOf(name: string, client: Name = 'one', way = ''): MysqlFile {
  const text = (texts.get(name) ?? '').replaceAll(/_mine\b/g, `_${client}`);
  const named = client === 'one' ? text : text.replaceAll(/(?<![@\w])@(?=\w)/g, '@two_');
  return readMysqlFile(named.replaceAll(/_way\b/g, `_${way.replaceAll(/\W/g, '_')}`));
}

function paragraphsOf({ paragraphs }: MysqlFile, release: MysqlRelease): readonly MysqlParagraph[] {
  const isKnown = ({ only }: MysqlStatement): boolean =>
    only.length === 0 || only.some((one) => release.startsWith(one));
  return paragraphs
    .map((paragraph) => paragraph.filter(isKnown))
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
          twins.expectSame(
            scriptOf(paragraphsOf(fileOf(name, 'one', way), release)),
            userOf(name),
          ));
      }

      // Their schemas and all that is named after them differ; on the one connection they take turns.
      test(`${name}, statement by statement, and in binary on the same connection`, () => {
        const one = paragraphsOf(fileOf(name, 'one', 'beside'), release);
        const two = paragraphsOf(fileOf(name, 'two', 'beside'), release);
        return twins.expectSameAsAlone(
          { one: ways['statement by statement'](one), two: ways['by the binary protocol'](two) },
          userOf(name),
        );
      });
    }
  });
}
