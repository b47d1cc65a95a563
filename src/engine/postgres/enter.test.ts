import { describe, expect, test } from 'bun:test';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import {
  backend,
  bytesOf,
  frontend,
  i32,
  message,
  parseMessages,
} from '../../../test/support/messages.ts';
import { everySplit, rehearse } from '../../../test/support/rehearse.ts';
import { makeCertificate } from '../../../test/support/certificates.ts';
import type { Peer, Rehearsal } from '../../../test/support/rehearse.ts';
import { transcript } from '../../../test/support/transcript.ts';
import { SaltedPasswords } from '../../auth/salted-passwords.ts';
import { Violation } from '../../base/assert.ts';
import { concat } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { seededRandom } from '../../base/random.ts';
import { SecretText } from '../../base/secret-text.ts';
import type { Conversation } from '../../core/conversation.ts';
import type { ChannelBinding, TlsMode } from '../../core/engine.ts';
import type { Fault } from '../../core/fault.ts';
import { FaultError } from '../../core/fault.ts';
import { PeerClosed } from '../../core/network.ts';
import { enter } from './enter.ts';
import type { PostgresMemory } from './memory.ts';
import { makePrincipal } from './principal.ts';
import { Realms } from './realm.ts';
import { outcomeOf } from '../../../test/support/outcome.ts';

const PASSWORD = 'correct horse';
const S = Buffer.from('S');
const N = Buffer.from('N');
const salted = new SaltedPasswords();

interface Setting {
  readonly tlsMode?: TlsMode;
  readonly allowCleartext?: boolean;
  readonly channelBinding?: ChannelBinding;
  readonly lessons?: Set<string>;
  /** What the database shows, as DER; by default one that cannot be bound to. */
  readonly certificate?: Uint8Array;
  /** Hears all that is sent, also where the login fails. */
  readonly sent?: Uint8Array[];
}

function login(peer: Peer, setting: Setting = {}): Promise<Rehearsal<PostgresMemory>> {
  const random = seededRandom(3);
  const who = makePrincipal('alice', 'shop', {
    parameters: new Map([['role', 'cashier']]),
    wishes: new Map([['application_name', 'till']]),
    realms: new Realms(),
  });
  const gate = { who, password: new SecretText(PASSWORD), random: (n: number) => random.bytes(n) };
  const defaults = { tlsMode: 'disable', allowCleartext: false, channelBinding: 'prefer' } as const;
  const lessons = new Set<string>();
  const { certificate = new Uint8Array(0), sent = [], ...rest } = setting;
  const entering = noting(enter({ ...gate, ...defaults, lessons, ...rest }, salted), sent);
  return rehearse(entering, peer, { certificate: () => certificate });
}

function* noting<Result>(inner: Conversation<Result>, sent: Uint8Array[]): Conversation<Result> {
  let next = inner.next(new Uint8Array(0));
  while (next.done !== true) {
    if (next.value.kind === 'send') sent.push(next.value.bytes);
    let answer: Uint8Array;
    try {
      answer = yield next.value;
    } catch (problem) {
      next = inner.throw(problem);
      continue;
    }
    next = inner.next(answer);
  }
  return next.value;
}

