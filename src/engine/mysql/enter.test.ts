import { describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import type { Peer } from '../../../test/support/rehearse.ts';
import { everySplit, rehearse } from '../../../test/support/rehearse.ts';
import type { AuthTurn, ServerScript } from '../../../test/transcripts/mysql-server.ts';
import {
  entering,
  mysqlServer,
  okay,
  principal,
  refusal,
  resultSet,
} from '../../../test/transcripts/mysql-server.ts';
import { greetingFor, SECRET } from '../../../test/transcripts/mysql-visit.ts';
import { cachingSha2Response } from '../../auth/caching-sha2.ts';
import { ed25519Response } from '../../auth/ed25519-password.ts';
import { nativePasswordResponse } from '../../auth/native-password.ts';
import { decryptPassword } from '../../auth/rsa-password.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { SecretText } from '../../base/secret-text.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { PeerClosed } from '../../core/network.ts';
import { authMoreData, authSwitchRequest } from '../../wire/mysql/auth-packets.ts';
import { capability, extension } from '../../wire/mysql/capabilities.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { handshake, isSslRequest } from '../../wire/mysql/handshake.ts';
import { readHandshakeResponse } from '../../wire/mysql/handshake-response.ts';
import type { MysqlGate } from './enter.ts';
import { Target } from './target.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const password = new SecretText(SECRET);
const nonce = greetingFor(false).authData;
const other = utf8('a challenge of twenty').subarray(0, 20);
const EVERYTHING = { flags: -1, extensions: -1 };

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? EMPTY).toString('hex');

async function login(script: ServerScript = {}, setting: Partial<MysqlGate> = {}, target?: Target) {
  const server = mysqlServer(script);
  const { result, steps, leftover } = await rehearse(entering(setting, target), server.peer);
  expect(leftover.length).toBe(0);
  return { memory: result, steps, ...server };
}

/** The fault with which the database keeps us out. */
async function refused(script: ServerScript, setting: Partial<MysqlGate> = {}): Promise<Fault> {
  return await refusedBy(mysqlServer(script).peer, setting);
}

