import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { concat, utf8 } from '../base/bytes.ts';
import type { TlsMode } from '../core/engine.ts';

/** What a listener needs to speak TLS. Replaced as a whole when certificate files change. */
export interface TlsServer {
  readonly options: {
    readonly key: string;
    readonly cert: string;
    /**
     * Where whoever signed `cert` is looked for, at every handshake, if it goes on with nobody. Left out, that would be among
     * the system's certificates: files that are opened, and shown to clients without having been asked for.
     */
    readonly ca: string;
    readonly ALPNProtocols?: Uint8Array;
  };
  /** The first certificate of `cert`, as DER: what clients are shown. */
  readonly certificate: Uint8Array;
}

/** What a connection to a database needs to speak TLS. */
export interface TlsClient {
  readonly mode: Exclude<TlsMode, 'disable'>;
  /** What the certificate is held to instead of a name; Bun knows only the address that it has dialled. */
  readonly address: string | undefined;
  readonly options: {
    readonly rejectUnauthorized: boolean;
    /** Empty for none: left out, Bun would tell the host that it has dialled. */
    readonly serverName: string;
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly ALPNProtocols?: Uint8Array;
  };
}

/**
 * `alpn` are the protocol names offered. Throws a sentence where key and certificate are not PEM or do not belong together;
 * `certPem` may go on with the certificates of those who signed it.
 */
export function tlsServer(keyPem: string, certPem: string, alpn: readonly string[]): TlsServer {
  const certificate = checkPair(keyPem, certPem).raw;
  const options = { key: keyPem, cert: certPem, ca: certPem, ...offering(alpn) };
  return { options, certificate };
}

/** As TLS wants them: each with its length in front. */
function offering(alpn: readonly string[]): { readonly ALPNProtocols?: Uint8Array } {
  const names = alpn.map((name) => utf8(`${String.fromCharCode(name.length)}${name}`));
  return names.length > 0 ? { ALPNProtocols: concat(names) } : {};
}

export interface TlsClientFiles {
  readonly caPem?: string | undefined;
  readonly certPem?: string | undefined;
  readonly keyPem?: string | undefined;
}

/**
 * `serverName` is the name the certificate is held to in `verify-full`, and what SNI tells unless it is an IP address (trap
 * TD-34); `alpn` are the protocol names to ask for. Throws like `tlsServer` over a certificate of our own.
 */
export function tlsClient(
  mode: Exclude<TlsMode, 'disable'>,
  serverName: string,
  { caPem, certPem, keyPem }: TlsClientFiles,
  alpn: readonly string[] = [],
): TlsClient {
  if (certPem !== undefined && keyPem !== undefined) checkPair(keyPem, certPem);
  if (caPem !== undefined) checkCertificates(caPem);
  const { address, options } = named(mode, serverName);
  return {
    mode,
    address,
    options: {
      ...options,
      ...(caPem === undefined ? {} : { ca: caPem }),
      ...(certPem === undefined ? {} : { cert: certPem }),
      ...(keyPem === undefined ? {} : { key: keyPem }),
      ...offering(alpn),
    },
  };
}

function named(mode: TlsClient['mode'], serverName: string) {
  const address = isIP(serverName) > 0 ? serverName : undefined;
  return {
    address,
    options: {
      rejectUnauthorized: mode === 'verify-full' && address === undefined,
      serverName: address === undefined ? serverName : '',
    },
  };
}

/** Whether a server's certificate is held to this name. */
export function isAbout({ address, options }: TlsClient, host: string): boolean {
  return (address ?? options.serverName) === host;
}

/** The same, for a server by another name. */
export function about(client: TlsClient, host: string): TlsClient {
  const { address, options } = named(client.mode, host);
  return { ...client, address, options: { ...client.options, ...options } };
}

/** Bun would notice at every connection anew; and files that are being replaced may not fit each other for a moment. */
function checkPair(keyPem: string, certPem: string): X509Certificate {
  const certificate = parsed('certificate', () => new X509Certificate(certPem));
  const key = parsed('key', () => createPrivateKey(keyPem));
  if (!certificate.checkPrivateKey(key)) throw new Error("the key is not the certificate's");
  return certificate;
}

/** Bun says no more than `Invalid CA`, and only when it connects. */
function checkCertificates(pem: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g);
  if (blocks === null) throw new Error('there is no PEM certificate in it');
  for (const block of blocks) parsed('certificate', () => new X509Certificate(block));
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new Error(`the ${what} is not PEM, or is damaged${code}`, { cause: error });
  }
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
export const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** The peers could not agree, or one of them left: whatever the certificate is, nothing is encrypted. */
const NO_TLS: readonly (string | undefined)[] = ['EPROTO', 'ECONNRESET', undefined];

/** What is wrong with a handshake in which we were the server; undefined where nothing is. Clients have no certificates. */
export function judgeClient({ succeeded, message }: HandshakeVerdict): string | undefined {
  return succeeded ? undefined : `the TLS handshake failed: ${message}`;
}

/**
 * What is wrong with a handshake in which we were the client, for its mode; undefined where nothing is. `certificate` tells
 * the peer's, as DER.
 */
export function judgeServer(
  { mode, address }: TlsClient,
  { succeeded, code, message }: HandshakeVerdict,
  certificate: () => Uint8Array,
): string | undefined {
  if (!succeeded && NO_TLS.includes(code)) return `the TLS handshake failed: ${message}`;
  const isTrusted = code === undefined || code === WRONG_NAME;
  const refused = 'the certificate was not accepted:';
  switch (mode) {
    case 'prefer':
    case 'require':
      return undefined;
    case 'verify-ca':
      return isTrusted ? undefined : `${refused} ${message} (${code})`;
    case 'verify-full':
      if (isTrusted && address !== undefined)
        return isFor(address, certificate()) ? undefined : `${refused} it is not for ${address}`;
      return code === undefined ? undefined : `${refused} ${message} (${code})`;
  }
}

function isFor(address: string, certificate: Uint8Array): boolean {
  return new X509Certificate(certificate).checkIP(address) !== undefined;
}
