import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';

/** How a certificate is signed, for `openssl req`; and the hash that a login is bound to with it (RFC 5929, section 4.1). */
interface Kind {
  readonly make: readonly string[];
  /** Undefined where the RFC defines none. */
  readonly hash: string | undefined;
}

const RSA = ['-newkey', 'rsa:2048'];
const PSS = [...RSA, '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1'];
const ec = (curve: string): string[] => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`];

export const certificateKinds = {
  'RSA with MD5': { make: [...RSA, '-md5'], hash: 'sha256' },
  'RSA with SHA-1': { make: [...RSA, '-sha1'], hash: 'sha256' },
  'RSA with SHA-224': { make: [...RSA, '-sha224'], hash: 'sha224' },
  'RSA with SHA-256': { make: [...RSA, '-sha256'], hash: 'sha256' },
  'RSA with SHA-384': { make: [...RSA, '-sha384'], hash: 'sha384' },
  'RSA with SHA-512': { make: [...RSA, '-sha512'], hash: 'sha512' },
  'RSA-PSS with SHA-1': { make: [...PSS, '-sha1'], hash: 'sha256' },
  'RSA-PSS with SHA-224': { make: [...PSS, '-sha224'], hash: 'sha224' },
  'RSA-PSS with SHA-256': { make: [...PSS, '-sha256'], hash: 'sha256' },
  'RSA-PSS with SHA-384': { make: [...PSS, '-sha384'], hash: 'sha384' },
  'RSA-PSS with SHA-512': { make: [...PSS, '-sha512'], hash: 'sha512' },
  'ECDSA with SHA-1': { make: [...ec('prime256v1'), '-sha1'], hash: 'sha256' },
  'ECDSA with SHA-224': { make: [...ec('prime256v1'), '-sha224'], hash: 'sha224' },
  'ECDSA P-256 with SHA-256': { make: [...ec('prime256v1'), '-sha256'], hash: 'sha256' },
  'ECDSA P-384 with SHA-384': { make: [...ec('secp384r1'), '-sha384'], hash: 'sha384' },
  'ECDSA P-521 with SHA-512': { make: [...ec('secp521r1'), '-sha512'], hash: 'sha512' },
  Ed25519: { make: ['-newkey', 'ed25519'], hash: undefined },
} as const satisfies Record<string, Kind>;

export type CertificateKind = keyof typeof certificateKinds;

export interface MadeCertificate {
  readonly keyPem: string;
  readonly certPem: string;
  /** The certificate as it goes over the wire. */
  readonly der: Uint8Array;
}

/** A self-signed certificate for localhost, made by OpenSSL's own program. */
export function makeCertificate(kind: CertificateKind): MadeCertificate {
  return inFolder((folder) => make(folder, 'self', certificateKinds[kind].make));
}

export interface SignedCertificate extends MadeCertificate {
  readonly signer: MadeCertificate;
  /** By which OpenSSL finds the signer's file in a folder of certificates. */
  readonly signerHash: string;
}

/** A certificate for localhost, and who has signed it. */
export function makeSignedCertificate(): SignedCertificate {
  return inFolder((folder) => {
    const curve = ec('prime256v1');
    const signer = make(folder, 'signer', curve, 'signer');
    const [key, cert] = filesOf(folder, 'signer');
    const signed = make(folder, 'signed', [...curve, '-CA', cert, '-CAkey', key]);
    const signerHash = openssl('x509', '-hash', '-noout', '-in', cert).trim();
    return { ...signed, signer, signerHash };
  });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-certificate-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function make(
  folder: string,
  file: string,
  how: readonly string[],
  subject = 'localhost',
): MadeCertificate {
  const [key, cert] = filesOf(folder, file);
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const about = ['-nodes', '-days', '2', '-subj', `/CN=${subject}`, '-addext', names];
  openssl('req', '-x509', ...how, ...about, '-keyout', key, '-out', cert);
  const certPem = readFileSync(cert, 'utf8');
  return { keyPem: readFileSync(key, 'utf8'), certPem, der: new X509Certificate(certPem).raw };
}

/** The key's and the certificate's. */
function filesOf(folder: string, file: string): readonly [string, string] {
  return [join(folder, `${file}.key`), join(folder, `${file}.crt`)];
}

function openssl(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}