async function refusedBy(peer: Peer, setting: Partial<MysqlGate> = {}): Promise<Fault> {
  try {
    await rehearse(entering(setting), peer);
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  throw new Error('the database let us in');
}

describe('a login', () => {
  test('says who we are, and what the client can do, and learns what sessions begin with', async () => {
    const { memory, told, asked } = await login();
    const said = readHandshakeResponse(told[0] ?? EMPTY, EVERYTHING);
    expect(said).toMatchObject({
      user: 'alice',
      database: undefined,
      collation: 8,
      plugin: 'caching_sha2_password',
      attributes: [
        ['_client_name', 'sluice'],
        ['program_name', 'sluice'],
      ],
    });
    expect(hex(said.authData)).toBe(hex(cachingSha2Response(password, nonce)));
    const { flags } = said.capabilities;
    const { foundRows, deprecateEof, sessionTrack, compress, connectWithDb, multiStatements } =
      capability;
    for (const wanted of [foundRows, deprecateEof, sessionTrack])
      expect(flags & wanted).not.toBe(0);
    expect(flags & (compress | connectWithDb | multiStatements | capability.ssl)).toBe(0);
    expect(memory).toMatchObject({
      threadId: 4711,
      target: { serverVersion: '9.7.4-2', version: 90_704, isMariaDb: false },
      reports: { variables: 'autocommit,time_zone', schema: true },
      status: 2,
    });
    expect(memory.capabilities).toEqual(said.capabilities);
    expect(Object.fromEntries(memory.beginning)).toMatchObject({
      character_set_client: "'latin1'",
      character_set_results: 'NULL',
      sql_mode: "'IT''S_STRICT'",
      autocommit: '1',
    });
    expect(asked.at(-1)).toBe(
      "3 SET @@session.session_track_system_variables = 'sql_mode,time_zone', " +
        '@@session.session_track_schema = ON, @@session.session_track_state_change = OFF, ' +
        '@@session.session_track_transaction_info = OFF',
    );
  });

  test('asks MySQL once which variables sessions have, and MariaDB never', async () => {
    const target = new Target();
    const first = await login({}, {}, target);
    const second = await login({}, {}, target);
    expect(first.asked.filter((one) => one.includes('variables_metadata'))).toHaveLength(1);
    expect(second.asked).toEqual(first.asked.slice(1));
    const answers = (asked: string, flags: number) => {
      if (asked.includes('metadata')) return [refusal(1146, 'no such table')];
      return asked === '3 SHOW SESSION VARIABLES'
        ? resultSet(
            ['n', 'v'],
            [
              ['sql_mode', ''],
              ["it's", ''],
              ['a.b', ''],
            ],
            flags,
          )
        : undefined;
    };
    const old = await login({ answers });
    expect(old.asked.at(-1)).toContain("= 'sql_mode,a.b',");
    const { asked } = await login({ isMariaDb: true });
    expect(asked).toHaveLength(3);
    expect(asked.at(-1)).toContain("session_track_system_variables = 'autocommit,*'");
  });

  test('of a server that tracks nothing, asks for nothing of the kind', async () => {
    const { capabilities } = greetingFor(false);
    const flags = capabilities.flags & ~capability.sessionTrack;
    const { memory, asked } = await login({
      handshake: { serverVersion: '5.6.51', capabilities: { flags, extensions: 0 } },
    });
    expect(memory.reports).toEqual({ variables: '', schema: false });
    expect(asked).toEqual(['3 SELECT CONNECTION_ID()', expect.stringContaining('tx_isolation')]);
  });

  test('goes into the schema afterwards; that it is not there harms nobody else', async () => {
    const target = new Target();
    const { memory, asked } = await login({}, { who: principal({ schema: 'Shop' }) }, target);
    expect([memory.state.schema, asked.at(-1)]).toEqual(['shop', '2 Shop']);
    expect(target.schemaOf('alice', 'Shop')).toBe('shop');
    const nope = await login({}, { who: principal({ schema: 'nope' }) }, target);
    expect(nope.memory.state.schema).toBeUndefined();
    expect(target.schemaOf('alice', 'nope')).toBeUndefined();
  });

  test("notes the variables that MariaDB tells, and has its client's extensions", async () => {
    const changes = [
      { kind: 'systemVariable', name: 'time_zone', value: 'SYSTEM' },
      { kind: 'schema', name: 'x' },
    ] as const;
    const extensions = extension.bulkUnitResults | extension.progress;
    const capabilities = { flags: 0, extensions };
    const auth = [() => okay({ changes })];
    const who = principal({ capabilities });
    const { memory, told } = await login({ isMariaDb: true, auth }, { who });
    expect(memory.announced).toEqual([changes[0]]);
    expect(memory.capabilities.extensions).toBe(extensions);
    expect(readHandshakeResponse(told[0] ?? EMPTY, EVERYTHING).capabilities.extensions).toBe(
      extensions,
    );
  });

  test('at a server that can do less than clients were told is none', async () => {
    const { capabilities } = greetingFor(false);
    const flags = capabilities.flags & ~capability.deprecateEof;
    const fault = await refused({ handshake: { capabilities: { flags, extensions: 0 } } });
    expect(fault).toMatchObject({ name: 'databaseRefused', refusal: 'final' });
    expect(fault.detail).toContain('can do less');
  });
});

/** The server's word: another plug-in. */
const asksFor =
  (plugin: string, challenge: Uint8Array = other): AuthTurn =>
  () =>
    authSwitchRequest(plugin, challenge);
const more =
  (...data: readonly number[]): AuthTurn =>
  () =>
    authMoreData(Uint8Array.from(data));

describe('the plug-ins', () => {
  /** What we answer, turn by turn, behind the first answer. */
  async function answers(turns: readonly AuthTurn[], setting: Partial<MysqlGate> = {}) {
    const isTls = setting.tlsMode === 'require';
    const { told } = await login({ auth: [...turns, () => okay()] }, setting);
    return told.slice(isTls ? 2 : 1, (isTls ? 2 : 1) + turns.length).map(hex);
  }
  const tls = { tlsMode: 'require' } as const;
  const clear = hex(utf8(`${SECRET}\0`));

  test('mysql_native_password', async () => {
    const native = asksFor('mysql_native_password');
    expect(await answers([native])).toEqual([hex(nativePasswordResponse(password, other))]);
    const { told } = await login({ handshake: { plugin: 'mysql_native_password' } });
    const { authData, plugin } = readHandshakeResponse(told[0] ?? EMPTY, EVERYTHING);
    expect(plugin).toBe('mysql_native_password');
    expect(hex(authData)).toBe(hex(nativePasswordResponse(password, nonce)));
  });

  test('MY-20: caching_sha2_password: fast, and the password itself over TLS', async () => {
    const fast: AuthTurn = () => [authMoreData(Uint8Array.of(3)), okay()];
    expect((await login({ auth: [fast] })).memory.threadId).toBe(4711);
    expect(await answers([more(4)], tls)).toEqual([clear]);
    const scramble = hex(cachingSha2Response(password, other));
    expect(await answers([asksFor('caching_sha2_password'), more(4)], tls)).toEqual([
      scramble,
      clear,
    ]);
  });

  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = authMoreData(utf8(keys.publicKey.export({ type: 'spki', format: 'pem' })));

  test('MY-20: without TLS, hidden by the key of the server', async () => {
    const { told } = await login({ auth: [more(4), () => pem, () => okay()] });
    expect(hex(told[1])).toBe('02');
    expect(decryptPassword(told[2] ?? EMPTY, nonce, keys.privateKey)?.reveal()).toBe(SECRET);
  });

  test('sha256_password, over TLS and without', async () => {
    const sha256 = asksFor('sha256_password');
    expect(await answers([sha256], tls)).toEqual([clear]);
    const { told } = await login({ auth: [sha256, () => pem, () => okay()] });
    expect(hex(told[1])).toBe('01');
    expect(decryptPassword(told[2] ?? EMPTY, other, keys.privateKey)?.reveal()).toBe(SECRET);
  });

  test('a key that nobody asked for is a violation; so is one that is none', async () => {
    expect(await outcomeOf(login({ auth: [() => pem] }, tls))).toThrow('nobody has asked');
    const nonsense: AuthTurn = () => authMoreData(utf8('-----BEGIN PUBLIC KEY-----'));
    expect(await outcomeOf(login({ auth: [more(4), nonsense] }))).toThrow(Violation);
  });

  test('client_ed25519, whose challenge may end in a NUL', async () => {
    for (const last of [0, 7]) {
      const long = new Uint8Array(32).fill(9);
      long[31] = last;
      expect(await answers([asksFor('client_ed25519', long)])).toEqual([
        hex(ed25519Response(password, long)),
      ]);
    }
  });

  test('parsec: a salt, then a signature', async () => {
    const challenge = new Uint8Array(32).fill(5);
    const salt = more(0x50, 0, ...new Uint8Array(18).fill(3));
    const setting = { random: (count: number) => new Uint8Array(count).fill(1) };
    const [empty, answer = ''] = await answers([asksFor('parsec', challenge), salt], setting);
    expect(empty).toBe('');
    expect(answer).toStartWith('01'.repeat(32));
    expect(answer).toHaveLength(2 * (32 + 64));
    expect(
      await outcomeOf(login({ auth: [asksFor('parsec', challenge), more(0x51, 0, 1)] })),
    ).toThrow(Violation);
  });

  test('the password as it is: over TLS, or where the settings allow it', async () => {
    for (const plugin of ['mysql_clear_password', 'dialog']) {
      expect(await answers([asksFor(plugin)], tls)).toEqual([clear]);
      expect(await answers([asksFor(plugin)], { allowCleartext: true })).toEqual([clear]);
      expect(await refused({ auth: [asksFor(plugin)] })).toEqual({
        name: 'databaseRefused',
        refusal: 'credentials',
        detail: 'the database asks for the password in the clear, on a connection without TLS',
      });
    }
    // Nor is it given to who names such a plug-in before TLS.
    const { told } = await login({ handshake: { plugin: 'mysql_clear_password' } });
    expect(Buffer.from(told[0] ?? EMPTY).includes(SECRET)).toBe(false);
  });

  test('MY-32: any other is refused, by its name', async () => {
    const detailOf = async (turn: AuthTurn) => (await refused({ auth: [turn] })).detail;
    expect(await detailOf(asksFor('authentication_kerberos_client'))).toBe(
      'the database asks for the authentication plug-in authentication_kerberos_client, which is not supported',
    );
    expect(await detailOf(() => Uint8Array.of(0xfe))).toContain('mysql_old_password');
    expect(await detailOf(() => Uint8Array.of(2, 0x78, 0))).toContain('a second factor');
    const asks = { auth: [asksFor('dialog'), more(4, 0x3f)] };
    expect((await refused(asks, { allowCleartext: true })).detail).toContain('more than');
  });

  test('who changes its mind, or goes on for ever, is let down', async () => {
    const native = asksFor('mysql_native_password');
    expect(await outcomeOf(login({ auth: [native, native] }))).toThrow('a second change');
    expect(
      await outcomeOf(
        login({ auth: [() => Array.from({ length: 9 }, () => authMoreData(Uint8Array.of(3)))] }),
      ),
    ).toThrow('a login that does not end');
    expect(await outcomeOf(login({ auth: [more(9)] }))).toThrow(Violation);
    expect(await outcomeOf(login({ auth: [native, more(3)] }))).toThrow(Violation);
  });
});

describe('TLS', () => {
  const modes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

  test('is asked for, unless it is disabled, before anything else is said', async () => {
    for (const tlsMode of modes) {
      const { steps, told, memory } = await login({}, { tlsMode });
      const isOn = tlsMode !== 'disable';
      expect(steps.includes('startTls client')).toBe(isOn);
      expect(isSslRequest(told[0] ?? EMPTY)).toBe(isOn);
      expect((memory.capabilities.flags & capability.ssl) !== 0).toBe(isOn);
    }
  });

  test('that the database does not have: only where it was no more than preferred', async () => {
    const flags = greetingFor(false).capabilities.flags & ~capability.ssl;
    const script = { handshake: { capabilities: { flags, extensions: 0 } } };
    expect((await login(script, { tlsMode: 'prefer' })).steps).not.toContain('startTls client');
    for (const tlsMode of modes.slice(2)) {
      expect(await refused(script, { tlsMode })).toEqual({
        name: 'databaseRefused',
        refusal: 'later',
        detail: 'the database does not offer TLS, which its settings require',
      });
    }
  });

  test('plaintext behind the handshake ends it', async () => {
    const hello = packet(0, handshake(greetingFor(false)));
    const early = [concat([hello, packet(1, okay())])];
    expect(await outcomeOf(rehearse(entering({ tlsMode: 'require' }), early))).toThrow('plaintext');
  });
});

describe('a refusal', () => {
  const kindOf = async (code: number, message = 'why', sqlState = 'HY000') =>
    await refused({ auth: [() => refusal(code, message, sqlState)] });

  test('is about the credentials, about now, or final; the last is told in its own words', async () => {
    expect(await kindOf(1045, 'Access denied', '28000')).toEqual({
      name: 'databaseRefused',
      refusal: 'credentials',
      detail: 'Access denied (1045)',
    });
    for (const code of [1040, 1203, 1129, 1053]) {
      const fault = await kindOf(code);
      expect([fault.refusal, fault.original]).toEqual(['later', undefined]);
    }
    expect((await kindOf(4711, 'why', '08004')).refusal).toBe('later');
    const expired = await kindOf(1862, 'Your password has expired.');
    expect(expired.refusal).toBe('final');
    expect(hex(expired.original)).toBe(hex(refusal(1862, 'Your password has expired.', 'HY000')));
  });

  test('may come before the handshake, without a SQLSTATE', async () => {
    const said = Buffer.from('\xff\x10\x04Too many connections', 'latin1');
    expect(await refusedBy([packet(0, said)])).toEqual({
      name: 'databaseRefused',
      refusal: 'later',
      detail: 'Too many connections (1040)',
    });
    const host = Buffer.from('\xff\x6a\x04', 'latin1');
    const fault = await refusedBy([packet(0, host)]);
    expect([fault.refusal, fault.detail]).toEqual(['final', 'the database gave no reason (1130)']);
  });

  test('may come when we say what is to be reported', async () => {
    const answers = (asked: string) =>
      asked.startsWith('3 SET') ? [refusal(1227, 'Access denied; you need')] : undefined;
    expect((await refused({ answers })).detail).toBe('Access denied; you need (1227)');
  });
});

describe('bad input', () => {
  /** What a server says, so that it can be cut up: as if it knew what it will be asked. */
  async function saidBy(script: ServerScript, setting: Partial<MysqlGate> = {}) {
    const { peer } = mysqlServer(script);
    const chunks: Uint8Array[] = [];
    if (typeof peer !== 'function') return peer;
    await rehearse(entering(setting), (heard) => {
      const chunk = peer(heard);
      if (chunk !== undefined) chunks.push(chunk);
      return chunk;
    });
    return chunks;
  }

  test('a login is the same however it arrives', async () => {
    const who = principal({ schema: 'shop' });
    for (const isMariaDb of [false, true]) {
      const script = { isMariaDb, auth: [asksFor('mysql_native_password'), () => okay()] };
      for (const split of everySplit(await saidBy(script, { who }))) {
        const { result } = await rehearse(entering({ who }), split);
        expect([result.threadId, result.state.schema]).toEqual([4711, 'shop']);
      }
    }
  });

  test('cut off anywhere it waits', async () => {
    const all = concat(await saidBy({}));
    for (let cut = 0; cut < all.length; cut += 7) {
      expect(await outcomeOf(rehearse(entering(), [all.subarray(0, cut)]))).toThrow(PeerClosed);
    }
  });

  test('a server of old, or what is none, ends it', async () => {
    const hello = handshake(greetingFor(false));
    for (const wrong of [
      packet(0, hello.with(0, 9)),
      packet(1, hello),
      packet(0, hello.subarray(0, 40)),
      packet(0, new Uint8Array(limits.signInPacketBytes.value + 1)),
      utf8('HTTP/1.1 400 Bad Request\r\n'),
    ]) {
      expect(await outcomeOf(rehearse(entering(), [wrong]))).toThrow(Violation);
    }
  });

  test('arbitrary bytes are a violation, a refusal, or too few', async () => {
    const known = await saidBy({ auth: [asksFor('mysql_native_password'), () => okay()] });
    const chunk = fc.oneof(
      fc.constantFrom(...known),
      fc
        .tuple(fc.nat(5), fc.uint8Array({ maxLength: 40 }))
        .map(([number, payload]) => packet(number, payload)),
      fc
        .tuple(fc.constantFrom(...known), fc.nat(120), fc.nat(255))
        .map(([bytes, at, byte]) => bytes.map((old, index) => (index === at ? byte : old))),
    );
    const script = fc.array(chunk, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(script, fc.boolean(), async (chunks, begins) => {
        try {
          await rehearse(entering(), begins ? [...known.slice(0, 1), ...chunks] : chunks);
        } catch (problem) {
          const kinds = [Violation, FaultError, PeerClosed];
          if (!kinds.some((kind) => problem instanceof kind)) throw problem;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
