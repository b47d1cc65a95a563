import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { generateCertificate } from '../../net/certificate.ts';
import type { Certificate } from '../../net/certificate.ts';

const DAY_MS = 86_400_000;
/** One that ends sooner is replaced at the next start. */
const LEFT_MS = 60 * DAY_MS;

/**
 * Keeps generated certificates in a directory, so that clients who trust one can do so after a restart, too: `certificates/NAME-….crt`
 * for them, and a `.key` beside it for us, by the names that the certificate is for. Only one process may write there.
 */
export class CertificateShelf {
  readonly #directory: string;
  readonly #clock: Clock;

  constructor(directory: string, clock: Clock) {
    this.#directory = join(directory, 'certificates');
    this.#clock = clock;
  }

  /** The one that is there, or one that is made now. */
  of(names: readonly string[]): Certificate {
    return this.#read(names) ?? this.#make(names);
  }

  #read(names: readonly string[]): Certificate | undefined {
    const { keyPath, certPath } = this.#paths(names);
    try {
      const [keyPem, certPem] = [readFileSync(keyPath, 'utf8'), readFileSync(certPath, 'utf8')];
      const endsMs = new X509Certificate(certPem).validToDate.getTime();
      return endsMs - this.#clock.wallMs() < LEFT_MS ? undefined : { keyPem, certPem };
    } catch {
      return undefined; // not there, or half of it
    }
  }

  #make(names: readonly string[]): Certificate {
    const made = generateCertificate(names, this.#clock);
    const { keyPath, certPath } = this.#paths(names);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    replace(keyPath, made.keyPem, 0o600);
    replace(certPath, made.certPem, 0o644);
    return made;
  }

  /** Names may be long, and have characters that files cannot. */
  #paths(names: readonly string[]) {
    const digest = createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 8);
    const name = (names[0] ?? '').replaceAll(/[^\w.-]/g, '_').slice(0, 64);
    const path = join(this.#directory, `${name}-${digest}`);
    return { keyPath: `${path}.key`, certPath: `${path}.crt` };
  }
}

function replace(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode });
  renameSync(`${path}.new`, path);
}
