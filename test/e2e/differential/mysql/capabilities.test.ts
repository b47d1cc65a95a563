import { afterAll, beforeAll, describe, test } from 'bun:test';
import { capability, extension } from '../../../../src/wire/mysql/capabilities.ts';
import type { Capabilities } from '../../../../src/wire/mysql/capabilities.ts';
import { mysqlReleasesHere } from '../../../support/mysql.ts';
import { query } from '../../../support/mysql-differential.ts';
import type { Script } from '../../../support/mysql-differential.ts';
import { execute, fetch, initDb, ping, prepare } from './steps.ts';
import { MysqlTwins } from './twins.ts';

/** What every client here can do. */
const always = capability.longPassword | capability.psMultiResults | capability.connectAttrs;

const choices = [
  capability.deprecateEof,
  capability.sessionTrack,
  capability.multiResults | capability.multiStatements,
  capability.queryAttributes,
  capability.optionalResultsetMetadata,
  capability.foundRows,
] as const;

const rare = [
  capability.odbc,
  capability.noSchema,
  capability.ignoreSpace,
  capability.interactive,
  capability.localFiles,
] as const;

const extensions = [
  extension.extendedMetadata,
  extension.stmtBulkOperations,
  extension.progress,
  extension.bulkUnitResults,
] as const;

/** All subsets of some flags. */
function subsets(flags: readonly number[]): readonly number[] {
  const found = [0];
  for (const flag of flags) found.push(...found.map((one) => one | flag));
  return found;
}

const mixes: Readonly<Record<string, readonly Capabilities[]>> = {
  'every mix of what shapes replies': subsets(choices).map((flags) => ({
    flags: always | flags,
    extensions: 0,
  })),
  'what is rare': rare.map((flags) => ({ flags: always | flags, extensions: 0 })),
  "every mix of MariaDB's own": subsets(extensions).flatMap((more) =>
    [0, capability.deprecateEof | capability.sessionTrack].map((flags) => ({
      flags: always | flags,
      extensions: more,
    })),
  ),
};

/** Whatever looks another way, by what the two sides have agreed on. */
const script: Script = [
  ping,
  'CREATE TABLE IF NOT EXISTS c (id int AUTO_INCREMENT PRIMARY KEY, j json, p point, u varchar(9))',
  `INSERT INTO c (j, u) VALUES ('{}', 'one'), (NULL, 'two')`,
  `UPDATE c SET u = 'one'`,
  `UPDATE c SET u = 'one'`,
  'SELECT * FROM c ORDER BY id',
  'SELECT * FROM c WHERE 0',
  'SELECT COUNT (*), c.id FROM c GROUP BY c.id ORDER BY c.id',
  'SELECT 1; SELECT 2',
  'SELECT (SELECT 1 UNION SELECT 2)',
  'SELEC',
  prepare('SELECT id, j, p, u FROM c WHERE id > ? ORDER BY id'),
  execute([{ type: 3, value: Uint8Array.of(0, 0, 0, 0) }]),
  execute([{ type: 3, value: Uint8Array.of(0, 0, 0, 0) }], { flags: 1 }),
  fetch(1),
  fetch(5),
  prepare('INSERT INTO c (u) VALUES (?)', 'insert'),
  execute([{ type: 253, value: Buffer.from('\u0005three') }], { name: 'insert' }),
  'SELECT LAST_INSERT_ID()',
  'SET NAMES latin1',
  'USE information_schema',
  initDb('home_one'),
  `SET time_zone = '+01:00'`,
  'BEGIN',
  'DELETE FROM c',
  'ROLLBACK',
  'SELECT @@wait_timeout = @@interactive_timeout, @@sql_mode',
  'DROP PROCEDURE IF EXISTS both_of_them',
  'CREATE PROCEDURE both_of_them() BEGIN SELECT 1; SELECT 2; END',
  'CALL both_of_them()',
  prepare('CALL both_of_them()', 'call'),
  execute([], { name: 'call' }),
  'ALTER TABLE c ADD more int',
  execute([{ type: 3, value: Uint8Array.of(0, 0, 0, 0) }]),
  'ALTER TABLE c ENGINE = InnoDB',
  `LOAD DATA LOCAL INFILE 'rows' INTO TABLE c (u)`,
  query('SELECT COUNT(*) FROM c'),
];

const files = new Map([['rows', Buffer.from('four\nfive\n')]]);

for (const release of await mysqlReleasesHere()) {
  describe(`clients of ${release}, directly and through Sluice (MY-03, MY-05, MY-06, MY-07, MY-11)`, () => {
    let twins: MysqlTwins;
    beforeAll(async () => {
      twins = await MysqlTwins.open(release);
    });
    afterAll(() => twins.close());

    for (const [name, several] of Object.entries(mixes)) {
      const isForeign = release === 'mysql' && several.some((one) => one.extensions !== 0);
      if (isForeign) continue;
      test(
        name,
        async () => {
          for (const capabilities of several)
            await twins.expectSameAlone(script, 'app', { capabilities, files });
        },
        120_000,
      );
    }

    test('metadata that the client does without', () => {
      const flags = always | capability.optionalResultsetMetadata | capability.deprecateEof;
      return twins.expectSame(
        [
          'SET resultset_metadata = NONE',
          'SELECT 1, 2',
          'SET @a = 5',
          `SET sql_mode = 'ANSI_QUOTES'`,
          'SELECT @a, @@sql_mode',
          prepare('SELECT 1, ?'),
          execute([{ type: 3, value: Uint8Array.of(1, 0, 0, 0) }]),
          'SET resultset_metadata = FULL',
          'SELECT @a, @@sql_mode',
        ],
        'app',
        { capabilities: { flags, extensions: 0 } },
      );
    });
  });
}
