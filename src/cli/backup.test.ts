import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Store } from '../state/store.ts';
import { run } from './run.ts';

const schema = { part: 'test', steps: ['CREATE TABLE things (name TEXT) STRICT'] };
let folder: string;
let data: string;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-backup-'));
  data = join(folder, 'data');
  store = Store.open(data, [schema]);
  store.run('INSERT INTO things VALUES (?)', 'one');
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

async function backup(to: string, from = data) {
  let out = '';
  let err = '';
  const code = await run(['backup', '--data-dir', from, '--to', to], {
    out: (text) => (out += `${text}\n`),
    err: (text) => (err += `${text}\n`),
    isTty: false,
    columns: 100,
    env: {},
  });
  return { code, out, err };
}

describe('sluice backup', () => {
  test('copies what a running server has written, for its owner only, and names the key', async () => {
    writeFileSync(join(data, 'key'), 'a key');
    const to = join(folder, 'copy.db');
    expect(await backup(to)).toEqual({
      code: 0,
      err: '',
      out: `The data of ${data} is in ${to}.\nSecrets in it are encrypted, and are lost without the key: keep the file ${join(data, 'key')}, too, but not in the same place.\n`,
    });
    expect(statSync(to).mode & 0o777).toBe(0o600);
    store.run('INSERT INTO things VALUES (?)', 'two');
    const restored = join(folder, 'restored');
    mkdirSync(restored);
    renameSync(to, join(restored, 'sluice.db'));
    const copy = Store.open(restored, [schema]);
    expect(copy.all('SELECT name FROM things')).toEqual([{ name: 'one' }]);
    copy.close();
  });

  test('tells of a key that is in no file', async () => {
    const { out } = await backup(join(folder, 'copy.db'));
    expect(out).toContain('keep the text that SLUICE_DATA_KEY gives to sluice serve, too');
  });

  test('writes over no file', async () => {
    const to = join(folder, 'copy.db');
    writeFileSync(to, 'mine');
    const { code, err } = await backup(to);
    expect([code, err]).toEqual([
      1,
      `${to} is there already: give another file with --to, or move it away\n`,
    ]);
    expect(readFileSync(to, 'utf8')).toBe('mine');
    writeFileSync(to, '');
    expect(() => store.backup(to)).toThrow('EEXIST');
  });

  test('makes no data where there is none', async () => {
    const empty = join(folder, 'empty');
    const { code, err } = await backup(join(folder, 'copy.db'), empty);
    expect([code, err]).toEqual([
      1,
      `there is no sluice.db in ${empty}: give the --data-dir of sluice serve\n`,
    ]);
    expect(existsSync(empty)).toBe(false);
  });

  test('leaves nothing behind where it fails', async () => {
    const to = join(folder, 'nowhere', 'copy.db');
    const { code, err } = await backup(to);
    expect(code).toBe(1);
    expect(err).toContain('ENOENT');
    store.close();
    writeFileSync(join(data, 'sluice.db'), 'x'.repeat(10_000));
    chmodSync(join(data, 'sluice.db'), 0o600);
    const broken = join(folder, 'copy.db');
    expect((await backup(broken)).code).toBe(1);
    expect(existsSync(broken)).toBe(false);
    store = Store.open(join(folder, 'other'), [schema]);
  });
});
