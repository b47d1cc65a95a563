import { dirname, resolve } from 'node:path';
import type { DeclaredSecret } from '../../secrets/declared.ts';
import { parseSecret, readUpTo, SECRET_FILE_BYTES } from '../../secrets/secret-file.ts';
import type { SecretValue } from '../../secrets/source.ts';
import { checkAws } from './aws-checks.ts';
import { checkApi, checkWorkers, crossCheck } from './cross-checks.ts';
import { normalise } from './normalise.ts';
import type { Path } from './problems.ts';
import { Problems, SettingsError } from './problems.ts';
import type { SecretInput } from './schema.ts';
import type { Settings } from './settings.ts';
import type { Parts, Placed } from './shape.ts';
import { readShape } from './shape.ts';
import type { Env } from './variables.ts';
import { expandVariables } from './variables.ts';
import { warn } from './warnings.ts';
import { openYamlFile } from './yaml-file.ts';

// What `loadSettings` throws belongs to it.
export { SettingsError } from './problems.ts';

/**
 * Reads the settings file and every file that it names a secret or a certificate by. Throws a `SettingsError` with all
 * that is wrong.
 * @param env what `${NAME}` stands for
 * @param hasApi proxies may come by the API, too, and secrets
 */
export function loadSettings(path: string, env: Env, { hasApi = false } = {}): Settings {
  const file = openYamlFile(path);
  const directory = dirname(resolve(path));
  const problems = new Problems(path, file.locate);
  file.mapTexts((text, place) => expandVariables(text, env, place, problems));
  const { input, parts } = readShape(file.value(problems), problems);
  const secrets = readSecrets(parts.secrets, directory, problems);
  crossCheck(parts, secrets, problems);
  checkAws(parts, problems);
  if (input !== undefined) checkWorkers(input, problems);
  if (input !== undefined) checkApi(input, hasApi, problems);
  readOtherFiles(parts, directory, problems);
  const lines = problems.lines();
  if (lines.length > 0 || input === undefined) throw new SettingsError(lines);
  const warnings = new Problems(path, file.locate);
  warn(input, warnings);
  return normalise(input, {
    path: resolve(path),
    directory,
    secrets,
    warnings: warnings.lines(),
  });
}

/** The secrets that can be read; the problems tell of the others. */
function readSecrets(
  inputs: readonly Placed<SecretInput>[],
  directory: string,
  problems: Problems,
): readonly DeclaredSecret[] {
  return inputs.flatMap(({ at, item: { name, value, file, awsSecret } }) => {
    if ([value, file, awsSecret].filter((one) => one !== undefined).length !== 1) {
      problems.add(at, 'give either `value`, `file` or `awsSecret`');
      return [];
    }
    if (awsSecret !== undefined) return []; // AWS is asked when somebody needs it
    const full = file === undefined ? undefined : resolve(directory, file);
    const read =
      full === undefined ? inlineValue(value) : readSecret([...at, 'file'], full, problems);
    return read === undefined ? [] : [{ name, value: read, file: full }];
  });
}

function inlineValue(value: SecretInput['value']): SecretValue | undefined {
  if (value === undefined) return undefined;
  const { username, password, dbname } = value;
  return dbname === undefined ? { username, password } : { username, password, dbname };
}

function readSecret(at: Path, file: string, problems: Problems): SecretValue | undefined {
  return tryRead(at, problems, () => parseSecret(readUpTo(file, SECRET_FILE_BYTES)));
}

/** Certificates are only looked at here: whoever uses them reads them, and reads them again. */
function readOtherFiles(parts: Parts, directory: string, problems: Problems): void {
  const look = (at: Path, file: string | undefined): void => {
    if (file !== undefined) tryRead(at, problems, () => readUpTo(resolve(directory, file), 1));
  };
  for (const { at, item } of parts.databases)
    for (const key of ['tlsCaFile', 'tlsCertFile', 'tlsKeyFile'] as const)
      look([...at, key], item[key]);
  for (const { at, item } of parts.proxies)
    for (const key of ['certFile', 'keyFile'] as const) look([...at, 'tls', key], item.tls?.[key]);
}

function tryRead<Result>(at: Path, problems: Problems, read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.add(at, `the file is of no use: ${why}`);
    return undefined;
  }
}
