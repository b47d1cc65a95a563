import { beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { TestKeys } from '../../../test/support/api.ts';
import { signedHeaders, signedRequest } from '../../../test/support/signed.ts';
import type { Plain } from '../../../test/support/signed.ts';
import { ManualClock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { seededRandom } from '../../base/random.ts';
import { SecretText } from '../../base/secret-text.ts';
import { parseResourcePolicy } from '../../iam/resource-policy.ts';
import { ApiError } from '../api-error.ts';
import type { Call, Input, Operation, Output, Service } from '../service.ts';
import { ApiFront } from './front.ts';
import type { RequestInfo } from './front.ts';

const LIMIT = 5_000;
const NAMESPACE = 'http://rds.amazonaws.com/doc/2014-10-31/';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const MATTER = 'inner matters';

const clock = new ManualClock();
const keys = new TestKeys();
const admin = keys.add('admin', { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
const nobody = keys.add('nobody');

let calls: { readonly input: Input; readonly call: Call }[] = [];
let failures: { readonly error: unknown; readonly about: RequestInfo }[] = [];
let output: Output = {};
beforeEach(() => {
  [calls, failures, output] = [[], [], {}];
});

const operations: Readonly<Record<string, Operation>> = {
  Tell(input, call) {
    call.authorize('rds:Tell', '*');
    calls.push({ input, call });
    return output;
  },
  Forget: () => ({ Told: 'too much' }),
  Ignore(_input, call) {
    try {
      call.authorize('rds:Tell', '*');
    } catch {}
    return { Told: 'too much' };
  },
  async Fail(_input, call) {
    call.authorize('rds:Tell', '*');
    throw new Error(MATTER);
  },
  Refuse() {
    throw new ApiError('Refused', 'No <b>.', 409);
  },
  Share(_input, call) {
    const statement = { Action: 'rds:Tell', Resource: '*' };
    const policy = parseResourcePolicy({
      Statement: [
        { ...statement, Effect: 'Allow', Principal: { AWS: call.caller.arn } },
        ...(call.caller.arn.includes('admin')
          ? [{ ...statement, Effect: 'Deny', Principal: '*' }]
          : []),
      ],
    });
    call.authorize('rds:Tell', 'arn:aws:rds:eu-west-1:123456789012:x:y', policy);
    return {};
  },
};

const services: readonly Service[] = [
  {
    name: 'rds',
    protocol: { kind: 'query', version: '2014-10-31', namespace: NAMESPACE },
    operations,
    open: ['Open'],
  },
  {
    name: 'secretsmanager',
    protocol: { kind: 'json', targetPrefix: 'secretsmanager' },
    operations,
  },
];

const makeFront = (): ApiFront =>
  new ApiFront({
    services: [...services, { ...services[0]!, name: 'open', operations: { Open: () => ({}) } }],
    keys,
    region: 'eu-west-1',
    clock,
    random: seededRandom(1),
    failed: (error, about) => failures.push({ error, about }),
    bodyLimitBytes: LIMIT,
  });

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function answer(request: Request, front = makeFront()): Promise<Answer> {
  const response = await front.answer(request);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Asks the service of the Query protocol. */
async function query(plain: Partial<Plain>, credentials = admin): Promise<Answer> {
  const whole = { headers: FORM, dateMs: clock.wallMs(), ...plain };
  return answer(await signedRequest(whole, credentials));
}

/** Asks the JSON service. */
async function json(
  target: string,
  body: Plain['body'] & {},
  credentials = admin,
): Promise<Answer> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const plain = { service: 'secretsmanager', headers, body, dateMs: clock.wallMs() };
  return answer(await signedRequest(plain, credentials));
}

const codeOf = ({ status, text }: Answer): string =>
  `${status} ${/<Code>(.*)<\/Code>/.exec(text)?.[1] ?? JSON.parse(text).__type}`;

describe('a result of the Query protocol', () => {
  test('is XML as AWS writes it', async () => {
    output = {
      DBProxies: {
        member: [
          { Name: 'a', On: true, Count: 3 },
          { Name: '', Gone: undefined },
        ],
      },
      Tags: { Tag: [] },
      Created: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
      Marker: undefined,
    };
    const { status, headers, text } = await query({ body: 'Action=Tell&Version=2014-10-31' });
    const id = headers.get('x-amzn-requestid');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(calls[0]?.call.requestId).toBe(id!);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/xml']);
    expect(text).toBe(
      `<TellResponse xmlns="${NAMESPACE}"><TellResult><DBProxies>` +
        '<member><Name>a</Name><On>true</On><Count>3</Count></member>' +
        '<member><Name></Name></member></DBProxies><Tags/>' +
        '<Created>2026-01-02T03:04:05.006Z</Created></TellResult>' +
        `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></TellResponse>`,
    );
  });

  test('holds any text, but for what XML has no place for', async () => {
    output = { Text: 'a<b>&"\'\0\u{1F}\u{FFFE}\uD800]]>é\u{1F600}\n' };
    const { text } = await query({ body: 'Action=Tell' });
    expect(text).toContain(
      '<Text>a&lt;b&gt;&amp;&quot;&apos;\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}]]&gt;é\u{1F600}&#x0A;</Text>',
    );
  });

  test('has nothing in it when there is nothing to say', async () => {
    expect((await query({ body: 'Action=Tell' })).text).toContain('<TellResult/>');
  });
});

describe('a result of the JSON protocol', () => {
  test('is JSON as AWS writes it', async () => {
    output = {
      Name: 'a\u{1F600}\0',
      Bytes: new Uint8Array([0, 255]),
      Created: new Date(1_767_323_045_678),
      List: [{ A: undefined }, null, 1.5],
      Gone: undefined,
    };
    const { status, headers, text } = await json('secretsmanager.Tell', '{"A":[1,{"B":"c"}]}');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-amz-json-1.1']);
    expect(headers.get('x-amzn-requestid')).toBe(calls[0]!.call.requestId);
    expect(calls[0]?.input).toEqual({ A: [1, { B: 'c' }] });
    expect(text).toBe(
      '{"Name":"a😀\\u0000","Bytes":"AP8=","Created":1767323045.678,"List":[{},null,1.5]}',
    );
  });
});

describe('a result that cannot be said is our failure, and is not told', () => {
  test.each([
    { Password: new SecretText(MATTER) },
    { List: [{ Password: new SecretText(MATTER) }] },
    { Count: Number.NaN },
    { Map: new Map([[MATTER, MATTER]]) },
    { Date: new Date(Number.NaN) },
  ])('%p', async (wrong) => {
    output = wrong;
    for (const { status, text } of [
      await query({ body: 'Action=Tell' }),
      await json('secretsmanager.Tell', ''),
    ]) {
      expect(status).toBe(500);
      expect(text).not.toContain(MATTER);
    }
    expect(failures).toHaveLength(2);
  });
});

describe('what is asked may stand', () => {
  test.each([
    { body: 'Action=Tell&A.member.1=x+y%26&B=' },
    { method: 'GET', target: '/?Action=Tell&A.member.1=x+y%26&B=' },
    { target: '/?Action=Tell&B=', body: 'A.member.1=x%20y%26' },
    { body: 'Action=Tell&A.member.1=x+y%26&B=', headers: {} },
  ])('so: %p', async (plain) => {
    expect(await query(plain)).toMatchObject({ status: 200 });
    expect(calls[0]?.input).toEqual({ A: { member: ['x y&'] }, B: '' });
  });

  test('with the time and the caller at hand', async () => {
    await query({ body: 'Action=Tell' });
    expect(calls[0]?.call).toMatchObject({
      nowMs: clock.wallMs(),
      caller: { accessKeyId: admin.accessKeyId, account: '123456789012' },
    });
  });
});

describe('what cannot be understood is refused', () => {
  test.each<readonly [string, Partial<Plain>]>([
    ['400 MissingAction', { body: '' }],
    ['400 MissingAction', { body: 'Action=' }],
    ['400 MissingAction', { body: 'Action.member.1=Tell' }],
    ['400 InvalidAction', { body: 'Action=Other' }],
    ['400 InvalidAction', { body: 'Action=tell' }],
    ['400 InvalidAction', { body: 'Action=toString' }],
    ['400 InvalidAction', { body: 'Action=__proto__' }],
    ['400 InvalidAction', { body: 'Action=Tell&Version=2010-01-01' }],
    ['400 InvalidAction', { body: 'Action=Tell&Version.a=2014-10-31' }],
    ['404 MalformedQueryString', { body: 'Action=Tell&Action=Tell' }],
    ['404 MalformedQueryString', { target: '/?Action=Tell', body: 'Action=Tell' }],
    ['404 MalformedQueryString', { body: 'Action=Tell&a=1&a.b=2' }],
    ['404 MalformedQueryString', { body: '{}', headers: { 'content-type': 'application/json' } }],
    ['405 UnsupportedHttpVerb', { method: 'PUT', body: 'Action=Tell' }],
  ])('%s: %p', async (code, plain) => {
    expect(codeOf(await query(plain))).toBe(code);
    expect([calls, failures]).toEqual([[], []]);
  });

  test.each([
    ['400 UnknownOperationException', 'secretsmanager.Other', '{}'],
    ['400 UnknownOperationException', 'secretsmanager.toString', '{}'],
    ['400 UnknownOperationException', 'secretsmanager.', '{}'],
    ['400 UnknownOperationException', 'Tell', '{}'],
    ['400 SerializationException', 'secretsmanager.Tell', '{'],
    ['400 SerializationException', 'secretsmanager.Tell', '[]'],
    ['400 SerializationException', 'secretsmanager.Tell', 'null'],
    ['400 SerializationException', 'secretsmanager.Tell', '"a"'],
    ['400 SerializationException', 'secretsmanager.Tell', '['.repeat(LIMIT)],
  ])('%s: %s %s', async (code, target, body) => {
    expect(codeOf(await json(target, body))).toBe(code);
    expect([calls, failures]).toEqual([[], []]);
  });

  test('a body that is not UTF-8', async () => {
    const body = new Uint8Array([...Buffer.from('Action=Tell&A='), 0xe9]);
    expect(codeOf(await query({ body }))).toBe('404 MalformedQueryString');
    expect(codeOf(await json('secretsmanager.Tell', body))).toBe('400 SerializationException');
    expect(calls).toEqual([]);
  });

  test('an action that is given is named, but not at length', async () => {
    const { text } = await query({ body: `Action=${'x'.repeat(1000)}` });
    expect(text).toContain(`The action ${'x'.repeat(128)} is not valid for this web service.`);
  });
});

describe('an error', () => {
  test('of the Query protocol is XML', async () => {
    const { status, headers, text } = await query({ body: 'Action=Refuse' });
    const id = headers.get('x-amzn-requestid');
    expect([status, headers.get('content-type')]).toEqual([409, 'text/xml']);
    expect(text).toBe(
      `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>Refused</Code>` +
        `<Message>No &lt;b&gt;.</Message></Error><RequestId>${id}</RequestId></ErrorResponse>`,
    );
  });

  test('of the JSON protocol is JSON', async () => {
    const { status, headers, text } = await json('secretsmanager.Refuse', '{}');
    expect([status, headers.get('content-type'), headers.get('x-amzn-errortype')]).toEqual([
      409,
      'application/x-amz-json-1.1',
      'Refused',
    ]);
    expect(text).toBe('{"__type":"Refused","message":"No <b>.","Message":"No <b>."}');
  });

  test('of ours says nothing, and is reported', async () => {
    const xml = await query({ body: 'Action=Fail' });
    expect(codeOf(xml)).toBe('500 InternalFailure');
    expect(xml.text).toContain('<Type>Receiver</Type>');
    const said = await json('secretsmanager.Fail', '{}');
    expect(codeOf(said)).toBe('500 InternalServiceError');
    for (const { text } of [xml, said]) expect(text).not.toContain(MATTER);
    expect(failures).toEqual(
      [
        ['rds', xml],
        ['secretsmanager', said],
      ].map(([service, one]) => ({
        error: new Error(MATTER),
        about: {
          service,
          operation: 'Fail',
          requestId: (one as Answer).headers.get('x-amzn-requestid'),
        },
      })) as typeof failures,
    );
  });

  test('has the date by which clients put their clocks right', async () => {
    const dateMs = clock.wallMs() - 3_600_000;
    const late = await answer(await signedRequest({ body: 'Action=Tell', dateMs }, admin));
    expect(codeOf(late)).toBe('403 SignatureDoesNotMatch');
    expect(late.text).toContain('Signature expired: ');
    expect(late.headers.get('date')).toBe(new Date(clock.wallMs()).toUTCString());
  });
});

describe('nothing is told to those who may not hear it', () => {
  test('because no policy of theirs allows it', async () => {
    const xml = await query({ body: 'Action=Tell' }, nobody);
    expect(codeOf(xml)).toBe('403 AccessDenied');
    expect(xml.text).toMatch(
      /<Message>User: arn:aws:iam::123456789012:user\/nobody-\d+ is not authorized to perform: rds:Tell on resource: \* because no identity-based policy allows the rds:Tell action<\/Message>/,
    );
    const said = await json('secretsmanager.Tell', '{}', nobody);
    expect(codeOf(said)).toBe('400 AccessDeniedException');
    expect([calls, failures]).toEqual([[], []]);
  });

  test('or a policy of the resource denies it', async () => {
    expect(await query({ body: 'Action=Share' }, nobody)).toMatchObject({ status: 200 });
    const { text } = await query({ body: 'Action=Share' }, admin);
    expect(text).toContain('with an explicit deny in a resource-based policy');
  });

  test('by an operation that forgets to ask, or does not listen', async () => {
    for (const one of [
      await query({ body: 'Action=Forget' }),
      await query({ body: 'Action=Ignore' }, nobody),
    ]) {
      expect(codeOf(one)).toBe('500 InternalFailure');
      expect(one.text).not.toContain('too much');
    }
    expect(failures.map(({ error }) => String(error))).toEqual([
      'Error: Forget has not asked whether its caller may do it',
      'Error: Ignore has not asked whether its caller may do it',
    ]);
  });

  test('but an open one is told to whoever can sign', async () => {
    const ask = { service: 'open', body: 'Action=Open' };
    expect(await query(ask, nobody)).toMatchObject({ status: 200 });
    const stranger = { ...nobody, secretAccessKey: 'wrong' };
    expect(codeOf(await query(ask, stranger))).toBe('403 SignatureDoesNotMatch');
  });
});

describe('nothing is done unsigned', () => {
  const wrong = { ...admin, secretAccessKey: 'wrong' };
  const stranger = { ...admin, accessKeyId: 'AKIANOBODY' };
  const expired = keys.add('gone', undefined, {}, { sessionToken: 't', expiresMs: 0 });

  test.each([
    [wrong, '403 SignatureDoesNotMatch', '400 InvalidSignatureException'],
    [stranger, '403 InvalidClientTokenId', '400 UnrecognizedClientException'],
    [expired, '403 ExpiredToken', '400 ExpiredTokenException'],
    [
      { ...expired, sessionToken: 'u' },
      '403 InvalidClientTokenId',
      '400 UnrecognizedClientException',
    ],
  ])('with %p', async (credentials, forQuery, forJson) => {
    expect(codeOf(await query({ body: 'Action=Tell' }, credentials))).toBe(forQuery);
    expect(codeOf(await json('secretsmanager.Tell', '{}', credentials))).toBe(forJson);
    expect(calls).toEqual([]);
  });

  const bare = (headers: Record<string, string>): Request =>
    new Request('http://a/', { method: 'POST', headers, body: 'Action=Tell' });

  test('or without a readable signature', async () => {
    const target = { 'x-amz-target': 'secretsmanager.Tell' };
    const authorization = { authorization: 'AWS4-HMAC-SHA256 x' };
    for (const [headers, code] of [
      [FORM, '403 MissingAuthenticationToken'],
      [target, '400 MissingAuthenticationTokenException'],
      [{ 'content-type': 'application/x-amz-json-1.1' }, '400 MissingAuthenticationTokenException'],
      [authorization, '400 IncompleteSignature'],
      [{ ...target, ...authorization }, '400 IncompleteSignatureException'],
    ] as const)
      expect(codeOf(await answer(bare(headers)))).toBe(code);
  });

  test('or for a service that there is not', async () => {
    const one = await query({ service: 'ec2', body: 'Action=Tell' });
    expect(codeOf(one)).toBe('403 SignatureDoesNotMatch');
    expect(one.text).toContain(
      'Credential should be scoped to correct service: &apos;open&apos;, &apos;rds&apos;, &apos;secretsmanager&apos;.',
    );
    expect(one.text).toStartWith('<ErrorResponse><Error>');
    const headers = { 'x-amz-target': 'kms.Decrypt' };
    expect(codeOf(await query({ service: '__proto__', headers, body: '{}' }))).toBe(
      '400 InvalidSignatureException',
    );
  });

  test('or with a signature that has been used up', async () => {
    const headers = { 'amz-sdk-invocation-id': 'f0', 'amz-sdk-request': 'attempt=1; max=3' };
    const plain = { headers, body: 'Action=Tell', dateMs: clock.wallMs() };
    const front = makeFront();
    expect(await answer(await signedRequest(plain, admin), front)).toMatchObject({ status: 200 });
    const again = await answer(await signedRequest(plain, admin), front);
    expect(codeOf(again)).toBe('403 SignatureDoesNotMatch');
    expect(again.text).toContain('Signature has been used already');
    expect(calls).toHaveLength(1);
  });
});

describe('a body', () => {
  const start = 'Action=Tell&A=';
  const long = (length: number): string => start + 'x'.repeat(length - start.length);

  test('up to the limit is read, a longer one is refused', async () => {
    expect(await query({ body: long(LIMIT) })).toMatchObject({ status: 200 });
    const longer = await query({ body: long(LIMIT + 1) });
    expect(codeOf(longer)).toBe('413 RequestEntityTooLarge');
    expect(longer.text).toContain(`The request is longer than ${LIMIT} bytes.`);
    expect(codeOf(await json('secretsmanager.Tell', long(LIMIT + 1)))).toBe(
      '413 RequestEntityTooLarge',
    );
    const headers = { ...FORM, 'content-length': String(LIMIT + 1) };
    expect(codeOf(await query({ body: start, headers }))).toBe('413 RequestEntityTooLarge');
    expect([calls.length, failures]).toEqual([1, []]);
  });

  /** A signed request whose body is what `pull` makes of it. */
  const streamed = async (
    pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void | Promise<void>,
  ): Promise<Request> =>
    new Request('http://api.example.com/', {
      method: 'POST',
      headers: await signedHeaders({ body: start, headers: FORM, dateMs: clock.wallMs() }, admin),
      body: new ReadableStream({ pull }),
    });

  test('of unknown length is read, and not longer than to the limit', async () => {
    const letters = Buffer.from(start);
    let at = 0;
    const whole = await streamed((controller) => {
      controller.enqueue(letters.subarray(at, at + 1));
      at += 1;
      if (at === letters.length) controller.close();
    });
    expect(await answer(whole)).toMatchObject({ status: 200 });
    let pulls = 0;
    const endless = await streamed((controller) => {
      pulls += 1;
      controller.enqueue(new Uint8Array(1000));
    });
    expect(codeOf(await answer(endless))).toBe('413 RequestEntityTooLarge');
    expect(pulls).toBeLessThan(20);
  });

  test('that does not come, or not to its end, is not waited for', async () => {
    const asked = Promise.withResolvers<void>();
    const silent = answer(
      await streamed(() => {
        asked.resolve();
        return new Promise(() => {});
      }),
    );
    await asked.promise;
    clock.advance(30_000);
    expect(codeOf(await silent)).toBe('408 RequestTimeout');
    const broken = await streamed((controller) => controller.error(new Error('gone')));
    expect(codeOf(await answer(broken))).toBe('400 IncompleteBody');
    expect([calls, failures]).toEqual([[], []]);
  });
});

describe('a crowd of requests', () => {
  const most = limits.apiRequestsAtOnce.value;

  test.each([
    ['rds', { ...FORM }, '400 Throttling'],
    [
      'secretsmanager',
      { 'x-amz-target': 'secretsmanager.Tell', 'content-type': 'application/x-amz-json-1.1' },
      '400 ThrottlingException',
    ],
  ])('at %s is cut off, in words that clients try again for', async (service, headers, code) => {
    const front = makeFront();
    const body = service === 'rds' ? 'Action=Tell' : '{}';
    const signed = async (dateMs = clock.wallMs()): Promise<Request> =>
      await signedRequest({ service, headers, body, dateMs }, admin);
    const hold = Promise.withResolvers<void>();
    const slow = Array.from({ length: most }, async () => {
      const stream = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await hold.promise;
          controller.close();
        },
      });
      const { url, headers: kept } = await signed();
      return answer(new Request(url, { method: 'POST', headers: kept, body: stream }), front);
    });
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect(codeOf(await answer(await signed(), front))).toBe(code);
    expect(calls).toEqual([]);
    hold.resolve();
    await Promise.all(slow);
    expect((await answer(await signed(), front)).status).toBe(200);
  });
});

describe('whatever comes is answered', () => {
  const wellFormed = ({ status, text, headers }: Answer): void => {
    expect(status).toBeLessThan(500);
    expect(headers.get('x-amzn-requestid')).not.toBeNull();
    if (headers.get('content-type') === 'text/xml') expect(text).toMatch(/^<(\w+)[^<]*>.*<\/\1>$/s);
    else JSON.parse(text);
    expect(failures).toEqual([]);
  };
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }).map((one) => one.toWellFormed()),
    fc.stringMatching(/^[aActionVersTl.1&=%{}":[\],]*$/),
    fc.json(),
  );

  test('signed', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (body, other) => {
        wellFormed(await query({ body }));
        wellFormed(await query({ body: `Action=Tell&${body}` }));
        wellFormed(await query({ method: 'GET', target: `/?${encodeURI(body)}`, body: '' }));
        wellFormed(await json('secretsmanager.Tell', body));
        const printable = other.replace(/[^!-~]/g, '');
        wellFormed(await json(`secretsmanager.${printable}`, body));
      }),
    );
  });

  test('or not', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (body, other) => {
        const authorization = other.replace(/[^ -~]/g, '');
        const headers = { authorization, 'x-amz-date': '20260101T000000Z' };
        wellFormed(await answer(new Request('http://a/', { method: 'POST', headers, body })));
      }),
    );
    expect(calls).toEqual([]);
  });
});
