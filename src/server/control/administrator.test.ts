import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { makeAdministrator } from './administrator.ts';
import { openData } from './data.ts';
import type { Data } from './data.ts';

const region = 'eu-central-1';
let directory: string;
let data: Data;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-administrator-'));
  data = openData({
    directory,
    region,
    account: '123456789012',
    key: undefined,
    clock: systemClock,
    random: systemRandom,
  });
});
afterEach(() => {
  data.store.close();
  rmSync(directory, { recursive: true });
});

const make = (): string | undefined => makeAdministrator(data, { directory, region, nowMs: 1 });
const file = (): string => join(directory, 'credentials');

describe('the administrator', () => {
  test('is made once, and the key written to a file for its owner only', () => {
    expect(make()).toBe(file());
    const text = readFileSync(file(), 'utf8');
    const [, id = ''] = /^aws_access_key_id = (AKIA\w+)$/m.exec(text) ?? [];
    expect(data.iam.keys.find(id)?.secretAccessKey.reveal()).toBe(
      /^aws_secret_access_key = (\S+)$/m.exec(text)?.[1],
    );
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(make()).toBeUndefined();
    expect(data.iam.identities.users()).toHaveLength(1);
  });

  test('gets the file at the next start where the first one was cut off', () => {
    make();
    const text = readFileSync(file(), 'utf8');
    renameSync(file(), `${file()}.new`);
    expect(make()).toBe(file());
    expect(readFileSync(file(), 'utf8')).toBe(text);
  });

  test('is made anew where that happened before the user was there', () => {
    writeFileSync(`${file()}.new`, 'half a key');
    expect(make()).toBe(file());
    expect(readFileSync(file(), 'utf8')).toStartWith('[default]\naws_access_key_id = AKIA');
  });

  test('does not write over credentials of somebody else', () => {
    writeFileSync(file(), 'mine');
    expect(make).toThrow('move it away, and an administrator is made anew');
    expect(data.iam.identities.users()).toEqual([]);
    expect(readFileSync(file(), 'utf8')).toBe('mine');
  });
});
