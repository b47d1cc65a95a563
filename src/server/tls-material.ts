import { readFile } from 'node:fs/promises';
import type { EngineFamily } from '../core/engine.ts';
import { generateCertificate } from '../net/certificate.ts';
import type { TlsClient, TlsServer } from '../net/tls.ts';
import { tlsClient, tlsServer } from '../net/tls.ts';
import type { DatabaseSettings, ProxySettings } from './settings/settings.ts';

/** What clients may say by ALPN: a direct TLS connection to PostgreSQL does. */
const alpn: Readonly<Record<EngineFamily, readonly string[]>> = {
  POSTGRESQL: ['postgresql'],
  MYSQL: [],
  SQLSERVER: [],
};

/** The proxy's certificate: its own files, or one made for its host names. Rejects with a sentence that names the file. */
export async function loadServerTls(
  proxy: ProxySettings,
  generated: GeneratedCertificates,
): Promise<TlsServer> {
  const protocols = alpn[proxy.engineFamily];
  if (proxy.tls === undefined) {
    const { keyPem, certPem } = generated.of(proxy.hostnames);
    return tlsServer(keyPem, certPem, protocols);
  }
  const { keyFile, certFile } = proxy.tls;
  const [keyPem, certPem] = [await read(keyFile), await read(certFile)];
  return attempt(`cannot use ${certFile} with ${keyFile}`, () =>
    tlsServer(keyPem, certPem, protocols),
  );
}

/** How to reach the database by TLS; undefined where it is switched off. Rejects with a sentence that names the file. */
export async function loadClientTls(database: DatabaseSettings): Promise<TlsClient | undefined> {
  const { tlsMode, tlsServerName, tlsCaFile, tlsCertFile, tlsKeyFile } = database;
  if (tlsMode === 'disable') return undefined;
  const files = {
    caPem: tlsCaFile === undefined ? undefined : await read(tlsCaFile),
    certPem: tlsCertFile === undefined ? undefined : await read(tlsCertFile),
    keyPem: tlsKeyFile === undefined ? undefined : await read(tlsKeyFile),
  };
  const used = [tlsCaFile, tlsCertFile, tlsKeyFile].filter((file) => file !== undefined);
  return attempt(`cannot use ${used.join(', ')}`, () => tlsClient(tlsMode, tlsServerName, files));
}

/** A generated certificate stays the same while its names do: clients may have pinned it. */
export class GeneratedCertificates {
  readonly #made = new Map<string, ReturnType<typeof generateCertificate>>();

  /** `made`: certificates that exist already, with their names. */
  constructor(
    made: readonly (ReturnType<typeof generateCertificate> & {
      readonly names: readonly string[];
    })[] = [],
  ) {
    for (const { names, keyPem, certPem } of made)
      this.#made.set(names.join(' '), { keyPem, certPem });
  }

  of(names: readonly string[]): ReturnType<typeof generateCertificate> {
    const key = names.join(' ');
    const found = this.#made.get(key);
    if (found !== undefined) return found;
    const made = generateCertificate(names);
    this.#made.set(key, made);
    return made;
  }
}

function read(path: string): Promise<string> {
  return attempt(`cannot read ${path}`, () => readFile(path, 'utf8'));
}

async function attempt<T>(failure: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${failure}: ${why}`, { cause: error });
  }
}
