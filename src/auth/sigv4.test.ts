import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { DescribeDBProxiesCommand, RDSClient } from '@aws-sdk/client-rds';
import { ListUsersCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import fc from 'fast-check';
import { signedHeaders } from '../../test/support/signed.ts';
import type { Plain } from '../../test/support/signed.ts';
import { SecretText } from '../base/secret-text.ts';
import { SeenSignatures } from './seen-signatures.ts';
import { readSignature, verifySignature } from './sigv4.ts';
import type { RequestHead, SignatureCheck, SigningKey } from './sigv4.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const DAY_MS = 86_400_000;
const region = 'eu-west-1';
const lasting = { accessKeyId: 'AKIDLASTING', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' };
const temporary = {
  accessKeyId: 'ASIATEMPORARY',
  secretAccessKey: 'bPxRfiCYEXAMPLEKEY',
  sessionToken: 'IQoJb3JpZ2luX2VjE+//=='.repeat(10),
};
const EXPIRES = NOW + DAY_MS;
const keys: ReadonlyMap<string, SigningKey> = new Map([
  [lasting.accessKeyId, { secretAccessKey: new SecretText(lasting.secretAccessKey) }],
  [
    temporary.accessKeyId,
    {
      secretAccessKey: new SecretText(temporary.secretAccessKey),
      sessionToken: new SecretText(temporary.sessionToken),
      expiresMs: EXPIRES,
    },
  ],
]);

interface Sent {
  readonly head: RequestHead;
  readonly body: Uint8Array;
}

type Options = Partial<
  Pick<SignatureCheck<SigningKey>, 'service' | 'regions' | 'nowMs' | 'findKey' | 'seen'>
>;

/** `let in`, or the kind of the refusal and why. */
async function judge({ head, body }: Sent, options: Options = {}): Promise<string> {
  const read = readSignature(head);
  const verdict = read.ok
    ? await verifySignature({
        head,
        signature: read.signature,
        body,
        service: 'rds',
        regions: [region],
        nowMs: NOW,
        findKey: (id) => keys.get(id),
        seen: new SeenSignatures(),
        ...options,
      })
    : read;
  if (verdict.ok) return 'let in';
  for (const { secretAccessKey } of [lasting, temporary])
    expect(verdict.why).not.toContain(secretAccessKey);
  expect(verdict.why).not.toContain(temporary.sessionToken);
  return `${verdict.kind}: ${verdict.why}`;
}

async function send(
  plain: Partial<Plain & { body: string }> = {},
  credentials = lasting,
): Promise<Sent> {
  const whole = { dateMs: NOW, body: 'Action=DescribeDBProxies', ...plain };
  const url = new URL(whole.target ?? '/', 'http://host');
  return {
    head: {
      method: whole.method ?? 'POST',
      path: url.pathname,
      query: url.search.slice(1),
      headers: new Map(Object.entries(await signedHeaders(whole, credentials))),
    },
    body: Buffer.from(whole.body),
  };
}

function withHeaders(sent: Sent, changes: Readonly<Record<string, string | undefined>>): Sent {
  const headers = new Map(sent.head.headers);
  for (const [name, value] of Object.entries(changes))
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  return { ...sent, head: { ...sent.head, headers } };
}

/** The request with part of its Authorization header replaced. */
function edited(sent: Sent, part: string | RegExp, by: string): Sent {
  const authorization = sent.head.headers.get('authorization') ?? '';
  const changed = authorization.replace(part, () => by);
  expect(changed).not.toBe(authorization);
  return withHeaders(sent, { authorization: changed });
}

describe('published signatures are right', () => {
  const published = [
    {
      of: "the guide's example",
      service: 'iam',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        host: 'iam.amazonaws.com',
      },
      query: 'Action=ListUsers&Version=2010-05-08',
      signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    },
    {
      of: 'get-vanilla',
      signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    },
    {
      of: 'get-vanilla-query-order-key-case',
      query: 'Param2=value2&Param1=value1',
      signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    },
    {
      of: 'post-x-www-form-urlencoded',
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        host: 'example.amazonaws.com',
      },
      body: 'Param1=value1',
      signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    },
  ];
  test.each(published)('$of', async ({ method, query, headers, service, body, signature }) => {
    const all = { host: 'example.amazonaws.com', ...headers, 'x-amz-date': '20150830T123600Z' };
    const name = service ?? 'service';
    const names = Object.keys(all).toSorted().join(';');
    const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/${name}/aws4_request, SignedHeaders=${names}, Signature=${signature}`;
    const sent = {
      head: {
        method: method ?? 'GET',
        path: '/',
        query: query ?? '',
        headers: new Map(Object.entries({ ...all, authorization })),
      },
      body: Buffer.from(body ?? ''),
    };
    const options: Options = {
      service: name,
      regions: ['us-east-1'],
      nowMs: Date.UTC(2015, 7, 30, 12, 36, 0),
      findKey: () => ({
        secretAccessKey: new SecretText('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'),
      }),
    };
    expect(await judge(sent, options)).toBe('let in');
    expect(await judge({ ...sent, body: Buffer.from('x') }, options)).toContain('mismatch');
  });
});

describe('what the SDK sends is let in', () => {
  interface SentByClient {
    readonly method: string;
    readonly path: string;
    readonly query?: object;
    readonly headers: Record<string, string>;
    readonly body?: string;
  }

  /** The request that a client would send. */
  async function caught(
    ask: (config: Config) => Promise<unknown>,
    credentials: typeof lasting,
  ): Promise<Sent> {
    let sent: Sent | undefined;
    const config = configOf(credentials, async ({ method, path, query = {}, headers, body }) => {
      const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
      sent = {
        head: {
          method,
          path,
          query: new URLSearchParams({ ...query }).toString(),
          headers: new Map(named as [string, string][]),
        },
        body: Buffer.from(body ?? ''),
      };
      throw new Error('caught');
    });
    await ask(config).catch(() => {});
    return sent!;
  }

  function configOf(
    credentials: typeof lasting,
    handle: (request: SentByClient) => Promise<never>,
  ) {
    return {
      region,
      endpoint: 'http://127.0.0.1:4000',
      credentials,
      maxAttempts: 1,
      requestHandler: { handle, updateHttpClientConfig() {}, httpHandlerConfigs: () => ({}) },
    };
  }

  type Config = ReturnType<typeof configOf>;

  const asked = {
    rds: (config: Config) =>
      new RDSClient(config).send(new DescribeDBProxiesCommand({ DBProxyName: 'é & ü' })),
    iam: (config: Config) => new IAMClient(config).send(new ListUsersCommand({})),
    sts: (config: Config) => new STSClient(config).send(new GetCallerIdentityCommand({})),
    secretsmanager: (config: Config) =>
      new SecretsManagerClient(config).send(new GetSecretValueCommand({ SecretId: 'é' })),
  };
  for (const [service, ask] of Object.entries(asked)) {
    test.each([
      ['lasting', lasting],
      ['temporary', temporary],
    ])(`for ${service}, with %s credentials`, async (_, credentials) => {
      const sent = await caught(ask, credentials);
      const dated = sent.head.headers.get('x-amz-date')!;
      const nowMs = Date.parse(
        dated.replace(/^(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'),
      );
      const forever = new Map([...keys].map(([id, key]) => [id, { ...key, expiresMs: nowMs + 1 }]));
      const options: Options = { service, nowMs, findKey: (id) => forever.get(id) };
      expect(await judge(sent, options)).toBe('let in');
      const signed = /SignedHeaders=([^,]+)/.exec(sent.head.headers.get('authorization')!)![1]!;
      for (const name of [...signed.split(';'), 'authorization']) {
        expect(await judge(withHeaders(sent, { [name]: undefined }), options)).not.toBe('let in');
        expect(
          await judge(withHeaders(sent, { [name]: `${sent.head.headers.get(name)}x` }), options),
        ).not.toBe('let in');
      }
      for (const name of ['x-amz-other', 'x-amz-target', 'x-amz-security-token'].filter(
        (name) => !sent.head.headers.has(name),
      ))
        expect(await judge(withHeaders(sent, { [name]: 'x' }), options)).toBe(
          `mismatch: '${name}' must be a 'SignedHeader' in the AWS Authorization.`,
        );
    });
  }
});

describe('what other signers send is let in', () => {
  test('with headers that the signer leaves out by itself', async () => {
    const headers = {
      'user-agent': 'aws-sdk-dotnet/3.7',
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      connection: 'keep-alive',
      'x-amzn-trace-id': 'Root=1',
      'x-spaces': '  a   b\t c ',
    };
    const sent = await send({ headers });
    expect(sent.head.headers.get('authorization')).toContain('connection;');
    expect(await judge(sent)).toBe('let in');
    for (const name of Object.keys(headers))
      expect(await judge(withHeaders(sent, { [name]: 'other' }))).toContain('mismatch');
  });

  test('with headers that are not signed and decide nothing', async () => {
    const sent = withHeaders(await send(), {
      'user-agent': 'x',
      'content-type': 'y',
      'x-amzn-trace-id': 'z',
      'x-forwarded-for': '::1',
    });
    expect(await judge(sent)).toBe('let in');
  });

  test('with an Authorization header in another order, and without spaces', async () => {
    const sent = await send();
    const [, credential, names, signature] =
      /^\S+ (.*), (.*), (.*)$/.exec(sent.head.headers.get('authorization')!) ?? [];
    for (const text of [
      `${credential},${names},${signature}`,
      `${signature} ,  ${names},${credential}`,
    ])
      expect(await judge(withHeaders(sent, { authorization: `AWS4-HMAC-SHA256 ${text}` }))).toBe(
        'let in',
      );
  });

  test('with parameters and paths of all sorts', async () => {
    for (const target of [
      '/?Action=DescribeDBProxies&Version=2014-10-31',
      '/?b=2&a=1&a-b=3&a=0&c',
      "/?a%20b=c+d&e=%2B%2F%3D%26&f=é&g=~!'()*&h=%E2%82%AC&i=a=b",
      '/some/where/',
      '/some/wh%20ere%2Felse/é',
    ])
      expect([target, await judge(await send({ method: 'GET', target, body: '' }))]).toEqual([
        target,
        'let in',
      ]);
  });

  test("with the body's hash in a header, if that is right", async () => {
    const body = 'Action=X';
    const hash = createHash('sha256').update(body).digest('hex');
    const sent = await send({ body, headers: { 'x-amz-content-sha256': hash } });
    expect(await judge(sent)).toBe('let in');
    expect(await judge({ ...sent, body: Buffer.from('Action=Y') })).toContain(
      "mismatch: The provided 'x-amz-content-sha256' header does not match",
    );
    for (const wrong of [
      'UNSIGNED-PAYLOAD',
      '',
      hash.toUpperCase(),
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    ])
      expect(
        await judge(await send({ body, headers: { 'x-amz-content-sha256': wrong } })),
      ).toContain("mismatch: The provided 'x-amz-content-sha256' header does not match");
  });

  test('with temporary credentials', async () => {
    expect(await judge(await send({}, temporary))).toBe('let in');
  });
});

describe('refused is', () => {
  test('what is not signed', async () => {
    const sent = await send();
    expect(await judge(withHeaders(sent, { authorization: undefined }))).toBe(
      'unsigned: Request is missing Authentication Token',
    );
  });

  test('what is signed in its URL', async () => {
    const sent = await send({ target: '/?x-Amz-sIgnature=0' });
    expect(await judge(sent)).toStartWith('incomplete: Presigned requests are not accepted');
    expect(await judge(withHeaders(sent, { authorization: undefined }))).toStartWith(
      'unsigned: Presigned requests are not accepted',
    );
  });

  test.each([
    [/^AWS4-HMAC-SHA256/, 'AWS4-ECDSA-P256-SHA256', 'algorithm'],
    [/^.*$/, 'Bearer x', 'algorithm'],
    [/^.*$/, '', 'algorithm'],
    [/^.*$/, 'AWS4-HMAC-SHA256', 'form'],
    [/Credential=\S+ /, '', "requires 'Credential' parameter"],
    [/SignedHeaders=\S+ /, '', "requires 'SignedHeaders' parameter"],
    [/, Signature=\S+/, '', "requires 'Signature' parameter"],
    [/Signature=\S+/, 'Signature=', 'form'],
    [/Signature=/, 'Signature=0, Signature=', 'form'],
    [/aws4_request/, 'aws4_request/more', 'exactly 5 slash-delimited elements'],
    [/\/aws4_request/, '', 'exactly 5 slash-delimited elements'],
    [/AKIDLASTING/, '', 'exactly 5 slash-delimited elements'],
  ])('an Authorization header with %p as %p', async (part, by, why) => {
    const verdict = await judge(edited(await send(), part, by));
    expect(verdict).toStartWith('incomplete: ');
    expect(verdict).toContain(why);
  });

  test.each([
    [undefined, "requires existence of a 'X-Amz-Date'"],
    ['', 'ISO-8601'],
    ['20260230T000000Z', 'ISO-8601'],
    ['2026-01-02T03:04:05Z', 'ISO-8601'],
  ])('the date %p', async (date, why) => {
    const verdict = await judge(withHeaders(await send(), { 'x-amz-date': date }));
    expect(verdict).toStartWith('incomplete: ');
    expect(verdict).toContain(why);
  });

  test('a key that there is not', async () => {
    const why = 'unknownKey: The security token included in the request is invalid.';
    const unknown = { ...lasting, accessKeyId: 'AKIDNOBODY' };
    expect(await judge(await send({}, unknown))).toBe(why);
    const token = { ...lasting, sessionToken: 'x' };
    expect(await judge(await send({}, token))).toBe(why);
    const { sessionToken: _, ...without } = temporary;
    expect(await judge(await send({}, without))).toBe(why);
    const wrong = { ...temporary, sessionToken: `${temporary.sessionToken.slice(0, -1)}+` };
    expect(await judge(await send({}, wrong))).toBe(why);
  });

  test('a key that has expired', async () => {
    const at = async (nowMs: number) => judge(await send({ dateMs: nowMs }, temporary), { nowMs });
    expect(await at(EXPIRES - 1000)).toBe('let in');
    expect(await at(EXPIRES)).toBe(
      'expiredKey: The security token included in the request is expired',
    );
  });

  test('another secret', async () => {
    const wrong = { ...lasting, secretAccessKey: temporary.secretAccessKey };
    expect(await judge(await send({}, wrong))).toStartWith(
      'mismatch: The request signature we calculated does not match the signature you provided.',
    );
  });

  test('what is signed for something else', async () => {
    expect(await judge(await send({ region: 'us-east-1' }))).toBe(
      "mismatch: Credential should be scoped to a valid region. This one is 'eu-west-1'.",
    );
    expect(await judge(await send({ service: 'iam' }))).toBe(
      "mismatch: Credential should be scoped to correct service: 'rds'.",
    );
    expect(await judge(edited(await send(), 'aws4_request', 'aws5_request'))).toBe(
      "mismatch: Credential should be scoped with a valid terminator: 'aws4_request'.",
    );
    expect(await judge(edited(await send(), '20260102', '20260101'))).toBe(
      "mismatch: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260101' != '20260102', from '20260102T030405Z'.",
    );
  });

  test('what is signed for another region, unless the service has several', async () => {
    const sent = await send({ region: 'us-east-1', service: 'sts' });
    expect(await judge(sent, { service: 'sts', regions: [region, 'us-east-1'] })).toBe('let in');
  });

  test('what is more than five minutes old, or ahead', async () => {
    const sent = await send();
    const after = (seconds: number) => judge(sent, { nowMs: NOW + seconds * 1000 });
    expect(await after(300)).toBe('let in');
    expect(await after(-300)).toBe('let in');
    expect(await after(301)).toBe(
      'mismatch: Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)',
    );
    expect(await after(-301)).toBe(
      'mismatch: Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)',
    );
  });

  test('what leaves out a header that decides', async () => {
    const sent = await send();
    for (const name of ['host', 'x-amz-date'])
      expect(
        await judge(
          edited(
            sent,
            /SignedHeaders=[^,]+/,
            `SignedHeaders=${name === 'host' ? 'x-amz-date' : 'host'}`,
          ),
        ),
      ).toBe(`mismatch: '${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  });

  test('a list of headers that is not in order', async () => {
    const sent = await send();
    for (const names of [
      'host;host;x-amz-date',
      'Host;host;x-amz-date',
      'host;absent;x-amz-date',
      ';host;x-amz-date',
    ])
      expect(await judge(edited(sent, 'host;x-amz-date', names))).toStartWith('mismatch: A header');
  });
});

describe('the same signature', () => {
  const once = { 'amz-sdk-invocation-id': 'f0', 'amz-sdk-request': 'attempt=1; max=3' };
  const replay = 'mismatch: Signature has been used already: sign the request again.';

  test('is good once where it holds the number of the attempt', async () => {
    const seen = new SeenSignatures();
    const sent = await send({ headers: once });
    expect(await judge(sent, { seen })).toBe('let in');
    expect(await judge(sent, { seen })).toBe(replay);
    const again = await send({ headers: { ...once, 'amz-sdk-request': 'attempt=2; max=3' } });
    expect(await judge(again, { seen })).toBe('let in');
  });

  test('is good for a while where it may be that of another request of the same second', async () => {
    const seen = new SeenSignatures();
    const sent = withHeaders(await send(), once);
    const after = (seconds: number) => judge(sent, { seen, nowMs: NOW + seconds * 1000 });
    // By a clock that is two minutes ahead of the client's.
    expect(await after(120)).toBe('let in');
    expect(await after(120)).toBe('let in');
    expect(await after(135)).toBe('let in');
    expect(await after(136)).toBe(replay);
    expect(await after(299)).toBe(replay);
  });

  test('is remembered only if it was right', async () => {
    const seen = new SeenSignatures();
    const sent = await send({ headers: once });
    expect(await judge({ ...sent, body: Buffer.from('x') }, { seen })).toContain('mismatch');
    expect(await judge(sent, { seen })).toBe('let in');
  });
});

describe('nothing can be changed', () => {
  const plain = {
    target: '/path/?Version=2014-10-31&Name=a%20b%2Bc',
    body: 'Action=DeleteDBProxy&DBProxyName=a',
    headers: { 'x-amz-target': 'rds.DeleteDBProxy', 'content-type': 'text/plain' },
  };
  /** One character of a text is another, is not there, or is there twice. */
  const changed = (text: string) =>
    fc
      .tuple(
        fc.nat(text.length - 1),
        fc.constantFrom(...Array.from({ length: 94 }, (_, i) => String.fromCharCode(i + 33)), ''),
      )
      .map(([at, by]) => text.slice(0, at) + by + text.slice(at + 1))
      .filter((other) => other !== text);

  test('in the body', async () => {
    const sent = await send(plain, temporary);
    expect(await judge(sent)).toBe('let in');
    await fc.assert(
      fc.asyncProperty(changed(plain.body), async (body) => {
        expect(await judge({ ...sent, body: Buffer.from(body) })).toContain('mismatch');
      }),
    );
  });

  test('in the method, the path and the query', async () => {
    const sent = await send(plain, temporary);
    const { head } = sent;
    const meaning = (query: string) =>
      Array.from(new URLSearchParams(query), (pair) => pair.join('='))
        .sort()
        .join('\n');
    expect(await judge({ ...sent, head: { ...head, method: 'GET' } })).toContain('mismatch');
    await fc.assert(
      fc.asyncProperty(changed(head.path), changed(head.query), async (path, query) => {
        expect(await judge({ ...sent, head: { ...head, path } })).toContain('mismatch');
        // `%2B` may become `%2b`: that is the same parameter.
        if (meaning(query) !== meaning(head.query))
          expect(await judge({ ...sent, head: { ...head, query } })).toContain('mismatch');
      }),
    );
  });

  test('by parameters with names of their own', async () => {
    const sent = await send(plain);
    for (const name of [
      '__proto__',
      'constructor',
      'X-Amz-Signature',
      'x-amz-signature',
      'toString',
    ])
      expect(
        await judge({ ...sent, head: { ...sent.head, query: `${sent.head.query}&${name}=1` } }),
      ).not.toBe('let in');
  });

  test('in a header that is signed', async () => {
    const sent = await send(plain, temporary);
    const names = [...sent.head.headers.keys()];
    const change = fc
      .constantFrom(...names)
      .chain((name) => changed(sent.head.headers.get(name)!).map((value) => ({ [name]: value })));
    // Spaces behind commas are as one likes.
    const packed = (text?: string) => text?.replaceAll(', ', ',');
    await fc.assert(
      fc.asyncProperty(change, async (headers) => {
        const { authorization } = headers;
        fc.pre(packed(authorization) !== packed(sent.head.headers.get('authorization')));
        expect(await judge(withHeaders(sent, headers))).not.toBe('let in');
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is no signature is refused, and never throws', () => {
  const head = (authorization: string, query: string, path = '/'): RequestHead => ({
    method: 'POST',
    path,
    query,
    headers: new Map([
      ['authorization', authorization],
      ['host', 'a'],
      ['x-amz-date', '20260102T030405Z'],
    ]),
  });

  test('arbitrary texts', async () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(text, text, text, async (authorization, query, path) => {
        expect(
          await judge({ head: head(authorization, query, path), body: new Uint8Array() }),
        ).not.toBe('let in');
      }),
    );
  });

  test('arbitrary values in the right places', async () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'AKIDLASTING/20260102/eu-west-1/rds/aws4_request',
        'host;x-amz-date',
        'Host',
        '0'.repeat(64),
      ),
    );
    await fc.assert(
      fc.asyncProperty(value, value, value, value, async (credential, names, signature, query) => {
        const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
        expect(
          await judge({ head: head(authorization, query, `/${query}`), body: new Uint8Array() }),
        ).not.toBe('let in');
      }),
      { numRuns: 500 },
    );
  });
});
