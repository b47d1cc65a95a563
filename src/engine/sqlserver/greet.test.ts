import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { everySplit } from '../../../test/support/rehearse.ts';
import { aMemory, messagesIn } from '../../../test/transcripts/tds-rig.ts';
import type { LoginParts, Setting, Visit } from '../../../test/transcripts/tds-visit.ts';
import {
  loginMessage,
  loginPackets,
  preloginPacket,
  SECRET,
  TLS_HELLO,
  TOKEN,
  visit,
} from '../../../test/transcripts/tds-visit.ts';
import { must, Violation } from '../../base/assert.ts';
import { concat, EMPTY, u16be, utf16 } from '../../base/bytes.ts';
import { PeerClosed, TalkTimeout } from '../../core/network.ts';
import { FaultError } from '../../core/fault.ts';
import { fedAuth, fedAuthLibrary } from '../../wire/tds/fed-auth.ts';
import type { Feature } from '../../wire/tds/features.ts';
import { feature, readFeatureExtAck } from '../../wire/tds/features.ts';
import { flags1, flags2, flags3 } from '../../wire/tds/login-flags.ts';
import { login7 } from '../../wire/tds/login7.ts';
import { message, packetType } from '../../wire/tds/packets.ts';
import { encryption, readPrelogin } from '../../wire/tds/prelogin.ts';
import { TokenWalker } from '../../wire/tds/token-walker.ts';
import type { ServerError } from '../../wire/tds/tokens.ts';
import {
  envChange,
  readEnvChangeText,
  readError,
  readLoginAck,
  token,
} from '../../wire/tds/tokens.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';

/** What the answer to a LOGIN7 tells. */
interface Told {
  readonly errors: ServerError[];
  readonly changes: Map<number, string>;
  features: readonly Feature[];
  version: number | undefined;
  dones: number[];
}

function toldIn(payload: Uint8Array, version: number = tdsVersion.v74): Told {
  const told: Told = {
    errors: [],
    changes: new Map(),
    features: [],
    version: undefined,
    dones: [],
  };
  const walker = new TokenWalker(version, {
    envChange: (type, bytes, start, end) => {
      if (type === envChange.packetSize)
        told.changes.set(type, readEnvChangeText(bytes, start, end).now);
    },
    done: (_, status) => told.dones.push(status),
    error: (bytes, start, end) => told.errors.push(readError(bytes, start, end, version)),
    other: (kind, bytes, start, end) => {
      if (kind === token.loginAck) told.version = readLoginAck(bytes, start, end).version;
      if (kind === token.featureExtAck) told.features = readFeatureExtAck(bytes, start, end);
    },
    handle: () => {},
  });
  walker.begin();
  walker.feed(payload, 0, payload.length);
  expect(walker.isBetween).toBe(true);
  return told;
}

function lastTold({ heard }: Visit, version?: number): Told {
  return toldIn(must(heard.at(-1), 'nothing was heard').payload, version);
}

/** As a line: number, severity, text. */
function errorOf(visited: Visit, version?: number): string {
  const { errors, dones } = lastTold(visited, version);
  expect(dones).toEqual([2]);
  return errors
    .map(({ number, severity, message: text }) => `${number} ${severity} ${text}`)
    .join();
}

/** A client that does without TLS. */
const signIn = (parts: LoginParts = {}, setting: Setting = {}): Promise<Visit> =>
  visit([preloginPacket(), loginPackets(parts)], setting);

/** One that speaks by TLS. */
const signInByTls = (parts: LoginParts = {}, setting: Setting = {}): Promise<Visit> =>
  visit([preloginPacket(encryption.on), loginPackets(parts)], setting);

function tokenFeature(text = TOKEN): Feature {
  const said = { library: fedAuthLibrary.securityToken, echo: false, token: utf16(text) };
  return { id: feature.fedAuth, data: fedAuth(said) };
}

