import { describe, expect, test } from 'bun:test';
import { createHash, createHmac } from 'node:crypto';
import { Signer } from '@aws-sdk/rds-signer';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { looksLikeIamToken, verifyIamToken } from './iam-token.ts';
import type { TokenCheck } from './iam-token.ts';
import type { AccessKey } from './signing.ts';

const host = 'sluice.proxy-abc.eu-west-1.rds.amazonaws.com';
const region = 'eu-west-1';
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const sessionToken = 'IQoJb3JpZ2luX2VjE+//=='.repeat(30);
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

const lasting: AccessKey = { secretAccessKey: new SecretText(secretAccessKey) };
const temporary: AccessKey = { ...lasting, sessionToken: new SecretText(sessionToken) };
const keys: Record<string, AccessKey> = { AKIDLASTING: lasting, ASIATEMPORARY: temporary };

type Options = Partial<Omit<TokenCheck, 'token'>>;

/** Verifies, and sees to it that a refusal gives a reason and gives nothing of the token away. */
async function judge(token: string, options: Options = {}) {
  const verdict = await verifyIamToken({
    token: new SecretText(token),
    user: 'app',
    endpoints: { hosts: ['other.example.com', host], port: 5432 },
    region,
    nowMs: NOW,
    findKey: (id) => keys[id],
    ...options,
  });
  if (verdict.ok) return verdict;
  expect(verdict.why).not.toBe('');
  const signature = /X-Amz-Signature=([^&]+)/.exec(token)?.[1];
  for (const secret of [signature, secretAccessKey, sessionToken, token]) {
    if (secret !== undefined && secret.length > 3) expect(verdict.why).not.toContain(secret);
  }
  return verdict;
}

async function why(token: string, options: Options = {}): Promise<string> {
  const verdict = await judge(token, options);
  return verdict.ok ? 'let in' : verdict.why;
}

