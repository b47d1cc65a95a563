import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { recording } from '../../../test/support/mysql-recordings.ts';
import type { Peer } from '../../../test/support/rehearse.ts';
import { everySplit } from '../../../test/support/rehearse.ts';
import type { Said, Say, Setting, Visit } from '../../../test/transcripts/mysql-visit.ts';
import {
  ALL,
  answerBy,
  clientOf,
  overTls,
  packetsIn,
  response,
  SECRET,
  stage,
  switched,
  saying,
  transcript,
  visit,
} from '../../../test/transcripts/mysql-visit.ts';
import { encryptPassword } from '../../auth/rsa-password.ts';
import { nativePasswordVerifier } from '../../auth/native-password.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { SecretText } from '../../base/secret-text.ts';
import { FaultError } from '../../core/fault.ts';
import { PeerClosed, TalkTimeout } from '../../core/network.ts';
import { readAuthRequest } from '../../wire/mysql/auth-packets.ts';
import { capability, extension } from '../../wire/mysql/capabilities.ts';
import { packet } from '../../wire/mysql/framing.ts';
import { clientHeader, readHandshake } from '../../wire/mysql/handshake.ts';
import { greet } from './greet.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const sample = recording('mysqlHandshake');
const HELLO = '0 handshake 9.7.4-2 caching_sha2_password 41000002';
const DENIED = (user: string): string =>
  `ERR 1045 28000 Access denied for user '${user}'@'%' (using password: YES)`;

const come = (said: Said, ...rest: readonly Say[]): Promise<Visit> =>
  visit(clientOf(response(said), ...rest));
const comeByTls = (said: Said, ...rest: readonly Say[]): Promise<Visit> =>
  visit(clientOf(...overTls(said), ...rest));

describe('caching_sha2_password', () => {
  test('MY-20: lets in who knows one of the passwords, at once', async () => {
    for (const password of [SECRET, 'an older one']) {
      const { entry, heard, why, leftover } = await come({ user: 'alice', password });
      expect(entry).toMatchObject({
        kind: 'session',
        who: { user: 'alice', schema: undefined, collation: 45 },
        method: 'caching_sha2_password authentication',
      });
      expect(heard).toEqual([HELLO, '2 more 3', '3 OK 2']);
      expect([why, leftover.length]).toEqual([[], 0]);
    }
  });

  test('asks who is used to something else (MY-23)', async () => {
    for (const plugin of ['mysql_native_password', 'client_ed25519', 'sha256_password', '']) {
      const { heard, entry } = await come({ user: 'alice', plugin }, switched());
      expect(heard).toEqual([HELLO, '2 switch caching_sha2_password 20', '4 more 3', '5 OK 2']);
      expect(entry?.kind).toBe('session');
    }
  });

  test('refuses a wrong password, an unknown user and no password', async () => {
    for (const user of ['alice', 'mallory']) {
      const wrong = await come({ user, password: 'wrong' });
      expect(wrong.heard).toEqual([HELLO, `2 ${DENIED(user)}`]);
      expect(wrong.fault).toEqual({ name: 'loginRefused', user });
      const none = await come({ user, password: '' });
      expect(none.heard).toEqual([HELLO, `2 ${DENIED(user).replace('YES', 'NO')}`]);
      const afterAll = await come({ user, plugin: 'mysql_native_password' }, switched('wrong'));
      expect(afterAll.heard.at(-1)).toBe(`4 ${DENIED(user)}`);
      const empty = await come({ user, plugin: 'x' }, saying(Uint8Array.of(0)));
      expect(empty.heard.at(-1)).toBe(`4 ${DENIED(user).replace('YES', 'NO')}`);
    }
    expect((await come({ user: 'alice', password: 'wrong' })).why).toEqual([
      'alice: the password is wrong',
    ]);
    expect((await come({ user: 'alice', password: '' })).why).toEqual([
      'alice: it gave no password',
    ]);
    expect((await come({ user: 'mallory' })).why).toEqual([
      'mallory: the proxy has no credentials for this user',
    ]);
  });

  const requestsKey = { user: 'alice', authData: Uint8Array.of(2) };
  /** The password, hidden by the key that has come, and by the handshake's challenge or that of a switch. */
  const hidden = (password: string): Say[] => {
    let challenge: Uint8Array = EMPTY;
    return [
      (heard) => {
        challenge = readHandshake(heard[0]?.payload ?? EMPTY).authData.slice();
        const said = response(requestsKey);
        return typeof said === 'function' ? said(heard) : said;
      },
      saying((heard) => {
        const request = readAuthRequest(heard.at(-1)?.payload ?? EMPTY);
        const pem = request.kind === 'moreData' ? request.data : EMPTY;
        return encryptPassword(new SecretText(password), challenge, pem);
      }),
    ];
  };

  test('MY-20: gives a key to who asks for one', async () => {
    const { heard } = await visit(clientOf(...hidden(SECRET)));
    expect(heard).toEqual([HELLO, '2 more …', '4 OK 2']);
    const wrong = await visit(clientOf(...hidden('wrong')));
    expect(wrong.heard.at(-1)).toBe(`4 ${DENIED('alice')}`);
    const nonsense = await come(requestsKey, saying(utf8('nonsense')));
    expect(nonsense.heard.at(-1)).toBe(`4 ${DENIED('alice')}`);
  });

  test('asks who sends no scramble for the password itself, over TLS', async () => {
    const odd = { user: 'alice', authData: utf8('odd') };
    const { heard } = await comeByTls(odd, saying(utf8(`${SECRET}\0`)));
    expect(heard).toEqual([HELLO, '3 more 4', '5 OK 2']);
    const wrong = await comeByTls(odd, saying(utf8('wrong\0')));
    expect(wrong.heard.at(-1)).toBe(`5 ${DENIED('alice')}`);
    const plain = await come(odd, saying(utf8(`${SECRET}\0`)));
    expect(plain.heard).toEqual([HELLO, '2 more 4', `4 ${DENIED('alice')}`]);
  });
});

