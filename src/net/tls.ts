import type { TlsMode } from '../core/engine.ts';

/** What a listener needs to speak TLS. Replaced as a whole when certificate files change. */
export interface TlsServer {
  readonly options: {
    readonly key: string;
    readonly cert: string;
    readonly ALPNProtocols?: Uint8Array;
  };
}

/** What a connection to a database needs to speak TLS. */
export interface TlsClient {
  readonly mode: Exclude<TlsMode, 'disable'>;
  readonly options: {
    readonly rejectUnauthorized: boolean;
    readonly serverName?: string;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  };
}

/** `alpn` are the protocol names offered, as TLS wants them: each with its length in front. */
export function tlsServer(keyPem: string, certPem: string, alpn: readonly string[]): TlsServer {
  const names = Buffer.concat(
    alpn.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`, 'latin1')),
  );
  return {
    options: { key: keyPem, cert: certPem, ...(names.length > 0 ? { ALPNProtocols: names } : {}) },
  };
}

export interface TlsClientFiles {
  readonly caPem?: string | undefined;
  readonly certPem?: string | undefined;
  readonly keyPem?: string | undefined;
}

/** `serverName` is the name the certificate is held to in `verify-full`, and what SNI tells unless it is an IP address (trap TD-34). */
export function tlsClient(
  mode: Exclude<TlsMode, 'disable'>,
  serverName: string,
  files: TlsClientFiles,
): TlsClient {
  return {
    mode,
    options: {
      rejectUnauthorized: mode === 'verify-full',
      serverName,
      ...(files.caPem === undefined ? {} : { ca: files.caPem }),
      ...(files.certPem === undefined ? {} : { cert: files.certPem }),
      ...(files.keyPem === undefined ? {} : { key: files.keyPem }),
    },
  };
}

/** How a handshake ended, as Bun tells it. */
export interface HandshakeVerdict {
  /** False also where only the certificate's name differs: it alone does not tell whether there is TLS now. */
  readonly succeeded: boolean;
  /** Of the certificate's first flaw (the chain comes before the name), or `NO_TLS`. */
  readonly code: string | undefined;
  readonly message: string;
}

export function handshakeVerdict(succeeded: boolean, problem: Error | null): HandshakeVerdict {
  const code = problem !== null && 'code' in problem ? String(problem.code) : undefined;
  return { succeeded, code, message: problem?.message ?? 'no reason was given' };
}

/** The name differs but the chain is trusted: enough for `verify-ca`, as in libpq. */
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** The peers could not agree, or one of them left: whatever the certificate is, nothing is encrypted. */
const NO_TLS: readonly (string | undefined)[] = ['EPROTO', 'ECONNRESET', undefined];

/** What is wrong with a handshake in which we were the server; undefined where nothing is. Clients have no certificates. */
export function judgeClient({ succeeded, message }: HandshakeVerdict): string | undefined {
  return succeeded ? undefined : `the TLS handshake failed: ${message}`;
}

/** What is wrong with a handshake in which we were the client, for this mode; undefined where nothing is. */
export function judgeServer(
  mode: TlsClient['mode'],
  verdict: HandshakeVerdict,
): string | undefined {
  const { succeeded, code, message } = verdict;
  if (!succeeded && NO_TLS.includes(code)) return `the TLS handshake failed: ${message}`;
  const refusal = `the certificate was not accepted: ${message} (${code})`;
  switch (mode) {
    case 'prefer':
    case 'require':
      return undefined;
    case 'verify-ca':
      return code === undefined || code === WRONG_NAME ? undefined : refusal;
    case 'verify-full':
      return code === undefined ? undefined : refusal;
  }
}
