import type { SecretText } from '../../src/base/secret-text.ts';

export const USER = 'bench';
export const DATABASE = 'bench';

/** The way to the database, straight or through a pooler. */
export interface Line {
  readonly host: string;
  readonly port: number;
  /** Of `USER`. */
  readonly password: SecretText;
  readonly tls: boolean;
}
