import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SettingsFolder } from '../../test/support/in-process.ts';
import { generateCertificate } from '../net/certificate.ts';
import type { DatabaseSettings, ProxySettings } from './settings/settings.ts';
import {
  GeneratedCertificates,
  loadClientTls,
  loadServerTls,
  ToldCertificates,
} from './tls-material.ts';
import { outcomeOf } from '../../test/support/outcome.ts';

const folder = new SettingsFolder();
afterAll(() => folder.remove());
const [one, other] = [generateCertificate(['one']), generateCertificate(['other'])];
folder.write('one.pem', one.certPem);
folder.write('one.key', one.keyPem);
folder.write('other.key', other.keyPem);
folder.write('nonsense', 'nonsense');
mkdirSync(join(folder.path, 'folder'));
const at = (name: string): string => join(folder.path, name);

const [usualProxy] = folder.settings({ host: 'localhost', port: 1 }).proxies;
const [usualDatabase] = folder.settings({ host: 'localhost', port: 1 }).databases;

function proxy(rest: Partial<ProxySettings>): ProxySettings {
  return { ...usualProxy!, ...rest };
}

function database(rest: Partial<DatabaseSettings>): DatabaseSettings {
  return { ...usualDatabase!, ...rest };
}

describe('what a listener needs', () => {
  const generated = new GeneratedCertificates();

  test('is read from files', async () => {
    const tls = { certFile: at('one.pem'), keyFile: at('one.key') };
    const { options } = await loadServerTls(proxy({ tls }), generated);
    expect(options).toMatchObject({ cert: one.certPem, key: one.keyPem });
    expect(Buffer.from(options.ALPNProtocols ?? []).toString('latin1')).toBe('\x0apostgresql');
  });

  test('is made where there are none, and stays the same while the names do', async () => {
    const hostnames = ['a.example', '127.0.0.1'];
    const load = async (names: readonly string[]): Promise<string> =>
      (await loadServerTls(proxy({ hostnames: names }), generated)).options.cert;
    const first = await load(hostnames);
    expect(await load([...hostnames])).toBe(first);
    expect(await load(hostnames.toReversed())).not.toBe(first);
  });

  test('is waited for where another process makes it, who is asked once', async () => {
    const asked: (readonly string[])[] = [];
    const told = new ToldCertificates((names) => asked.push(names));
    const load = (names: readonly string[]) =>
      loadServerTls(proxy({ hostnames: names }), told).then(({ options }) => options.cert);
    const shown = [load(['a.example']), load(['b.example']), load(['a.example'])];
    const other = generated.of(['b.example']);
    told.tell(['b.example'], other);
    told.tell(['a.example'], one);
    told.tell(['nobody.asked'], one);
    expect(await Promise.all(shown)).toEqual([one.certPem, other.certPem, one.certPem]);
    expect(await load(['b.example'])).toBe(other.certPem);
    expect(asked).toEqual([['a.example'], ['b.example']]);
  });

  test('is waited for no more where that process is gone', async () => {
    const told = new ToldCertificates(() => {});
    const waiting = loadServerTls(proxy({ hostnames: ['a.example'] }), told);
    told.giveUp('the supervisor is gone');
    expect(await outcomeOf(waiting)).toThrow('the supervisor is gone');
  });

  test.each([
    ['gone', 'one.key', /cannot read .*\/gone: .*ENOENT/],
    ['folder', 'one.key', /cannot read .*\/folder: .*EISDIR/],
    ['one.pem', 'gone', /cannot read .*\/gone: .*ENOENT/],
    [
      'one.pem',
      'other.key',
      /cannot use .*\/one\.pem with .*\/other\.key: the key is not the certificate's/,
    ],
    ['nonsense', 'one.key', /cannot use .*\/nonsense with .*: the certificate is not PEM/],
    ['one.pem', 'nonsense', /cannot use .*\/one\.pem with .*\/nonsense: the key is not PEM/],
  ])(
    'certificate %s with key %s: the sentence names the file',
    async (certFile, keyFile, sentence) => {
      const tls = { certFile: at(certFile), keyFile: at(keyFile) };
      expect(await outcomeOf(loadServerTls(proxy({ tls }), generated))).toThrow(sentence);
    },
  );
});

describe('what a connection to a database needs', () => {
  test('is nothing where TLS is switched off', async () => {
    expect(
      await loadClientTls(database({ tlsMode: 'disable', tlsCaFile: at('gone') })),
    ).toBeUndefined();
  });

  test('is read from files', async () => {
    const files = {
      tlsCaFile: at('one.pem'),
      tlsCertFile: at('one.pem'),
      tlsKeyFile: at('one.key'),
    };
    const tls = await loadClientTls(
      database({ tlsMode: 'verify-ca', tlsServerName: 'db', ...files }),
    );
    expect(tls).toMatchObject({
      mode: 'verify-ca',
      options: { serverName: 'db', ca: one.certPem, cert: one.certPem, key: one.keyPem },
    });
    expect(await loadClientTls(database({ tlsMode: 'prefer' }))).toEqual({
      mode: 'prefer',
      address: undefined,
      options: { serverName: 'localhost', rejectUnauthorized: false },
    });
  });

  test('names a file that is of no use', async () => {
    const wrong = [
      [{ tlsCaFile: at('gone') }, 'cannot read'],
      [
        { tlsCertFile: at('one.pem'), tlsKeyFile: at('other.key') },
        "the key is not the certificate's",
      ],
    ] as const;
    for (const [files, sentence] of wrong)
      expect(await outcomeOf(loadClientTls(database({ tlsMode: 'require', ...files })))).toThrow(
        sentence,
      );
  });
});
