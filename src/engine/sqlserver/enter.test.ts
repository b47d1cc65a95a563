import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Rehearsal } from '../../../test/support/rehearse.ts';
import { rehearse } from '../../../test/support/rehearse.ts';
import type { DatabaseScript } from '../../../test/transcripts/tds-database.ts';
import {
  COLLATION,
  database,
  end,
  gateOf,
  refusal,
  rowOf,
  welcome,
} from '../../../test/transcripts/tds-database.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, ucs2, utf16 } from '../../base/bytes.ts';
import type { Gate } from '../../core/engine.ts';
import { FaultError } from '../../core/fault.ts';
import { Elsewhere, PeerClosed } from '../../core/network.ts';
import { feature } from '../../wire/tds/features.ts';
import { flags2, typeFlags } from '../../wire/tds/login-flags.ts';
import type { Login7 } from '../../wire/tds/login7.ts';
import { readLogin7 } from '../../wire/tds/login7.ts';
import { encryption, readPrelogin } from '../../wire/tds/prelogin.ts';
import { envChange, envChangeText, readError, routing } from '../../wire/tds/tokens.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';
import { enter } from './enter.ts';
import type { SqlServerMemory } from './memory.ts';
import type { SqlServerPrincipal } from './principal.ts';
import { Principals, watcher } from './principal.ts';
import { productOf, Target } from './target.ts';

interface Entered extends Rehearsal<SqlServerMemory> {
  readonly heard: readonly string[];
  readonly payloads: readonly Uint8Array[];
  readonly target: Target;
}

async function entered(
  script: DatabaseScript = {},
  gate: Partial<Gate<SqlServerPrincipal>> = {},
  target = new Target(),
): Promise<Entered> {
  const { peer, heard, payloads } = database(script);
  const rehearsal = await rehearse(enter(gateOf(gate), target), peer);
  return { ...rehearsal, heard, payloads, target };
}

async function problemWith(
  script: DatabaseScript,
  gate: Partial<Gate<SqlServerPrincipal>> = {},
): Promise<unknown> {
  try {
    await entered(script, gate);
  } catch (error) {
    return error;
  }
  throw new Error('it was let in');
}

async function faultWith(script: DatabaseScript, gate: Partial<Gate<SqlServerPrincipal>> = {}) {
  const error = await problemWith(script, gate);
  if (!(error instanceof FaultError)) throw error;
  return error.fault;
}

function loginIn({ payloads }: Entered): Login7 {
  return readLogin7(payloads[1] ?? EMPTY);
}

const tlsSteps = ({ steps }: Entered): readonly string[] =>
  steps.filter((step) => step.endsWith('Tls') || step.startsWith('startTls'));

describe('encryption towards the database', () => {
  const { off, on, notSupported, required } = encryption;

  test.each([
    ['disable', notSupported, notSupported, []],
    ['disable', notSupported, off, []],
    ['prefer', on, on, ['startTls client']],
    ['prefer', on, required, ['startTls client']],
    ['prefer', on, notSupported, []],
    ['prefer', on, off, ['startTls client', 'endTls']],
    ['require', on, on, ['startTls client']],
    ['require', on, required, ['startTls client']],
    ['verify-ca', on, on, ['startTls client']],
    ['verify-full', on, on, ['startTls client']],
  ] as const)('TD-12: %s says %d, hears %d, and does %j', async (tlsMode, said, heard, steps) => {
    const done = await entered({ encryption: heard }, { tlsMode });
    const { encryption: wanted, mars } = readPrelogin(done.payloads[0] ?? EMPTY);
    expect([wanted, mars]).toEqual([said, false]);
    expect(tlsSteps(done)).toEqual(steps);
  });

  test.each([
    ['disable', on, 'requires TLS, which its settings switch off'],
    ['disable', required, 'requires TLS, which its settings switch off'],
    ['require', notSupported, 'does not offer TLS, which its settings require'],
    ['verify-ca', notSupported, 'does not offer TLS, which its settings require'],
    ['verify-full', notSupported, 'does not offer TLS, which its settings require'],
    ['require', off, 'offers TLS for the login only, and its settings require it for all'],
    ['verify-full', off, 'offers TLS for the login only, and its settings require it for all'],
  ] as const)('TD-14: %s does not put up with %d', async (tlsMode, heard, why) => {
    expect(await faultWith({ encryption: heard }, { tlsMode })).toEqual({
      name: 'databaseRefused',
      refusal: 'later',
      detail: `the database ${why}`,
    });
  });

  test('TD-13: TLS that comes first is asked for no more', async () => {
    const gate = { tlsMode: 'verify-full', tlsFirst: true } as const;
    const done = await entered({ encryption: on }, gate);
    expect(done.steps.slice(0, 2)).toEqual(['startTls client', 'send']);
    expect(tlsSteps(done)).toEqual(['startTls client']);
    expect(readPrelogin(done.payloads[0] ?? EMPTY).encryption).toBe(notSupported);
  });

  test('TD-12: of a login in several packets, the first one is encrypted', async () => {
    const who = { ...watcher('app', 'x'.repeat(128)), appName: 'y'.repeat(128) };
    const features = [{ id: feature.utf8Support, data: new Uint8Array(4_000) }];
    const done = await entered(
      { encryption: off },
      { tlsMode: 'prefer', who: { ...who, features } },
    );
    const [, login, rest] = done.sent;
    expect(login?.length).toBe(4_096);
    expect(rest?.length).toBeGreaterThan(8);
    expect(done.steps.slice(2, 6)).toEqual(['startTls client', 'send', 'endTls', 'send']);
  });
});

