import { createHash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { SeenSignatures } from './seen-signatures.ts';
import { ALGORITHM, readDate, readScope, sameText, SCOPE_END, Sha256 } from './signing.ts';
import type { AccessKey, Scope } from './signing.ts';

// A request to an AWS API, signed in its headers with Signature Version 4. It is read first, since what it is signed for says which
// service it is for, and checked when its body is there.

const SKEW_MINUTES = 5;
const SKEW_MS = SKEW_MINUTES * 60_000;

/** What SDKs put in to tell their attempts apart. */
const ATTEMPT_HEADERS = ['amz-sdk-invocation-id', 'amz-sdk-request'];

/** A request but for its body. */
export interface RequestHead {
  readonly method: string;
  /** Up to the question mark, as it came. */
  readonly path: string;
  /** Behind the question mark, as it came. */
  readonly query: string;
  /** By name, in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What a request says about its signature. */
export interface Signature {
  readonly scope: Scope;
  /** As signed, `yyyymmddThhmmssZ`, and in milliseconds since 1970. */
  readonly date: string;
  readonly dateMs: number;
  /** In lower case, sorted. */
  readonly signedHeaders: readonly string[];
  readonly text: string;
}

export interface SigningKey extends AccessKey {
  /** Milliseconds since 1970, of temporary credentials. */
  readonly expiresMs?: number;
}

export interface SignatureCheck<Key extends SigningKey> {
  readonly head: RequestHead;
  readonly signature: Signature;
  readonly body: Uint8Array;
  readonly service: string;
  /** What may stand in the scope. The first one is named in errors. */
  readonly regions: readonly [string, ...string[]];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly findKey: (accessKeyId: string) => Key | undefined;
  readonly seen: SeenSignatures;
}

/** Why nobody is let in; each has its own code at AWS. */
export type RefusalKind =
  /** It is not signed, or not in its headers. */
  | 'unsigned'
  /** What it says about its signature cannot be read. */
  | 'incomplete'
  /** There is no such key, or the session token is not the key's. */
  | 'unknownKey'
  | 'expiredKey'
  /** It was signed otherwise, for something else, at another time, or has been used. */
  | 'mismatch';

export interface Refusal {
  readonly ok: false;
  readonly kind: RefusalKind;
  /** In AWS's words where they are known; nothing secret is in it. */
  readonly why: string;
}

/** Reads what a request says about its signature, before its body is there. Never throws. */
export function readSignature({
  query,
  headers,
}: RequestHead): { readonly ok: true; readonly signature: Signature } | Refusal {
  const authorization = headers.get('authorization');
  if ([...new URLSearchParams(query).keys()].some((name) => /^x-amz-signature$/i.test(name)))
    return refuse(
      authorization === undefined ? 'unsigned' : 'incomplete',
      'Presigned requests are not accepted: sign this one in its Authorization header.',
    );
  if (authorization === undefined)
    return refuse('unsigned', 'Request is missing Authentication Token');
  const parts = readParts(authorization);
  if (typeof parts === 'string') return refuse('incomplete', parts);
  const scope = readScope(parts.credential);
  if (scope === undefined)
    return refuse(
      'incomplete',
      'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.',
    );
  const date = headers.get('x-amz-date');
  if (date === undefined)
    return refuse(
      'incomplete',
      "Authorization header requires existence of a 'X-Amz-Date' header.",
    );
  const dateMs = readDate(date);
  if (dateMs === undefined)
    return refuse(
      'incomplete',
      "Date must be in ISO-8601 'basic format', such as '20260131T235959Z'.",
    );
  const signedHeaders = parts.signedHeaders.split(';').toSorted();
  return { ok: true, signature: { scope, date, dateMs, signedHeaders, text: parts.signature } };
}

interface AuthorizationParts {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; a sentence where it is not. */
function readParts(authorization: string): AuthorizationParts | string {
  const [algorithm, ...rest] = authorization.split(' ');
  if (algorithm !== ALGORITHM)
    return `The algorithm of the Authorization header is not supported: sign with '${ALGORITHM}'.`;
  const parts = new Map<string, string>();
  for (const part of rest.join(' ').split(',')) {
    const [, name, value] = /^(\w{1,20})=([!-~]+)$/.exec(part.trim()) ?? [];
    if (name === undefined || value === undefined || parts.has(name))
      return `Authorization header is not of the form '${ALGORITHM} Credential=…, SignedHeaders=…, Signature=…'.`;
    parts.set(name, value);
  }
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !parts.has(name));
  if (missing.length > 0)
    return missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' ');
  return {
    credential: parts.get('Credential') ?? '',
    signedHeaders: parts.get('SignedHeaders') ?? '',
    signature: parts.get('Signature') ?? '',
  };
}

/**
 * Is this request signed for us, in time, whole, with a key that `findKey` knows, and for the first time? Never rejects because of a
 * request.
 */
export async function verifySignature<Key extends SigningKey>(
  check: SignatureCheck<Key>,
): Promise<{ readonly ok: true; readonly key: Key } | Refusal> {
  const { head, signature, body, nowMs, findKey, seen } = check;
  const mismatch =
    scopeMismatch(check) ?? timeMismatch(signature, nowMs) ?? headerMismatch(head, signature);
  if (mismatch !== undefined) return refuse('mismatch', mismatch);
  const key = findKey(signature.scope.accessKeyId);
  const sessionToken = head.headers.get('x-amz-security-token') ?? '';
  if (key === undefined || !sameText(sessionToken, key.sessionToken?.reveal() ?? ''))
    return refuse('unknownKey', 'The security token included in the request is invalid.');
  const bodyHash = createHash('sha256').update(body).digest('hex');
  if ((head.headers.get('x-amz-content-sha256') ?? bodyHash) !== bodyHash)
    return refuse(
      'mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed: it must be the body's SHA-256.",
    );
  if (!(await isSignedWith(key, head, signature, bodyHash)))
    return refuse(
      'mismatch',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  if (key.expiresMs !== undefined && key.expiresMs <= nowMs)
    return refuse('expiredKey', 'The security token included in the request is expired');
  const once = ATTEMPT_HEADERS.every((name) => signature.signedHeaders.includes(name));
  if (seen.isReplay(signature.text, { once, nowMs }))
    return refuse('mismatch', 'Signature has been used already: sign the request again.');
  return { ok: true, key };
}

function scopeMismatch<Key extends SigningKey>({
  signature: { scope, date },
  service,
  regions,
}: SignatureCheck<Key>): string | undefined {
  if (scope.end !== SCOPE_END)
    return `Credential should be scoped with a valid terminator: '${SCOPE_END}'.`;
  if (scope.service !== service)
    return `Credential should be scoped to correct service: '${service}'.`;
  if (!regions.includes(scope.region))
    return `Credential should be scoped to a valid region. This one is '${regions[0]}'.`;
  const day = date.slice(0, 8);
  if (scope.day !== day)
    return `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.day.slice(0, 20)}' != '${day}', from '${date}'.`;
}

function timeMismatch({ date, dateMs }: Signature, nowMs: number): string | undefined {
  const [now, earliest, latest] = [nowMs, nowMs - SKEW_MS, nowMs + SKEW_MS].map(dateText);
  if (dateMs < nowMs - SKEW_MS)
    return `Signature expired: ${date} is now earlier than ${earliest} (${now} - ${SKEW_MINUTES} min.)`;
  if (dateMs > nowMs + SKEW_MS)
    return `Signature not yet current: ${date} is still later than ${latest} (${now} + ${SKEW_MINUTES} min.)`;
}

/** `yyyymmddThhmmssZ` */
function dateText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+|[-:]/g, '');
}