/** Signature Version 4 done by hand, from its description: something to hold ours against. */
function sign(
  changes: {
    readonly parameters?: Record<string, string>;
    readonly authority?: string;
    readonly signedHost?: string;
    readonly path?: string;
    readonly secret?: string;
  } = {},
): string {
  const parameters: Record<string, string> = {
    Action: 'connect',
    DBUser: 'app',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': 'AKIDLASTING/20260102/eu-west-1/rds-db/aws4_request',
    'X-Amz-Date': '20260102T030405Z',
    'X-Amz-Expires': '900',
    'X-Amz-SignedHeaders': 'host',
    ...changes.parameters,
  };
  const encode = (text: string) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  const query = Object.entries(parameters)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const authority = changes.authority ?? `${host}:5432`;
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest();
  const [, ...scope] = (parameters['X-Amz-Credential'] ?? '').split('/');
  const headers = `host:${changes.signedHost ?? authority}\n\nhost`;
  const request = `GET\n/\n${query}\n${headers}\n${sha256('')}`;
  const date = parameters['X-Amz-Date'];
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope.join('/')}\n${sha256(request)}`;
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${changes.secret ?? secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  return `${authority}${changes.path ?? '/'}?${query}&X-Amz-Signature=${signature}`;
}

const edit = (parameters: Record<string, string>) => sign({ parameters });

describe('published tokens', () => {
  const published = [
    {
      of: 'the AWS CLI',
      accessKeyId: 'access_key',
      secret: 'secret_key',
      endpoint: 'host.us-east-1.amazonaws.com',
      user: 'mySQLUser',
      signature: '87ab58107ef49f1c311a412f98b7f976b0b5152ffb559f0d36c6c9a0c5e0e362',
    },
    {
      of: 'botocore',
      accessKeyId: 'akid',
      secret: 'skid',
      endpoint: 'prod-instance.us-east-1.rds.amazonaws.com',
      user: 'someusername',
      signature: 'd1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61',
    },
  ];
  for (const { of, accessKeyId, secret, endpoint, user, signature } of published) {
    test(`that of ${of} is let in`, async () => {
      const token =
        `${endpoint}:3306/?Action=connect&DBUser=${user}&X-Amz-Algorithm=AWS4-HMAC-SHA256` +
        `&X-Amz-Credential=${accessKeyId}%2F20161107%2Fus-east-1%2Frds-db%2Faws4_request` +
        '&X-Amz-Date=20161107T173933Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host' +
        `&X-Amz-Signature=${signature}`;
      const options: Options = {
        user,
        endpoints: { hosts: [endpoint], port: 3306 },
        region: 'us-east-1',
        nowMs: Date.UTC(2016, 10, 7, 17, 45),
        findKey: (id) =>
          id === accessKeyId ? { secretAccessKey: new SecretText(secret) } : undefined,
      };
      expect(await judge(token, options)).toEqual({ ok: true, accessKeyId });
      const forged = token.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      expect(await why(forged, options)).toContain('signature');
    });
  }
});

describe('tokens of the AWS SDK', () => {
  const sdkToken = (
    accessKeyId: string,
    changes: { user?: string; hostname?: string; port?: number } = {},
  ) =>
    new Signer({
      hostname: changes.hostname ?? host,
      port: changes.port ?? 5432,
      username: changes.user ?? 'app',
      region,
      credentials: {
        accessKeyId,
        secretAccessKey,
        ...(accessKeyId === 'ASIATEMPORARY' && { sessionToken }),
      },
    }).getAuthToken();

  /** When the SDK, which asks the system clock, signed. */
  const dateOf = (token: string): number => {
    const digits = /X-Amz-Date=(\d{8}T\d{6})Z/.exec(token)?.[1] ?? '';
    return Date.parse(digits.replace(/(....)(..)(..)T(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z'));
  };
  const shuffled = (token: string, seed: number): string => {
    const random = seededRandom(seed);
    const [start, query = ''] = token.split('?');
    const pairs = query.split('&').map((pair) => ({ pair, at: random.fraction() }));
    return `${start}?${pairs
      .toSorted((a, b) => a.at - b.at)
      .map(({ pair }) => pair)
      .join('&')}`;
  };

  for (const accessKeyId of Object.keys(keys)) {
    test(`with ${accessKeyId} are let in, in any order of parameters`, async () => {
      const token = await sdkToken(accessKeyId);
      const nowMs = dateOf(token);
      expect(await judge(token, { nowMs })).toEqual({ ok: true, accessKeyId });
      for (let seed = 0; seed < 20; seed += 1) {
        expect(await judge(shuffled(token, seed), { nowMs })).toEqual({ ok: true, accessKeyId });
      }
    });

    test(`with ${accessKeyId} are refused when cut or edited anywhere`, async () => {
      const token = await sdkToken(accessKeyId);
      const nowMs = dateOf(token);
      const parameters = token.indexOf('?');
      const sessionTokenAt = token.indexOf('X-Amz-Security-Token=') + 40;
      for (let at = 0; at < token.length; at += 1) {
        // The middle of a session token is like the rest of it.
        if (accessKeyId === 'ASIATEMPORARY' && at > sessionTokenAt && at < sessionTokenAt + 700)
          continue;
        expect((await judge(token.slice(0, at), { nowMs })).ok).toBe(false);
        const other = token[at] === 'x' ? 'y' : 'x';
        expect((await judge(token.slice(0, at) + other + token.slice(at + 1), { nowMs })).ok).toBe(
          false,
        );
      }
      for (const pair of token.slice(parameters + 1).split('&')) {
        expect((await judge(token.replace(pair, ''), { nowMs })).ok).toBe(false);
        expect(
          (await judge(token.replace(`&${pair}`, '').replace(`?${pair}&`, '?'), { nowMs })).ok,
        ).toBe(false);
        expect(await why(`${token}&${pair}`, { nowMs })).toContain('twice');
        expect(await why(`${token}&${pair.toLowerCase()}`, { nowMs })).toContain('twice');
      }
    });
  }

  test('for names that need encoding, and hosts in capitals', async () => {
    for (const user of ["a b/c+d&e=f%'(!)*~", 'jürgen', '用户', '😀', '__proto__']) {
      const token = await sdkToken('AKIDLASTING', { user });
      expect((await judge(token, { user, nowMs: dateOf(token) })).ok).toBe(true);
    }
    const token = await sdkToken('AKIDLASTING', { hostname: host.toUpperCase() });
    expect((await judge(token, { nowMs: dateOf(token) })).ok).toBe(true);
    const local = await sdkToken('AKIDLASTING', { hostname: '::1', port: 443 });
    const endpoints = { hosts: ['::1'], port: 443 };
    expect((await judge(local, { endpoints, nowMs: dateOf(local) })).ok).toBe(true);
  });
});

describe('tokens of other SDKs', () => {
  test('without the slash, as those of Go and Kotlin', async () => {
    expect((await judge(sign({ path: '' }))).ok).toBe(true);
  });

  test('with the host signed in lower case, as those of Python', async () => {
    const authority = `${host.toUpperCase()}:5432`;
    expect((await judge(sign({ authority, signedHost: authority.toLowerCase() }))).ok).toBe(true);
  });

  test('with the port of HTTPS left out of the signature, or altogether', async () => {
    const endpoints = { hosts: [host], port: 443 };
    expect((await judge(sign({ authority: `${host}:443` }), { endpoints })).ok).toBe(true);
    expect(
      (await judge(sign({ authority: `${host}:443`, signedHost: host }), { endpoints })).ok,
    ).toBe(true);
    expect((await judge(sign({ authority: host }), { endpoints })).ok).toBe(true);
    expect(await why(sign({ authority: host }))).toContain('port');
    expect(await why(sign({ signedHost: host }))).toContain('signature');
  });

  test('with another parameter, if it is signed', async () => {
    const token = edit({ 'X-Amz-User-Agent': 'some sdk/1.0' });
    expect((await judge(token)).ok).toBe(true);
    expect(await why(token.replace('1.0', '1.1'))).toContain('signature');
    expect(await why(`${sign()}&X-Other=1`)).toContain('signature');
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'x-amz-signature']) {
      expect((await judge(`${sign()}&${name}=1`)).ok).toBe(false);
    }
  });
});

describe('a well-signed token is refused', () => {
  const cases: readonly (readonly [what: string, token: string, why: string, options?: Options])[] =
    [
      ['for another action', edit({ Action: 'Connect' }), 'Action'],
      ['for another user', edit({ DBUser: 'admin' }), 'another database user'],
      ['for the user in other letters', edit({ DBUser: 'App' }), 'another database user'],
      [
        'for another host',
        sign({ authority: 'evil.example.com:5432' }),
        `another host than other.example.com, ${host}`,
      ],
      [
        'for a host that only starts like ours',
        sign({ authority: `${host}.evil.com:5432` }),
        'another host',
      ],
      ['for another port', sign({ authority: `${host}:5433` }), 'another port than 5432'],
      ['for a port written otherwise', sign({ authority: `${host}:x5432` }), 'another host'],
      [
        'with another algorithm',
        edit({ 'X-Amz-Algorithm': 'AWS4-ECDSA-P256-SHA256' }),
        'algorithm',
      ],
      ['with more headers', edit({ 'X-Amz-SignedHeaders': 'host;x-amz-date' }), 'headers'],
      [
        'for another region',
        edit({ 'X-Amz-Credential': 'AKIDLASTING/20260102/us-east-1/rds-db/aws4_request' }),
        'another region than eu-west-1',
      ],
      [
        'for another service',
        edit({ 'X-Amz-Credential': 'AKIDLASTING/20260102/eu-west-1/s3/aws4_request' }),
        'service',
      ],
      [
        'for another protocol',
        edit({ 'X-Amz-Credential': 'AKIDLASTING/20260102/eu-west-1/rds-db/aws3' }),
        'service',
      ],
      [
        'with a longer scope',
        edit({ 'X-Amz-Credential': 'AKIDLASTING/20260102/eu-west-1/rds-db/aws4_request/x' }),
        'X-Amz-Credential',
      ],
      [
        'with a scope of another day',
        edit({ 'X-Amz-Credential': 'AKIDLASTING/20260103/eu-west-1/rds-db/aws4_request' }),
        'different days',
      ],
      ['with another secret', sign({ secret: 'guess' }), 'signature'],
      [
        'with an unknown key',
        edit({ 'X-Amz-Credential': 'AKIDNOBODY/20260102/eu-west-1/rds-db/aws4_request' }),
        'access key is unknown',
      ],
      ['for too long', edit({ 'X-Amz-Expires': '901' }), 'longer than 900 seconds'],
      ['for no time', edit({ 'X-Amz-Expires': '0' }), 'X-Amz-Expires'],
      ['for a time written otherwise', edit({ 'X-Amz-Expires': '0900' }), 'X-Amz-Expires'],
      ['on a day that is none', edit({ 'X-Amz-Date': '20260230T030405Z' }), 'X-Amz-Date'],
      ['at an hour that is none', edit({ 'X-Amz-Date': '20260102T240000Z' }), 'X-Amz-Date'],
      [
        'with a date in another format',
        edit({ 'X-Amz-Date': '2026-01-02T03:04:05.000Z' }),
        'X-Amz-Date',
      ],
      [
        'with a session token that is not ours',
        edit({ 'X-Amz-Security-Token': 'x' }),
        'session token',
      ],
      [
        'without the session token that its key has',
        edit({ 'X-Amz-Credential': 'ASIATEMPORARY/20260102/eu-west-1/rds-db/aws4_request' }),
        'session token',
      ],
      ['with its scheme', `https://${sign()}`, 'form'],
      ['with another path', sign({ path: '/x' }), 'form'],
      ['where no host is ours', sign(), 'another host', { endpoints: { hosts: [], port: 5432 } }],
    ];
  for (const [what, token, reason, options] of cases) {
    test(what, async () => {
      expect(await why(token, options)).toContain(reason);
    });
  }

  test('with a session token that differs', async () => {
    const parameters = {
      'X-Amz-Credential': 'ASIATEMPORARY/20260102/eu-west-1/rds-db/aws4_request',
      'X-Amz-Security-Token': sessionToken,
    };
    expect((await judge(edit(parameters))).ok).toBe(true);
    const other = { ...parameters, 'X-Amz-Security-Token': `${sessionToken}x` };
    expect(await why(edit(other))).toContain('session token');
  });

  test('outside its time', async () => {
    const at = (seconds: number, skewMs?: number) =>
      why(sign(), { nowMs: NOW + seconds * 1000, ...(skewMs !== undefined && { skewMs }) });
    expect(await at(0)).toBe('let in');
    expect(await at(900)).toBe('let in');
    expect(await at(901)).toContain('expired 1 seconds ago');
    expect(await at(86_400)).toContain('expired');
    expect(await at(-300)).toBe('let in');
    expect(await at(-301)).toContain('301 seconds in the future');
    expect(await at(-1, 0)).toContain('future');
    expect(await at(-60, 60_000)).toBe('let in');
    expect(await why(edit({ 'X-Amz-Expires': '60' }), { nowMs: NOW + 61_000 })).toContain(
      'expired',
    );
  });
});