describe('other plug-ins', () => {
  test('mysql_native_password', async () => {
    for (const password of [SECRET, 'an older one']) {
      const said = { user: 'nat', password, plugin: 'mysql_native_password' };
      const { heard, entry } = await come(said);
      expect(heard).toEqual([HELLO, '2 OK 2']);
      expect(entry).toMatchObject({ method: 'mysql_native_password authentication' });
      const { heard: late } = await come({ user: 'nat' }, switched(password));
      expect(late).toEqual([HELLO, '2 switch mysql_native_password 20', '4 OK 2']);
    }
    const { heard } = await come({ user: 'nat' }, switched('wrong'));
    expect(heard.at(-1)).toBe(`4 ${DENIED('nat')}`);
    const short = await come({ user: 'nat' }, saying(utf8('short')));
    expect(short.heard.at(-1)).toBe(`4 ${DENIED('nat')}`);
  });

  test('client_ed25519, whose challenge is its own', async () => {
    for (const plugin of ['client_ed25519', 'mysql_native_password']) {
      const { heard, entry } = await come({ user: 'ed', plugin }, switched());
      expect(heard).toEqual([HELLO, '2 switch client_ed25519 32', '4 OK 2']);
      expect(entry).toMatchObject({ method: 'client_ed25519 authentication' });
    }
    const { heard } = await come({ user: 'ed' }, switched('wrong'));
    expect(heard.at(-1)).toBe(`4 ${DENIED('ed')}`);
  });

  test('MY-32: who knows of none can only have the oldest', async () => {
    const flags = ALL & ~capability.pluginAuth;
    const old = { capabilities: { flags, extensions: 0 }, plugin: undefined };
    const { heard } = await come({ ...old, user: 'nat' });
    expect(heard).toEqual([HELLO, '2 OK 2']);
    const refused = await come({ ...old, user: 'alice' });
    expect(refused.heard.at(-1)).toStartWith('2 ERR 1251 08004 Client does not support');
    expect(refused.fault).toEqual({
      name: 'unsupported',
      detail:
        'the client knows of no authentication plug-ins, and the proxy asks for caching_sha2_password',
    });
  });

  test('the handshake names the one that the first entry asks for', async () => {
    const first = async (method: string, isMariaDb = false): Promise<string> => {
      const rule = { kind: 'password', method, passwords: [], known: false } as const;
      const setting = { isMariaDb, keeper: { rule: () => rule } };
      const { heard } = await visit(clientOf(response({ user: 'x' }), switched()), setting);
      return heard[0]?.split(' ').at(-2) ?? '';
    };
    expect(await first('MYSQL_NATIVE_PASSWORD')).toBe('mysql_native_password');
    expect(await first('MYSQL_CACHING_SHA2_PASSWORD', true)).toBe('caching_sha2_password');
    expect(await first('MARIADB_ED25519', true)).toBe('mysql_native_password');
    const tokens = { keeper: { rule: () => ({ kind: 'token' }) as const } };
    const { heard } = await visit(clientOf(response({ user: 'x' })), tokens);
    expect(heard[0]).toContain('caching_sha2_password');
  });
});

