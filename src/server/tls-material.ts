import { readFile } from 'node:fs/promises';
import type { EngineFamily } from '../core/engine.ts';
import { generateCertificate } from '../net/certificate.ts';
import type { Certificate } from '../net/certificate.ts';
import type { TlsClient, TlsServer } from '../net/tls.ts';
import { tlsClient, tlsServer } from '../net/tls.ts';
import { hostNamesOf } from './settings/settings.ts';
import type { CertificateFiles, DatabaseSettings, ProxySettings } from './settings/settings.ts';

/** What clients may say by ALPN: those that begin with TLS do. */
const alpn: Readonly<Record<EngineFamily, readonly string[]>> = {
  POSTGRESQL: ['postgresql'],
  MYSQL: [],
  SQLSERVER: ['tds/8.0'],
};

/** The proxy's certificate: its own files, or one made for its host names. Rejects with a sentence that names the file. */
export async function loadServerTls(
  proxy: ProxySettings,
  made: CertificateSource,
): Promise<TlsServer> {
  const protocols = alpn[proxy.engineFamily];
  if (proxy.tls === undefined) {
    const { keyPem, certPem } = await made.of(hostNamesOf(proxy));
    return tlsServer(keyPem, certPem, protocols);
  }
  const { keyPem, certPem } = await readCertificate(proxy.tls);
  return tlsServer(keyPem, certPem, protocols);
}

/** PEM that belongs together. Rejects with a sentence that names the files. */
export async function readCertificate({
  keyFile,
  certFile,
}: CertificateFiles): Promise<{ readonly keyPem: string; readonly certPem: string }> {
  const [keyPem, certPem] = [await read(keyFile), await read(certFile)];
  await attempt(`cannot use ${certFile} with ${keyFile}`, () => tlsServer(keyPem, certPem, []));
  return { keyPem, certPem };
}

/** How to reach the database by TLS; undefined where it is switched off. Rejects with a sentence that names the file. */
export async function loadClientTls(database: DatabaseSettings): Promise<TlsClient | undefined> {
  const { engineFamily, tlsMode, tlsFirst, tlsServerName, tlsCaFile, tlsCertFile, tlsKeyFile } =
    database;
  if (tlsMode === 'disable') return undefined;
  const { ca, cert, key } = await readClientFiles(database);
  const files = { caPem: ca, certPem: cert, keyPem: key };
  const used = [tlsCaFile, tlsCertFile, tlsKeyFile].filter((file) => file !== undefined);
  const protocols = tlsFirst ? alpn[engineFamily] : [];
  return attempt(`cannot use ${used.join(', ')}`, () =>
    tlsClient(tlsMode, tlsServerName, files, protocols),
  );
}

/** What a TLS client of the database trusts and shows, in PEM. Rejects with a sentence that names the file. */
export async function readClientFiles({
  tlsCa,
  tlsCaFile,
  tlsCertFile,
  tlsKeyFile,
}: DatabaseSettings) {
  return {
    ca: tlsCaFile === undefined ? tlsCa : await read(tlsCaFile),
    cert: tlsCertFile === undefined ? undefined : await read(tlsCertFile),
    key: tlsKeyFile === undefined ? undefined : await read(tlsKeyFile),
  };
}

/** Where certificates come from that no settings name: the same for equal names, since clients may have pinned it. */
export interface CertificateSource {
  of(names: readonly string[]): Certificate | Promise<Certificate>;
}

/** Makes each when it is asked for first. */
export class GeneratedCertificates implements CertificateSource {
  readonly #made = new Map<string, Certificate>();
  readonly #make: (names: readonly string[]) => Certificate;

  constructor(make: (names: readonly string[]) => Certificate = generateCertificate) {
    this.#make = make;
  }

  of(names: readonly string[]): Certificate {
    const key = names.join(' ');
    const made = this.#made.get(key) ?? this.#make(names);
    this.#made.set(key, made);
    return made;
  }
}

/** Asks another process for each, once, so that all processes have the same. */
export class ToldCertificates implements CertificateSource {
  readonly #told = new Map<string, PromiseWithResolvers<Certificate>>();
  readonly #ask: (names: readonly string[]) => void;

  constructor(ask: (names: readonly string[]) => void) {
    this.#ask = ask;
  }

  of(names: readonly string[]): Promise<Certificate> {
    const key = names.join(' ');
    let told = this.#told.get(key);
    if (told === undefined) {
      told = Promise.withResolvers();
      this.#told.set(key, told);
      this.#ask(names);
    }
    return told.promise;
  }

  /** The answer. */
  tell(names: readonly string[], certificate: Certificate): void {
    this.#told.get(names.join(' '))?.resolve(certificate);
  }

  /** There will be no answers: whoever waits for one waits no more. */
  giveUp(why: string): void {
    for (const { reject } of this.#told.values()) reject(new Error(why));
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
