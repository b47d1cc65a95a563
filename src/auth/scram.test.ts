import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Violation } from '../base/assert.ts';
import { utf8, text } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { seededRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { SaltedPasswords } from './salted-passwords.ts';
import {
  makeClientFinal,
  makeClientFirst,
  makeServerFirst,
  makeVerifier,
  mockVerifier,
  readClientFinal,
  readClientFirst,
  readServerFinal,
  readServerFirst,
  SCRAM,
  SCRAM_PLUS,
} from './scram.ts';
import type { ClientBinding, ClientFirst } from './scram.ts';

const ITERATIONS = 2;
const salt = seededRandom(1).bytes(16);
const derived = new SaltedPasswords();
const channel = Uint8Array.from({ length: 32 }, (_, at) => at);
const derive = (password: string) => derived.derive(new SecretText(password), salt, ITERATIONS);

/** A whole exchange between our two sides, up to the point where one refuses. */
async function exchange(options: {
  clientHas: string;
  serverHas: readonly string[];
  seed: number;
  /** What the client binds to, and what the server has to bind to. */
  bindings?: readonly [ClientBinding, Uint8Array | undefined];
}) {
  const random = seededRandom(options.seed);
  const [client, server] = options.bindings ?? ['none', undefined];
  const sent = makeClientFirst(random.bytes(18), client);
  const mechanism = typeof client === 'string' ? SCRAM : SCRAM_PLUS;
  const read = readClientFirst(sent.message, mechanism, server);
  if (!read.ok) throw new Error(read.why);
  const challenge = makeServerFirst(read.first, salt, random.bytes(18), ITERATIONS);
  const challenged = readServerFirst(sent, challenge.message);
  const final = makeClientFinal(challenged, await derive(options.clientHas));
  const verifiers = (await Promise.all(options.serverHas.map(derive))).map(makeVerifier);
  const outcome = readClientFinal(challenge, final.message, verifiers);
  return { sent, challenge, challenged, final, verifiers, outcome };
}

/** How a parser took a message: anything thrown but a Violation fails the test. */
function settle(work: () => { readonly ok: boolean } | object): 'fine' | 'refused' | 'violation' {
  try {
    const outcome = work();
    return 'ok' in outcome && !outcome.ok ? 'refused' : 'fine';
  } catch (error) {
    expect(error).toBeInstanceOf(Violation);
    return 'violation';
  }
}

const eachCut = (message: Uint8Array) =>
  Array.from(message, (_, length) => message.slice(0, length));

/** Another byte in each place in turn. */
const eachEdit = (message: Uint8Array) =>
  Array.from(message, (byte, at) => message.with(at, byte === 0x41 ? 0x42 : 0x41));

describe("RFC 7677's example", () => {
  const bare = 'n=user,r=rOprNGfwEbeRWgbNEkqO';
  const first: ClientFirst = {
    message: utf8(`n,,${bare}`),
    bound: utf8('n,,'),
    bare,
    nonce: 'rOprNGfwEbeRWgbNEkqO',
  };
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const challenge = readServerFirst(first, utf8(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`));
  const clientFinal = utf8(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`);
  const serverFinal = utf8('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  const pencil = () =>
    derived.derive(new SecretText('pencil'), challenge.salt, challenge.iterations);

  test('is what our client says', async () => {
    const final = makeClientFinal(challenge, await pencil());
    expect(text(final.message)).toBe(text(clientFinal));
    expect(readServerFinal(final, serverFinal)).toEqual({ ok: true });
  });

  test('is what our server says', async () => {
    const read = readClientFirst(first.message, SCRAM, undefined);
    if (!read.ok) throw new Error(read.why);
    expect({ ...read.first, bound: text(read.first.bound) }).toEqual({ ...first, bound: 'n,,' });
    const outcome = readClientFinal(challenge, clientFinal, [makeVerifier(await pencil())]);
    expect(outcome.ok && text(outcome.message)).toBe(text(serverFinal));
  });

  // The same with other headers, as another implementation computed it.
  test.each([
    [
      'bound to a channel',
      channel,
      'c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
      'nY1Wus9a+gM2DrbQ1msXFgyhW6KM5ktOxWiU+/P/EGY=',
      'RwppMGddhz/J0lFYaRReBjXcQeNUFP5Qc76Lo5Exrig=',
    ],
    [
      'by a client that could have bound it',
      'notOffered',
      'c=eSws',
      'FoqiHTtQEDE8lz1CdaEe3tK4mS+iMDTl77SPyDS53DY=',
      'dI4KpiQJwBr1+V+K6U1dA6l6I4I9DUNXWND4pcpRU3U=',
    ],
  ] as const)('%s', async (_, binding, c, proof, signature) => {
    const { bound } = makeClientFirst(new Uint8Array(18), binding);
    const bindable = { ...challenge, bound };
    const final = makeClientFinal(bindable, await pencil());
    expect(text(final.message)).toBe(`${c},r=${nonce},p=${proof}`);
    expect(readServerFinal(final, utf8(`v=${signature}`))).toEqual({ ok: true });
    const outcome = readClientFinal(bindable, final.message, [makeVerifier(await pencil())]);
    expect(outcome.ok && text(outcome.message)).toBe(`v=${signature}`);
  });
});

const WRONG = { ok: false, about: 'proof', why: 'the password is wrong' } as const;

describe('both sides against each other', () => {
  test('a password gets in, another does not', async () => {
    const password = fc.string({ unit: 'grapheme', maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(password, password, fc.nat(), async (clientHas, other, seed) => {
        const { final, outcome } = await exchange({ clientHas, serverHas: [clientHas], seed });
        if (!outcome.ok) throw new Error(outcome.why);
        expect(readServerFinal(final, outcome.message)).toEqual({ ok: true });

        fc.pre((await derive(other)) !== (await derive(clientHas)));
        const wrong = await exchange({ clientHas: other, serverHas: [clientHas], seed });
        expect(wrong.outcome).toEqual(WRONG);
      }),
    );
  });

  test('any of several passwords gets in, and the server proves that one', async () => {
    for (const clientHas of ['old', 'new']) {
      const { final, outcome } = await exchange({ clientHas, serverHas: ['old', 'new'], seed: 3 });
      if (!outcome.ok) throw new Error(outcome.why);
      expect(readServerFinal(final, outcome.message)).toEqual({ ok: true });
    }
    expect((await exchange({ clientHas: 'x', serverHas: [], seed: 3 })).outcome.ok).toBe(false);
  });

  test('PG-103: an unknown user meets the same words as a wrong password', async () => {
    const random = seededRandom(4);
    const { challenge, final, outcome } = await exchange({
      clientHas: 'a',
      serverHas: ['b'],
      seed: 4,
    });
    const mock = mockVerifier({ random: (count) => random.bytes(count) });
    expect(readClientFinal(challenge, final.message, [mock])).toEqual(outcome);
    expect(mock.storedKey).toHaveLength(32);
    expect(mock.serverKey).toHaveLength(32);
  });

  test('PG-100: the channel must be the same on both sides, whatever the password', async () => {
    const hash = fc.uint8Array({ minLength: 28, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(hash, hash, fc.nat(), async (ours, other, seed) => {
        fc.pre(Buffer.compare(ours, other) !== 0);
        const same = await exchange({
          ...{ clientHas: 'a', serverHas: ['a'], seed },
          bindings: [ours, Uint8Array.from(ours)],
        });
        if (!same.outcome.ok) throw new Error(same.outcome.why);
        expect(readServerFinal(same.final, same.outcome.message)).toEqual({ ok: true });
        for (const serverHas of [['a'], ['b'], []]) {
          const { outcome } = await exchange({
            ...{ clientHas: 'a', serverHas, seed },
            bindings: [ours, other],
          });
          expect(outcome).toEqual({
            ...{ ok: false, about: 'binding' },
            why: 'the client is bound to another channel',
          });
        }
      }),
    );
  });

  test.each([
    ['without', 'none', undefined],
    ['with', channel, channel],
  ] as const)(
    '%s a channel every byte counts, and none may be missing',
    async (_, said, endPoint) => {
      const { sent, challenge, final, verifiers, outcome } = await exchange({
        ...{ clientHas: 'pencil', serverHas: ['pencil'], seed: 5 },
        bindings: [said, endPoint],
      });
      const mechanism = endPoint === undefined ? SCRAM : SCRAM_PLUS;
      if (!outcome.ok) throw new Error(outcome.why);
      const server = (message: Uint8Array) =>
        settle(() => readClientFinal(challenge, message, verifiers));
      const client = (message: Uint8Array) => settle(() => readServerFinal(final, message));
      expect(server(final.message)).toBe('fine');
      expect(client(outcome.message)).toBe('fine');
      for (const message of [...eachCut(final.message), ...eachEdit(final.message)]) {
        expect(server(message)).not.toBe('fine');
      }
      for (const message of [...eachCut(outcome.message), ...eachEdit(outcome.message)]) {
        expect(client(message)).not.toBe('fine');
      }
      const salted = await derive('pencil');
      for (const message of [...eachCut(challenge.message), ...eachEdit(challenge.message)]) {
        const how = settle(() => {
          const misled = makeClientFinal(readServerFirst(sent, message), salted);
          return readClientFinal(challenge, misled.message, verifiers);
        });
        expect(how).not.toBe('fine');
      }
      for (const message of [...eachCut(sent.message), ...eachEdit(sent.message)]) {
        const how = settle(() => {
          const read = readClientFirst(message, mechanism, endPoint);
          if (!read.ok) return read;
          const other = makeServerFirst(read.first, salt, new Uint8Array(18), ITERATIONS);
          return readClientFinal(other, final.message, verifiers);
        });
        expect(how).not.toBe('fine');
      }
    },
  );

  test('PG-16: arbitrary bytes are refused or a violation, nothing else', async () => {
    const { sent, challenge, final, verifiers } = await exchange({
      clientHas: 'a',
      serverHas: ['a'],
      seed: 6,
    });
    const piece = fc.constantFrom(
      'n',
      'y',
      'p',
      'r',
      's',
      'i',
      'v',
      'c',
      'm',
      '=',
      ',',
      'biws',
      'QQ==',
      '1',
      sent.nonce,
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(piece, { maxLength: 20 }).map((pieces) => utf8(pieces.join(''))),
    );
    fc.assert(
      fc.property(bytes, (message) => {
        settle(() => readClientFirst(message, SCRAM, undefined));
        settle(() => readClientFirst(message, SCRAM, channel));
        settle(() => readClientFirst(message, SCRAM_PLUS, channel));
        settle(() => readServerFirst(sent, message));
        expect(settle(() => readClientFinal(challenge, message, verifiers))).not.toBe('fine');
        expect(settle(() => readServerFinal(final, message))).not.toBe('fine');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the client-first message', () => {
  const read = (message: string, endPoint?: Uint8Array) =>
    readClientFirst(utf8(message), SCRAM, endPoint);

  test('may come with any user name and with extensions', () => {
    for (const message of [
      'n,,n=,r=abc',
      'n,,n=us=2Cer,r=abc',
      'n,,n=ü,r=abc',
      'n,,n=,r=abc,x=1,y=2',
    ]) {
      const outcome = read(message);
      expect(outcome.ok && outcome.first.nonce).toBe('abc');
    }
  });

  test('a user name that is not UTF-8 is signed byte for byte', async () => {
    const bare = Buffer.from('n=\xff\xfe,r=abc', 'latin1');
    const outcome = readClientFirst(Buffer.concat([utf8('n,,'), bare]), SCRAM, undefined);
    if (!outcome.ok) throw new Error(outcome.why);
    expect(Buffer.from(outcome.first.bare, 'latin1')).toEqual(bare);
  });

  test('PG-100: says of channel binding what its mechanism does, and of no other type', () => {
    const plus = (message: string) => readClientFirst(utf8(message), SCRAM_PLUS, channel);
    for (const endPoint of [undefined, channel]) {
      expect(() => read('p=tls-server-end-point,,n=,r=abc', endPoint)).toThrow(Violation);
    }
    for (const flag of ['n', 'y']) {
      expect(() => plus(`${flag},,n=,r=abc`)).toThrow('sent no channel binding data');
    }
    for (const type of ['tls-unique', 'tls-exporter', 'tls-server-end-point2', 'x']) {
      expect(() => plus(`p=${type},,n=,r=abc`)).toThrow(
        `SCRAM: unsupported channel-binding type "${type}"`,
      );
    }
    expect(() => plus('p=,,n=,r=abc')).toThrow(Violation);
    const outcome = plus('p=tls-server-end-point,,n=,r=abc');
    expect(outcome.ok && Buffer.from(outcome.first.bound)).toEqual(
      Buffer.concat([utf8('p=tls-server-end-point,,'), channel]),
    );
  });

  test('PG-101: a client that did not see our offer of channel binding is refused', () => {
    expect(read('y,,n=,r=abc').ok).toBe(true);
    const outcome = read('y,,n=,r=abc', channel);
    expect(outcome).toMatchObject({ ok: false, about: 'offer' });
    expect(!outcome.ok && outcome.why).toContain('did not see the offer');
    expect(read('n,,n=,r=abc', channel).ok).toBe(true);
  });

  const malformed: readonly (readonly [what: string, message: string])[] = [
    ['empty', ''],
    ['no gs2 header', 'n=,r=abc'],
    ['another channel binding flag', 'x,,n=,r=abc'],
    ['an authorization identity', 'n,a=root,n=,r=abc'],
    ['a mandatory extension', 'n,,m=x,n=,r=abc'],
    ['no user name', 'n,,r=abc'],
    ['no nonce', 'n,,n='],
    ['an empty nonce', 'n,,n=,r='],
    ['a nonce with a space', 'n,,n=,r=a b'],
    ['a nonce that is not ASCII', 'n,,n=,r=ü'],
    ['a NUL', 'n,,n=\0,r=abc'],
    ['a trailing comma', 'n,,n=,r=abc,'],
  ];
  for (const [what, message] of malformed) {
    test(`is a violation with ${what}`, () => {
      expect(() => read(message)).toThrow(Violation);
    });
  }

  test('PG-106: a nonce and a message have limits', () => {
    const longest = limits.saslNonceBytes.value;
    expect(read(`n,,n=,r=${'x'.repeat(longest)}`).ok).toBe(true);
    expect(() => read(`n,,n=,r=${'x'.repeat(longest + 1)}`)).toThrow('nonce is too long');
    const room = limits.passwordMessageBytes.value - 'n,,n=,r=x'.length;
    expect(read(`n,,n=${'u'.repeat(room)},r=x`).ok).toBe(true);
    expect(() => read(`n,,n=${'u'.repeat(room + 1)},r=x`)).toThrow('message is too long');
  });
});

describe('the client-final message', () => {
  test('is a violation where it does not belong to the exchange', async () => {
    const { challenge, verifiers } = await exchange({ clientHas: 'a', serverHas: ['a'], seed: 7 });
    const proof = Buffer.alloc(32).toString('base64');
    const read = (message: string) => () => readClientFinal(challenge, utf8(message), verifiers);
    const { nonce } = challenge;
    expect(read(`c=biws,r=${nonce},p=${proof}`)()).toEqual(WRONG);
    expect(read(`c=biws,r=${nonce},x=ignored,p=${proof}`)().ok).toBe(false);
    expect(read(`c=eSws,r=${nonce},p=${proof}`)).toThrow('gs2 header');
    expect(read(`c=biws,r=${nonce}x,p=${proof}`)).toThrow('nonce');
    expect(read(`c=biws,r=${nonce}`)).toThrow('p is missing');
    expect(read(`c=biws,r=${nonce},p=${proof},x=1`)).toThrow('p is missing');
    expect(read(`c=biws,r=${nonce},p=AAAA`)).toThrow('wrong length');
    expect(read(`c=biws,r=${nonce},p=${proof.slice(0, -1)}`)).toThrow('base64');
    expect(read(`c=biws,r=${nonce},p=_${proof.slice(1)}`)).toThrow('base64');
    expect(read(`c=biws,r=${nonce},p=${proof.slice(0, 8)} ${proof.slice(8)}`)).toThrow('base64');
    expect(read(`c=biws,r=${nonce},p=${proof.slice(0, -2)}B=`)).toThrow('base64');
    expect(read(`m=1,c=biws,r=${nonce},p=${proof}`)).toThrow('unknown extension');
  });

  test('signs extensions too', async () => {
    const { challenge, final, verifiers } = await exchange({
      clientHas: 'a',
      serverHas: ['a'],
      seed: 8,
    });
    const extended = utf8(text(final.message).replace(',p=', ',x=1,p='));
    expect(readClientFinal(challenge, extended, verifiers).ok).toBe(false);
  });
});

describe('the server-first message', () => {
  const sent = makeClientFirst(Buffer.from('ours'), 'none');
  const read = (message: string) => readServerFirst(sent, utf8(message));
  const nonce = `${sent.nonce}theirs`;

  test('gives salt and iterations', () => {
    expect(read(`r=${nonce},s=QQ==,i=4096,x=ignored`)).toMatchObject({
      salt: utf8('A'),
      iterations: 4096,
    });
  });

  const hostile: readonly (readonly [what: string, message: string])[] = [
    ['a mandatory extension', `m=x,r=${nonce},s=QQ==,i=1`],
    ['our nonce alone', `r=${sent.nonce},s=QQ==,i=1`],
    ['a nonce that is not ours', 'r=theirs,s=QQ==,i=1'],
    ['PG-106: a long nonce', `r=${nonce}${'x'.repeat(limits.saslNonceBytes.value)},s=QQ==,i=1`],
    ['an empty salt', `r=${nonce},s=,i=1`],
    ['a salt that is not base64', `r=${nonce},s=Q,i=1`],
    ['no iterations', `r=${nonce},s=QQ==`],
    ['zero iterations', `r=${nonce},s=QQ==,i=0`],
    ['negative iterations', `r=${nonce},s=QQ==,i=-1`],
    ['iterations in another notation', `r=${nonce},s=QQ==,i=1e3`],
    ['too many iterations', `r=${nonce},s=QQ==,i=${limits.scramIterations.value + 1}`],
    [
      'PG-106: a long message',
      `r=${nonce},s=QQ==,i=1,x=${'x'.repeat(limits.passwordMessageBytes.value)}`,
    ],
  ];
  for (const [what, message] of hostile) {
    test(`is a violation with ${what}`, () => {
      expect(() => read(message)).toThrow(Violation);
    });
  }

  test('may ask for as many iterations as the limit says', () => {
    const most = limits.scramIterations.value;
    expect(read(`r=${nonce},s=QQ==,i=${most}`).iterations).toBe(most);
  });
});

describe('the server-final message', () => {
  test('is refused where it proves nothing', async () => {
    const { final } = await exchange({ clientHas: 'a', serverHas: ['a'], seed: 9 });
    const read = (message: string) => readServerFinal(final, utf8(message));
    const zeros = Buffer.alloc(32).toString('base64');
    expect(read(`v=${zeros}`)).toMatchObject({
      ok: false,
      about: 'proof',
      why: expect.stringContaining('did not prove'),
    });
    expect(read('e=invalid-proof')).toEqual({
      ...{ ok: false, about: 'proof' },
      why: 'the server refused: invalid-proof',
    });
    expect(read('e=\x1b[31m')).toEqual({
      ...{ ok: false, about: 'proof' },
      why: 'the server refused: in unknown words',
    });
    expect(() => read('v=')).toThrow(Violation);
    expect(() => read('')).toThrow(Violation);
  });
});
