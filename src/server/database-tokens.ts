import type { AwsAccount } from '../aws/account.ts';
import type { AwsTokens } from '../aws/tokens.ts';
import type { SecretText } from '../base/secret-text.ts';
import { dbUserArn } from '../iam/principals.ts';
import { resourceId } from '../state/rds-names.ts';
import type { Made } from './made.ts';
import { awsRole, denial, NO_AWS } from './secrets.ts';
import type { DatabaseSettings, ProxySettings, Settings } from './settings/settings.ts';

const CONNECT = 'rds-db:connect';

/** How users sign in at the proxy's databases who have no secret. */
export interface TokenSource {
  /** As whom to watch databases; undefined where nobody has said. */
  readonly watchUser: string | undefined;
  /** Rejects with a sentence that says why there is none. */
  current(user: string, database: DatabaseSettings): Promise<SecretText>;
}

/** IAM tokens that the proxy signs. */
export class DatabaseTokens implements TokenSource {
  readonly #settings: Settings;
  readonly #roleArn: string | undefined;
  readonly #made: Made | undefined;
  readonly #aws: AwsAccount | undefined;
  /** By host and port, which tokens are for. */
  readonly #tokens = new Map<string, AwsTokens>();

  constructor(
    settings: Settings,
    { roleArn }: ProxySettings,
    { made, aws }: { readonly made: Made | undefined; readonly aws: AwsAccount | undefined },
  ) {
    this.#settings = settings;
    this.#roleArn = roleArn;
    this.#made = made;
    this.#aws = aws;
  }

  get watchUser(): string | undefined {
    return this.#aws?.settings.watchUser;
  }

  async current(user: string, database: DatabaseSettings): Promise<SecretText> {
    if (this.#aws === undefined)
      throw new Error(`There are no IAM tokens for the database: ${NO_AWS}`);
    const why = denial(this.#made, this.#roleArn, CONNECT, this.#resource(user, database));
    if (why !== undefined) throw new Error(why);
    const { host, port } = database;
    const key = `${host} ${port}`;
    const tokens =
      this.#tokens.get(key) ??
      this.#aws.tokensFor({ host, port }, awsRole(this.#made, this.#roleArn));
    this.#tokens.set(key, tokens);
    return await tokens.current(user);
  }

  /** What the role's policy must allow, as AWS names it. */
  #resource(user: string, { resourceId: told, identifier }: DatabaseSettings): string {
    const { region, account } = this.#settings;
    const proxyId = told ?? resourceId('db-', { region, account }, identifier);
    return dbUserArn({ region, account, proxyId, user });
  }
}
