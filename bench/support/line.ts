import type { SecretText } from '../../src/base/secret-text.ts';

/** Of databases that a benchmark makes for itself. */
export const USER = 'bench';
export const DATABASE = 'bench';

/** The way to the database, straight or through a pooler. */
export interface Line {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: SecretText;
  readonly tls: boolean;
}