describe('PRELOGIN', () => {
  // [MS-TDS] 2.2.6.5: what the client says, what we answer, and what of it is TLS.
  test.each([
    ['off', encryption.off, encryption.off, ['startTls server for the login', 'endTls']],
    ['on', encryption.on, encryption.on, ['startTls server in packets']],
    ['required', encryption.required, encryption.on, ['startTls server in packets']],
    ['not supported', encryption.notSupported, encryption.notSupported, []],
    ['nothing', undefined, encryption.notSupported, []],
  ])('TD-12: of encryption %s', async (_, wanted, answer, steps) => {
    const visited = await visit([preloginPacket(wanted), loginPackets()]);
    const [reply] = visited.heard;
    expect(reply?.type).toBe(packetType.result);
    expect(readPrelogin(reply?.payload ?? EMPTY)).toMatchObject({
      version: Uint8Array.of(16, 0, 16, 4, 0, 0), // the target's
      encryption: answer,
      mars: false,
      fedAuthRequired: undefined,
    });
    expect(visited.steps).toEqual(steps);
    expect(visited.entry?.kind).toBe('session');
  });

  test.each([
    ['off', encryption.off, encryption.required, ['startTls server in packets']],
    ['on', encryption.on, encryption.on, ['startTls server in packets']],
    ['required', encryption.required, encryption.on, ['startTls server in packets']],
  ])('TD-14: of encryption %s, where TLS is required', async (_, wanted, answer, steps) => {
    const keeper = { requiresTls: true };
    const visited = await visit([preloginPacket(wanted), loginPackets()], { keeper });
    expect(readPrelogin(visited.heard[0]?.payload ?? EMPTY).encryption).toBe(answer);
    expect(visited.steps).toEqual(steps);
    expect(visited.entry?.kind).toBe('session');
  });

  test('TD-14: whoever cannot, and must, is told so, and told why if it goes on', async () => {
    const visited = await signIn({}, { keeper: { requiresTls: true } });
    expect(readPrelogin(visited.heard[0]?.payload ?? EMPTY).encryption).toBe(encryption.required);
    expect(errorOf(visited)).toBe('17835 20 This RDS Proxy requires TLS connections.');
    const packet = message(packetType.prelogin, Uint8Array.of(22, 3, 1, 0, 1, 1), 4_096);
    const changed = await visit([preloginPacket(), packet, loginPackets()], {
      keeper: { requiresTls: true },
    });
    expect(changed.steps).toEqual(['startTls server in packets']); // or it has changed its mind
  });

  test('TD-14: where no TLS is offered, whoever wants it hears so and decides itself', async () => {
    const keeper = { offersTls: false };
    const visited = await visit([preloginPacket(encryption.on)], { keeper });
    expect(readPrelogin(visited.heard[0]?.payload ?? EMPTY).encryption).toBe(
      encryption.notSupported,
    );
    expect(visited.steps).toEqual([]);
  });

  test.each([
    ['off', encryption.off],
    ['on', encryption.on],
    ['not supported', encryption.notSupported],
    ['strict', encryption.strict],
  ])('TD-13: within TLS that came first, encryption %s is agreed to', async (_, wanted) => {
    const { heard, steps, entry } = await visit([
      TLS_HELLO,
      preloginPacket(wanted),
      loginPackets({ tdsVersion: tdsVersion.v80 }),
    ]);
    expect(readPrelogin(heard[0]?.payload ?? EMPTY).encryption).toBe(wanted);
    expect(steps).toEqual(['startTls server']);
    expect(entry?.kind).toBe('session');
  });

  test('TD-13: PRELOGIN may be left out within TLS, too, and tokens come by it', async () => {
    const login = loginPackets({ userName: 'token', password: TOKEN });
    const { entry } = await visit([TLS_HELLO, login], { keeper: { requiresTls: true } });
    expect(entry).toMatchObject({ method: 'IAM authentication' });
  });

  test('TD-22: several requests at a time are not agreed to', async () => {
    const visited = await visit([
      preloginPacket(encryption.notSupported, { mars: true }),
      loginPackets(),
    ]);
    expect(readPrelogin(visited.heard[0]?.payload ?? EMPTY).mars).toBe(false);
    expect(visited.entry?.kind).toBe('session');
  });

  test('can be left out', async () => {
    const visited = await visit([loginPackets()]);
    expect(visited.entry?.kind).toBe('session');
  });

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['MARS', Uint8Array.of(0x53, 1, 0, 0)],
    ['the login of TDS 4.2', message(packetType.oldLogin, new Uint8Array(560), 4_096)],
    ['a packet that ends before it begins', Uint8Array.of(18, 1, 0, 7, 0, 0, 0, 0)],
    ['much', message(packetType.prelogin, new Uint8Array(9_000), 4_096)],
    ['encryption of another kind', preloginPacket(17)],
    ['a second PRELOGIN', concat([preloginPacket(), preloginPacket()])],
  ])('GX-08: %s in its place ends the connection without a word', async (_, bytes) => {
    const { error, said } = await visit([bytes]);
    expect(error).toBeInstanceOf(Violation);
    expect(said.filter((one) => messagesIn(one)[0]?.type !== packetType.result)).toEqual([]);
  });

  test('a target that nobody has seen is told of when the client can hear it', async () => {
    const unseen = { name: 'databaseLost', detail: 'nobody is there' } as const;
    const visited = await signIn({}, { unseen });
    expect(readPrelogin(visited.heard[0]?.payload ?? EMPTY).version).toEqual(new Uint8Array(6));
    expect(errorOf(visited)).toEndWith('is not known: nobody is there');
  });
});