const plain = (token: string) => decodeURIComponent(token).toLowerCase().replace('/?', '?');

describe('what is no token gets a reason and never an exception', () => {
  const garbage: readonly (readonly [what: string, token: string])[] = [
    ['nothing', ''],
    ['a password', 'correct horse battery staple'],
    ['a password with a question mark', 'what?'],
    ['an empty query', `${host}:5432/?`],
    ['ampersands', `${host}:5432/?${'&'.repeat(60_000)}`],
    ['broken encoding', `${host}:5432/?Action=%`],
    ['encoding of what is not UTF-8', `${host}:5432/?Action=%ff`],
    ['a parameter without a value', `${host}:5432/?Action`],
    ['a lone surrogate', sign().replace('app', '\ud800')],
    ['a line break', sign().replace('app', 'a\npp')],
    ['PG-20: 60 kB of one letter', 'x'.repeat(60_000)],
    ['PG-20: 60 kB of colons', `${':'.repeat(60_000)}?a=b`],
    [
      'PG-20: 60 kB of parameters',
      `${host}:5432/?${Array.from({ length: 6_000 }, (_, i) => `p${i}=${i}`).join('&')}`,
    ],
    ['PG-20: 60 kB behind a good token', `${sign()}&X-Long=${'x'.repeat(60_000)}`],
    ['more than a password message may hold', `${sign()}&X-Long=${'x'.repeat(70_000)}`],
  ];
  for (const [what, token] of garbage) {
    test(what, async () => {
      expect((await judge(token)).ok).toBe(false);
    });
  }

  test('arbitrary text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (token) => {
        expect((await judge(token)).ok).toBe(false);
      }),
    );
  });

  test('arbitrary bytes, and arbitrary bytes within a good token', async () => {
    const token = sign();
    const place = fc.nat({ max: token.length });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), place, place, async (bytes, from, to) => {
        const noise = Buffer.from(bytes).toString('latin1');
        expect((await judge(noise)).ok).toBe(false);
        const changed = token.slice(0, from) + noise + token.slice(to);
        // Only what means the same may be let in: a host in capitals, other encoding, no slash.
        if ((await judge(changed)).ok) expect(plain(changed)).toBe(plain(token));
      }),
      { numRuns: 500 },
    );
  });
});

test('a token can be told from a password', () => {
  expect(looksLikeIamToken(sign())).toBe(true);
  expect(looksLikeIamToken(sign().slice(0, 200))).toBe(true);
  for (const password of [
    '',
    'secret',
    'Action=connect',
    'a?Action=connecting&X-Amz-Credential=',
  ]) {
    expect(looksLikeIamToken(password)).toBe(false);
  }
});
