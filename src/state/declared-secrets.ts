import { createHash } from 'node:crypto';
import type { SecretText } from '../base/secret-text.ts';
import type { Secret, SecretValue, SecretVersion } from './secrets.ts';

/** A secret of the settings file, as it is now. */
export interface DeclaredText {
  readonly name: string;
  /** JSON, as Secrets Manager keeps it. */
  readonly text: SecretText;
}

interface Shelved {
  readonly secret: Secret;
  readonly version: SecretVersion;
  readonly value: SecretValue;
}

/**
 * Secrets that the settings file declares, for the API to tell of: in memory only, since the file has them. Their ARNs have no random
 * end, and each has one version, which is the current one.
 */
export class DeclaredSecretShelf {
  readonly #prefix: string;
  /** By their ARNs. */
  #shelved: ReadonlyMap<string, Shelved> = new Map();

  /** @param prefix of ARNs, up to the name */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** From here on there are these, and no others. */
  replace(secrets: readonly DeclaredText[], nowMs: number): void {
    this.#shelved = new Map(
      secrets.map((one) => {
        const arn = this.#prefix + one.name;
        const before = this.#shelved.get(arn);
        const isAsBefore = before?.value.text.sameAs(one.text) === true;
        return [arn, isAsBefore ? before : shelve(arn, one, before, nowMs)];
      }),
    );
  }

  /** By name or ARN. */
  find(id: string): Secret | undefined {
    return this.#of(id.startsWith('arn:') ? id : this.#prefix + id)?.secret;
  }

  all(): readonly Secret[] {
    return [...this.#shelved.values()].map(({ secret }) => secret);
  }

  /** Undefined where no such secret is declared. */
  versionOf(arn: string): SecretVersion | undefined {
    return this.#of(arn)?.version;
  }

  valueOf(arn: string): SecretValue | undefined {
    return this.#of(arn)?.value;
  }

  #of(arn: string): Shelved | undefined {
    return this.#shelved.get(arn);
  }
}

function shelve(
  arn: string,
  { name, text }: DeclaredText,
  before: Shelved | undefined,
  nowMs: number,
): Shelved {
  const number = (before?.version.number ?? 0) + 1;
  const versionId = versionIdOf(arn, number);
  return {
    secret: {
      arn,
      name,
      isDeclared: true,
      createToken: '',
      description: 'Declared in the settings file of Sluice.',
      kmsKeyId: undefined,
      tags: undefined,
      policy: undefined,
      rotation: undefined,
      createdMs: before?.secret.createdMs ?? nowMs,
      changedMs: nowMs,
      accessedMs: undefined,
      deletionMs: undefined,
      rotatedMs: undefined,
      nextRotationMs: undefined,
    },
    version: {
      number,
      versionId,
      createdMs: nowMs,
      accessedMs: undefined,
      stages: ['AWSCURRENT'],
    },
    value: { kind: 'string', text },
  };
}

/** In the form of a UUID, and another one for each value; it tells nothing of the value. */
function versionIdOf(arn: string, number: number): string {
  const hex = createHash('sha256').update(`${arn} ${number}`).digest('hex');
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts
    .slice(1)
    .map((end, at) => hex.slice(cuts[at], end))
    .join('-');
}