describe('LOGIN7', () => {
  test('lets in whoever knows the password, and says what the database has said', async () => {
    const { entry, heard, refusals } = await signIn({ packetBytes: 8_000 });
    expect(entry).toMatchObject({
      kind: 'session',
      method: 'SQL Server authentication',
      who: {
        user: 'alice',
        database: 'app',
        language: 'us_english',
        appName: 'orders',
        tdsVersion: tdsVersion.v74,
        packetBytes: 8_000,
        lcid: 1033,
      },
    });
    const told = toldIn(must(heard[1], 'no answer').payload);
    expect(told.changes.get(envChange.packetSize)).toBe('8000');
    expect([told.version, told.dones, told.errors]).toEqual([tdsVersion.v74, [0], []]);
    expect(refusals).toEqual([]);
  });

  test('TD-29: shows a number of a process', async () => {
    const { said } = await signIn();
    expect(u16be(must(said.at(-1), 'nothing was said'), 4)).toBe(58);
  });

  test.each([
    [0, 4_096],
    [100, 512],
    [512, 512],
    [16_384, 16_384],
    [32_767, 32_767],
    [65_535, 32_767],
  ])('packets of %d bytes become ones of %d', async (asked, agreed) => {
    const { entry, heard } = await signIn({ packetBytes: asked });
    expect(entry).toMatchObject({ who: { packetBytes: agreed } });
    expect(lastTold({ heard } as Visit).changes.get(envChange.packetSize)).toBe(String(agreed));
  });

  test.each([
    ['7.4', tdsVersion.v74, tdsVersion.v74],
    ['8.0', tdsVersion.v80, tdsVersion.v74],
    ['a later one', 0x75000001, tdsVersion.v74],
    ['7.3B', tdsVersion.v73b, tdsVersion.v73b],
    ['7.3A', tdsVersion.v73a, tdsVersion.v73a],
    ['7.2', tdsVersion.v72, tdsVersion.v72],
    ['7.1, revised', tdsVersion.v71rev1, tdsVersion.v71rev1],
    ['7.1', tdsVersion.v71, tdsVersion.v71],
  ])('TD-15: TDS %s', async (_, asked, spoken) => {
    const { entry } = await signIn({ tdsVersion: asked });
    expect(entry).toMatchObject({ who: { tdsVersion: spoken } });
  });

  test('TD-13: whoever speaks TDS 8.0 is answered in it', async () => {
    expect(lastTold(await signIn({ tdsVersion: tdsVersion.v80 })).version).toBe(tdsVersion.v80);
  });

  test('TD-17: comes in however many packets, and in whatever pieces', async () => {
    const long = { appName: 'x'.repeat(128), hostName: 'y'.repeat(128) };
    for (const size of [512, 600, 4_096])
      expect((await visit([preloginPacket(), loginPackets(long, size)])).entry?.kind).toBe(
        'session',
      );
    for (const chunks of everySplit([preloginPacket(), loginPackets({}, 512)]))
      expect((await visit(chunks)).entry?.kind).toBe('session');
  });

  test('TD-17: has a limit', async () => {
    const endless = message(packetType.login, new Uint8Array(200_000), 4_096);
    const { error } = await visit([preloginPacket(), endless]);
    expect(String(error)).toContain('more than 131072 bytes');
  });

  test('TD-12: only the first packet is in TLS that ends', async () => {
    const login = loginPackets({ appName: 'x'.repeat(128) }, 300);
    const bytes = concat([preloginPacket(encryption.off), login]);
    const { heard, steps: done } = await visit([bytes]);
    expect(done).toEqual(['startTls server for the login', 'endTls']);
    expect(toldIn(must(heard[1], 'no answer').payload).errors).toEqual([]);
  });

  test.each([
    ['a wrong password', { password: 'nope' }, 'alice: the password is wrong'],
    ['no password', { password: '' }, 'alice: the password is wrong'],
    [
      'TD-35: a name in other letters',
      { userName: 'Alice' },
      'Alice: the proxy has no credentials for this user',
    ],
    ['a stranger', { userName: 'eve' }, 'eve: the proxy has no credentials for this user'],
    [
      'a stranger who guesses',
      { userName: 'eve', password: 'nobody knows' },
      'eve: the proxy has no credentials for this user',
    ],
  ])('refuses %s in the same words', async (_, parts: LoginParts, why) => {
    const visited = await signIn(parts);
    expect(errorOf(visited)).toBe(`18456 14 Login failed for user '${parts.userName ?? 'alice'}'.`);
    expect(visited.refusals).toEqual([why]);
  });

  test('lets in by each of the passwords that are good at the time', async () => {
    expect((await signIn({ password: 'an older one' })).entry?.kind).toBe('session');
  });

  test('refuses whoever gives no name', async () => {
    expect(errorOf(await signIn({ userName: '' }))).toBe("18456 14 Login failed for user ''.");
  });

  test.each([
    ['TDS before 7.1', { tdsVersion: tdsVersion.v70 }, 'TDS before version 7.1'],
    ['TD-28: integrated security', { flags2: flags2.integratedSecurity }, 'Windows authentication'],
    ['TD-28: a ticket', { sspi: Uint8Array.of(1, 2, 3) }, 'Windows authentication'],
    ['a new password', { newPassword: 'secret' }, 'changing the password'],
    ['the wish for one', { flags3: flags3.changePassword }, 'changing the password'],
    ['a file to attach', { attachFile: 'C:\\x.mdf' }, 'attaching a database file'],
    ['an instance of its own', { flags3: flags3.userInstance }, "instances of a user's own"],
    ['big-endian numbers', { flags1: flags1.bigEndian }, 'big-endian'],
    ['EBCDIC', { flags1: flags1.ebcdic }, 'big-endian numbers, and EBCDIC'],
  ])('refuses %s in clear words', async (_, parts: LoginParts, words) => {
    const version = parts.tdsVersion ?? tdsVersion.v74;
    const visited = await signIn(parts);
    expect(errorOf(visited, version)).toStartWith(`40510 16 Feature not supported: ${words}`);
  });

  test('is told of what is wrong with it', async () => {
    const payload = login7(loginMessage());
    payload[0] = 3;
    const visited = await visit([preloginPacket(), message(packetType.login, payload, 4_096)]);
    expect(errorOf(visited)).toStartWith(
      '4002 20 The incoming tabular data stream (TDS) protocol stream is incorrect: LOGIN7',
    );
  });

  test('is told of what keeps all out, in the form of its version', async () => {
    const full = { name: 'clientLimit', limit: 3 } as const;
    const words = '17809 20 The maximum number of client connections to the proxy exceeded 3.';
    expect(errorOf(await signIn({}, { full }))).toBe(words);
    const old = await signIn({ tdsVersion: tdsVersion.v71 }, { full });
    expect(errorOf(old, tdsVersion.v71)).toBe(words);
  });

  test("hears the database's own words", async () => {
    const closed = {
      name: 'databaseRefused',
      refusal: 'later',
      detail: 'too many (17809)',
    } as const;
    expect(errorOf(await signIn({}, { closed }))).toBe(
      '40613 20 Request returned an error: too many (17809)',
    );
  });

  test('that does not come is told so if it could hear', async () => {
    const late = new TalkTimeout('the peer took too long');
    const thrown = (peer: readonly Uint8Array[]) =>
      visit(
        () => {
          const chunk = queue.shift();
          if (chunk === undefined) throw late;
          return chunk;
        },
        ((queue = [...peer]), {}),
      );
    let queue: Uint8Array[] = [];
    const early = await thrown([preloginPacket()]);
    expect(early.fault).toEqual({ name: 'loginTimeout' });
    expect(early.heard.length).toBe(1); // no more than the PRELOGIN
  });
});

