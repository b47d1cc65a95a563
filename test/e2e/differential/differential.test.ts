import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { frontend } from '../../support/messages.ts';
import { protocolScripts } from './protocol-scripts.ts';
import { sqlScripts } from './sql-scripts.ts';
import { Twins } from './twins.ts';

const { parse, bind, describe: tell, execute, close, flush, sync, query } = frontend;

for (const version of [18, 14] as const) {
  describe(`what a client sees of PostgreSQL ${version} directly and through Sluice`, () => {
    let twins: Twins;
    beforeAll(async () => {
      twins = await Twins.open(version);
    });
    afterAll(() => twins.close());

    for (const [name, script] of Object.entries({ ...sqlScripts, ...protocolScripts }))
      test(name, () => twins.expectSame(script));

    test('Flush without Sync is answered at once (PG-03, PG-05)', () =>
      twins.expectSameTalk(async (client) => {
        client.send(parse('', 'SELECT $1::int'), tell('S'), flush());
        await client.readUntil('T');
        client.send(bind('', '', ['1']), flush());
        await client.readUntil('2');
        client.send(execute(), flush());
        await client.readUntil('C');
        client.send(sync());
        await client.readUntilReady();
        client.send(parse('', 'SELEC'), flush());
        await client.readUntil('E');
        client.send(sync());
        await client.readUntilReady();
      }));

    test('a portal is read bit by bit (PG-04)', () =>
      twins.expectSameTalk(async (client) => {
        client.send(
          parse('', 'SELECT generate_series(1, 100)'),
          bind('p', ''),
          execute('p', 10),
          flush(),
        );
        await client.readUntil('s');
        for (let left = 8; left > 0; left -= 1) {
          client.send(execute('p', 10), flush());
          await client.readUntil('s');
        }
        client.send(execute('p', 11), close('P', 'p'), sync());
        await client.readUntilReady();
      }));

    test('a copy is fed bit by bit, and a notification comes in the middle of things (PG-12)', () =>
      twins.expectSameTalk(async (client) => {
        client.send(query('LISTEN ear; CREATE TEMP TABLE k (a text)'));
        await client.readUntilReady();
        client.send(query('COPY k FROM STDIN'));
        await client.readUntil('G');
        for (let left = 5; left > 0; left -= 1) client.send(frontend.copyData(`${left}\n`));
        client.send(frontend.copyDone());
        await client.readUntilReady();
        client.send(query(`NOTIFY ear, 'now'`), query('SELECT count(*) FROM k'));
        await client.readUntilReady(2);
      }));

    test('messages that arrive byte by byte (PG-18)', () =>
      twins.expectSameTalk(async (client) => {
        const bytes = Buffer.concat([
          parse('', 'SELECT 1'),
          bind('', ''),
          execute(),
          sync(),
          query('SELECT 2'),
        ]);
        for (const byte of bytes) {
          client.send(Uint8Array.of(byte));
          await new Promise(setImmediate);
        }
        await client.readUntilReady(2);
      }));

    test('nothing is left behind', async () => {
      await twins.stage.expectClean();
      expect(twins.stage.discards('violation', 'bytesWhileIdle')).toEqual([]);
      // The copy that a query cuts short; every other script has been heard to its end.
      expect(twins.stage.discards('databaseClosed')).toHaveLength(1);
    });
  });
}
