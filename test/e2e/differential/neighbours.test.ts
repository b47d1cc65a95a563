import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { frontend, i16, message } from '../../support/messages.ts';
import { RawClient } from '../../support/raw-client.ts';
import { transcript } from '../../support/transcript.ts';
import { protocolScripts } from './protocol-scripts.ts';
import { Twins } from './twins.ts';

const { parse, bind, describe: tell, execute, query, sync } = frontend;

/** Asks for what nobody else asks for, again and again, with the unnamed statement that all clients share. */
class Neighbour {
  readonly #client: RawClient;
  readonly #done: Promise<number>;
  #stopping = false;

  private constructor(client: RawClient) {
    this.#client = client;
    this.#done = this.#ask();
  }

  static async movesIn(twins: Twins): Promise<Neighbour> {
    return new Neighbour(await RawClient.signIn({ ...twins.proxied, deadlineMs: 20_000 }));
  }

  /** How many questions it got to ask; each was answered as it must be. */
  async movesOut(): Promise<number> {
    this.#stopping = true;
    const asked = await this.#done;
    await this.#client.end();
    return asked;
  }

  async #ask(): Promise<number> {
    let asked = 0;
    do {
      asked += 1;
      const sql = `SELECT 'neighbour ${asked}' AS neighbour`;
      this.#client.send(parse('', sql), bind('', ''), tell('P'), execute(), sync());
      const heard = transcript(await this.#client.readUntilReady());
      expect(heard).toEqual([
        '1',
        '2',
        'T neighbour:25',
        `D neighbour ${asked}`,
        'C SELECT 1',
        'Z I',
      ]);
    } while (!this.#stopping);
    return asked;
  }
}

describe('the same messages while a neighbour uses the same connection', () => {
  let twins: Twins;
  beforeAll(async () => {
    twins = await Twins.open(18);
  });
  afterAll(() => twins.close());

  for (const [name, script] of Object.entries(protocolScripts)) {
    test(name, async () => {
      const neighbour = await Neighbour.movesIn(twins);
      await twins.expectSame(script);
      expect(await neighbour.movesOut()).toBeGreaterThan(0);
    });
  }

  test("a statement without a name that was described first must not become the neighbour's (PG-90)", async () => {
    const [one, other] = await Promise.all([
      RawClient.signIn(twins.proxied),
      RawClient.signIn(twins.proxied),
    ]);
    // As psql's \gdesc, libpq's PQprepare("") and pgx's describe_exec do it: what runs was prepared a Sync before.
    one.send(parse('', `SELECT 'mine' AS mine`), tell('S'), sync());
    await one.readUntilReady();
    other.send(parse('', `SELECT 'other' AS other`), bind('', ''), execute(), sync());
    one.send(bind('', ''), execute(), sync());
    expect(transcript(await one.readUntilReady())).toEqual(['2', 'D mine', 'C SELECT 1', 'Z I']);
    await one.end();
    expect(transcript(await other.readUntilReady())).toContain('D other');
    await other.end();
    await twins.expectPristine();
  });

  test('a statement without a name is bound again whatever the neighbour has prepared meanwhile (PG-90)', async () => {
    const [one, other] = await Promise.all([
      RawClient.signIn(twins.proxied),
      RawClient.signIn(twins.proxied),
    ]);
    one.send(parse('', `SELECT 'mine'`), bind('', ''), execute(), sync());
    await one.readUntilReady();
    other.send(parse('', `SELECT 'other'`), bind('', ''), execute(), sync());
    await other.readUntilReady();
    one.send(bind('', ''), execute(), sync());
    expect(transcript(await one.readUntilReady())).toEqual(['2', 'D mine', 'C SELECT 1', 'Z I']);
    // What a query has dropped is gone, and is not the neighbour's either.
    one.send(query('SELECT 1'));
    await one.readUntilReady();
    other.send(parse('', `SELECT 'other'`), bind('', ''), execute(), sync());
    await other.readUntilReady();
    one.send(bind('', ''), execute(), sync());
    expect(transcript(await one.readUntilReady())).toEqual([
      'E ERROR 26000 unnamed prepared statement does not exist',
      'Z I',
    ]);
    await Promise.all([one.end(), other.end()]);
  });

  test('who shares a statement gets its rows as they asked for them, as text or in binary (PG-96)', async () => {
    const [one, other] = await Promise.all([
      RawClient.signIn(twins.proxied),
      RawClient.signIn(twins.proxied),
    ]);
    const inBinary = message('B', '\0', 'seven\0', i16(0), i16(0), i16(1), i16(1));
    for (let round = 0; round < 3; round += 1) {
      const first = round === 0 ? [parse('seven', 'SELECT 7::int')] : [];
      one.send(...first, bind('', 'seven'), execute(), sync());
      expect(transcript(await one.readUntilReady())).toContain('D 7');
      other.send(...first, inBinary, execute(), sync());
      expect(transcript(await other.readUntilReady())).toContain('D \0\0\0\x07');
    }
    await Promise.all([one.end(), other.end()]);
  });

  test('nobody reads the number that a sequence gave to a neighbour, however late they ask', async () => {
    const [one, other] = await Promise.all([
      RawClient.signIn(twins.proxied),
      RawClient.signIn(twins.proxied),
    ]);
    const last = async (client: RawClient): Promise<string | undefined> =>
      transcript(await client.query('SELECT lastval()')).find((line) => /^[DE]/.test(line));
    const NONE = 'E ERROR 55000 lastval is not yet defined in this session';
    await one.query('CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY (START 4711))');
    const hidden = `CREATE FUNCTION number() RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO numbered DEFAULT VALUES; END $$`;
    await one.query(hidden);
    await one.query('SELECT number()');
    await other.query('SELECT 1');
    expect(await last(other)).toBe(NONE);
    // From here on it is known that somebody asks: a number that was taken in a function counts, too.
    await one.query('SELECT number()');
    await other.query('BEGIN; SELECT number()');
    expect(await last(other)).toBe('D 4713');
    await other.query('COMMIT');
    await one.query('SELECT 1');
    expect(await last(one)).toBe(NONE);
    await one.query('DROP FUNCTION number; DROP TABLE numbered');
    await Promise.all([one.end(), other.end()]);
    await twins.expectPristine();
  });

  test('a table that changes under a prepared statement is no error outside of a transaction (PG-83)', async () => {
    const [one, other] = await Promise.all([
      RawClient.signIn(twins.proxied),
      RawClient.signIn(twins.proxied),
    ]);
    await other.query('CREATE TABLE changing (a int); INSERT INTO changing VALUES (1)');
    one.send(parse('all', 'SELECT * FROM changing'), bind('', 'all'), execute(), sync());
    expect(transcript(await one.readUntilReady())).toContain('D 1');
    await other.query('ALTER TABLE changing ADD b int DEFAULT 2');
    one.send(bind('', 'all'), execute(), sync());
    expect(transcript(await one.readUntilReady())).toEqual(['2', 'D 1|2', 'C SELECT 1', 'Z I']);
    await other.query('DROP TABLE changing');
    await Promise.all([one.end(), other.end()]);
  });

  test('a statement without a name that could not be prepared does not pin', async () => {
    const known = twins.stage.sluice.logs('pinned').length;
    const [one, other] = await Promise.all([
      RawClient.signIn(twins.proxied),
      RawClient.signIn(twins.proxied),
    ]);
    one.send(parse('', 'SELEC'), tell('S'), sync());
    await one.readUntilReady();
    expect(await other.value('SELECT 1')).toBe('1');
    expect(twins.stage.sluice.logs('pinned')).toHaveLength(known);
    await Promise.all([one.end(), other.end()]);
  });

  test("a statement with a name does not open the door to the neighbour's without one (PG-90)", async () => {
    const other = await RawClient.signIn(twins.proxied);
    other.send(parse('', `SELECT 'secret'`), bind('', ''), execute(), sync());
    await other.readUntilReady();
    const one = await RawClient.signIn(twins.proxied);
    one.send(parse('s1', 'SELECT 1'), sync(), bind('', ''), execute(), sync());
    expect(transcript(await one.readUntilReady(2)).join()).not.toContain('secret');
    one.send(bind('', ''), execute(), sync());
    expect(transcript(await one.readUntilReady())).toEqual([
      'E ERROR 26000 unnamed prepared statement does not exist',
      'Z I',
    ]);
    await Promise.all([one.end(), other.end()]);
  });

  test('a half-sent statement of a client that has gone is not carried out', async () => {
    const one = await RawClient.signIn(twins.proxied);
    await one.query('CREATE TABLE half (a text)');
    const statement = query(`INSERT INTO half VALUES ('half') --zz`);
    one.send(statement.subarray(0, -2));
    one.destroy();
    const other = await RawClient.signIn(twins.proxied);
    expect(await other.value('SELECT count(*) FROM half')).toBe('0');
    await other.query('DROP TABLE half');
    await other.end();
  });

  test('a Bind behind a query that is skipped does not wait for ever (PG-02)', async () => {
    const one = await RawClient.signIn(twins.proxied);
    one.send(parse('', 'SELEC'), query('SELECT 1'), bind('', ''), execute(), sync());
    expect(transcript(await one.readUntilReady()).at(-1)).toBe('Z I');
    expect(await one.value('SELECT 2')).toBe('2');
    await one.end();
  });

  test('nothing is left behind', () => twins.stage.expectClean());
});