describe('tokens', () => {
  test('come as a password, over TLS', async () => {
    const { entry } = await signInByTls({ userName: 'token', password: TOKEN });
    expect(entry).toMatchObject({ method: 'IAM authentication', who: { user: 'token' } });
  });

  test('come in the extension for them, which is acknowledged with nothing', async () => {
    const parts = { userName: '', password: '', features: [tokenFeature()] };
    const visited = await signInByTls(parts);
    expect(visited.entry).toMatchObject({
      method: 'IAM authentication',
      who: { user: 'token', features: [] },
    });
    expect(lastTold(visited).features).toEqual([{ id: feature.fedAuth, data: EMPTY }]);
    const named = await signInByTls({ ...parts, userName: 'token' });
    expect(named.entry).toMatchObject({ who: { user: 'token' } });
  });

  test('come in TLS that is for the login only', async () => {
    const login = loginPackets({ userName: 'token', password: TOKEN });
    const { entry } = await visit([preloginPacket(encryption.off), login]);
    expect(entry?.kind).toBe('session');
  });

  test('do not come in clear', async () => {
    const words = '18456 14 IAM authentication is allowed only with SSL connections.';
    expect(errorOf(await signIn({ userName: 'token', password: TOKEN }))).toBe(words);
    const features = [tokenFeature()];
    expect(errorOf(await signIn({ userName: 'token', features }))).toBe(words);
  });

  test('may do where a password does, if both are allowed', async () => {
    const own = TOKEN.replace('DBUser=token', 'DBUser=both');
    for (const password of [SECRET, own]) {
      const { entry } = await signInByTls({ userName: 'both', password });
      expect(entry?.kind).toBe('session');
    }
    const { entry } = await signInByTls({ userName: '', features: [tokenFeature(own)] });
    expect(entry).toMatchObject({ who: { user: 'both' } });
    const wrong = await signInByTls({ userName: 'both', password: 'nope' });
    expect(wrong.refusals).toEqual(['both: the password is wrong']);
  });

  test.each([
    ["somebody else's", { userName: 'both', password: TOKEN }, 'both: not its own'],
    ['a password in its place', { userName: 'token', password: SECRET }, 'token: not its own'],
    [
      'one where a password is asked for',
      { userName: 'alice', features: [tokenFeature()] },
      'alice: it gave a token, and has to sign in by password',
    ],
    [
      'one for a stranger',
      { userName: 'eve', features: [tokenFeature()] },
      'eve: the proxy has no credentials for this user',
    ],
    [
      'what is none',
      { userName: '', features: [tokenFeature('x')] },
      ': the proxy has no credentials for this user',
    ],
  ])('are refused: %s', async (_, parts, why) => {
    const visited = await signInByTls(parts);
    expect(visited.refusals).toEqual([why]);
    expect(errorOf(visited)).toBe(`18456 14 Login failed for user '${parts.userName}'.`);
  });

  test('are not got from elsewhere', async () => {
    const data = fedAuth({ library: fedAuthLibrary.adal, echo: false, token: undefined });
    const visited = await signInByTls({ features: [{ id: feature.fedAuth, data }] });
    expect(errorOf(visited)).toStartWith('40510 16 Feature not supported: The client asks where');
  });
});

