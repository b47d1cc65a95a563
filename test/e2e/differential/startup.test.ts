import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { differences } from '../../support/differential.ts';
import { RawClient } from '../../support/raw-client.ts';
import { explained, Twins } from './twins.ts';

/** What each start-up parameter may touch, before and after it was changed and taken back (PG-63). */
const script = [
  'SHOW ALL',
  `SELECT '2020-02-29'::date, 'é', 1.5::float8, '1 day'::interval, current_timestamp(0) IS NULL`,
  `SET application_name = 'other'; SET search_path = other; SET DateStyle = ISO; SET work_mem = 999`,
  'SET client_encoding = UTF8',
  'SHOW search_path',
  'RESET ALL',
  'SHOW search_path',
  'SHOW application_name',
  'SHOW DateStyle',
  'DISCARD ALL',
  'SHOW work_mem',
  'SHOW application_name',
];

const parameters = {
  application_name: { application_name: `it's "me" \\ here` },
  'an empty application_name': { application_name: '' },
  DateStyle: { DateStyle: 'German, DMY' },
  TimeZone: { TimeZone: 'America/Argentina/Buenos_Aires' },
  'client_encoding LATIN1': { client_encoding: 'LATIN1' },
  statement_timeout: { statement_timeout: '54321' },
  extra_float_digits: { extra_float_digits: '3' },
  search_path: { search_path: 'my-catalog, "B c"' },
  'one of our own': { 'my.setting': 'own' },
  'options (PG-62)': { options: '-c search_path=pg_catalog -c statement_timeout=12345' },
  'options with escapes (PG-62)': { options: '-c application_name=a\\ b\\\\c --work_mem=1MB' },
  'options with signs (PG-62b)': {
    options: '-csearch_path=my-catalog,a=b+c -c application_name=%20+',
  },
  'options with empty values': { options: '-c application_name=' },
  'everything at once': {
    application_name: 'x',
    DateStyle: 'SQL',
    IntervalStyle: 'iso_8601',
    client_encoding: 'SQL_ASCII',
    options: '-c extra_float_digits=-3',
  },
  '8 kB of options (PG-19)': { options: `-c my.setting=${'x'.repeat(8_000)}` },
  'replication=false': { replication: 'false' },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

const protocolOptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no option': {},
  'an option': { '_pq_.x': '1' },
  'several options': { '_pq_.x': '', '_pq_.': 'x', '_pq_.a b': '1' },
};

const refused = {
  'an unknown database': { database: 'no_such_database' },
  'a database that may not be connected to': { database: 'twin_closed' },
  'a template that takes no connections': { database: 'template0' },
  'an unknown parameter': { parameters: { nonsense: '1' } },
  'a bad value': { parameters: { DateStyle: 'nonsense' } },
  'a bad encoding': { parameters: { client_encoding: 'nonsense' } },
  'an unknown option': { parameters: { options: '-c nonsense=1' } },
  'an option without a value (PG-62)': { parameters: { options: '-c=' } },
  'an option that is none': { parameters: { options: '-Z' } },
  'a parameter that cannot be changed': { parameters: { server_version: '1' } },
  'a parameter for superusers': { parameters: { log_statement: 'all' } },
} as const;

/** Settings that tell about the connection rather than the session. */
const masks = [/^D (?:port|data_directory|config_file|hba_file|ident_file)\|.*/];

for (const version of [18, 14] as const) {
  describe(`start-up with PostgreSQL ${version}, directly and through Sluice`, () => {
    let twins: Twins;
    beforeAll(async () => {
      twins = await Twins.open(version);
      const { server } = twins.stage;
      await server.query('DROP DATABASE IF EXISTS twin_closed');
      await server.query('CREATE DATABASE twin_closed');
      await server.query('REVOKE CONNECT ON DATABASE twin_closed FROM PUBLIC');
    });
    afterAll(() => twins.close());

    for (const [name, given] of Object.entries(parameters)) {
      test(`parameters: ${name}`, async () => {
        await twins.expectSame(script, { parameters: given }, { masks });
        await twins.expectPristine();
      });
    }

    if (version === 18) {
      for (const minor of [0, 1, 2, 3, 9999, 65_535]) {
        for (const [name, options] of Object.entries(protocolOptions)) {
          test(`protocol 3.${minor} with ${name}: the same answer, a key as long (PG-26, PG-27)`, async () => {
            await twins.expectSame(['SELECT 1'], { minor, parameters: options });
          });
        }
      }
    }

    for (const [name, more] of Object.entries(refused)) {
      test(`refused: ${name}`, async () => {
        const [direct, proxied] = await twins.refusals(more);
        expect(direct).not.toBe('let in');
        expect(proxied).toEqual(direct);
      });
    }

    describe('explained differences', () => {
      test('a wrong password and an unknown user are told in the words of RDS Proxy (PG-103)', async () => {
        const [direct, proxied] = await twins.refusals({ password: 'wrong' });
        expect(direct).toMatchObject({
          C: '28P01',
          M: 'password authentication failed for user "app"',
        });
        const text = 'The password that was provided for the role app is wrong.';
        expect(proxied).toEqual({ S: 'FATAL', V: 'FATAL', C: '28P01', M: text });
        const [, unknown] = await twins.refusals({ user: 'stranger' });
        expect(unknown).toEqual({ ...Object(proxied), M: text.replace('app', 'stranger') });
      });

      test('replication is refused (PG-10)', async () => {
        const [, proxied] = await twins.refusals({ parameters: { replication: 'database' } });
        expect(proxied).toMatchObject({ S: 'FATAL', C: '0A000' });
      });

      if (version === 14) {
        test('protocol 3.2 is spoken whatever the database speaks (PG-26)', async () => {
          const [direct, proxied] = [twins.direct, twins.proxied] as const;
          const asked = { minor: 2 };
          const [found, ...more] = await differences(
            ['SELECT 1'],
            { ...direct, ...asked },
            { ...proxied, ...asked },
            { masks: explained },
          );
          expect(more).toEqual([]);
          expect(found?.direct).toEqual(expect.arrayContaining(['K 4', 'v 0003000000000000']));
          expect(found?.proxied).toContain('K 32');
        });
      }

      test('the process id that a client is told is not the one of its database connection', async () => {
        const client = await RawClient.signIn(twins.proxied);
        expect(await client.value('SELECT pg_backend_pid()')).not.toBe(String(client.welcome.pid));
        await client.end();
      });
    });

    test('nothing is left behind', () => twins.stage.expectClean());
  });
}
