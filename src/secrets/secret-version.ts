import type { SecretText } from '../base/secret-text.ts';
import { parseSecret } from './secret-file.ts';
import type { SecretValue } from './source.ts';
import { SecretDenied } from './source.ts';

/** A version of a secret, as somebody keeps it who has more than one. */
interface Version {
  readonly text: SecretText;
}

/** What it says. Throws `SecretDenied` where that is of no use. @param id of the secret, for people */
export function valueIn(id: string, { text }: Version): SecretValue {
  try {
    return parseSecret(Buffer.from(text.reveal()));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SecretDenied(`The secret ${id} is of no use: ${why}`);
  }
}

/** The same, of one that is not needed. Undefined where there is no such version, or it says nothing of use. */
export function loginIn(version: Version | undefined): SecretValue | undefined {
  if (version === undefined) return undefined;
  try {
    return parseSecret(Buffer.from(version.text.reveal()));
  } catch {
    return undefined;
  }
}
