import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KEY_FILE } from '../state/sealing-key.ts';
import { DATA_FILE, Store } from '../state/store.ts';
import type { Command, Given } from './command.ts';
import type { Io } from './io.ts';

export const backupCommand: Command = {
  summary: 'Copy what the API has made into one file, while Sluice runs or not.',
  flags: [
    {
      name: 'data-dir',
      value: 'DIRECTORY',
      required: true,
      what: 'Where `sluice serve` keeps what the API makes.',
    },
    {
      name: 'to',
      value: 'FILE',
      required: true,
      what: `The copy, which must not exist yet. To go back to it, put it into an empty directory as ${DATA_FILE}, with the key beside it.`,
    },
  ],
  run: backup,
};

async function backup(given: Given, io: Io): Promise<number> {
  const directory = resolve(given.get('data-dir') ?? '');
  const path = resolve(given.get('to') ?? '');
  if (!existsSync(join(directory, DATA_FILE))) {
    io.err(`there is no ${DATA_FILE} in ${directory}: give the --data-dir of sluice serve`);
    return 1;
  }
  if (existsSync(path)) {
    io.err(`${path} is there already: give another file with --to, or move it away`);
    return 1;
  }
  const store = Store.open(directory, []);
  try {
    store.backup(path);
  } finally {
    store.close();
  }
  io.out(`The data of ${directory} is in ${path}.`);
  io.out(whereTheKeyIs(directory));
  return 0;
}

/** Without it nobody can read the secrets and access keys in the copy. */
function whereTheKeyIs(directory: string): string {
  const key = join(directory, KEY_FILE);
  const what = existsSync(key)
    ? `the file ${key}`
    : 'the text that SLUICE_DATA_KEY gives to sluice serve';
  return `Secrets in it are encrypted, and are lost without the key: keep ${what}, too, but not in the same place.`;
}
