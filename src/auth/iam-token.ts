import { SignatureV4 } from '@smithy/signature-v4';
import { limits } from '../base/limits.ts';
import type { SecretText } from '../base/secret-text.ts';
import { ALGORITHM, readDate, readScope, sameText, SCOPE_END, Sha256 } from './signing.ts';
import type { AccessKey, Scope } from './signing.ts';

// An RDS IAM auth token is a presigned `GET https://host:port/?Action=connect&DBUser=…` without its
// scheme, signed with Signature Version 4 for the service `rds-db` and good for 15 minutes at most.

const SERVICE = 'rds-db';
const LONGEST_LIFE_S = 900;
const DEFAULT_SKEW_MS = 5 * 60_000;
const HTTPS_PORT = 443;

export interface TokenCheck {
  readonly token: SecretText;
  /** The database user who signs in. */
  readonly user: string;
  /** The names under which clients reach the proxy, and the port that this client reached. */
  readonly endpoints: { readonly hosts: readonly string[]; readonly port: number };
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly findKey: (accessKeyId: string) => AccessKey | undefined;
  /** How far the signer's clock may be ahead of ours. Default: five minutes. */
  readonly skewMs?: number;
}

/** `why` completes «The token was refused: …» for the log; nothing of the token is in it. */
export type TokenVerdict =
  | { readonly ok: true; readonly accessKeyId: string }
  | { readonly ok: false; readonly why: string };

/**
 * Whether a password is meant as an IAM token: for choosing an error text, not for letting anybody
 * in.
 */
export function looksLikeIamToken(text: string): boolean {
  return /[?&]Action=connect(&|$)/.test(text) && text.includes('X-Amz-Credential=');
}

/** For whom a token says that it is, where its protocol names nobody beside it; undefined where it is none. */
export function userInToken(text: string): string | undefined {
  const token = readToken(text);
  return typeof token === 'string' ? undefined : token.query.get('DBUser');
}

/**
 * Is this token ours, in time, for this user, and signed with a key that `findKey` knows? Never
 * rejects because of a token.
 */
export async function verifyIamToken(check: TokenCheck): Promise<TokenVerdict> {
  const token = readToken(check.token.reveal());
  if (typeof token === 'string') return refuse(token);
  const mismatch = findMismatch(token, check);
  if (mismatch !== undefined) return refuse(mismatch);
  const { accessKeyId } = token.scope;
  const key = check.findKey(accessKeyId);
  if (key === undefined) return refuse('its access key is unknown');
  const sessionToken = token.query.get('X-Amz-Security-Token') ?? '';
  if (!sameText(sessionToken, key.sessionToken?.reveal() ?? '')) {
    return refuse("its session token is not the access key's");
  }
  if (!(await isSignedWith(key, token))) {
    return refuse(
      'its signature does not fit: it was changed, or signed with another secret access key',
    );
  }
  return { ok: true, accessKeyId };
}

interface Token {
  readonly host: string;
  readonly port: number;
  /** Decoded. */
  readonly query: ReadonlyMap<string, string>;
  readonly scope: Scope;
  /** As signed, `yyyymmddThhmmssZ`, and in milliseconds since 1970. */
  readonly date: string;
  readonly dateMs: number;
  readonly lifeS: number;
}

