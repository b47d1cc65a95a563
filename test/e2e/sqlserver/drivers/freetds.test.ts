import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { documentedDriver } from '../../clients/drivers-page.ts';
import { openSqlServerStage } from '../stage.ts';
import type { SqlServerStage } from '../stage.ts';
import { addedPins, expectNothingLeft, pinsOf } from '../twins.ts';

const CLIENTS = 3;

/** Each batch ends with a line `go`. */
const SCRIPT = `
select 1 as a, N'zwei' as b, null as c
go
select @@lock_timeout as a
set lock_timeout 1234
select @@lock_timeout as a
go
select @@lock_timeout as b
go
select 1 as a
select 2 as b
print 'printed'
go
select * from sluice_nowhere
go
select 3 as a
go
raiserror('raised', 16, 1)
go
begin transaction
go
select @@trancount as n
go
rollback
go
select @@trancount as n
go
declare @a int
set @a = 41
select @a + 1 as a
go
select replicate('x', 4000) as text, cast(12.5 as decimal(10, 2)) as d, cast('2026-02-28' as datetime) as t
go
use tempdb
go
select db_name() as d
go
`;

describe('FreeTDS', () => {
  let here: SqlServerStage;
  let conf: string;
  beforeAll(async () => {
    here = await openSqlServerStage();
    const { stage, server } = here;
    const section = (name: string, host: string, port: number): string =>
      `[${name}]\nhost = ${host}\nport = ${port}\n`;
    conf = await stage.writeFile(
      'freetds.conf',
      `${section('direct', server.host, server.port)}${section('proxied', '127.0.0.1', stage.port)}`,
    );
  });
  afterAll(() => here.stage.close());

  async function run(
    program: readonly string[],
    server: 'direct' | 'proxied',
    version: string,
  ): Promise<readonly string[]> {
    const { user, password, database } = here.server;
    const login = ['-S', server, '-U', user, '-P', password, '-D', database];
    const env = { FREETDSCONF: conf, TDSVER: version };
    const told = await here.stage.run([...program, ...login], { env, stdin: SCRIPT });
    const lines = `${told.stdout}\n${told.stderr}\n${told.code}`.split('\n');
    // How long it took, and which of the two it was.
    return lines.filter((line) => !/seconds|msec|direct|proxied/.test(line));
  }

  const programs = {
    tsql: ['tsql', '-o', 'q'],
    bsqldb: ['bsqldb'],
  } as const;

  test.each(
    (['tsql', 'bsqldb'] as const).flatMap((name) =>
      ['7.1', '7.2', '7.3', '7.4'].map((version) => [name, version] as const),
    ),
  )('%s says the same as without a proxy, with TDS %s', async (name, version) => {
    const before = await pinsOf(here);
    const direct = await run(programs[name], 'direct', version);
    expect(direct.join('\n')).toContain('1234');
    const proxied = await Promise.all(
      Array.from({ length: CLIENTS }, () => run(programs[name], 'proxied', version)),
    );
    for (const lines of proxied) expect(lines).toEqual(direct);
    expect(addedPins(before, await pinsOf(here))).toEqual([]);
  });

  test('is on the page, with its version and its pins', async () => {
    const { stdout } = await here.stage.run(['tsql', '-C']);
    const page = documentedDriver('SQL Server', 'FreeTDS');
    expect(stdout).toContain(`freetds v${page.version}`);
    expect(page.pins).toEqual([]);
  });

  test('nothing is left behind', () => expectNothingLeft(here));
});
