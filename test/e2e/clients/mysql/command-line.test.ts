import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type {
  MysqlInstallation,
  MysqlRelease,
} from '../../../../src/cli/embedded-mysql-install.ts';
import { mysqlPrograms, mysqlReleasesHere } from '../../../support/mysql.ts';
import { passwordOf } from '../../../support/sluice.ts';
import type { Stage } from '../stage.ts';
import { openMysqlStage } from './stage.ts';

/** Statements whose answers are counted, warned of or refused, and settings, schemas and tables of the session's own. */
const SCRIPT = `
SET NAMES utf8mb4; SET SESSION sql_mode = '', time_zone = '+05:45';
SELECT @@time_zone, @@sql_mode;
CREATE TABLE said (id INT AUTO_INCREMENT PRIMARY KEY, n TINYINT, t VARCHAR(3));
INSERT INTO said (n, t) VALUES (1000, 'long text'), (1, 'a');
SELECT * FROM said; SELECT LAST_INSERT_ID(), ROW_COUNT();
UPDATE said SET n = 5; UPDATE said SET n = 5;
SELECT nothing FROM said;
DELETE FROM said WHERE id > 1;
DELIMITER //
CREATE PROCEDURE both_of(n INT) BEGIN SELECT n; SELECT n + 1; END//
DELIMITER ;
CALL both_of(7);
DROP PROCEDURE both_of;
USE information_schema
SELECT DATABASE(), COUNT(*) FROM tables WHERE table_name = 'said';
USE app
CREATE TEMPORARY TABLE scratch AS SELECT 3 AS n;
SELECT n FROM scratch;
PREPARE p FROM 'SELECT ? + 1 AS next'; SET @a = 5; EXECUTE p USING @a;
START TRANSACTION; INSERT INTO said (n) VALUES (9); ROLLBACK;
SELECT COUNT(*), @a FROM said;
DROP TABLE said;
`;

const here = await mysqlReleasesHere();
/** Of each family the newest. */
const programs = (['mysql', 'mariadb-11.8'] as const).filter((release) => here.includes(release));

class Client {
  readonly #stage: Stage;
  readonly #programs: MysqlInstallation;

  constructor(stage: Stage, installation: MysqlInstallation) {
    this.#stage = stage;
    this.#programs = installation;
  }

  /** `mysql` or its like: the name behind the family's. */
  command(name: '' | 'dump' | 'slap' | 'admin', port = this.#stage.port): readonly string[] {
    const { isMariadb, client } = this.#programs;
    const program = isMariadb ? `mariadb${name && `-${name}`}` : `mysql${name}`;
    return [
      ...client(program),
      ...['--host=127.0.0.1', `--port=${port}`, '--user=app', `--password=${passwordOf('app')}`],
      ...(isMariadb
        ? ['--ssl-verify-server-cert', `--ssl-ca=${this.#stage.caFile}`]
        : ['--ssl-mode=PREFERRED']),
    ];
  }

  /** What is at the database itself: its own certificate is not looked at. */
  directly(name: '' | 'dump'): readonly string[] {
    const { isMariadb } = this.#programs;
    const command = this.command(name, this.#stage.server.port).filter(
      (word) => !word.startsWith('--ssl'),
    );
    return [...command, isMariadb ? '--skip-ssl-verify-server-cert' : '--ssl-mode=PREFERRED'];
  }

  /** What takes no privileges that `app` lacks, and tells of no time or host. */
  get dumping(): readonly string[] {
    const options = ['--lock-tables', '--hex-blob', '--routines', '--no-tablespaces'];
    const silent = ['--skip-comments', '--skip-dump-date'];
    const own = this.#programs.isMariadb ? [] : ['--set-gtid-purged=OFF'];
    return [...options, ...silent, ...own];
  }

  run(command: readonly string[], stdin?: string): ReturnType<Stage['run']> {
    return this.#stage.run(command, stdin === undefined ? {} : { stdin });
  }

  async succeed(command: readonly string[], stdin?: string): Promise<string> {
    return await this.#stage.succeed(command, stdin === undefined ? {} : { stdin });
  }
}