/** A host name in lower case; signers write IPv6 addresses with or without brackets. */
function withoutBrackets(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

/** Takes a token apart; a sentence where it is none. */
function readToken(text: string): Token | string {
  if (text.length > limits.passwordMessageBytes.value) return 'it is too long';
  // Some SDKs leave the slash out, and the port where it is HTTPS's own.
  const [, authority, queryText] = /^([^/?]+)\/?\?([!-~]+)$/.exec(text) ?? [];
  const [, host, port] = /^([!-~]+?)(?::(\d{1,5}))?$/.exec(authority ?? '') ?? [];
  if (host === undefined || queryText === undefined) {
    return 'it is not of the form host:port/?parameters';
  }
  const query = readQuery(queryText);
  if (typeof query === 'string') return query;

  const date = query.get('X-Amz-Date') ?? '';
  const dateMs = readDate(date);
  if (dateMs === undefined) return 'its X-Amz-Date is missing or not a date';
  const life = query.get('X-Amz-Expires') ?? '';
  if (!/^[1-9]\d{0,8}$/.test(life)) {
    return 'its X-Amz-Expires is missing or not a number of seconds';
  }
  const scope = readScope(query.get('X-Amz-Credential') ?? '');
  if (scope === undefined) return 'its X-Amz-Credential is missing or malformed';
  return {
    host,
    port: Number(port ?? HTTPS_PORT),
    query,
    scope,
    date,
    dateMs,
    lifeS: Number(life),
  };
}

/**
 * The parameters, decoded; a sentence where they are malformed. A name that comes twice, in any
 * case of letters, is refused: two readers of such a token could read two different things.
 */
function readQuery(text: string): ReadonlyMap<string, string> | string {
  const query = new Map<string, string>();
  const names = new Set<string>();
  for (const pair of text.split('&')) {
    const [, name, encoded] = /^([A-Za-z0-9-]+)=(.*)$/.exec(pair) ?? [];
    if (name === undefined || encoded === undefined) return 'a parameter of it is malformed';
    const value = percentDecoded(encoded);
    if (value === undefined) return 'a parameter of it is not well encoded';
    if (names.has(name.toLowerCase())) return 'a parameter of it comes twice';
    names.add(name.toLowerCase());
    query.set(name, value);
  }
  return query;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The first thing in the token that is not as it must be. */
function findMismatch(token: Token, check: TokenCheck): string | undefined {
  const { query, scope } = token;
  const { hosts, port } = check.endpoints;
  const host = token.host.toLowerCase();
  const sinceS = (check.nowMs - token.dateMs) / 1000;
  const skewS = (check.skewMs ?? DEFAULT_SKEW_MS) / 1000;
  const rules: readonly (readonly [holds: boolean, why: string])[] = [
    [query.get('Action') === 'connect', 'its Action is not connect'],
    [query.get('DBUser') === check.user, 'it is for another database user'],
    [
      hosts.some((name) => withoutBrackets(name) === withoutBrackets(host)),
      `it is for another host than ${hosts.join(', ')}`,
    ],
    [token.port === port, `it is for another port than ${port}`],
    [query.get('X-Amz-Algorithm') === ALGORITHM, `its algorithm is not ${ALGORITHM}`],
    [query.get('X-Amz-SignedHeaders') === 'host', 'its signed headers are not just the host'],
    [scope.region === check.region, `it is for another region than ${check.region}`],
    [
      scope.service === SERVICE && scope.end === SCOPE_END,
      `it is for another service than ${SERVICE}`,
    ],
    [
      scope.day === token.date.slice(0, 8),
      'its X-Amz-Credential and X-Amz-Date are of different days',
    ],
    [token.lifeS <= LONGEST_LIFE_S, `it wants to live longer than ${LONGEST_LIFE_S} seconds`],
    [
      sinceS >= -skewS,
      `it is dated ${Math.ceil(-sinceS)} seconds in the future: are the clocks right?`,
    ],
    [sinceS <= token.lifeS, `it expired ${Math.ceil(sinceS - token.lifeS)} seconds ago`],
  ];
  return rules.find(([holds]) => !holds)?.[1];
}

/** Signs the same request again, with every parameter there is, and compares. */
async function isSignedWith(key: AccessKey, token: Token): Promise<boolean> {
  const signer = new SignatureV4({
    service: SERVICE,
    region: token.scope.region,
    credentials: {
      accessKeyId: token.scope.accessKeyId,
      secretAccessKey: key.secretAccessKey.reveal(),
      ...(key.sessionToken && { sessionToken: key.sessionToken.reveal() }),
    },
    sha256: Sha256,
  });
  for (const host of signedHosts(token)) {
    const { query } = await signer.presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname: token.host,
        path: '/',
        query: Object.fromEntries(token.query),
        headers: { host },
      },
      { signingDate: new Date(token.dateMs), expiresIn: token.lifeS },
    );
    const signature = query?.['X-Amz-Signature'];
    if (sameText(String(signature), token.query.get('X-Amz-Signature') ?? '')) return true;
  }
  return false;
}

/**
 * What may have been signed as the host header: SDKs differ in letter case and in naming HTTPS's
 * own port.
 */
function signedHosts({ host, port }: Token): ReadonlySet<string> {
  const names = [host, host.toLowerCase()];
  return new Set([
    ...names.map((name) => `${name}:${port}`),
    ...(port === HTTPS_PORT ? names : []),
  ]);
}

function refuse(why: string): TokenVerdict {
  return { ok: false, why };
}