/** What decides about a request must be signed; what AWS's own headers say decides. */
function headerMismatch(
  { headers }: RequestHead,
  { signedHeaders }: Signature,
): string | undefined {
  const unsigned = ['host', ...headers.keys()].find(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signedHeaders.includes(name),
  );
  if (unsigned !== undefined)
    return `'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`;
  const absent = signedHeaders.find((name) => !headers.has(name));
  if (absent !== undefined || new Set(signedHeaders).size !== signedHeaders.length)
    return 'A header among the SignedHeaders is named twice, not in lower case, or is not in the request.';
}

/** Signs the same request again and compares. */
async function isSignedWith(
  key: SigningKey,
  head: RequestHead,
  { scope, date, dateMs, signedHeaders, text }: Signature,
  bodyHash: string,
): Promise<boolean> {
  // Put together here, not by the signer: it leaves out headers that others sign, and parameters with certain names.
  const canonical = [
    head.method,
    canonicalPath(head.path),
    canonicalQuery(head.query),
    ...signedHeaders.map((name) => `${name}:${canonicalValue(head.headers.get(name) ?? '')}`),
    '',
    signedHeaders.join(';'),
    bodyHash,
  ].join('\n');
  const signer = new SignatureV4({
    service: scope.service,
    region: scope.region,
    credentials: {
      accessKeyId: scope.accessKeyId,
      secretAccessKey: key.secretAccessKey.reveal(),
    },
    sha256: Sha256,
  });
  const scopeText = [scope.day, scope.region, scope.service, scope.end].join('/');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const expected = await signer.sign([ALGORITHM, date, scopeText, hash].join('\n'), {
    signingDate: new Date(dateMs),
  });
  return sameText(expected, text);
}

/** Encoded once more than it came. */
function canonicalPath(path: string): string {
  return path.split('/').map(encoded).join('/');
}

/** Read in the same way as forms are, so that what was signed is what is understood. */
function canonicalQuery(query: string): string {
  return Array.from(new URLSearchParams(query), ([name, value]): [string, string] => [
    encoded(name),
    encoded(value),
  ])
    .toSorted(([a, aValue], [b, bValue]) => order(a, b) || order(aValue, bValue))
    .map((pair) => pair.join('='))
    .join('&');
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function canonicalValue(value: string): string {
  return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '');
}

/** As RFC 3986 has it: all but letters, digits, `-`, `.`, `_`, `~`. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function refuse(kind: RefusalKind, why: string): Refusal {
  return { ok: false, kind, why };
}
