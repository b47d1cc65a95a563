import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { CertificateShelf } from './certificate-shelf.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-shelf-'));
const shelved = join(directory, 'certificates');
afterAll(() => rmSync(directory, { recursive: true }));

const shelf = (aheadMs = 0): CertificateShelf =>
  new CertificateShelf(directory, {
    ...systemClock,
    wallMs: () => systemClock.wallMs() + aheadMs,
  });

test('a certificate is the same after a restart, and another one for other names', () => {
  const first = shelf().of(['localhost', '127.0.0.1']);
  expect(shelf().of(['localhost', '127.0.0.1'])).toEqual(first);
  expect(shelf().of(['localhost'])).not.toEqual(first);
});

test('keys are for their owner only, and names of files hold nothing odd', () => {
  shelf().of(['*.proxies.example.com']);
  const files = readdirSync(shelved);
  expect(files.filter((file) => !/^[\w.-]+\.(?:key|crt)$/.test(file))).toEqual([]);
  for (const file of files.filter((one) => one.endsWith('.key')))
    expect(statSync(join(shelved, file)).mode & 0o777).toBe(0o600);
});

test('one that ends soon is replaced, and so is half a one', () => {
  const first = shelf().of(['old.example.com']);
  const later = shelf(700 * 86_400_000).of(['old.example.com']);
  expect(later).not.toEqual(first);
  const name = readdirSync(shelved).find((file) => /^old.*\.crt$/.test(file)) ?? '';
  writeFileSync(join(shelved, name), '');
  const anew = shelf().of(['old.example.com']);
  expect(anew).not.toEqual(later);
  expect(shelf().of(['old.example.com'])).toEqual(anew);
});
