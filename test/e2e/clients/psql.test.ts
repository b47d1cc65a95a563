import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFile } from 'node:fs/promises';
import { Stage } from './stage.ts';

/** Unaligned, rows only, and stops at the first error. */
const PSQL = ['psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1'] as const;

for (const version of [18, 14] as const) {
  describe(`psql with PostgreSQL ${version}`, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await Stage.open({ version });
      await stage.succeed([...PSQL], {
        stdin: `DROP TABLE IF EXISTS item; CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL);`,
      });
    });
    afterAll(() => stage.close());

    test('describes tables as directly', async () => {
      const described = await stage.succeed(['psql', '-X', '-c', '\\d item', '-c', '\\dt']);
      expect(described).toContain('"item_pkey" PRIMARY KEY, btree (id)');
      const { host, port } = stage.server;
      const env = { PGHOST: host, PGPORT: String(port) };
      const command = [
        'psql',
        '-X',
        '-c',
        '\\d item',
        '-c',
        '\\dt',
        '-c',
        '\\dn',
        '-c',
        '\\df now',
      ];
      expect(await stage.succeed(command)).toBe(await stage.succeed(command, { env }));
    });

    test('copies files in and out (PG-07, PG-09)', async () => {
      const lines = Array.from({ length: 20_000 }, (_, n) => `${n + 1}\tname ${n + 1}`);
      const path = await stage.writeFile('items.txt', `${lines.join('\n')}\n`);
      await stage.succeed([...PSQL, '-c', 'TRUNCATE item', '-c', `\\copy item FROM '${path}'`]);
      expect(await stage.succeed([...PSQL, '-c', 'SELECT count(*), sum(id) FROM item'])).toBe(
        '20000|200010000\n',
      );
      await stage.succeed([...PSQL, '-c', `\\copy (SELECT * FROM item ORDER BY id) TO 'out.txt'`]);
      expect(await readFile(`${stage.sluice.directory}/out.txt`, 'utf8')).toBe(
        await readFile(path, 'utf8'),
      );
      const again = await stage.run([...PSQL, '-c', `\\copy item FROM '${path}'`]);
      expect(again.code).not.toBe(0);
      expect(again.stderr).toContain('duplicate key value violates unique constraint "item_pkey"');
      expect(again.stderr).toContain('CONTEXT:  COPY item, line 1');
    });

    test('tells errors with position, detail and hint, and goes on', async () => {
      const { stdout, stderr, code } = await stage.run(['psql', '-X', '-A', '-t'], {
        stdin: `SELECT nme FROM item;\nSELECT 'on';\nINSERT INTO item VALUES (1, 'again');\nSELECT 'and on';\n`,
      });
      expect(code).toBe(0);
      expect(stdout).toBe('on\nand on\n');
      expect(stderr).toContain('column "nme" does not exist');
      expect(stderr).toContain('HINT:  Perhaps you meant to reference the column "item.name".');
      expect(stderr).toContain('DETAIL:  Key (id)=(1) already exists.');
    });

    test('one transaction for a whole script: all or nothing', async () => {
      const script = (last: string): string => `CREATE TABLE whole (n int);\n${last};\n`;
      const failed = await stage.run([...PSQL, '-1', '-f', '-'], { stdin: script('SELECT 1/0') });
      expect(failed.code).not.toBe(0);
      const there = [...PSQL, '-c', `SELECT to_regclass('whole') IS NOT NULL`];
      expect(await stage.succeed(there)).toBe('f\n');
      await stage.succeed([...PSQL, '-1', '-f', '-'], {
        stdin: script('INSERT INTO whole VALUES (1)'),
      });
      expect(await stage.succeed([...PSQL, '-c', 'TABLE whole', '-c', 'DROP TABLE whole'])).toBe(
        '1\n',
      );
    });

    test('a session keeps its settings and temporary tables across statements', async () => {
      const out = await stage.succeed([...PSQL], {
        stdin: `SET search_path = pg_catalog; CREATE TEMP TABLE mine (n int); INSERT INTO mine VALUES (7);
          SHOW search_path; TABLE mine;\nPREPARE p AS SELECT 1 + $1; EXECUTE p (2);\n`,
      });
      expect(out).toBe('pg_catalog\n7\n3\n');
      expect(await stage.succeed([...PSQL, '-c', 'SHOW search_path'])).toBe('"$user", public\n');
    });

    test('describes a statement that it prepared a request before (PG-90)', async () => {
      const described = (): Promise<string> =>
        stage.succeed([...PSQL], {
          stdin: `SELECT 1 AS one, now() AS two \\gdesc\nSELECT 2\n\\g\n`,
        });
      const all = Array.from({ length: 8 }, described);
      for (const out of await Promise.all(all))
        expect(out).toBe('one|integer\ntwo|timestamp with time zone\n2\n');
    });

    const modes = ['require', 'verify-ca', 'verify-full'] as const;
    test.each(modes)('sslmode=%s', async (mode) => {
      const out = await stage.succeed([...PSQL, '-c', '\\conninfo', '-c', 'SELECT 1'], {
        env: { PGSSLMODE: mode },
      });
      expect(out).toContain('SSL connection (protocol: TLSv1.3');
      expect(out).toEndWith('1\n');
    });

    test('sslmode=verify-full refuses a name that the certificate does not have', async () => {
      const env = { PGSSLMODE: 'verify-full', PGHOST: 'elsewhere', PGHOSTADDR: '127.0.0.1' };
      const { stderr } = await stage.run([...PSQL, '-c', 'SELECT 1'], { env });
      expect(stderr).toContain('elsewhere');
    });

    test('a wrong password is refused in the words of RDS Proxy', async () => {
      const { code, stderr } = await stage.run([...PSQL, '-c', 'SELECT 1'], {
        env: { PGPASSWORD: 'wrong' },
      });
      expect(code).toBe(2);
      expect(stderr).toContain('The password that was provided for the role app is wrong.');
    });

    test('twenty at once share three connections', async () => {
      const script = `BEGIN; SELECT pg_advisory_xact_lock(1); UPDATE item SET name = 'n' WHERE id = 1;
        SELECT 'done'; COMMIT;`;
      const all = Array.from({ length: 20 }, () => stage.succeed([...PSQL], { stdin: script }));
      for (const out of await Promise.all(all)) expect(out).toBe('\ndone\n');
      expect(await stage.metric('sluice_max_database_connections_allowed')).toBe(3);
    });

    test('nothing is left behind', () => stage.expectClean());
  });
}
