import { describe } from 'bun:test';
import { TYPES } from 'tedious';
import { describeTwins } from './twins.ts';
import type { Parameter, Visitor } from './visitor.ts';

const moment = new Date('2026-02-28T12:34:56.789Z');
const guid = '6F9619FF-8B86-D011-B42D-00C04FC964FF';
const long = 'ü三 '.repeat(5_000);

/** A value of each type, as a parameter. */
const values: readonly (readonly [type: Parameter[1], value: unknown, more?: Parameter[3]])[] = [
  [TYPES.Bit, true],
  [TYPES.TinyInt, 255],
  [TYPES.SmallInt, -32_768],
  [TYPES.Int, 2_147_483_647],
  [TYPES.BigInt, '9223372036854775807'],
  [TYPES.Real, 1.5],
  [TYPES.Float, -1e300],
  [TYPES.Decimal, 12345.678, { precision: 18, scale: 3 }],
  [TYPES.Numeric, -1, { precision: 38, scale: 0 }],
  [TYPES.Money, 922_337.5],
  [TYPES.SmallMoney, -214.25],
  [TYPES.Char, 'fixed', { length: 10 }],
  [TYPES.VarChar, 'plain'],
  [TYPES.VarChar, 'v'.repeat(20_000)],
  [TYPES.NVarChar, 'Ünïcødé 三'],
  [TYPES.NVarChar, ''],
  [TYPES.NVarChar, long],
  [TYPES.NChar, 'fixed', { length: 10 }],
  [TYPES.Binary, Buffer.from([1, 2, 3])],
  [TYPES.VarBinary, Buffer.from([0, 255, 7])],
  [TYPES.VarBinary, Buffer.alloc(20_000, 9)],
  [TYPES.Date, moment],
  [TYPES.Time, moment, { scale: 3 }],
  [TYPES.DateTime, moment],
  [TYPES.SmallDateTime, moment],
  [TYPES.DateTime2, moment, { scale: 7 }],
  [TYPES.DateTimeOffset, moment, { scale: 3 }],
  [TYPES.UniqueIdentifier, guid],
];

/** A value of each type, as a column. */
const expressions = [
  'CAST(1 AS bit)',
  'CAST(200 AS tinyint)',
  'CAST(-5 AS smallint)',
  '2147483647',
  'CAST(-9223372036854775808 AS bigint)',
  'CAST(1.5 AS real)',
  'CAST(2.25 AS float)',
  'CAST(12345.678 AS decimal(18, 3))',
  'CAST(-1 AS numeric(38, 0))',
  'CAST(922337203685477.58 AS money)',
  'CAST(-214.25 AS smallmoney)',
  "CAST('fixed' AS char(10))",
  "CAST('varying' AS varchar(20))",
  "CAST(REPLICATE(CAST('v' AS varchar(max)), 20000) AS varchar(max))",
  "CAST(N'fixed' AS nchar(10))",
  "N'Ünïcødé 三'",
  "CAST(REPLICATE(CAST(N'ü' AS nvarchar(max)), 9000) AS nvarchar(max))",
  "N''",
  'CAST(0x010203 AS binary(5))',
  '0x00FF07',
  "CAST('2026-02-28' AS date)",
  "CAST('12:34:56.789' AS time(3))",
  "CAST('2026-02-28T12:34:56.790' AS datetime)",
  "CAST('2026-02-28T12:34:00' AS smalldatetime)",
  "CAST('2026-02-28T12:34:56.1234567' AS datetime2(7))",
  "CAST('2026-02-28T12:34:56.789+05:30' AS datetimeoffset(3))",
  `CAST('${guid}' AS uniqueidentifier)`,
];

async function asParameters(one: Visitor): Promise<void> {
  const names = values.map((_, at) => `p${at}`);
  const select = `SELECT ${names.map((name) => `@${name} AS ${name}`).join(', ')}`;
  await one.sql(
    select,
    ...values.map(([type, value, more], at): Parameter => [`p${at}`, type, value, more]),
  );
  await one.sql(
    select,
    ...values.map(([type, , more], at): Parameter => [`p${at}`, type, null, more]),
  );
}

async function asColumns(one: Visitor): Promise<void> {
  const all = expressions.map((expression, at) => `${expression} AS c${at}`).join(', ');
  await one.batch(`SELECT ${all} UNION ALL SELECT ${expressions.map(() => 'NULL').join(', ')}`);
  await one.batch(expressions.map((expression) => `SELECT ${expression} AS c`).join('; '));
}

