import { describe, expect, test } from 'bun:test';
import { EMPTY } from '../../base/bytes.ts';
import { feature } from '../../wire/tds/features.ts';
import { flags1, flags2, flags3, typeFlags } from '../../wire/tds/login-flags.ts';
import { tdsVersion } from '../../wire/tds/versions.ts';
import type { Said } from './principal.ts';
import { Principals, watcher } from './principal.ts';

const usual: Said = {
  user: 'alice',
  database: 'shop',
  language: '',
  tdsVersion: tdsVersion.v74,
  appName: 'orders',
  lcid: 1033,
  packetBytes: 4_096,
  options: { flags1: flags1.useDb, flags2: flags2.odbc, typeFlags: 0, flags3: 0 },
  features: [],
};

const keyOf = (changes: Partial<Said>): string =>
  new Principals().of({ ...usual, ...changes }).poolKey;

describe('TD-15: connections are shared', () => {
  test('by those who come again, who are one', () => {
    const principals = new Principals();
    const first = principals.of(usual);
    expect(principals.of({ ...usual })).toBe(first);
    first.habits.add('previous');
    expect(principals.of(usual).habits).toContain('previous');
  });

  test.each<readonly [string, Partial<Said>]>([
    ['sizes of packets', { packetBytes: 512 }],
    [
      'extensions that are not asked of the database',
      { features: [{ id: feature.userAgent, data: Uint8Array.of(1) }] },
    ],
    [
      'extensions that hang on who has logged in',
      { features: [{ id: feature.sessionRecovery, data: EMPTY }] },
    ],
    [
      'having a ticket',
      { options: { ...usual.options, flags2: flags2.odbc | flags2.integratedSecurity } },
    ],
    ['having extensions at all', { options: { ...usual.options, flags3: flags3.extension } }],
  ])('whatever their %s', (_, changes) => {
    expect(keyOf(changes)).toBe(keyOf({}));
  });

  test.each<readonly [string, Partial<Said>]>([
    ['TD-35: users, by their case', { user: 'Alice' }],
    ['databases', { database: 'master' }],
    ['languages', { language: 'Deutsch' }],
    ['versions', { tdsVersion: tdsVersion.v73b }],
    ['applications', { appName: 'invoices' }],
    ['collations', { lcid: 1031 }],
    ['ways to begin', { options: { ...usual.options, flags2: 0 } }],
    ['intents', { options: { ...usual.options, typeFlags: typeFlags.readOnlyIntent } }],
    ['TD-38: extensions', { features: [{ id: feature.utf8Support, data: EMPTY }] }],
  ])('not by other %s', (_, changes) => {
    expect(keyOf(changes)).not.toBe(keyOf({}));
  });

  test('in whatever order extensions are named', () => {
    const [json, utf8] = [
      { id: feature.json, data: Uint8Array.of(1) },
      { id: feature.utf8Support, data: EMPTY },
    ];
    expect(keyOf({ features: [json, utf8] })).toBe(keyOf({ features: [utf8, json] }));
    const newer = { id: feature.json, data: Uint8Array.of(2) };
    expect(keyOf({ features: [newer, utf8] })).not.toBe(keyOf({ features: [json, utf8] }));
  });
});

test('the proxy itself is like most drivers', () => {
  expect(watcher('app', undefined)).toMatchObject({ user: 'app', database: '', appName: 'sluice' });
  expect(watcher('app', 'master').database).toBe('master');
});

test('so many principals are remembered, and then others', () => {
  const principals = new Principals();
  const first = principals.of(usual);
  for (let at = 0; at < 300; at += 1) principals.of({ ...usual, appName: String(at) });
  expect(principals.of(usual)).not.toBe(first);
  expect(principals.of(usual).poolKey).toBe(first.poolKey);
});
