import { readSecretFile } from './secret-file.ts';
import type { SecretSource, SecretValue } from './source.ts';

/** A secret that the settings declare. */
export interface DeclaredSecret {
  readonly name: string;
  /** As it was when the settings were read. */
  readonly value: SecretValue;
  /** Where to read it again (an absolute path); undefined where the settings hold it themselves. */
  readonly file: string | undefined;
}

/** Secrets written in the settings, or in files that they name and that somebody else may rotate. */
export class DeclaredSecrets implements SecretSource {
  readonly #secrets = new Map<string, DeclaredSecret>();
  readonly #reading = new Map<string, Promise<SecretValue>>();
  readonly #read: (file: string) => Promise<SecretValue>;

  constructor(secrets: readonly DeclaredSecret[], read = readSecretFile) {
    for (const secret of secrets) this.#secrets.set(secret.name, secret);
    this.#read = read;
  }

  async current(name: string): Promise<SecretValue> {
    return this.#find(name).value;
  }

  async refresh(name: string): Promise<SecretValue> {
    const { value, file } = this.#find(name);
    if (file === undefined) return value;
    let reading = this.#reading.get(name);
    if (reading === undefined) {
      reading = this.#readAgain(name, file).finally(() => this.#reading.delete(name));
      this.#reading.set(name, reading);
    }
    return reading;
  }

  async #readAgain(name: string, file: string): Promise<SecretValue> {
    try {
      const value = await this.#read(file);
      this.#secrets.set(name, { name, value, file });
      return value;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the file of the secret "${name}" is of no use: ${why}`, { cause: error });
    }
  }

  #find(name: string): DeclaredSecret {
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw new Error(`there is no secret named "${name}"`);
    return secret;
  }
}
