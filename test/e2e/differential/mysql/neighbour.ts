import { expect } from 'bun:test';
import { MysqlClient, MysqlError } from '../../../support/mysql-client.ts';
import type { MysqlLogin } from '../../../support/mysql-client.ts';

/**
 * A client that changes all that can be changed, forgets nothing of it, and says the same again and again. It shares the
 * connection with whoever is next to it.
 */
export class Neighbour {
  readonly #client: MysqlClient;
  readonly #done: Promise<number>;
  #stopping = false;

  private constructor(client: MysqlClient) {
    this.#client = client;
    this.#done = this.#live();
    this.#done.catch(() => {});
  }

  static async movesIn(login: MysqlLogin): Promise<Neighbour> {
    return new Neighbour(await MysqlClient.signIn({ ...login, database: 'neighbours' }));
  }

  /** How often it got to speak; each answer was what it must be. */
  async movesOut(): Promise<number> {
    this.#stopping = true;
    const spoken = await this.#done;
    await this.#client.end();
    return spoken;
  }

  async #live(): Promise<number> {
    let spoken = 0;
    while (!this.#stopping) {
      for (const [sql, expected] of life) {
        if (this.#stopping) break;
        spoken += 1;
        expect([sql, await this.#ask(sql)]).toEqual([sql, expected]);
      }
    }
    return spoken;
  }

  async #ask(sql: string): Promise<string> {
    try {
      const rows = await this.#client.rows(sql);
      return rows.map(String).join(';');
    } catch (problem) {
      if (problem instanceof MysqlError) return String(problem);
      throw new Error(`a neighbour asked ${sql}`, { cause: problem });
    }
  }
}

const SETTINGS = `SELECT @@sql_mode, @@character_set_client, @@character_set_results, @@collation_connection, @@time_zone,
  @@sql_select_limit, @@foreign_key_checks, @@lc_time_names, @@autocommit, DATABASE()`;
const VALUES = 'SELECT @a, @mine, LAST_INSERT_ID()';

/** What it says, and what it hears: the rows, or the error. */
export const life: readonly (readonly [sql: string, heard: string])[] = [
  [`SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'`, ''],
  ['SET NAMES latin1 COLLATE latin1_bin', ''],
  [
    `SET time_zone = '+05:30', sql_select_limit = 3, foreign_key_checks = 0, lc_time_names = 'de_DE'`,
    '',
  ],
  ['USE information_schema', ''],
  [
    SETTINGS,
    'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,latin1,latin1,latin1_bin,+05:30,3,0,de_DE,1,information_schema',
  ],
  [`SET @a = 'the neighbour''s\\', @mine = 4711`, ''],
  ['SELECT LAST_INSERT_ID(4711)', '4711'],
  [VALUES, "the neighbour's\\,4711,4711"],
  [`SELECT "TABLE_NAME" FROM "information_schema"."TABLES" LIMIT 0`, ''],
  ['SELECT MONTHNAME(20260501)', 'Mai'],
  ['DO 1/0', ''],
  ['SET TRANSACTION READ ONLY', ''],
  ['BEGIN', ''],
  ['COMMIT', ''],
  ['SET autocommit = 0', ''],
  ['SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5', '1;2;3'],
  ['COMMIT', ''],
  ['SET autocommit = 1', ''],
  ['USE neighbours', ''],
  ['SET sql_mode = DEFAULT, NAMES utf8mb4', ''],
  [`SET time_zone = DEFAULT, sql_select_limit = DEFAULT, foreign_key_checks = 1`, ''],
  ['CREATE TEMPORARY TABLE shadow (a int)', ''],
  ['DROP TEMPORARY TABLE shadow', ''],
  [`PREPARE it FROM 'SELECT 42'`, ''],
  ['DEALLOCATE PREPARE it', ''],
  [`SELECT GET_LOCK('neighbour', 20)`, '1'],
  [`SELECT RELEASE_LOCK('neighbour')`, '1'],
];
