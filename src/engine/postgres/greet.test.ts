import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  bytesOf,
  cstrings,
  frontend,
  i32,
  message,
  parseMessages,
} from '../../../test/support/messages.ts';
import { makeCertificate } from '../../../test/support/certificates.ts';
import type { Peer } from '../../../test/support/rehearse.ts';
import { scramClient } from '../../../test/support/scram-client.ts';
import {
  challengeIn,
  clientOf,
  KEY,
  md5,
  overTls,
  scram,
  scramOverTls,
  SECRET,
  TLS_HELLO,
  visit,
} from '../../../test/transcripts/visit.ts';
import type { Setting, Visit } from '../../../test/transcripts/visit.ts';
import { Violation } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';
import { say } from './faults.ts';
import type { PostgresPrincipal } from './principal.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const WELCOME = [
  'R 0',
  'S client_encoding=UTF8',
  'S standard_conforming_strings=on',
  'S TimeZone=UTC',
  'K 4',
  'Z I',
];
const VIOLATION = /^E FATAL 08P01 protocol violation: /;
const WRONG = (user: string): string =>
  `E FATAL 28P01 The password that was provided for the role ${user} is wrong.`;

describe('SCRAM', () => {
  test('lets in who knows one of the passwords, and proves itself', async () => {
    for (const password of [SECRET, 'an older one']) {
      const { entry, heard, why, leftover } = await visit(scram('alice', password));
      expect(entry).toMatchObject({ kind: 'session', who: { user: 'alice', database: 'alice' } });
      expect(heard).toEqual(['R 10', 'R 11', 'R 12', ...WELCOME]);
      expect([why, leftover.length]).toEqual([[], 0]);
    }
  });

  test('its proof is right, and comes with all the rest in one write', async () => {
    const client = scramClient(SECRET);
    const { sent } = await visit(
      clientOf(
        frontend.startup({ user: 'alice' }),
        frontend.saslInitial('SCRAM-SHA-256', client.first()),
        (heard) => frontend.saslResponse(client.final(challengeIn(heard))),
      ),
    );
    expect(sent.length).toBe(3);
    const [final] = parseMessages(sent.at(-1) ?? utf8(''));
    client.check(Buffer.from(final?.body ?? utf8('')).toString('utf8', 4));
  });

  test('PG-103: a wrong password and an unknown user hear the same, message by message', async () => {
    const wrong = await visit(scram('alice', 'wrong'));
    const unknown = await visit(scram('nobody', 'wrong'));
    expect(wrong.heard).toEqual(['R 10', 'R 11', WRONG('alice')]);
    expect(unknown.heard).toEqual(['R 10', 'R 11', WRONG('nobody')]);
    expect(unknown.steps).toEqual(wrong.steps);
    expect(unknown.sent.map(({ length }) => length - 'nobody'.length)).toEqual(
      wrong.sent.map(({ length }, at) => length - (at === 2 ? 'alice' : 'nobody').length),
    );
    expect(wrong.why).toEqual(['alice: the password is wrong']);
    expect(unknown.why).toEqual(['nobody: the proxy has no credentials for this user']);
  });

  test('PG-103: not even the password that nobody knows lets an unknown user in', async () => {
    expect((await visit(scram('nobody', 'nobody'))).heard.at(-1)).toBe(WRONG('nobody'));
  });

  test('PG-103: the salt of an unknown user stays what it was', async () => {
    const salts = await Promise.all(
      ['x', 'y'].map(async (password) => {
        const { sent } = await visit(scram('nobody', password));
        return /s=([^,]+)/.exec(challengeIn(sent[1] ?? utf8('')))?.[1];
      }),
    );
    expect(salts[0]).toBeDefined();
    expect(salts[0]).toBe(salts[1]);
  });

  test('PG-100: refuses channel binding without TLS, PG-106: and what is malformed', async () => {
    const startup = frontend.startup({ user: 'alice' });
    const first = (text: string): Peer =>
      clientOf(startup, frontend.saslInitial('SCRAM-SHA-256', text));
    const silent = clientOf(startup, message('p', 'SCRAM-SHA-256\0', i32(-1)));
    const unknown = clientOf(startup, frontend.saslInitial('SCRAM-SHA-1', 'n,,n=,r=abc'));
    const bound = first('p=tls-unique,,n=,r=abc');
    const long = first(`n,,n=,r=${'x'.repeat(2_000)}`);
    for (const peer of [bound, first('garbage'), long, silent, unknown]) {
      const { entry, heard } = await visit(peer);
      expect([entry, heard.at(-1)]).toEqual([undefined, expect.stringMatching(VIOLATION)]);
    }
  });
});