/** The fault with which the database keeps us out. */
async function refusal(peer: Peer, setting: Setting = {}): Promise<Fault> {
  try {
    await login(peer, setting);
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  throw new Error('the database let us in');
}

const key = Uint8Array.of(1, 2, 3, 4);
const welcome = bytesOf(
  backend.parameterStatus('TimeZone', 'UTC'),
  backend.keyData(4711, key),
  backend.ready(),
);
const ok = backend.authenticationOk();
const error = (fields: Readonly<Record<string, string>>): Uint8Array =>
  backend.error({ S: 'FATAL', V: 'FATAL', ...fields });

/** NegotiateProtocolVersion: no newer than 3.0, and no option unknown. */
const onlyZero = message('v', i32(0x30000), i32(0));

/** What was said after the start-up message. */
function answers({ sent }: Rehearsal<unknown>): readonly string[] {
  const typed = sent.filter((bytes) => bytes[0] !== 0);
  return parseMessages(concat(typed)).map(({ body }) => Buffer.from(body).toString());
}

/** The start-up packet: the first that is neither a typed message nor a request for TLS. */
function minorAsked(sent: readonly Uint8Array[]): number {
  const startup = sent.find((bytes) => bytes[0] === 0 && bytes.length > 8) ?? key;
  return Buffer.from(startup).readInt32BE(4) - 0x30000;
}

interface Tampering {
  /** What the client must have said and bound to; default `n` and nothing. */
  readonly flag?: string;
  readonly endPoint?: Uint8Array;
  readonly nonce?: (client: string) => string;
  readonly iterations?: string;
  readonly salt?: string;
  readonly final?: (signature: string) => readonly Uint8Array[];
}

/** A SCRAM server apart from `src/auth`: RFC 5802, RFC 7677. */
function scramServer(tampering: Tampering = {}, mechanisms = ['SCRAM-SHA-256']): Peer {
  const { nonce = (own) => `${own}server`, iterations = '4096', salt = 'c2FsdHNhbHQ=' } = tampering;
  const { flag = 'n', endPoint = new Uint8Array(0) } = tampering;
  const { final = (signature) => [backend.saslFinal(`v=${signature}`), ok, welcome] } = tampering;
  const hmac = (of: Uint8Array, text: string): Buffer =>
    createHmac('sha256', of).update(text).digest();
  let step = 0;
  let signed = '';
  return (heard) => {
    step += 1;
    if (step === 1) return backend.sasl(...mechanisms);
    const text = Buffer.from(parseMessages(heard)[0]?.body ?? key).toString();
    if (step === 2) {
      const [, said, bare = '', own = ''] = /([^,\0]*),,(n=,r=(.*))$/s.exec(text) ?? [];
      if (!said?.endsWith(flag)) throw new Error(`the client says ${said} of channel binding`);
      const challenge = `r=${nonce(own)},s=${salt},i=${iterations}`;
      signed = `${bare},${challenge}`;
      return backend.saslContinue(challenge);
    }
    if (step > 3) return undefined;
    const [, unproven = '', proof = ''] = /^(.*),p=(.*)$/.exec(text) ?? [];
    const bound = Buffer.concat([Buffer.from(`${flag},,`), endPoint]).toString('base64');
    if (!unproven.startsWith(`c=${bound},`)) throw new Error('the client is bound elsewhere');
    signed += `,${unproven}`;
    const password = pbkdf2Sync(PASSWORD, Buffer.from(salt, 'base64'), 4096, 32, 'sha256');
    const stored = createHash('sha256').update(hmac(password, 'Client Key')).digest();
    const mask = hmac(stored, signed);
    const clientKey = Buffer.from(proof, 'base64').map((byte, at) => byte ^ (mask[at] ?? 0));
    if (!createHash('sha256').update(clientKey).digest().equals(stored)) {
      return error({ C: '28P01', M: 'password authentication failed for user "alice"' });
    }
    return bytesOf(...final(hmac(hmac(password, 'Server Key'), signed).toString('base64')));
  };
}

describe('a login', () => {
  test('without a password: names user, database and what only a start-up message can set, and learns the welcome', async () => {
    const { result, sent, leftover } = await login([bytesOf(ok, welcome)]);
    const parameters = { user: 'alice', database: 'shop', role: 'cashier' };
    const expected = frontend.startup(parameters, 2);
    expect(Buffer.from(concat(sent))).toEqual(Buffer.from(expected));
    expect([...result.initial]).toEqual([['TimeZone', 'UTC']]);
    expect([result.pid, result.secret, result.status]).toEqual([4711, key, 'I']);
    expect(leftover.length).toBe(0);
  });

  test('PG-18: is the same however it arrives', async () => {
    const said = bytesOf(ok, welcome);
    for (const split of everySplit([said])) {
      expect((await login(split)).result.pid).toBe(4711);
    }
  });

  test('PG-12: notices, and a negotiation, may come between', async () => {
    const notice = backend.notice({ S: 'WARNING', V: 'WARNING', M: 'soon over' });
    const { result } = await login([bytesOf(notice, onlyZero, notice, ok, notice, welcome)]);
    expect(result.pid).toBe(4711);
  });

  test('PG-28: without a cancel key, PG-27: with one of any length', async () => {
    expect((await login([bytesOf(ok, backend.ready())])).result.secret.length).toBe(0);
    for (const length of [4, 5, 32, 256]) {
      const secret = new Uint8Array(length).fill(9);
      for (const before of [ok, bytesOf(onlyZero, ok)]) {
        const told = bytesOf(before, backend.keyData(1, secret), backend.ready());
        expect((await login([told])).result.secret).toEqual(secret);
      }
    }
    for (const bad of [new Uint8Array(3), new Uint8Array(257)]) {
      expect(await outcomeOf(login([bytesOf(ok, backend.keyData(1, bad))]))).toThrow(Violation);
    }
  });

  test('of which a database tells too much', async () => {
    const count = limits.serverParameters.value;
    const all = Array.from({ length: count + 1 }, (_, at) => backend.parameterStatus(`p${at}`, ''));
    const { result } = await login([bytesOf(ok, ...all.slice(0, count), backend.ready())]);
    expect(result.initial.size).toBe(count);
    expect(await outcomeOf(login([bytesOf(ok, ...all, backend.ready())]))).toThrow('parameters');
  });

  test('cut off anywhere it waits; with a message out of place it ends', async () => {
    const said = bytesOf(ok, welcome);
    for (let cut = 1; cut < said.length; cut += 1) {
      expect(await outcomeOf(login([said.subarray(0, cut)]))).toThrow(PeerClosed);
    }
    for (const wrong of [backend.ready(), backend.complete('SELECT 1'), welcome]) {
      expect(await outcomeOf(login([wrong]))).toThrow(Violation);
    }
    for (const wrong of [ok, backend.complete('SELECT 1'), message('Z', 'X')]) {
      expect(await outcomeOf(login([bytesOf(ok, wrong)]))).toThrow(Violation);
    }
    const huge = bytesOf('R', i32(limits.passwordMessageBytes.value + 5));
    expect(await outcomeOf(login([huge]))).toThrow(Violation);
  });

  test('PG-16: arbitrary bytes are a violation, a refusal, or too few', async () => {
    const known = fc.oneof(
      fc.constantFrom(ok, welcome, backend.ready(), backend.cleartextPassword(), onlyZero),
      fc.uint8Array({ maxLength: 12 }).map((body) => message('v', body)),
      fc.uint8Array({ maxLength: 12 }).map((body) => message('R', body)),
      fc.uint8Array({ maxLength: 12 }).map((body) => message('E', body)),
      fc.constantFrom(5, 10, 11, 12).map((code) => message('R', i32(code), 'SCRAM-SHA-256\0\0')),
      fc.string().map((text) => backend.saslContinue(text)),
      fc.uint8Array({ maxLength: 20 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(known, { maxLength: 6 }), fc.boolean(), async (said, allow) => {
        try {
          await login(said, { allowCleartext: allow });
        } catch (problem) {
          const kinds = [Violation, FaultError, PeerClosed];
          if (!kinds.some((kind) => problem instanceof kind)) throw problem;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('TLS', () => {
  const modes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

  test('is asked for, unless it is disabled, and taken where it is offered', async () => {
    for (const tlsMode of modes) {
      const asks = tlsMode !== 'disable';
      const said = [bytesOf(ok, welcome)];
      const { steps, sent } = await login(asks ? [S, ...said] : said, { tlsMode });
      expect(steps.includes('startTls client')).toBe(asks);
      expect(Buffer.from(sent[0] ?? key).equals(frontend.sslRequest())).toBe(asks);
    }
  });

  test('that the database declines: only where it was no more than preferred', async () => {
    const { steps } = await login([N, ok, welcome], { tlsMode: 'prefer' });
    expect(steps).not.toContain('startTls client');
    for (const tlsMode of modes.slice(2)) {
      expect(await refusal([N], { tlsMode })).toEqual({
        name: 'databaseRefused',
        refusal: 'later',
        detail: 'the database does not offer TLS, which its settings require',
      });
    }
  });

  test('PG-32: an error in answer to the question, or nonsense', async () => {
    for (const answer of [error({ C: '53300', M: 'too many' }), Buffer.from('Efatal\0'), key]) {
      for (const tlsMode of modes.slice(1)) {
        const { refusal: kind, detail } = await refusal([answer], { tlsMode });
        expect([kind, detail]).toEqual(['later', 'the database refused to talk about TLS']);
      }
    }
  });

  test('PG-30: plaintext behind the answer ends it', async () => {
    expect(await outcomeOf(login([bytesOf('S', ok)], { tlsMode: 'require' }))).toThrow('plaintext');
  });
});

describe('a password', () => {
  test('in the clear: under TLS, or where that is allowed', async () => {
    const asked = [backend.cleartextPassword(), ok, welcome];
    const encrypted = await login([S, ...asked], { tlsMode: 'require' });
    expect(answers(encrypted)).toEqual([`${PASSWORD}\0`]);
    expect(answers(await login(asked, { allowCleartext: true }))).toEqual([`${PASSWORD}\0`]);
  });

  test('in the clear: otherwise it is not sent, and no message tells it', async () => {
    for (const [said, setting] of [
      [[backend.cleartextPassword()], {}],
      [[N, backend.cleartextPassword()], { tlsMode: 'prefer' }],
    ] as const) {
      const heard: Uint8Array[] = [];
      const left: Uint8Array[] = [...said];
      const fault = await refusal((bytes) => {
        heard.push(bytes);
        return left.shift();
      }, setting);
      expect(fault.detail).toContain('in the clear');
      expect(JSON.stringify([fault, Buffer.concat(heard).toString()])).not.toContain(PASSWORD);
    }
  });

  test('as MD5', async () => {
    const salt = Uint8Array.of(1, 2, 3, 4);
    const md5 = (text: string | Uint8Array): string => createHash('md5').update(text).digest('hex');
    const expected = `md5${md5(bytesOf(md5(`${PASSWORD}alice`), salt))}\0`;
    expect(answers(await login([backend.md5Password(salt), ok, welcome]))).toEqual([expected]);
  });

  test('by a method that we do not speak', async () => {
    for (const [code, name] of [
      [2, 'Kerberos V5'],
      [7, 'GSSAPI'],
      [9, 'SSPI'],
      [99, 'method 99'],
    ] as const) {
      const { detail } = await refusal([message('R', i32(code))]);
      expect(detail).toBe(`the database asks for ${name}, which is not supported`);
    }
  });
});

describe('SCRAM', () => {
  test('proves the password, and has the database prove it too', async () => {
    const { result } = await login(scramServer());
    expect(result.pid).toBe(4711);
  });

  test('with no mechanism that we speak', async () => {
    for (const [mechanisms, setting] of [
      [['SCRAM-SHA-256-PLUS', 'X'], { channelBinding: 'disable' }],
      [['SCRAM-SHA-1', 'X'], {}],
    ] as const) {
      const { detail, refusal: kind } = await refusal([backend.sasl(...mechanisms)], setting);
      expect([kind, detail]).toEqual([
        'credentials',
        `the database offers only ${mechanisms.join(', ')} for authentication`,
      ]);
    }
  });

  test('of a database that does not prove itself: no further', async () => {
    expect(await outcomeOf(login(scramServer({ final: () => [ok, welcome] })))).toThrow(
      'prove itself',
    );
    const zeros = Buffer.alloc(32).toString('base64');
    const lie = scramServer({ final: () => [backend.saslFinal(`v=${zeros}`), ok, welcome] });
    expect((await refusal(lie)).detail).toContain('did not prove');
    const grudging = scramServer({ final: () => [backend.saslFinal('e=other-error')] });
    expect((await refusal(grudging)).detail).toContain('other-error');
    const short = scramServer({ final: (proof) => [backend.saslFinal(`v=${proof.slice(4)}`)] });
    expect(await outcomeOf(login(short))).toThrow(Violation);
  });

  test('PG-106: of a hostile database', async () => {
    for (const tampering of [
      { nonce: () => 'another' },
      { nonce: (own: string) => own },
      { nonce: (own: string) => own + 'x'.repeat(limits.saslNonceBytes.value) },
      { nonce: (own: string) => `${own}\u0000` },
      { iterations: '0' },
      { iterations: '-1' },
      { iterations: `${limits.scramIterations.value + 1}` },
      { iterations: '99999999999999999999' },
      { iterations: '4096x' },
      { salt: '' },
      { salt: '!' },
    ]) {
      expect(await outcomeOf(login(scramServer(tampering)))).toThrow(Violation);
    }
  });

  test('whose steps come out of order', async () => {
    for (const stray of [backend.saslContinue('r=x'), backend.saslFinal('v=x')]) {
      expect(await outcomeOf(login([stray]))).toThrow('outside a SASL exchange');
    }
    for (const next of [ok, backend.sasl('SCRAM-SHA-256'), backend.saslFinal('v=x')]) {
      expect(await outcomeOf(login([bytesOf(backend.sasl('SCRAM-SHA-256'), next)]))).toThrow(
        'middle',
      );
    }
  });
});

describe('channel binding', () => {
  const { der: certificate } = makeCertificate('RSA-PSS with SHA-384');
  const endPoint = createHash('sha384').update(certificate).digest();
  const { der: hashless } = makeCertificate('Ed25519');
  const [only, both] = [['SCRAM-SHA-256'], ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']];
  const bound = { flag: 'p=tls-server-end-point', endPoint };
  const tls = { tlsMode: 'require', certificate } as const;

  /** After the answer to the request for TLS. */
  function afterTls(peer: Peer): Peer {
    if (typeof peer !== 'function') return [S, ...peer];
    let asked = false;
    return (heard) => {
      if (asked) return peer(heard);
      asked = true;
      return S;
    };
  }

  /** Which mechanism was chosen, from the first message of the exchange. */
  function mechanismOf({ sent }: Rehearsal<unknown>): string | undefined {
    const text = sent.map((bytes) => Buffer.from(bytes).toString('latin1'));
    return text.map((one) => /SCRAM-SHA-256(?:-PLUS)?/.exec(one)?.[0]).find(Boolean);
  }

  test('PG-100: is used where it is offered and there is something to bind to', async () => {
    for (const channelBinding of ['prefer', 'require'] as const) {
      const one = await login(afterTls(scramServer(bound, both)), { ...tls, channelBinding });
      expect(mechanismOf(one)).toBe('SCRAM-SHA-256-PLUS');
      expect(one.result.pid).toBe(4711);
    }
  });

  test('PG-101: a database that does not offer it hears that we could', async () => {
    const one = await login(afterTls(scramServer({ flag: 'y' }, only)), tls);
    expect(mechanismOf(one)).toBe('SCRAM-SHA-256');
  });

  test('where it cannot be, or is not wanted: a plain login that claims nothing', async () => {
    for (const setting of [
      { tlsMode: 'require', certificate: hashless },
      { ...tls, channelBinding: 'disable' },
    ] as const) {
      for (const mechanisms of [only, both]) {
        const one = await login(afterTls(scramServer({ flag: 'n' }, mechanisms)), setting);
        expect(mechanismOf(one)).toBe('SCRAM-SHA-256');
      }
    }
    const plain = await login(scramServer({ flag: 'n' }, both), { channelBinding: 'disable' });
    expect(plain.result.pid).toBe(4711);
  });

  test('PG-101: that is offered without TLS: somebody has taken TLS off', async () => {
    const { detail } = await refusal([backend.sasl(...both)]);
    expect(detail).toContain('offers SCRAM-SHA-256-PLUS on a connection without TLS');
  });

  test('that is required and cannot be had: nothing of the password is sent', async () => {
    const required = { ...tls, channelBinding: 'require' } as const;
    const encrypted = (...said: readonly Uint8Array[]) => [S, ...said];
    for (const [said, setting, why] of [
      [[N], { ...required, tlsMode: 'prefer' }, 'it offers no TLS'],
      [[], { ...required, tlsMode: 'disable' }, 'it offers no TLS'],
      [encrypted(backend.sasl(...only)), required, 'it does not offer SCRAM-SHA-256-PLUS'],
      [
        encrypted(backend.sasl(...both)),
        { ...required, certificate: hashless },
        'its certificate has no hash',
      ],
      [encrypted(backend.cleartextPassword()), required, 'it does not offer SCRAM'],
      [encrypted(backend.md5Password(key)), required, 'it does not offer SCRAM'],
      [encrypted(bytesOf(ok, welcome)), required, 'it does not offer SCRAM'],
    ] as const) {
      const sent: Uint8Array[] = [];
      expect(await refusal(said, { ...setting, sent })).toEqual({
        ...{ name: 'databaseRefused', refusal: 'later' },
        detail: `the login at the database cannot be bound to its TLS connection: ${why}`,
      });
      expect(sent.filter((bytes) => bytes[0] !== 0)).toEqual([]);
    }
  });

  test('of a database that says nothing new after it has been proved', async () => {
    const refusing = scramServer({ ...bound, final: () => [error({ C: '28000', M: 'no' })] }, both);
    expect((await refusal(afterTls(refusing), tls)).refusal).toBe('credentials');
  });
});

describe('the version of the protocol', () => {
  const refusals = {
    'before PostgreSQL 9.3': error({
      C: '0A000',
      M: 'unsupported frontend protocol 3.2: server supports 1.0 to 3.0',
    }),
    'an old pooler': error({ C: '08P01', M: 'bad packet header' }),
    'without a code that fits': error({ C: 'XX000', M: 'unknown protocol version 196610' }),
  };

  test.each(Object.entries(refusals))('PG-26: %s: 3.0 the next time', async (_, said) => {
    const lessons = new Set<string>();
    const fault = await refusal([said], { lessons });
    expect([fault.name, fault.refusal, lessons.size]).toEqual(['databaseRefused', 'again', 1]);
    const { result, sent } = await login([bytesOf(ok, welcome)], { lessons });
    expect([result.pid, minorAsked(sent), lessons.size]).toEqual([4711, 0, 1]);
  });

  test('PG-26: a database that closes without a word: 3.0 the next time', async () => {
    const lessons = new Set<string>();
    expect((await refusal([], { lessons })).refusal).toBe('again');
    expect(minorAsked((await login([bytesOf(ok, welcome)], { lessons })).sent)).toBe(0);
    // It was not that, then.
    expect(await outcomeOf(login([], { lessons }))).toThrow(PeerClosed);
    expect(minorAsked((await login([bytesOf(ok, welcome)], { lessons })).sent)).toBe(2);
  });

  test('PG-119: that turns out not to be the matter: the error goes to the client as ever', async () => {
    const lessons = new Set<string>();
    const said = error({ C: '0A000', M: 'no replication here' });
    expect((await refusal([said], { lessons })).refusal).toBe('again');
    const { refusal: kind, original } = await refusal([said], { lessons });
    expect([kind, original !== undefined, lessons.size]).toEqual(['final', true, 0]);
  });

  test('has nothing to do with other errors, nor with any after the first request', async () => {
    const lessons = new Set<string>();
    const late = error({ C: '08P01', M: 'protocol' });
    await refusal([error({ C: '53300', M: 'too many' })], { lessons });
    await refusal([bytesOf(ok, late)], { lessons });
    await refusal(scramServer({ final: () => [late] }), { lessons });
    expect(await outcomeOf(login([backend.sasl('SCRAM-SHA-256')], { lessons }))).toThrow(
      PeerClosed,
    );
    expect(lessons.size).toBe(0);
  });

  test('PG-26: is negotiated once, before all else, to what there is', async () => {
    const negotiation = (version: number, ...options: readonly string[]): Uint8Array =>
      message('v', i32(version), i32(options.length), ...options.map((name) => `${name}\0`));
    const { result } = await login([bytesOf(negotiation(0), ok, welcome)]); // as it is documented
    expect(result.pid).toBe(4711);
    for (const nonsense of [
      negotiation(0x30002),
      negotiation(0x30001),
      negotiation(0x30003),
      negotiation(0x30000, '_pq_.x'),
      bytesOf(onlyZero, onlyZero),
      bytesOf(backend.sasl('SCRAM-SHA-256'), onlyZero),
      bytesOf(ok, onlyZero),
    ]) {
      expect(await outcomeOf(login([bytesOf(nonsense, ok, welcome)]))).toThrow(Violation);
    }
    const lessons = new Set<string>();
    await refusal([], { lessons });
    expect(await outcomeOf(login([bytesOf(onlyZero, ok, welcome)], { lessons }))).toThrow(
      Violation,
    );
  });
});

describe('a refusal', () => {
  const codes = {
    credentials: ['28P01', '28000'],
    final: ['3D000', '42501', '0A000', '22023'],
    later: ['53300', '57P03', '57P01', '08006', '58030', 'XX000'],
  } as const;

  test('PG-119: says whether it is the credentials, final, or only for now', async () => {
    for (const [kind, list] of Object.entries(codes)) {
      for (const code of list) {
        for (const before of [[], [ok]]) {
          const lessons = new Set<string>();
          const said = [...before, error({ C: code, M: 'no' })];
          let fault = await refusal(said, { lessons });
          if (fault.refusal === 'again') fault = await refusal(said, { lessons });
          expect([fault.name, fault.refusal as string]).toEqual(['databaseRefused', kind]);
          expect(fault.detail).toBe(`no (${code})`);
          expect(fault.original !== undefined).toBe(kind === 'final');
        }
      }
    }
  });

  test('PG-119: that is final goes to the client in the words of the database', async () => {
    const said = {
      C: '3D000',
      M: 'database "shop" does not exist',
      H: 'Make it.',
      F: 'postinit.c',
    };
    const { original } = await refusal([error(said)]);
    expect(transcript(parseMessages(original ?? key))).toEqual([
      'E FATAL 3D000 database "shop" does not exist H=Make it.',
    ]);
  });

  test('PG-17: without a code, without anything', async () => {
    expect(await refusal([error({ M: 'go away' })])).toEqual({
      name: 'databaseRefused',
      refusal: 'later',
      detail: 'go away',
    });
    const nothing = await refusal([message('E', 0)]);
    expect(nothing).toMatchObject({ refusal: 'later', detail: 'the database gave no reason' });
    expect(await outcomeOf(login([message('E')]))).toThrow(Violation);
  });

  test('of the password, after SCRAM', async () => {
    const fault = await refusal(scramServer({ final: () => [error({ C: '28P01', M: 'no' })] }));
    expect([fault.refusal, fault.original]).toEqual(['credentials', undefined]);
  });
});
