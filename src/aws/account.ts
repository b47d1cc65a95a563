import type { Clock } from '../base/clock.ts';
import { SecretDenied } from '../secrets/source.ts';
import type { AwsClient, AwsSettings } from './client.ts';
import { SdkClient } from './client.ts';
import type { AwsTarget, Located } from './databases.ts';
import { AwsDatabases, keyOf } from './databases.ts';
import { Kept } from './kept.ts';
import type { ReadSecret } from './secrets.ts';
import { AwsSecrets } from './secrets.ts';
import { AwsTokens } from './tokens.ts';

export interface WantedTarget {
  readonly target: AwsTarget;
  /** It cannot be reached: it may be elsewhere by now. */
  readonly isLost: boolean;
}

/** How often it is looked what is due. */
const TICK_MS = 500;

/** All that one process has to do with AWS, by one set of settings. */
export class AwsAccount {
  readonly settings: AwsSettings;
  readonly client: AwsClient;
  readonly databases: AwsDatabases;
  /** Which databases somebody is interested in at the moment: AWS is asked about them again and again, and about no others. */
  wanted: () => readonly WantedTarget[] = () => [];
  readonly #clock: Clock;
  readonly #secrets: Kept<ReadSecret>;
  readonly #stop: () => void;

  /** @param changed called when a secret or an address is other than it was, or can no longer be read, or can be again */
  constructor(
    settings: AwsSettings,
    parts: { clock: Clock; changed: () => void; client?: AwsClient },
  ) {
    const { clock, changed } = parts;
    const { refreshMs } = settings;
    this.settings = settings;
    this.#clock = clock;
    this.client = parts.client ?? new SdkClient(settings, clock);
    this.#secrets = new Kept({
      clock,
      refreshMs,
      changed,
      isFinal: (trouble) => trouble instanceof SecretDenied,
    });
    const located = new Kept<Located>({ clock, refreshMs, changed });
    this.databases = new AwsDatabases(this.client, located);
    this.#stop = clock.every(TICK_MS, () => {
      const wanted = this.wanted();
      for (const { target } of wanted) this.databases.find(target);
      const lost = wanted.filter(({ isLost }) => isLost);
      this.#secrets.tick();
      located.tick(lost.map(({ target }) => keyOf(target)));
    });
  }

  secretsAs(roleArn: string | undefined): AwsSecrets {
    return new AwsSecrets(this.client, this.#secrets, roleArn);
  }

  /** IAM tokens for one database, signed as one role. */
  tokensFor(
    { host, port }: { readonly host: string; readonly port: number },
    roleArn: string | undefined,
  ): AwsTokens {
    return new AwsTokens((user) => this.client.token({ host, port, user }, roleArn), this.#clock);
  }

  stop(): void {
    this.#stop();
  }
}