describe('SCRAM over TLS', () => {
  const { der: certificate } = makeCertificate('ECDSA P-384 with SHA-384');
  const endPoint = createHash('sha384').update(certificate).digest();
  const type = 'p=tls-server-end-point';
  const [scramOnly, plus] = ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'];

  const offered = ({ sent }: Visit): readonly string[] => {
    const [request] = parseMessages(sent.find(({ length }) => length > 1) ?? utf8(''));
    return cstrings(request?.body.subarray(4) ?? utf8('')).filter((name) => name !== '');
  };

  test('PG-100: offers to bind the login to the channel, first, and lets in who does or cannot', async () => {
    for (const [mechanism, binding] of [
      [plus, { flag: type, data: endPoint }],
      [scramOnly, { flag: 'n' }],
    ] as const) {
      for (const password of [SECRET, 'an older one']) {
        const peer = scramOverTls('alice', password, mechanism, binding);
        const one = await visit(peer, { certificate });
        expect(one.entry).toMatchObject({ kind: 'session', who: { user: 'alice' } });
        expect(one.heard).toEqual(['R 10', 'R 11', 'R 12', ...WELCOME]);
        expect(offered(one)).toEqual([plus, scramOnly]);
      }
    }
  });

  test('PG-100: offers it neither without TLS nor with a certificate that has no hash', async () => {
    expect(offered(await visit(scram('alice', SECRET), { certificate }))).toEqual([scramOnly]);
    const { der } = makeCertificate('Ed25519');
    // libpq says `y` where it could bind and was not offered to.
    for (const flag of ['n', 'y']) {
      const one = await visit(scramOverTls('alice', SECRET, scramOnly, { flag }), {
        certificate: der,
      });
      expect([offered(one), one.entry?.kind]).toEqual([[scramOnly], 'session']);
    }
    const unoffered = scramOverTls('alice', SECRET, plus, { flag: type, data: endPoint });
    const { heard } = await visit(unoffered, { certificate: der });
    expect(heard.at(-1)).toMatch(VIOLATION);
  });

  test('PG-101: who did not see the offer is refused in the words of PostgreSQL', async () => {
    for (const user of ['alice', 'nobody']) {
      const peer = scramOverTls(user, SECRET, scramOnly, { flag: 'y' });
      const { entry, heard, why } = await visit(peer, { certificate });
      expect(entry).toBeUndefined();
      expect(heard).toEqual([
        'R 10',
        'E FATAL 28000 SCRAM channel binding negotiation error D=The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.',
      ]);
      expect(why.length).toBe(1);
    }
  });

  test('PG-101: who is bound to another channel is refused, whatever the password', async () => {
    const other = createHash('sha256').update(certificate).digest();
    const forged = endPoint.map((byte, at) => (at === 47 ? byte ^ 1 : byte));
    for (const data of [other, forged, endPoint.subarray(1), utf8('')]) {
      for (const [user, password] of [
        ['alice', SECRET],
        ['alice', 'wrong'],
        ['nobody', 'x'],
      ] as const) {
        const peer = scramOverTls(user, password, plus, { flag: type, data });
        const { entry, heard } = await visit(peer, { certificate });
        expect(entry).toBeUndefined();
        expect(heard).toEqual(['R 10', 'R 11', 'E FATAL 28000 SCRAM channel binding check failed']);
      }
    }
  });

  test('PG-100: a mechanism and what is said of channel binding must agree', async () => {
    for (const [mechanism, flag] of [
      [plus, 'n'],
      [plus, 'y'],
      [plus, 'p=tls-unique'],
      [plus, 'p=tls-exporter'],
      [scramOnly, type],
    ] as const) {
      const peer = scramOverTls('alice', SECRET, mechanism, { flag, data: endPoint });
      const { heard, entry } = await visit(peer, { certificate });
      expect([entry, heard.at(-1)]).toEqual([undefined, expect.stringMatching(VIOLATION)]);
    }
  });

  test('PG-103: a wrong password and an unknown user hear the same', async () => {
    const binding = { flag: type, data: endPoint };
    const wrong = await visit(scramOverTls('alice', 'x', plus, binding), { certificate });
    const unknown = await visit(scramOverTls('nobody', 'x', plus, binding), { certificate });
    expect(wrong.heard).toEqual(['R 10', 'R 11', WRONG('alice')]);
    expect(unknown.heard).toEqual(['R 10', 'R 11', WRONG('nobody')]);
    expect(unknown.steps).toEqual(wrong.steps);
  });
});