describe('a token', () => {
  const token = `good${'x'.repeat(6_000)}`;

  test('comes over TLS, however long it is', async () => {
    const { heard, tokens, entry } = await comeByTls({ user: 'token' }, switched(token));
    expect(heard).toEqual([HELLO, '3 switch mysql_clear_password 20', '5 OK 2']);
    expect(tokens).toEqual([token]);
    expect(entry).toMatchObject({ method: 'IAM authentication' });
  });

  test('may come with the answer to the handshake', async () => {
    const said = { user: 'token', plugin: 'mysql_clear_password', authData: utf8(`${token}\0`) };
    const { heard, tokens } = await comeByTls(said);
    expect(heard).toEqual([HELLO, '3 OK 2']);
    expect(tokens).toEqual([token]);
  });

  test('is not asked for in the clear', async () => {
    const { heard, tokens, fault } = await come({ user: 'token' }, switched(token));
    const words = 'IAM authentication is allowed only with SSL connections.';
    expect(heard).toEqual([HELLO, `2 ERR 3159 HY000 ${words}`]);
    expect([tokens, fault]).toEqual([[], { name: 'iamNeedsTls' }]);
  });

  test('may be refused', async () => {
    const { heard, why, fault } = await comeByTls({ user: 'token' }, switched('bad'));
    expect(heard.at(-1)).toBe(`5 ${DENIED('token')}`);
    expect(why).toEqual(['token: it is too old']);
    expect(fault).toEqual({ name: 'iamRefused', user: 'token' });
  });

  test('too long, it is a violation', async () => {
    const long = 'x'.repeat(limits.passwordMessageBytes.value + 1);
    const { fault } = await comeByTls({ user: 'token' }, switched(long));
    expect(fault?.name).toBe('protocolViolation');
  });
});

describe('TLS', () => {
  test('MY-28: packets are counted on behind it', async () => {
    const { heard, steps, entry } = await comeByTls({ user: 'alice' });
    expect(heard).toEqual([HELLO, '3 more 3', '4 OK 2']);
    expect(steps).toEqual([
      'wait',
      'send',
      'read',
      'startTls server',
      'read',
      'send',
      'wait',
      'send',
    ]);
    expect(entry).toMatchObject({ who: { user: 'alice' } });
  });

  test('what comes with the request is the hello, and nothing else', async () => {
    const { door, house } = stage();
    house.target.meet(readHandshake(sample));
    const greeting = greet(door, house);
    greeting.next(EMPTY);
    greeting.next(EMPTY);
    const flags = ALL | capability.ssl;
    const said = { maxPacketBytes: 1, collation: 45, capabilities: { flags, extensions: 0 } };
    const request = packet(1, clientHeader(said));
    greeting.next(request.subarray(0, 4));
    const { value } = greeting.next(request.subarray(4));
    expect(value).toMatchObject({ kind: 'startTls', side: 'server', helloIsBuffered: true });
  });

  test('where it is required, nobody signs in without', async () => {
    const required = { keeper: { requiresTls: true } };
    const { heard, fault } = await visit(clientOf(response({ user: 'alice' })), required);
    expect(heard.at(-1)).toBe('2 ERR 3159 HY000 This RDS Proxy requires TLS connections.');
    expect(fault).toEqual({ name: 'tlsRequired' });
    const { entry } = await visit(clientOf(...overTls({ user: 'alice' })), required);
    expect(entry?.kind).toBe('session');
  });

  test('where it is not offered, asking for it is a violation', async () => {
    const none = { keeper: { offersTls: false } };
    expect(await outcomeOf(visit(clientOf(...overTls({ user: 'alice' })), none))).toThrow(
      Violation,
    );
    const { heard, entry } = await visit(clientOf(response({ user: 'alice' })), none);
    expect([heard.length, entry?.kind]).toEqual([3, 'session']);
  });
});