describe('values of all types', () => {
  describeTwins({
    'as columns': { script: asColumns },
    'as columns of TDS 7.1': { script: asColumns, options: { tdsVersion: '7_1' } },
    'as columns, in packets of 512 bytes': { script: asColumns, options: { packetSize: 512 } },
    'as parameters': { script: asParameters },
    'as parameters of TDS 7.2': { script: asParameters, options: { tdsVersion: '7_2' } },
    'as parameters, in packets of 512 bytes': {
      script: asParameters,
      options: { packetSize: 512 },
    },
    'XML and sql_variant': {
      async script(one) {
        await one.batches(
          'SELECT CAST(\'<a b="c">d</a>\' AS xml) AS x',
          "SELECT CAST(42 AS sql_variant) AS v, CAST(N'ü' AS sql_variant) AS w",
          "SELECT CAST('<a/>' AS text) AS t, CAST(N'ü' AS ntext) AS n, CAST(0x01 AS image) AS i",
        );
      },
    },
    'in tables': {
      async script(one) {
        const table = one.name('t');
        await one.batch(
          `CREATE TABLE ${table} (a bit, b bigint, c decimal(18, 3), d nvarchar(max), e varbinary(max), f datetime2(3), g uniqueidentifier)`,
        );
        await one.sql(
          `INSERT INTO ${table} VALUES (@a, @b, @c, @d, @e, @f, @g)`,
          ['a', TYPES.Bit, false],
          ['b', TYPES.BigInt, '-1'],
          ['c', TYPES.Decimal, 0.125, { precision: 18, scale: 3 }],
          ['d', TYPES.NVarChar, long],
          ['e', TYPES.VarBinary, Buffer.alloc(9_000, 1)],
          ['f', TYPES.DateTime2, moment, { scale: 3 }],
          ['g', TYPES.UniqueIdentifier, guid],
        );
        await one.batches(
          `INSERT INTO ${table} (a) VALUES (NULL)`,
          `SELECT * FROM ${table} ORDER BY b`,
          `DROP TABLE ${table}`,
        );
      },
    },
    'table-valued parameters': {
      async script(one) {
        const type = one.name('type');
        const procedure = one.name('p');
        const rows = Array.from({ length: 300 }, (_, n) => [n, `row ${n}`]);
        const columns = [
          { name: 'id', type: TYPES.Int },
          { name: 'name', type: TYPES.NVarChar, length: 50 },
        ];
        await one.batches(
          `CREATE TYPE ${type} AS TABLE (id int, name nvarchar(50))`,
          `CREATE PROCEDURE ${procedure} @rows ${type} READONLY AS SELECT COUNT(*) AS n, SUM(id) AS total, MAX(name) AS last FROM @rows`,
        );
        await one.call(procedure, ['rows', TYPES.TVP, { columns, rows }]);
        await one.call(procedure, ['rows', TYPES.TVP, { columns, rows: [] }]);
        await one.batches(`DROP PROCEDURE ${procedure}`, `DROP TYPE ${type}`);
      },
    },
    'bulk loads': {
      async script(one) {
        const table = one.name('t');
        const columns = [
          ['id', TYPES.Int, { nullable: false }],
          ['name', TYPES.NVarChar, { length: 50, nullable: true }],
          ['bytes', TYPES.VarBinary, { length: Infinity, nullable: true }],
        ] as const;
        const rows = Array.from({ length: 400 }, (_, n) => [
          n,
          n % 7 === 0 ? null : `name ${n}`,
          n % 100 === 0 ? Buffer.alloc(10_000, n) : null,
        ]);
        await one.batch(
          `CREATE TABLE ${table} (id int NOT NULL PRIMARY KEY, name nvarchar(50), bytes varbinary(max))`,
        );
        await one.bulk(table, columns, rows);
        await one.batch(
          `SELECT COUNT(*) AS n, COUNT(name) AS named, SUM(DATALENGTH(bytes)) AS size FROM ${table}`,
        );
        await one.begin();
        await one.bulk(table, columns, [[1_000, 'undone', null]]);
        await one.rollback();
        await one.batches(`SELECT COUNT(*) AS n FROM ${table}`, `DROP TABLE ${table}`);
      },
    },
    'bulk loads that fail': {
      // A connection to Babelfish takes no further ones then, also without a proxy.
      unless: 'Babelfish',
      async script(one) {
        const table = one.name('t');
        await one.batch(`CREATE TABLE ${table} (id int NOT NULL PRIMARY KEY)`);
        const columns = [['id', TYPES.Int, { nullable: false }]] as const;
        for (const id of [1, 1, 2]) await one.bulk(table, columns, [[id]]);
        await one.bulk(one.name('missing'), columns, [[1]]);
        await one.batches(`SELECT COUNT(*) AS n FROM ${table}`, `DROP TABLE ${table}`);
      },
    },
  });
});
