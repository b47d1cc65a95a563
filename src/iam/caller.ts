import type { SecretText } from '../base/secret-text.ts';
import type { Policy } from './policy.ts';

/** Who has signed a request or a token, and what they may do. */
export interface Caller {
  readonly accessKeyId: string;
  /** Twelve digits. */
  readonly account: string;
  /** `arn:aws:iam::…:user/…`, `arn:aws:sts::…:assumed-role/…/…`. */
  readonly arn: string;
  /** Of a session of a role: `arn:aws:iam::…:role/…`, which policies name, and which `arn` does not tell. */
  readonly roleArn?: string;
  /** As GetCallerIdentity tells it: `AIDA…`, `AROA…:session`. */
  readonly userId: string;
  readonly policies: readonly Policy[];
}

/** An access key that can sign, and whose it is. */
export interface SigningKey {
  readonly secretAccessKey: SecretText;
  /** Temporary credentials have one, and requests must carry it. */
  readonly sessionToken?: SecretText;
  /** Milliseconds since 1970, of temporary credentials. */
  readonly expiresMs?: number;
  readonly caller: Caller;
}

/** Finds access keys, as they are now: one that is inactive or deleted is none. One that has expired is found, and says so. */
export interface KeyRing {
  find(accessKeyId: string): SigningKey | undefined;
}