describe('MD5', () => {
  test('lets in who knows one of the passwords', async () => {
    const { entry, heard } = await visit(md5('mdalice', SECRET));
    expect(entry).toMatchObject({ kind: 'session', who: { user: 'mdalice' } });
    expect(heard).toEqual(['R 5', ...WELCOME]);
  });

  test('PG-103: a wrong password and an unknown user hear the same', async () => {
    const wrong = await visit(md5('mdalice', 'wrong'));
    const unknown = await visit(md5('mdnobody', 'nobody'));
    expect(wrong.heard).toEqual(['R 5', WRONG('mdalice')]);
    expect(unknown.heard).toEqual(['R 5', WRONG('mdnobody')]);
    expect(unknown.steps).toEqual(wrong.steps);
    expect([...wrong.why, ...unknown.why]).toEqual([
      'mdalice: the password is wrong',
      'mdnobody: the proxy has no credentials for this user',
    ]);
  });
});

describe('a token', () => {
  const startup = frontend.startup({ user: 'token' });

  test('lets in, over TLS only', async () => {
    const { entry, heard, tokens } = await visit(overTls(startup, frontend.password('good one')));
    expect(entry).toMatchObject({ kind: 'session', method: 'IAM authentication' });
    expect([heard, tokens]).toEqual([['R 3', ...WELCOME], ['good one']]);
    const plain = await visit(clientOf(startup, frontend.password('good one')));
    expect(plain.heard).toEqual([
      'E FATAL 28000 IAM authentication is allowed only with SSL connections.',
    ]);
    expect(plain.tokens).toEqual([]);
  });

  test('that is refused: the client hears that it was, the log hears why', async () => {
    const { entry, heard, why } = await visit(overTls(startup, frontend.password('bad')));
    expect(entry).toBeUndefined();
    expect(heard.at(-1)).toBe(
      'E FATAL 28P01 The IAM authentication failed for the role token. Check the IAM token for this role and try again.',
    );
    expect(why).toEqual(['token: it is too old']);
  });

  test('PG-20: of 60 kB is read, of more than is allowed is not', async () => {
    const long = `good${'x'.repeat(60_000)}`;
    const { entry, tokens } = await visit(overTls(startup, frontend.password(long)));
    expect([entry?.kind, tokens[0]?.length]).toEqual(['session', long.length]);
    const longer = frontend.password('x'.repeat(70_000));
    const refused = await visit(overTls(startup, longer));
    expect([refused.heard.at(-1), refused.tokens]).toEqual([expect.stringMatching(VIOLATION), []]);
  });
});

describe('encryption', () => {
  const startup = frontend.startup({ user: 'alice' });
  const [ssl, gss] = [frontend.sslRequest(), frontend.gssRequest()];
  const plain = { keeper: { offersTls: false } };

  const singles = ({ sent }: Visit): string =>
    sent.map((bytes) => (bytes.length === 1 ? Buffer.from(bytes).toString() : '.')).join('');
  const starts = ({ steps }: Visit): boolean => steps.includes('startTls server');

  test('PG-29: GSS is declined, TLS is taken, in any order that makes sense', async () => {
    for (const [requests, setting, answers, isEncrypted] of [
      [[ssl], {}, 'S.', true],
      [[gss, ssl], {}, 'NS.', true],
      [[gss], {}, 'N.', false],
      [[ssl], plain, 'N.', false],
      [[ssl, gss], plain, 'NN.', false],
      [[gss, ssl], plain, 'NN.', false],
    ] as const) {
      const bye = frontend.terminate();
      const one = await visit(clientOf(...requests, startup, bye), setting);
      expect([singles(one), starts(one), one.entry]).toEqual([
        answers,
        isEncrypted,
        { kind: 'end' },
      ]);
    }
  });

  test('PG-29: what makes no sense ends the connection', async () => {
    for (const [requests, setting] of [
      [[gss, gss], {}],
      [[ssl, ssl], {}],
      [[ssl, gss], {}],
      [[ssl, ssl], plain],
    ] as const) {
      expect(await outcomeOf(visit(clientOf(...requests), setting))).toThrow('makes no sense');
    }
  });

  test('PG-31: direct TLS needs ALPN for PostgreSQL, and TLS to offer', async () => {
    const direct = (setting: Setting): Promise<Visit> => visit(clientOf(TLS_HELLO), setting);
    expect(await outcomeOf(direct({ alpn: 'http/1.1' }))).toThrow('without ALPN');
    expect(await outcomeOf(direct({}))).toThrow('without ALPN');
    expect(await outcomeOf(direct(plain))).toThrow('no TLS is offered');
  });

  test('PG-31: direct TLS counts as TLS', async () => {
    const said = [TLS_HELLO, frontend.startup({ user: 'token' }), frontend.password('good')];
    const keeper = { requiresTls: true };
    const { entry } = await visit(clientOf(...said), { keeper, alpn: 'postgresql' });
    expect(entry?.kind).toBe('session');
    const twice = clientOf(TLS_HELLO, ssl);
    expect(await outcomeOf(visit(twice, { alpn: 'postgresql' }))).toThrow('makes no sense');
  });

  test('is required where it is', async () => {
    const required = { keeper: { requiresTls: true } };
    const { heard } = await visit(clientOf(gss, startup), required);
    expect(heard).toEqual(['E FATAL 28000 This RDS Proxy requires TLS connections.']);
    const { entry } = await visit(clientOf(ssl, startup, frontend.terminate()), required);
    expect(entry).toEqual({ kind: 'end' });
  });
});