describe('TD-38: feature extensions', () => {
  const asked = [
    { id: feature.sessionRecovery, data: EMPTY },
    { id: feature.utf8Support, data: EMPTY },
    { id: feature.columnEncryption, data: Uint8Array.of(1) },
    { id: feature.userAgent, data: Uint8Array.of(9) },
    { id: feature.globalTransactions, data: EMPTY },
  ];

  test('are asked of the database where they depend on it alone', async () => {
    const { entry } = await signIn({ features: asked });
    expect(entry).toMatchObject({ who: { features: [asked[2], asked[1]] } });
  });

  test('TD-37: are acknowledged as the database has done, and no more', async () => {
    const features = [{ id: feature.utf8Support, data: Uint8Array.of(1) }];
    const plain = aMemory();
    const memory = aMemory();
    Object.assign(memory, { welcome: { ...plain.welcome, features } });
    expect(lastTold(await signIn({ features: asked }, { memory })).features).toEqual(features);
    expect(lastTold(await signIn({ features: asked })).features).toEqual([]);
  });
});

test('whatever comes, greeting ends with an entry or an error of its own', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 255 }),
      async (noise, at, value) => {
        const login = loginPackets();
        login[8 + (at % (login.length - 8))] = value;
        for (const chunks of [noise, [preloginPacket(), ...noise], [preloginPacket(), login]]) {
          const { error } = await visit(chunks);
          if (error === undefined || error instanceof Violation || error instanceof FaultError)
            continue;
          expect(error).toBeInstanceOf(PeerClosed);
        }
      },
    ),
    { numRuns: 200 },
  );
});
