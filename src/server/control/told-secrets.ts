import type { Clock } from '../../base/clock.ts';
import { SecretText } from '../../base/secret-text.ts';
import type { DeclaredSecret } from '../../secrets/declared.ts';
import { DeclaredSecrets } from '../../secrets/declared.ts';
import type { DeclaredText } from '../../state/declared-secrets.ts';
import { DeclarationConflict } from '../../state/rds-declaring.ts';
import type { SecretStore } from '../../state/secrets.ts';

/** Has the API tell of the secrets that the settings file declares: of those in files of their own what these say now. */
export class ToldSecrets {
  readonly #store: SecretStore;
  readonly #clock: Pick<Clock, 'wallMs'>;
  #declared: readonly DeclaredSecret[] = [];
  #source = new DeclaredSecrets([]);

  constructor(store: SecretStore, clock: Pick<Clock, 'wallMs'>) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Throws `DeclarationConflict` where the API has made a secret of the same name. */
  check(secrets: readonly DeclaredSecret[]): void {
    const taken = secrets.find(({ name }) => this.#store.findKept(name) !== undefined);
    if (taken !== undefined)
      throw new DeclarationConflict(
        `the secret ${taken.name} was made by the API: delete it there without recovery, or give the one in the settings file another name`,
      );
  }

  /** From here on these are told. */
  declare(secrets: readonly DeclaredSecret[]): void {
    this.#declared = secrets;
    this.#source = new DeclaredSecrets(secrets);
    this.#tell(secrets);
  }

  /** Reads the files again. What one says that cannot be read any more is what it said last. */
  async renew(): Promise<void> {
    const source = this.#source;
    const read = this.#declared.map(async ({ name }) => ({
      name,
      value: await source.refresh(name).catch(() => source.current(name)),
    }));
    const secrets = await Promise.all(read);
    if (source === this.#source) this.#tell(secrets);
  }

  #tell(secrets: readonly Pick<DeclaredSecret, 'name' | 'value'>[]): void {
    this.#store.declared.replace(secrets.map(textOf), this.#clock.wallMs());
  }
}

function textOf({ name, value }: Pick<DeclaredSecret, 'name' | 'value'>): DeclaredText {
  const { username, password, dbname } = value;
  const text = JSON.stringify({ username, password: password.reveal(), dbname });
  return { name, text: new SecretText(text) };
}