describe('a start-up', () => {
  const bye = frontend.terminate();

  test('names who shares connections: user, database and what cannot be set later', async () => {
    const who = async (more: Readonly<Record<string, string>>): Promise<PostgresPrincipal> => {
      const startup = frontend.startup({ user: 'alice', database: 'shop', ...more });
      const { entry } = await visit(scram('alice', SECRET, startup));
      if (entry?.kind !== 'session') throw new Error('out');
      return entry.who;
    };
    const one = await who({ application_name: 'a', DateStyle: 'ISO', options: '-c work_mem=8MB' });
    expect(one).toMatchObject({ user: 'alice', database: 'shop' });
    expect([...one.wishes]).toEqual([
      ['application_name', 'a'],
      ['datestyle', 'ISO'],
      ['work_mem', '8MB'],
    ]);
    const other = await who({ application_name: 'b' });
    expect(one.poolKey).toBe(other.poolKey);
    expect(one.realm).toBe(other.realm);
    for (const more of [
      { ignore_system_indexes: 'on' },
      { options: '-c role=bob' },
      { options: '-d 5' },
    ])
      expect((await who(more)).poolKey).not.toBe(other.poolKey);
  });

  test('shows the database the client’s address, if asked, and keeps it where there is little room', async () => {
    const shown = async (name: string, address?: string): Promise<string | undefined> => {
      const parameters = name === '' ? {} : { application_name: name };
      const startup = frontend.startup({ user: 'alice', ...parameters });
      const setting = address === undefined ? {} : { shownAddress: address };
      const { entry } = await visit(scram('alice', SECRET, startup), setting);
      if (entry?.kind !== 'session') throw new Error('out');
      return entry.who.wishes.get('application_name');
    };
    expect(await shown('shop')).toBe('shop');
    expect(await shown('shop', '10.0.0.1:4711')).toBe('shop - 10.0.0.1:4711');
    expect(await shown('', '[::1]:4711')).toBe('app - [::1]:4711');
    expect(await shown('shöp', '10.0.0.1:4711')).toBe('sh?p - 10.0.0.1:4711');
    const long = await shown('x'.repeat(63), '10.0.0.1:4711');
    expect([long?.length, long?.endsWith('x - 10.0.0.1:4711')]).toEqual([63, true]);
  });

  /** With options in this order, also where one comes twice. */
  const asking = (minor: number, ...options: readonly string[]): Uint8Array => {
    const names = options.map((name) => `${name}\0value\0`);
    return message('', i32(0x30000 | minor), ...names, 'user\0alice\0\0');
  };

  test('PG-26: of a version and with options that we know none of: answered first, and once', async () => {
    const [x, y] = ['_pq_.x', '_pq_.y'];
    for (const [startup, told, options, keyBytes] of [
      [asking(3), 2, [], 32],
      [asking(9999), 2, [], 32],
      [asking(0xffff, x), 2, [x], 32],
      [asking(0, x, y), 0, [x, y], 4],
      [asking(1, x), 1, [x], 4],
      [asking(2, y, x, y, '_pq_.'), 2, [y, x, y, '_pq_.'], 32],
    ] as const) {
      const { heard, sent } = await visit(scram('alice', SECRET, startup));
      expect(heard.map((line) => line[0]).join('')).toBe('vRRRRSSSKZ');
      const { body } = parseMessages(sent[0] ?? utf8(''))[0] ?? { body: utf8('') };
      expect(Buffer.from(body).readInt32BE(0)).toBe(0x30000 + told);
      expect(Buffer.from(body).readInt32BE(4)).toBe(options.length);
      expect(cstrings(body.subarray(8))).toEqual(options);
      expect(heard.at(-2)).toBe(`K ${keyBytes}`);
    }
  });

  test('PG-27: of a version that there is, or of 3.1: no answer, and the key that belongs to it', async () => {
    for (const [minor, keyBytes] of [
      [0, 4],
      [1, 4],
      [2, 32],
    ] as const) {
      const { heard, sent, entry } = await visit(scram('alice', SECRET, asking(minor)));
      expect(heard.map((line) => line[0]).join('')).toBe('RRRRSSSKZ');
      const key = parseMessages(sent.at(-1) ?? utf8('')).find(({ type }) => type === 'K');
      if (entry?.kind !== 'session') throw new Error('out');
      expect(Buffer.from(key?.body.subarray(4) ?? '')).toEqual(Buffer.from(entry.secret));
      expect(entry.secret.length).toBe(keyBytes);
    }
  });

  test('PG-26: is answered before it is refused', async () => {
    const required = { keeper: { requiresTls: true } };
    const { heard } = await visit(clientOf(asking(9)), required);
    expect(heard.map((line) => line.slice(0, 13))).toEqual(['v 00030002000', 'E FATAL 28000']);
    const nameless = await visit(clientOf(frontend.startup({ '_pq_.x': '1' })));
    expect(nameless.heard.map((line) => line[0])).toEqual(['v', 'E']);
  });

  test('of protocol 2, of a replica, without a user', async () => {
    const heard = async (startup: Uint8Array): Promise<readonly string[]> =>
      (await visit(clientOf(startup, bye))).heard;
    const old = message('', i32(0x20000), 'u'.repeat(288));
    expect(await heard(old)).toEqual([
      'E FATAL 0A000 Feature not supported: RDS Proxy supports only version 3 of the PostgreSQL messaging protocol.',
    ]);
    for (const replication of ['true', 'ON', 'database', '1', 'yes']) {
      expect(await heard(frontend.startup({ user: 'alice', replication }))).toEqual([
        "E FATAL 0A000 Feature not supported: RDS Proxy currently doesn't support streaming replication mode.",
      ]);
    }
    expect(await heard(frontend.startup({ user: 'alice', replication: 'False' }))).toEqual([
      'R 10',
    ]);
    for (const nameless of [{}, { user: '' }, { database: 'shop' }]) {
      expect(await heard(frontend.startup(nameless as Record<string, string>))).toEqual([
        'E FATAL 28000 A user name is missing from the connection startup packet. Provide a user name for this connection.',
      ]);
    }
  });

  test('PG-19: of 8 kB is read, of more than is allowed is not', async () => {
    const long = frontend.startup({ user: 'alice', options: `-c a=${'x'.repeat(8_000)}` });
    expect((await visit(clientOf(long, bye))).heard).toEqual(['R 10']);
    const longer = frontend.startup({ user: 'alice', options: 'x'.repeat(10_000) });
    expect(await outcomeOf(visit(clientOf(longer)))).toThrow(Violation);
  });

  test('PG-27, PG-46: that is a cancel request, with and without TLS', async () => {
    const secret = new Uint8Array(32).fill(5);
    const request = frontend.cancelRequest(0xfffffff1, secret);
    const expected = { kind: 'cancel', number: 0xfffffff1, secret } as const;
    const required = { keeper: { requiresTls: true } };
    for (const peer of [clientOf(request), overTls(request)]) {
      const { entry, sent } = await visit(peer, required);
      expect(entry).toEqual(expected);
      expect(sent.filter(({ length }) => length > 1)).toEqual([]);
    }
  });

  test('of one client too many', async () => {
    const full = { name: 'clientLimit', limit: 5 } as const;
    const { heard } = await visit(scram('alice', SECRET), { full });
    expect(heard).toEqual([
      'E FATAL 53300 The maximum number of client connections to the proxy exceeded 5.',
    ]);
  });

  test('PG-119: the database does not let in: the client hears that in place of a welcome', async () => {
    const original = say({ name: 'databaseLost' }, 'ERROR');
    const closed = { name: 'databaseRefused', refusal: 'final', original } as const;
    const { heard } = await visit(scram('alice', SECRET), { closed });
    expect(heard).toEqual(['R 10', 'R 11', expect.stringMatching(/^E FATAL 08006 /)]);
  });
});

