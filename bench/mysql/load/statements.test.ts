import { describe, expect, test } from 'bun:test';
import { IDS, statementsOf } from './statements.ts';

const prepared: string[] = [];
const client = {
  prepare(sql: string): Promise<number> {
    prepared.push(sql);
    return Promise.resolve(prepared.length);
  },
};
/** Without the packet's head and the command. */
const body = (bytes: Uint8Array | undefined): Buffer => Buffer.from(bytes ?? []).subarray(5);

describe('a transaction', () => {
  test('of texts names another row each time', async () => {
    const [select] = await statementsOf('select', 'text', client);
    const drawn = new Set(Array.from({ length: 50 }, () => body(select?.()).toString()));
    expect(drawn.size).toBeGreaterThan(10);
    for (const sql of drawn) {
      const id = Number(/^SELECT balance FROM account WHERE id = (\d{6})$/.exec(sql)?.[1]);
      expect(id >= IDS.first && id < IDS.first + IDS.count).toBe(true);
    }
    expect(prepared).toEqual([]);
  });

  test('of prepared statements prepares each once, and sends numbers', async () => {
    const statements = await statementsOf('mix', 'binary', client);
    expect(prepared).toEqual([
      'SELECT balance FROM account WHERE id = ?',
      'UPDATE account SET balance = balance + 1 WHERE id = ?',
    ]);
    const [begin, first, second, update, commit] = statements.map((draw) => body(draw()));
    expect([begin?.toString(), commit?.toString()]).toEqual(['BEGIN', 'COMMIT']);
    expect([first, second, update].map((one) => one?.readUInt32LE(0))).toEqual([1, 1, 2]);
    const id = update?.readUInt32LE(13) ?? 0;
    expect(id >= IDS.first && id < IDS.first + IDS.count).toBe(true);
    expect(update).toHaveLength(17);
  });
});