describe('the login', () => {
  test('says who we are, and what the client is', async () => {
    const said = {
      user: 'alice',
      database: 'shop',
      language: 'Deutsch',
      tdsVersion: tdsVersion.v73b,
      appName: 'orders',
      lcid: 1031,
      packetBytes: 8_192,
      options: {
        flags1: 0xe0,
        flags2: flags2.odbc,
        typeFlags: typeFlags.readOnlyIntent,
        flags3: 0,
      },
      features: [
        { id: feature.sessionRecovery, data: EMPTY },
        { id: feature.json, data: Uint8Array.of(1) },
      ],
    };
    const done = await entered({}, { who: new Principals().of(said) });
    const login = loginIn(done);
    expect(login).toMatchObject({
      userName: 'alice',
      database: 'shop',
      language: 'Deutsch',
      tdsVersion: tdsVersion.v73b,
      appName: 'orders',
      hostName: 'sluice',
      lcid: 1031,
      packetBytes: 8_192,
      ...said.options,
      flags3: 0x10,
      features: [{ id: feature.json, data: Uint8Array.of(1) }],
      attachFile: '',
    });
    expect(ucs2(login.password)).toBe('pässword');
    expect([login.newPassword.length, login.sspi.length]).toEqual([0, 0]);
  });

  test('tells what the database has told', async () => {
    const features = [{ id: feature.columnEncryption, data: Uint8Array.of(1) }];
    const login = welcome({ packetBytes: 8_000, features });
    const { result: memory } = await entered({ login, tellsKeys: true });
    expect(memory).toMatchObject({
      spid: 53,
      tdsVersion: tdsVersion.v74,
      packetBytes: 8_000,
      hasColumnEncryption: true,
      transaction: 0n,
      inTransaction: false,
    });
    expect(memory.welcome).toMatchObject({
      database: 'app',
      language: 'us_english',
      collation: COLLATION,
      features,
      ack: { version: tdsVersion.v74, program: 'Microsoft SQL Server' },
    });
    expect(memory.state.database).toBe('app');
    expect(memory.beginning.get('ansi_nulls')).toBe('OFF');
  });

  test('keeps to itself where else there are databases, and sizes of packets', async () => {
    const more = concat([
      envChangeText(envChange.mirrorPartner, 'other-host', ''),
      envChangeText(envChange.packetSize, '4096', '4096'),
    ]);
    const { result } = await entered({ login: welcome({ more }) });
    const { result: plain } = await entered();
    expect(result.welcome.tokens).toEqual(plain.welcome.tokens);
    expect(Buffer.from(result.welcome.tokens).includes(utf16('other-host'))).toBe(false);
  });

  test.each([tdsVersion.v71, tdsVersion.v71rev1, tdsVersion.v72, tdsVersion.v73a])(
    'TD-15: speaks the client version of TDS: %d',
    async (version) => {
      const who = { ...watcher('app', 'app'), tdsVersion: version };
      const target = new Target();
      target.tellsTransactions = true;
      const answer = (): Uint8Array => end(version);
      const { result } = await entered({ version, answer }, { who }, target);
      expect(result.tdsVersion).toBe(version);
    },
  );

  test.each([
    [
      [[18_456, "Login failed for user 'app'."]],
      'credentials',
      "Login failed for user 'app'. (18456)",
    ],
    [[[18_487, 'The password has expired.']], 'credentials', 'The password has expired. (18487)'],
    [[[18_456, '']], 'credentials', 'the database gave no reason (18456)'],
    [[[17_809, 'Too many.']], 'later', 'Too many. (17809)'],
    [[], 'later', 'the database gave no reason'],
  ] as const)('is refused by %j: %s', async (errors, kind, detail) => {
    expect(await faultWith({ login: refusal(errors) })).toEqual({
      name: 'databaseRefused',
      refusal: kind,
      detail,
    });
  });

  test('is refused for good where the database is not there, in its words', async () => {
    const login = refusal([
      [4_060, 'Cannot open database "nope" requested by the login.'],
      [18_456, "Login failed for user 'app'."],
    ]);
    const fault = await faultWith({ login });
    expect(fault).toMatchObject({ refusal: 'final' });
    const original = fault.original ?? EMPTY;
    const length = 3 + (original[1] ?? 0) + 256 * (original[2] ?? 0);
    expect(readError(original, 3, length, tdsVersion.v74).number).toBe(4_060);
    expect(readError(original, length + 3, original.length, tdsVersion.v74).number).toBe(18_456);
  });

  test('TD-27: goes where it is sent', async () => {
    const login = concat([
      welcome(),
      routing({ host: 'node-7', port: 11_000, database: undefined }),
    ]);
    const error = await problemWith({ login });
    expect(error).toBeInstanceOf(Elsewhere);
    expect(error).toMatchObject({ address: { host: 'node-7', port: 11_000 } });
    expect(String(error)).not.toContain('node-7');
  });

  test.each([
    ['a size that cannot be', welcome({ packetBytes: 100 })],
    ['half a token', welcome().subarray(0, 20)],
    ['no tokens', Uint8Array.of(1, 2, 3)],
  ])('GX-10: takes no %s', async (_, login) => {
    const error = await problemWith({ login });
    expect(error instanceof Violation || error instanceof FaultError).toBe(true);
  });
});

