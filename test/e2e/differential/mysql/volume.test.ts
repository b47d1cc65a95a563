import { afterAll, beforeAll, describe, test } from 'bun:test';
import { columnType } from '../../../../src/wire/mysql/column-types.ts';
import { MAX_PACKET_BYTES } from '../../../../src/wire/mysql/framing.ts';
import { capability } from '../../../../src/wire/mysql/capabilities.ts';
import { mysqlFamiliesHere } from '../../../support/mysql.ts';
import { plainClient } from '../../../support/mysql-client.ts';
import { execute, longData, ping, prepare } from './steps.ts';
import { MysqlTwins } from './twins.ts';

const ROOM = { 'max-allowed-packet': '100M', 'net-buffer-length': '16K' };
/** Around the length of which a packet is not the last of its payload. */
const around = [-1, 0, 1].map((more) => MAX_PACKET_BYTES + more);
const DOUBLE = 2 * MAX_PACKET_BYTES;

/** A COM_QUERY whose payload is so long, its attributes aside. */
function padded(before: string, payloadBytes: number): string {
  return `${before}/*${'x'.repeat(payloadBytes - before.length - 1 - 4)}*/`;
}

/** A result whose row is a packet of so many bytes. */
function rowOf(bytes: number): string {
  // A value of this length has four bytes before it.
  return `SELECT REPEAT('r', ${bytes - 4})`;
}

for (const [at, release] of (await mysqlFamiliesHere()).entries()) {
  // Where packets are cut is the same everywhere: only with the first one all of it is gone through.
  const lengths = at === 0 ? around : [MAX_PACKET_BYTES];
  describe(`much from and to ${release}, directly and through Sluice`, () => {
    let twins: MysqlTwins;
    beforeAll(async () => {
      twins = await MysqlTwins.open(release, ROOM);
    });
    afterAll(() => twins.close());

    test('statements of more than a packet (MY-01)', async () => {
      await twins.expectSameAlone(
        [
          ...[...lengths, DOUBLE].map((bytes) => padded('SELECT 1', bytes)),
          padded('SET @a = 1', MAX_PACKET_BYTES),
          'SELECT @a',
          padded('SELEC', MAX_PACKET_BYTES),
          prepare(padded('SELECT 2', MAX_PACKET_BYTES)),
          execute(),
        ],
        'app',
      );
    });

    for (const flags of [plainClient.flags, plainClient.flags & ~capability.deprecateEof]) {
      const isOld = (flags & capability.deprecateEof) === 0;
      test(`rows of more than a packet, to a client ${isOld ? 'of old' : 'of today'} (MY-01)`, async () => {
        await twins.expectSameAlone(
          [...lengths, DOUBLE].flatMap((bytes) => [
            prepare(rowOf(bytes)),
            execute(),
            `${rowOf(bytes)} UNION ALL SELECT 'short' UNION ALL ${rowOf(bytes)}`,
            ping,
          ]),
          'app',
          { capabilities: { flags, extensions: 0 } },
        );
      });
    }

    test('parameters of more than a packet (MY-01, MY-61)', async () => {
      await twins.expectSameAlone(
        lengths.flatMap((bytes) => {
          const value = Buffer.alloc(bytes - 30, 'v');
          const header = Buffer.from([
            0xfd,
            value.length & 0xff,
            (value.length >> 8) & 0xff,
            value.length >> 16,
          ]);
          return [
            prepare('SELECT LENGTH(?), MD5(?)'),
            longData(0, Buffer.alloc(bytes - 7, 'l')),
            longData(1, Buffer.alloc(bytes - 7, 'l')),
            execute([0, 1].map(() => ({ type: columnType.longBlob, value: null, isLong: true }))),
            execute([
              { type: columnType.longBlob, value: Buffer.concat([header, value]) },
              { type: columnType.null, value: null },
            ]),
          ];
        }),
        'app',
      );
    });

    test('a file of 20 MB, and one that ends at a packet (MY-10)', () => {
      const line = `${'f'.repeat(99)}\n`;
      const files = new Map([
        ['large', Buffer.from(line.repeat(200_000))],
        ['even', Buffer.from(line.repeat(600))],
      ]);
      return twins.expectSame(
        [
          'CREATE TABLE much (a varchar(100))',
          `LOAD DATA LOCAL INFILE 'large' INTO TABLE much`,
          `LOAD DATA LOCAL INFILE 'even' INTO TABLE much`,
          `LOAD DATA LOCAL INFILE 'large' INTO TABLE never`,
          'SELECT COUNT(*), SUM(LENGTH(a)) FROM much',
        ],
        'app',
        { files },
      );
    });

    test('more than the database takes (MY-16)', async () => {
      const tooMuch = `SELECT LENGTH('${'x'.repeat(101 * 1024 * 1024)}')`;
      await twins.expectSameAlone(['SELECT REPEAT(1, 200000000)', tooMuch], 'app');
    });
  });
}
