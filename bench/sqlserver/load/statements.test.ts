import { describe, expect, test } from 'bun:test';
import type { Answer } from './answer.ts';
import { NO_TRANSACTION } from './answer.ts';
import { IDS, modes, statementsOf } from './statements.ts';

const prepared: string[] = [];
const client = {
  prepare(sql: string, parameters: string): Promise<number> {
    prepared.push(`${parameters}: ${sql}`);
    return Promise.resolve(prepared.length);
  },
};
const nothing: Answer = {
  ...{ rows: 0, values: [], count: undefined, returned: undefined },
  ...{ transaction: undefined, server: undefined, packetBytes: undefined },
};
const HEADERS_BYTES = 8 + 22;
const descriptor = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe('a transaction', () => {
  test('of batches names another row each time', async () => {
    const [select] = await statementsOf({ work: 'select', mode: 'batch' }, client);
    const draw = (): string =>
      Buffer.from(select?.draw(NO_TRANSACTION) ?? []).toString('utf16le', HEADERS_BYTES);
    const drawn = new Set(Array.from({ length: 50 }, draw));
    expect(drawn.size).toBeGreaterThan(10);
    for (const sql of drawn) {
      const id = Number(/^SELECT id, balance FROM \w+ WHERE id = (\d{6})$/.exec(sql)?.[1]);
      expect(id >= IDS.first && id < IDS.first + IDS.count).toBe(true);
    }
    expect(prepared).toEqual([]);
  });

  test('of prepared statements prepares each once', async () => {
    const statements = await statementsOf({ work: 'mix', mode: 'prepared' }, client);
    expect(prepared).toEqual([
      '@id int: SELECT id, balance FROM sluice_bench WHERE id = @id',
      '@id int: UPDATE sluice_bench SET balance = balance + 1 WHERE id = @id',
    ]);
    expect(statements.map((one) => one.draw(NO_TRANSACTION)[0])).toEqual([14, 3, 3, 14]);
  });

  test('says in which transaction it is', async () => {
    for (const mode of modes) {
      for (const statement of await statementsOf({ work: 'mix', mode }, client)) {
        expect(statement.draw(descriptor).subarray(18, 26)).toEqual(descriptor);
        expect(statement.draw(NO_TRANSACTION).subarray(18, 26)).toEqual(NO_TRANSACTION);
      }
    }
  });

  test('looks at its answers', async () => {
    const [begin, select, update, commit] = await statementsOf(
      { work: 'mix', mode: 'rpc' },
      client,
    );
    const sent = select?.draw(NO_TRANSACTION) ?? new Uint8Array(4);
    const id = Buffer.from(sent).readInt32LE(sent.length - 4);
    const right = { ...nothing, rows: 1, values: [id, 0] };
    select?.check(right);
    expect(() => select?.check({ ...right, values: [id - 1, 0] })).toThrow('is answered with');
    expect(() => select?.check({ ...right, rows: 2 })).toThrow('is answered with');
    expect(() => select?.check(nothing)).toThrow('is answered with');
    update?.check({ ...nothing, count: 1 });
    expect(() => update?.check({ ...nothing, count: 0 })).toThrow('is answered with');
    begin?.check({ ...nothing, transaction: descriptor });
    expect(() => begin?.check(nothing)).toThrow('is answered with');
    commit?.check({ ...nothing, transaction: NO_TRANSACTION });
    expect(() => commit?.check(nothing)).toThrow('is answered with');
  });
});