describe('the welcome', () => {
  test('tells the schema, to who can hear of it (MY-05)', async () => {
    const { heard, entry } = await come({ user: 'alice', database: 'shop' });
    expect(heard.at(-1)).toBe('3 OK 4002 schema=shop');
    expect(entry).toMatchObject({ who: { schema: 'shop' } });
    const capabilities = { flags: ALL & ~capability.sessionTrack, extensions: 0 };
    const deaf = await come({ user: 'alice', database: 'shop', capabilities });
    expect(Buffer.from(deaf.sent.at(-1) ?? EMPTY).toString('hex')).toBe('0700000300000002000000');
  });

  test("is MariaDB's where that is the target: variables, and a proof of the certificate", async () => {
    const certificate = utf8('a certificate');
    const setting = { isMariaDb: true, certificate };
    let challenge: Uint8Array = EMPTY;
    const [request = EMPTY, answer = EMPTY] = overTls({ user: 'nat', database: 'shop' });
    const noting: Say = (heard) => {
      challenge = readHandshake(heard[0]?.payload ?? EMPTY).authData.slice();
      return typeof request === 'function' ? request(heard) : request;
    };
    const { heard } = await visit(clientOf(noting, answer, switched()), setting);
    const hash = (...parts: Uint8Array[]) => createHash('sha256').update(concat(parts)).digest();
    const verifier = nativePasswordVerifier(new SecretText(SECRET));
    const proof = hash(verifier, challenge, hash(certificate)).toString('hex').toUpperCase();
    // Where else clients could go is not for them.
    const told = `autocommit=ON redirect_url= schema=shop`;
    expect(heard.at(-1)).toBe(`5 OK 4002 \u0001${proof} ${told}`);
    const plain = await visit(clientOf(response({ user: 'nat' }), switched()), setting);
    expect(plain.heard.at(-1)).toBe('4 OK 4002 autocommit=ON redirect_url=');
  });

  test('MY-06: offers what the target does, as far as it can be passed on', async () => {
    const offered = async (setting: Setting) => {
      const { sent } = await visit(clientOf(response({ user: 'alice' }), switched()), setting);
      return readHandshake(packetsIn(sent[0] ?? EMPTY)[0]?.payload ?? EMPTY).capabilities;
    };
    const mysql = await offered({});
    const { flags, extensions } = await offered({ isMariaDb: true });
    expect(mysql.extensions).toBe(0);
    expect(mysql.flags & capability.longPassword).not.toBe(0);
    expect(mysql.flags & capability.queryAttributes).not.toBe(0);
    expect(flags & (capability.longPassword | capability.queryAttributes)).toBe(0);
    expect(extensions & extension.extendedMetadata).not.toBe(0);
    expect(extensions & (extension.cacheMetadata | extension.comMulti)).toBe(0);
    for (const one of [mysql.flags, flags]) {
      const { compress, zstdCompression, multiFactorAuthentication, sessionTrack } = capability;
      expect(one & multiFactorAuthentication).toBe(0);
      for (const flag of [compress, zstdCompression, sessionTrack]) expect(one & flag).not.toBe(0);
    }
    const without = await offered({ keeper: { offersTls: false } });
    expect(without.flags & capability.ssl).toBe(0);
  });

  test('comes when the database lets the client in, or else its own error does', async () => {
    const original = Buffer.from("ff1904#42000Unknown database 'nope'".slice(6), 'latin1');
    const error = concat([Uint8Array.of(0xff, 0x19, 0x04), original]);
    const closed = { name: 'databaseRefused', refusal: 'final', original: error } as const;
    const client = clientOf(response({ user: 'alice', database: 'nope' }));
    const { heard } = await visit(client, { closed });
    expect(heard.at(-1)).toBe("3 ERR 1049 42000 Unknown database 'nope'");
  });
});

describe('before anything is known of a client', () => {
  const early = async (setting: Setting): Promise<string> => {
    const { sent, fault } = await visit(clientOf(), setting);
    expect(fault).toBeDefined();
    return transcript(sent).join();
  };

  test('it may be refused: there is no room, or all is over', async () => {
    expect(await early({ full: { name: 'clientLimit', limit: 9 } })).toBe(
      '0 ERR 1040  Number simultaneous connections exceeded (9)',
    );
    expect(await early({ full: { name: 'draining' } })).toBe(
      '0 ERR 1053  Server shutdown in progress',
    );
  });

  test('the target must have been seen once', async () => {
    const unmet = { name: 'databaseRefused', refusal: 'later', detail: 'nobody is there' } as const;
    expect(await early({ unmet })).toBe('0 ERR 1105  Request returned an error: nobody is there');
    const { door, house } = stage();
    const greeting = greet({ ...door, meet: () => Promise.reject(new Error('asked')) }, house);
    house.target.meet(readHandshake((await helloOf()).payload));
    expect(greeting.next(EMPTY).value).toMatchObject({ kind: 'send' });
  });

  async function helloOf() {
    const { sent } = await come({ user: 'alice' });
    const [hello] = packetsIn(sent[0] ?? EMPTY);
    if (hello === undefined) throw new Error('no handshake');
    return hello;
  }

  test('time that runs out is told with the number that comes next', () => {
    for (const [heard, number] of [
      [false, 0],
      [true, 1],
    ] as const) {
      const { door, house } = stage({});
      const greeting = greet(door, house);
      if (heard) house.target.meet(readHandshake(sample));
      greeting.next(EMPTY);
      if (heard) greeting.next(EMPTY);
      let error: unknown;
      try {
        greeting.throw(new TalkTimeout('too late'));
      } catch (thrown) {
        error = thrown;
      }
      if (!(error instanceof FaultError)) throw new Error('no fault');
      expect(error.fault).toEqual({ name: 'loginTimeout' });
      expect(transcript([error.words ?? EMPTY])).toEqual([
        `${number} ERR 1159  Got timeout reading communication packets`,
      ]);
    }
  });
});