describe('a new connection', () => {
  test('asks what the server is, and whether it tells of transactions, once', async () => {
    const first = await entered();
    expect(first.heard.slice(0, 3)).toEqual([
      'PRELOGIN',
      'LOGIN7',
      'SELECT @@VERSION; BEGIN TRANSACTION; COMMIT TRANSACTION',
    ]);
    const { target } = first;
    expect([target.product, target.tellsTransactions]).toEqual([
      'Microsoft SQL Server 2019 15.0.4261.1',
      true,
    ]);
    expect(target.version).toEqual(Uint8Array.of(15, 0, 16, 165, 0, 0));
    const second = await entered({}, {}, target);
    expect(second.heard.some((sql) => sql.includes('@@VERSION'))).toBe(false);
    expect(second.result.beginning).toBe(first.result.beginning);
  });

  test('asks again where another server is there now', async () => {
    const { target } = await entered();
    const productVersion = Uint8Array.of(12, 0, 7, 208);
    target.meet({ version: tdsVersion.v74, program: 'Microsoft SQL Server', productVersion });
    expect(target.tellsTransactions).toBeUndefined();
    expect((await entered({}, {}, target)).heard[2]).toContain('@@VERSION');
  });

  test('of a server that tells nothing of transactions', async () => {
    const answer = (sql: string) =>
      sql.includes('@@VERSION')
        ? rowOf('Babelfish for PostgreSQL with SQL Server Compatibility - 12.0.2000.8\nNov 27')
        : undefined;
    const { target } = await entered({ answer });
    expect([target.product, target.tellsTransactions]).toEqual([
      'Babelfish for PostgreSQL with SQL Server Compatibility 12.0.2000.8',
      false,
    ]);
  });

  test('of a server that lets nobody ask is of no use', async () => {
    const answer = () => refusal([[229, 'The SELECT permission was denied.']]);
    expect(await faultWith({ answer })).toMatchObject({ refusal: 'later' });
  });
});

test('whatever a database says, coming in ends with a connection or an error of its own', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('login', 'answer'),
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 }),
      fc.nat(500),
      async (where, noise, at) => {
        const usual = where === 'login' ? welcome() : rowOf('1', '2');
        const said = concat([usual.subarray(0, at % usual.length), ...noise]);
        try {
          await entered(where === 'login' ? { login: said } : { answer: () => said });
        } catch (error) {
          const isOwn = [FaultError, PeerClosed, Violation].some((kind) => error instanceof kind);
          if (!isOwn) throw error;
        }
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ['', 'SQL Server'],
  ['Microsoft SQL Azure (RTM) - 12.0.2000.8 \n\tJan', 'Microsoft SQL Azure 12.0.2000.8'],
  ['Something else', 'Something else'],
])('a product by its version: %s', (text, product) => {
  expect(productOf(text)).toBe(product);
});
