import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../src/auth/signing.ts';
import type { Credentials } from './api.ts';

export interface Plain {
  readonly method?: string;
  /** With the query, if there is one. */
  readonly target?: string;
  /** Beyond the host; all of them are signed. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly service?: string;
  readonly region?: string;
  /** Milliseconds since 1970. */
  readonly dateMs: number;
}

/** The headers of a request, signed by AWS's own signer. */
export async function signedHeaders(
  {
    method = 'POST',
    target = '/',
    headers = {},
    host = 'api.example.com',
    body = '',
    service = 'rds',
    region = 'eu-west-1',
    dateMs,
  }: Plain,
  credentials: Credentials,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    service,
    region,
    credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const { pathname, searchParams } = new URL(target, 'http://host');
  const all = { host, ...headers };
  const { headers: signed } = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: host,
      path: pathname,
      query: Object.fromEntries(
        [...searchParams.keys()].map((key) => [key, searchParams.getAll(key)]),
      ),
      headers: all,
      body,
    },
    {
      signingDate: new Date(dateMs),
      signableHeaders: new Set([...Object.keys(all), 'x-amz-date', 'x-amz-security-token']),
    },
  );
  return signed;
}

/** A whole request, as `ApiFront` takes it. */
export async function signedRequest(plain: Plain, credentials: Credentials): Promise<Request> {
  const { method = 'POST', target = '/', host = 'api.example.com', body = '' } = plain;
  return new Request(`http://${host}${target}`, {
    method,
    headers: await signedHeaders(plain, credentials),
    ...(body.length > 0 && { body }),
  });
}
