import { literal } from './scope.ts';
import type { SideName } from './side.ts';
import type { Life } from './steps.ts';

/** Two for each side, with the same tables. */
export const databases = [
  databaseOf('home', 'sided'),
  databaseOf('other', 'sided'),
  databaseOf('home', 'sidep'),
  databaseOf('other', 'sidep'),
] as const;

export function databaseOf(which: 'home' | 'other', side: SideName): string {
  return `${which}_${side}`;
}

/** What all lives read and none writes. */
export function sharedTables(database: string): string {
  const kind = database.split('_')[0];
  return `USE ${database}; DROP TABLE IF EXISTS here; DROP TABLE IF EXISTS many;
    CREATE TABLE here (kind nvarchar(100)); INSERT INTO here VALUES ('${kind}');
    CREATE TABLE many (a int); INSERT INTO many VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)`;
}

const procedures = {
  p_begin: 'AS BEGIN TRAN',
  p_commit: 'AS COMMIT',
  p_sets: 'AS SET NOCOUNT ON; SET DATEFIRST 2; CREATE TABLE #tmp1 (a int); SELECT @@DATEFIRST',
  p_rows: 'AS BEGIN SELECT 1 AS one; SELECT kind FROM here; RETURN 5 END',
  p_echo: '@what nvarchar(100), @back nvarchar(100) OUTPUT AS SET @back = @what; SELECT @what',
} as const;

/** Batches that make what all lives call. */
export function proceduresOf(database: string): readonly string[] {
  return Object.entries(procedures).flatMap(([name, body]) => [
    `USE ${database}; DROP PROCEDURE IF EXISTS ${name}`,
    `CREATE PROCEDURE ${name} ${body}`,
  ]);
}

/** Those of one life, in each database. */
export function tablesOf(name: string): readonly string[] {
  return ['t', 'w', 'auto', 'here', 'bulk'].map((one) => `${name}_${one}`);
}

/** Batches that make the tables of one life. A round that failed may have left some. */
export function homeOf(database: string, { name, token, number }: Life): readonly string[] {
  const secret = literal(`${database.split('_')[0]} ${token}`);
  const drops = tablesOf(name).map((table) => `DROP TABLE IF EXISTS ${table};`);
  return [
    `USE ${database}; ${drops.join(' ')}`,
    `CREATE TABLE ${name}_t (a int NOT NULL PRIMARY KEY, b nvarchar(100), d date);
     INSERT INTO ${name}_t VALUES (1, 'one', '20200220'), (2, ${literal(token)}, NULL), (3, NULL, NULL);
     CREATE TABLE ${name}_w (a int); INSERT INTO ${name}_w VALUES (1);
     CREATE TABLE ${name}_here (kind nvarchar(100)); INSERT INTO ${name}_here VALUES (${secret});
     CREATE TABLE ${name}_auto (id int IDENTITY(${1_000 * number},1), v nvarchar(100));
     CREATE TABLE ${name}_bulk (a int, b nvarchar(100))`,
  ];
}