for (const release of here) describeServer(release);

function describeServer(release: MysqlRelease): void {
  describe(`in front of ${release}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openMysqlStage(release);
    });
    afterAll(() => stage.close());

    for (const program of programs) {
      describe(`the command line of ${program}`, () => {
        let client: Client;
        beforeAll(async () => {
          client = new Client(stage, await mysqlPrograms(program));
        });
        describeClient(() => client);
      });
    }

    test('nothing is left behind', async () => {
      await stage.expectClean();
      expect(stage.discards('violation', 'bytesWhileIdle', 'resetFailed')).toEqual([]);
    });
  });
}

function describeClient(client: () => Client): void {
  /** Verbose, with counts and warnings; times, and numbers of ours, are nobody's concern. */
  const spoken = ['-vvv', '--force', '--show-warnings', 'app'];
  const told = ({ stdout, stderr }: { stdout: string; stderr: string }): string =>
    `${stdout}${stderr}`.replaceAll(/\(?\d+\.\d+ sec\)?/g, '');

  test('says what it would say directly (MY-08, MY-17, MY-59)', async () => {
    const directly = told(await client().run([...client().directly(''), ...spoken], SCRIPT));
    expect(directly).toContain("Unknown column 'nothing'");
    expect(directly).toContain('Rows matched: 2  Changed: 0  Warnings: 0');
    expect(told(await client().run([...client().command(''), ...spoken], SCRIPT))).toBe(directly);
  });

  test('dumps a database as it would directly, and reads the dump again', async () => {
    const dump = [...client().dumping, 'app'];
    const shell = [...client().command(''), '--batch', '--skip-column-names', 'app'];
    await client().succeed(
      shell,
      `DROP VIEW IF EXISTS seen; DROP TABLE IF EXISTS kept;
       CREATE TABLE kept (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, b BLOB, d DATETIME DEFAULT CURRENT_TIMESTAMP);
       INSERT INTO kept (t, b, d) VALUES ('it''s é', X'00ff', '2020-02-29'), (NULL, NULL, NULL);
       CREATE TRIGGER trimmed BEFORE INSERT ON kept FOR EACH ROW SET NEW.t = TRIM(NEW.t);
       CREATE VIEW seen AS SELECT id, t FROM kept;`,
    );
    const through = await client().succeed([...client().command('dump'), ...dump]);
    expect(through).toContain('INSERT INTO `kept` VALUES');
    expect(through).toBe(await client().succeed([...client().directly('dump'), ...dump]));
    await client().succeed(shell, 'DROP VIEW seen; DROP TABLE kept');
    await client().succeed(shell, through); // it locks tables as it goes
    const ask = 'SELECT COUNT(*), COUNT(t), MAX(HEX(b)), MIN(d) FROM kept; SELECT t FROM seen';
    expect(await client().succeed(shell, ask)).toBe(
      "2\t1\t00FF\t2020-02-29 00:00:00\nit's é\nNULL\n",
    );
    await client().succeed(shell, 'DROP VIEW seen; DROP TABLE kept');
  });

  test('twenty at once share three connections', async () => {
    const shell = [...client().command(''), '--batch', '--skip-column-names', 'app'];
    const script = `SET @n = 7; START TRANSACTION; SELECT SLEEP(0.01); COMMIT; SELECT @n;`;
    const all = Array.from({ length: 20 }, () => client().succeed(shell, script));
    for (const out of await Promise.all(all)) expect(out).toBe('0\n7\n');
  });

  test('many connections of one program, and an administrator’s', async () => {
    const load = [
      '--concurrency=12',
      '--number-of-queries=240',
      '--no-drop',
      '--create-schema=app',
    ];
    const query = `--query=SELECT 1 + 1`;
    const said = await client().succeed([...client().command('slap'), ...load, query]);
    expect(said).toContain('Number of clients running queries: 12');
    expect(await client().succeed([...client().command('admin'), 'ping'])).toContain('is alive');
    expect(await client().succeed([...client().command('admin'), 'status'])).toContain('Uptime');
  });
}
