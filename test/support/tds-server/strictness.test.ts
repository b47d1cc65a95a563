import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { BareClient, headers, loginMessage, parameter } from './client.ts';
import type { TdsServer } from './server.ts';
import { startTdsServer } from './server.ts';
import { cut } from './wire/packets.ts';

let server: TdsServer;
beforeAll(async () => {
  server = await startTdsServer({ encrypt: 'none' });
});
afterAll(() => server.stop());
beforeEach(() => {
  server.offences.length = 0;
});

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const batch = (sql: string): Buffer => Buffer.concat([headers(), utf16(sql)]);
const offences = (): string => server.offences.map(({ what }) => what).join('; ');

describe('what no client may send', () => {
  test('a correct client has no offences', async () => {
    const client = await BareClient.logIn(server.port);
    expect(await client.value('SELECT 1 AS n')).toBe(1);
    expect(await client.value(`SELECT LEN(N'${'x'.repeat(20_000)}')`)).toBe(20_000);
    client.close();
    expect(server.offences).toEqual([]);
    expect(server.failures).toEqual([]);
  });

  test('a packet that is longer than agreed closes the connection', async () => {
    const client = await BareClient.logIn(server.port, { packetBytes: 512 });
    client.raw(cut(batch(`SELECT '${'x'.repeat(400)}'`), 1, 4096));
    await client.closed();
    expect(offences()).toContain('longer than the 512 agreed');
  });

  test('a packet that is not the last and not full closes the connection', async () => {
    const client = await BareClient.logIn(server.port);
    const packets = cut(batch(`SELECT '${'x'.repeat(400)}'`), 1, 512);
    client.raw(packets);
    await client.closed();
    expect(offences()).toContain('not the last has 512 bytes, not 4096');
  });

  test('a packet number that is not due is noted, and the request runs', async () => {
    const client = await BareClient.logIn(server.port, { packetBytes: 512 });
    const packets = cut(batch(`SELECT LEN('${'x'.repeat(400)}')`), 1, 512);
    packets[512 + 6] = 7;
    client.raw(packets);
    expect((await client.answer()).sets[0]?.rows).toEqual([[400]]);
    expect(offences()).toBe('packet 7 where 2 was due');
  });

  test('a reset behind the first packet is noted and not done', async () => {
    const client = await BareClient.logIn(server.port, { packetBytes: 512 });
    await client.batch('SET NOCOUNT ON');
    const packets = cut(batch(`SELECT @@OPTIONS & 512 /* ${'x'.repeat(400)} */`), 1, 512);
    packets[512 + 1] = (packets[512 + 1] ?? 0) | 8;
    client.raw(packets);
    const answer = await client.answer();
    expect(answer.sets[0]?.rows).toEqual([[512]]);
    expect(answer.changes).toEqual([]);
    expect(offences()).toBe('a reset on a packet that is not the first');
  });

  test('a transaction descriptor that is not the session’s own is refused with 3989', async () => {
    const client = await BareClient.logIn(server.port);
    client.transaction = 12_345n;
    expect((await client.batch('SELECT 1')).errors[0]?.number).toBe(3989);
    client.transaction = 0n;
    await client.batch('BEGIN TRAN');
    expect(client.transaction).not.toBe(0n);
    client.transaction = 0n;
    expect((await client.batch('SELECT 1')).errors[0]?.number).toBe(3989);
    expect(server.offences).toHaveLength(2);
    client.close();
  });

  test('an outstanding request count that is not 1 is noted', async () => {
    const client = await BareClient.logIn(server.port);
    client.send(1, Buffer.concat([headers(0n, 2), utf16('SELECT 1')]));
    expect((await client.answer()).errors).toEqual([]);
    expect(offences()).toBe('an outstanding request count of 2');
    client.close();
  });

  test('a request while another one is running closes the connection', async () => {
    const client = await BareClient.logIn(server.port);
    client.sendBatch("WAITFOR DELAY '00:01:00'");
    client.sendBatch('SELECT 1');
    await client.closed();
    expect(offences()).toContain('A request comes while another one is running.');
  });

  test.each([
    ['headers that do not fit', Buffer.from('ffff00001200', 'hex')],
    ['headers without a transaction', Buffer.from('04000000', 'hex')],
    ['nothing at all', Buffer.alloc(0)],
  ])('%s closes the connection', async (_what, payload) => {
    const client = await BareClient.logIn(server.port);
    client.send(1, payload);
    expect((await client.answer()).errors[0]?.number).toBe(4002);
    await client.closed();
    expect(server.offences).toHaveLength(1);
  });

  test('a parameter that is cut off closes the connection', async () => {
    const client = await BareClient.logIn(server.port);
    const answer = await client.call(10, [parameter('SELECT 1').subarray(0, -3)]);
    expect(answer.errors[0]?.number).toBe(4002);
    await client.closed();
  });

  test('a packet of an unknown type closes the connection', async () => {
    const client = await BareClient.logIn(server.port);
    client.send(0x53, Buffer.alloc(8));
    await client.closed();
    expect(offences()).toContain('packet type 0x53');
  });

  test('a login comes after PRELOGIN, and once', async () => {
    const client = await BareClient.open(server.port);
    client.send(1, batch('SELECT 1'));
    await client.closed();
    const other = await BareClient.logIn(server.port);
    other.send(16, loginMessage({}));
    await other.closed();
    expect(server.offences).toHaveLength(2);
  });

  test('rows without INSERT BULK close the connection', async () => {
    const client = await BareClient.logIn(server.port);
    client.send(7, Buffer.from([0x81, 0, 0, 0xfd]));
    await client.closed();
    expect(offences()).toContain('INSERT BULK');
  });

  test('TD-06: a handle that the session does not have is 8179', async () => {
    const client = await BareClient.logIn(server.port);
    expect((await client.call(12, [parameter(1)])).errors[0]?.number).toBe(8179);
    const made = await client.call(11, [
      parameter(null, { isOutput: true }),
      parameter('@x int'),
      parameter('SELECT @x AS x'),
    ]);
    expect(made.returnValues).toEqual([{ name: '', value: 1 }]);
    const run = await client.call(12, [parameter(1), parameter(5)]);
    expect(run.sets[0]?.rows).toEqual([[5]]);
    await client.batch('SELECT 1', 8);
    expect((await client.call(12, [parameter(1), parameter(5)])).errors[0]?.number).toBe(8179);
    client.close();
  });
});

