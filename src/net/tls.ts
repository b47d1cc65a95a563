import type { TlsMode } from '../core/engine.ts';

/** What a listener needs to speak TLS. Replaced as a whole when certificate files change. */
export interface TlsServer {
  readonly options: { readonly key: string; readonly cert: string; readonly ALPNProtocols?: Uint8Array };
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
  const names = Buffer.concat(alpn.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`, 'latin1')));
  return { options: { key: keyPem, cert: certPem, ...(names.length > 0 ? { ALPNProtocols: names } : {}) } };
}

export interface TlsClientFiles {
  readonly caPem?: string | undefined;
  readonly certPem?: string | undefined;
  readonly keyPem?: string | undefined;
}

/** `serverName` is the name the certificate is held to in `verify-full`, and what SNI tells unless it is an IP address (trap TD-34). */
export function tlsClient(mode: Exclude<TlsMode, 'disable'>, serverName: string, files: TlsClientFiles): TlsClient {
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

/** The name differs but the chain is trusted: enough for `verify-ca`, as in libpq. */
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

/** What is wrong with the peer's certificate for this mode, given the handshake's verdict; undefined where nothing is. */
export function judgePeer(client: TlsClient, verdict: string | undefined): string | undefined {
  switch (client.mode) {
    case 'prefer':
    case 'require':
      return undefined;
    case 'verify-ca':
      return verdict === undefined || verdict === WRONG_NAME ? undefined : `the certificate was not accepted: ${verdict}`;
    case 'verify-full':
      return verdict === undefined ? undefined : `the certificate was not accepted: ${verdict}`;
  }
}