describe('bad input', () => {
  test('that is no packet of a client ends it without a word (GX-08)', async () => {
    for (const wrong of [
      utf8('GET / HTTP/1.1\r\n\r\n'),
      Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1),
      packet(0, utf8('out of order')),
      packet(2, utf8('out of order')),
      packet(1, new Uint8Array(limits.signInPacketBytes.value + 1)),
    ]) {
      expect(await outcomeOf(visit([wrong]))).toThrow(Violation);
    }
  });

  test('that is one is told what is wrong with it', async () => {
    for (const wrong of [
      EMPTY,
      utf8('nonsense'),
      Uint8Array.of(1, 0, 0, 0, 0),
      new Uint8Array(40),
    ]) {
      const { heard, fault } = await visit([packet(1, wrong)]);
      expect(heard.at(-1)).toStartWith('2 ERR 1835  Malformed communication packet: ');
      expect(fault?.name).toBe('protocolViolation');
    }
    const { heard } = await comeByTls({ user: 'token' }, (told) =>
      packet((told.at(-1)?.number ?? 0) + 7, utf8('out of order')),
    );
    expect(heard.at(-1)).toStartWith('4 ERR 1835 HY000 Malformed communication packet: packets');
  });

  test('MY-12: attributes may be many, and a name as long as they like', async () => {
    const attributes = Array.from({ length: 600 }, (_, at) => [`a${at}`, 'x'.repeat(90)] as const);
    const said = { user: 'alice', attributes };
    expect((await come(said)).entry?.kind).toBe('session');
    const many = [...attributes, ['b', 'x'.repeat(10_000)] as const];
    expect((await come({ ...said, attributes: many })).fault?.name).toBe('protocolViolation');
  });

  /** What such a client says, so that it can be cut up. */
  async function said(peer: Peer): Promise<readonly Uint8Array[]> {
    const chunks: Uint8Array[] = [];
    if (typeof peer !== 'function') return peer;
    await visit((heard) => {
      const chunk = peer(heard);
      if (chunk !== undefined) chunks.push(chunk);
      return chunk;
    });
    return chunks;
  }

  test('each sign-in is the same however it arrives', async () => {
    for (const client of [
      () => clientOf(response({ user: 'alice', database: 'shop' })),
      () => clientOf(response({ user: 'nat' }), switched()),
      () => clientOf(...overTls({ user: 'token' }), switched('good')),
    ]) {
      const chunks = await said(client());
      const { heard } = await visit(chunks);
      expect(heard.at(-1)).toContain('OK');
      for (const split of everySplit(chunks)) expect((await visit(split)).heard).toEqual(heard);
    }
  });

  test('cut off anywhere, the client has left', async () => {
    const chunks = await said(clientOf(response({ user: 'nat' }), switched()));
    const all = concat(chunks);
    for (let cut = 0; cut < all.length; cut += 1) {
      expect(await outcomeOf(visit([all.subarray(0, cut)]))).toThrow(PeerClosed);
    }
  });

  test('arbitrary bytes are a violation, a refusal, or too few', async () => {
    const own = answerBy('mysql_native_password', SECRET, new Uint8Array(20));
    const known = await said(clientOf(response({ user: 'nat' }), switched()));
    const chunk = fc.oneof(
      fc.constantFrom(...known, own),
      fc
        .tuple(fc.nat(4), fc.uint8Array({ maxLength: 80 }))
        .map(([number, payload]) => packet(number, payload)),
      fc
        .tuple(fc.constantFrom(...known), fc.nat(300), fc.nat(255))
        .map(([bytes, at, byte]) => bytes.map((old, index) => (index === at ? byte : old))),
      fc.uint8Array({ maxLength: 20 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 4 }), async (chunks) => {
        try {
          await visit(chunks);
        } catch (problem) {
          if (!(problem instanceof Violation) && !(problem instanceof PeerClosed)) throw problem;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