describe('attention', () => {
  test('TD-08: the request’s message ends, and the acknowledgement has one of its own', async () => {
    const client = await BareClient.logIn(server.port);
    const hold = server.hold(/held/);
    client.sendBatch('SELECT 1 /* held */');
    await hold.reached;
    client.attention();
    expect((await client.answer()).dones).toMatchObject([{ token: 0xfd, status: 2 }]);
    expect((await client.answer()).dones).toMatchObject([{ token: 0xfd, status: 0x20 }]);
    hold.release();
    expect(await client.value('SELECT 2')).toBe(2);
    client.close();
  });

  test('TD-10: a late one is acknowledged, too', async () => {
    const client = await BareClient.logIn(server.port);
    await client.batch('SELECT 1');
    client.attention();
    expect((await client.answer()).dones).toMatchObject([{ token: 0xfd, status: 0x20 }]);
    expect(await client.value('SELECT 2')).toBe(2);
    client.close();
  });

  test('it leaves the transaction open, unless XACT_ABORT is on', async () => {
    const client = await BareClient.logIn(server.port);
    for (const [setting, count] of [
      ['OFF', 1],
      ['ON', 0],
    ] as const) {
      await client.batch(`SET XACT_ABORT ${setting}; BEGIN TRAN`);
      client.sendBatch("WAITFOR DELAY '00:01:00'");
      client.attention();
      await client.answer();
      await client.answer();
      expect(await client.value('SELECT @@TRANCOUNT')).toBe(count);
      if (count > 0) await client.batch('ROLLBACK');
    }
    client.close();
  });

  test('it stops a stream of rows', async () => {
    const client = await BareClient.logIn(server.port);
    client.sendBatch("SELECT value, REPLICATE(N'x', 1000) AS t FROM sluice_series(10000000)");
    client.attention();
    const answer = await client.answer();
    expect(answer.sets[0]?.rows.length).toBeLessThan(100_000);
    expect((await client.answer()).dones).toMatchObject([{ status: 0x20 }]);
    expect(await client.value('SELECT 2')).toBe(2);
    client.close();
  });

  test('TD-09: a message that is ignored at its end is not run', async () => {
    const client = await BareClient.logIn(server.port, { packetBytes: 512 });
    const packets = cut(batch(`CREATE TABLE never (i int) /* ${'x'.repeat(400)} */`), 1, 512);
    const last = 512 * (Math.ceil(packets.length / 512) - 1);
    packets[last + 1] = 3;
    client.raw(packets);
    expect((await client.answer()).dones).toMatchObject([{ token: 0xfd, status: 2 }]);
    expect(await client.value("SELECT OBJECT_ID('never')")).toBeNull();
    client.close();
  });
});