describe('the sign-in', () => {
  const startup = frontend.startup({ user: 'alice' });

  test('may end with a goodbye at each step', async () => {
    const client = scramClient(SECRET);
    const bye = frontend.terminate();
    const first = frontend.saslInitial('SCRAM-SHA-256', client.first());
    for (const said of [
      [startup, bye],
      [startup, first, bye],
      [frontend.startup({ user: 'mdalice' }), bye],
      [frontend.sslRequest(), frontend.startup({ user: 'token' }), bye],
    ]) {
      expect((await visit(clientOf(...said))).entry).toEqual({ kind: 'end' });
    }
  });

  test('PG-105: another message, known by its first byte alone', async () => {
    for (const intruder of [startup, frontend.query('select 1'), frontend.sync(), message('R')]) {
      for (const user of ['alice', 'mdalice']) {
        const { heard, entry } = await visit(
          clientOf(frontend.startup({ user }), intruder.subarray(0, 1)),
        );
        expect(entry).toBeUndefined();
        expect(heard.at(-1)).toBe(
          `E FATAL 08P01 protocol violation: expected password response, got message type ${intruder[0]}`,
        );
      }
    }
  });

  test('leaves requests that were sent with the last answer where they are', async () => {
    const pipelined = frontend.query('select 1');
    const { leftover, entry } = await visit(
      overTls(frontend.startup({ user: 'token' }), bytesOf(frontend.password('good'), pipelined)),
    );
    expect([entry?.kind, Buffer.from(leftover)]).toEqual(['session', Buffer.from(pipelined)]);
  });

  test('PG-18: byte by byte it is the same', async () => {
    const peer = scram('alice', SECRET);
    if (typeof peer !== 'function') throw new Error('a script');
    let rest: Uint8Array | undefined = utf8('');
    const dribble: Peer = (heard) => {
      if (rest?.length === 0) rest = peer(heard);
      const next = rest?.subarray(0, 1);
      rest = rest?.subarray(1);
      return next;
    };
    const { heard } = await visit(dribble);
    expect(heard).toEqual(['R 10', 'R 11', 'R 12', ...WELCOME]);
  });

  test('cut off anywhere it waits for more', async () => {
    for (const said of [
      bytesOf(startup, frontend.saslInitial('SCRAM-SHA-256', 'n,,n=,r=abc')),
      bytesOf(frontend.startup({ user: 'mdalice' }), frontend.password('md5')).subarray(0, -1),
      bytesOf(frontend.gssRequest(), frontend.cancelRequest(1, KEY)).subarray(0, -1),
    ]) {
      for (let cut = 0; cut <= said.length; cut += 1) {
        expect(await outcomeOf(visit([said.subarray(0, cut)]))).toThrow('closed');
      }
    }
  });

  test('PG-16: arbitrary bytes are refused or waited for, and nothing else', async () => {
    const word = fc.constantFrom('user', 'alice', 'mdalice', 'token', 'replication', 'database');
    const known = fc.oneof(
      fc.constantFrom(startup, frontend.sslRequest(), frontend.gssRequest(), KEY),
      fc.array(word).map((words) => message('', i32(0x30000), ...words.map((it) => `${it}\0`), 0)),
      fc.string().map(frontend.password),
      fc.string().map((text) => frontend.saslInitial('SCRAM-SHA-256', `n,,${text}`)),
      fc.string().map((text) => frontend.saslInitial(text.replaceAll('\0', ''), 'n,,n=,r=abc')),
      fc.uint8Array({ maxLength: 20 }).map((body) => message('p', body)),
    );
    const chunk = fc.oneof({ weight: 5, arbitrary: known }, fc.uint8Array({ maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), async (chunks) => {
        try {
          await visit(chunks);
        } catch (error) {
          const expected = error instanceof Violation || String(error).includes('closed');
          if (!expected) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
