import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../base/clock.ts';
import { SecretText } from '../base/secret-text.ts';
import { FaultError } from '../core/fault.ts';
import { DeclaredSecrets } from '../secrets/declared.ts';
import type { DeclaredSecret } from '../secrets/declared.ts';
import type { SecretSource } from '../secrets/source.ts';
import { CredentialBook } from './credentials.ts';
import { databaseSettings } from './settings/normalise.ts';
import { databaseSchema } from './settings/schema.ts';
import type { AuthSettings, DatabaseSettings } from './settings/settings.ts';

const GRACE_MS = 1_000;
const clock = new ManualClock();

function entry(secret: string, rest: Partial<AuthSettings> = {}): AuthSettings {
  const usual = {
    iamAuth: 'DISABLED',
    clientPasswordAuthType: 'POSTGRES_SCRAM_SHA_256',
    description: undefined,
  } as const;
  return { secret, ...usual, ...rest };
}

function declared(name: string, username: string, password: string, file?: string): DeclaredSecret {
  return { name, value: { username, password: new SecretText(password) }, file };
}

async function open(
  source: SecretSource,
  auth: readonly AuthSettings[],
): Promise<{ readonly book: CredentialBook; readonly troubles: string[] }> {
  const troubles: string[] = [];
  const troubled = (problem: string): void => void troubles.push(problem);
  const book = new CredentialBook({
    ...{ source, auth, unknowable: new SecretText('?'), troubled, clock },
    graceMs: GRACE_MS,
  });
  await book.load();
  return { book, troubles };
}

/** A secret in a file of its own. */
function inFile(): { write(content: string): void; remove(): void; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-credentials-'));
  const path = join(folder, 'secret.json');
  return {
    path,
    write: (content) => writeFileSync(path, content),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const passwordOf = async (book: CredentialBook, user: string): Promise<string> =>
  (await book.current(user)).reveal();

/** What clients may sign in with. */
function accepted(book: CredentialBook, user: string): readonly string[] {
  const rule = book.rule(user);
  return rule.kind === 'password' ? rule.passwords.map((password) => password.reveal()) : [];
}

describe('a book of credentials', () => {
  const source = new DeclaredSecrets([
    declared('one', 'app', 'first'),
    declared('two', 'App', 'second'),
    declared('three', 'robot', 'third'),
  ]);
  const auth = [
    entry('one'),
    entry('two', { clientPasswordAuthType: 'POSTGRES_MD5' }),
    entry('three', { iamAuth: 'REQUIRED' }),
  ];

  test("knows its users by the secrets' names, with their case", async () => {
    const { book, troubles } = await open(source, auth);
    expect(book.users).toEqual(['app', 'App', 'robot']);
    expect(book.someUser).toBe('app');
    expect(await passwordOf(book, 'app')).toBe('first');
    expect(await passwordOf(book, 'App')).toBe('second');
    expect(troubles).toEqual([]);
  });

  test('tells how each signs in', async () => {
    const { book } = await open(source, auth);
    expect(book.rule('app')).toEqual({
      kind: 'password',
      method: 'POSTGRES_SCRAM_SHA_256',
      passwords: expect.any(Array),
      known: true,
    });
    expect(accepted(book, 'app')).toEqual(['first']);
    expect(book.rule('App')).toMatchObject({ method: 'POSTGRES_MD5', known: true });
    expect(book.rule('robot')).toEqual({ kind: 'token' });
  });

  test('PG-103: a stranger is asked for what the first entry asks for, and has no password', async () => {
    const { book } = await open(source, auth);
    expect(book.rule('nobody')).toMatchObject({ method: 'POSTGRES_SCRAM_SHA_256', known: false });
    expect(accepted(book, 'nobody')).toEqual(['?']);
    const reversed = await open(source, auth.toReversed());
    expect(reversed.book.rule('nobody')).toEqual({ kind: 'token' });
  });

  test('has no password for a stranger, and says so as Amazon RDS Proxy does', async () => {
    const { book } = await open(source, auth);
    for (const work of [book.current('nobody'), book.refresh('nobody')]) {
      const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(FaultError);
      expect((error as FaultError).fault).toEqual({
        name: 'databaseRefused',
        refusal: 'credentials',
        detail:
          'This RDS proxy has no credentials for the role nobody. Check the credentials for this role and try again.',
      });
    }
  });

  test('two secrets of one user: the first counts, and the log is told', async () => {
    const twice = new DeclaredSecrets([
      declared('one', 'app', 'first'),
      declared('two', 'app', 'x'),
    ]);
    const { book, troubles } = await open(twice, [entry('one'), entry('two')]);
    expect(await passwordOf(book, 'app')).toBe('first');
    expect(book.users).toEqual(['app']);
    expect(troubles).toEqual([
      'The database user "app" was found in multiple DB proxy authentication entries',
    ]);
  });

  test('a secret that is not there keeps only its own user out', async () => {
    const { book, troubles } = await open(source, [entry('missing'), entry('one')]);
    expect(book.users).toEqual(['app']);
    expect(troubles).toEqual(['there is no secret named "missing"']);
  });
});

describe('reading a secret again', () => {
  async function rotating(): Promise<Awaited<ReturnType<typeof open>> & ReturnType<typeof inFile>> {
    const file = inFile();
    const source = new DeclaredSecrets([declared('one', 'app', 'old', file.path)]);
    return { ...(await open(source, [entry('one')])), ...file };
  }

  test('learns the new password, for the database and for clients', async () => {
    const { book, write, remove, troubles } = await rotating();
    write('{"username": "app", "password": "new"}');
    expect((await book.refresh('app')).reveal()).toBe('new');
    expect(await passwordOf(book, 'app')).toBe('new');
    expect(accepted(book, 'app')).toEqual(['new']);
    write('{"username": "app", "password": "newer"}');
    await book.renew();
    expect(await passwordOf(book, 'app')).toBe('newer');
    expect(troubles).toEqual([]);
    remove();
  });

  describe('while a rotation is under way', () => {
    const login = (text: string) => {
      const [username = '', password = ''] = text.split(':');
      return { username, password: new SecretText(password) };
    };
    let value = { ...login('app:1') };
    const read = () => Promise.resolve(value);
    const source = { current: read, refresh: read };

    test('offers the password that the database may have already, and clients may have soon', async () => {
      value = login('app:1');
      const { book } = await open(source, [entry('one')]);
      expect((await book.refresh('app')).reveal()).toBe('1');
      value = { ...login('app:1'), ...{ previous: login('app:0') } };
      expect((await book.refresh('app')).reveal()).toBe('0');
      value = { ...value, ...{ pending: login('app:2') } };
      expect((await book.refresh('app')).reveal()).toBe('2');
      expect(accepted(book, 'app')).toEqual(['1', '2', '0']);
      value = { ...login('app:2'), ...{ previous: login('app:1') } };
      expect((await book.refresh('app')).reveal()).toBe('2');
      expect(accepted(book, 'app')).toEqual(['2', '1']);
    });

    test('of users who alternate, lets in the one before and the one to come', async () => {
      value = { ...login('app:1'), ...{ previous: login('clone:0'), pending: login('clone:2') } };
      const { book, troubles } = await open(source, [entry('one')]);
      expect(book.users.toSorted()).toEqual(['app', 'clone']);
      expect(accepted(book, 'clone')).toEqual(['0', '2']);
      expect((await book.refresh('clone')).reveal()).toBe('2');
      value = { ...login('clone:2'), ...{ previous: login('app:1') } };
      await book.renew();
      expect(accepted(book, 'clone')).toEqual(['2']);
      expect(accepted(book, 'app')).toEqual(['1']);
      expect(troubles).toEqual([]);
    });

    test('GX-07: lets in with the one before for a while, and afterwards only the database', async () => {
      const endedMs = clock.wallMs();
      value = { ...login('app:2'), ...{ previous: { ...login('app:1'), endedMs } } };
      const { book } = await open(source, [entry('one')]);
      expect(accepted(book, 'app')).toEqual(['2', '1']);
      clock.advance(GRACE_MS - 1);
      expect(accepted(book, 'app')).toEqual(['2', '1']);
      clock.advance(1);
      expect(accepted(book, 'app')).toEqual(['2']);
      expect((await book.refresh('app')).reveal()).toBe('1');
    });

    test('of users who alternate, lets the one before in for as long', async () => {
      const endedMs = clock.wallMs();
      value = { ...login('clone:2'), ...{ previous: { ...login('app:1'), endedMs } } };
      const { book } = await open(source, [entry('one')]);
      expect(book.users.toSorted()).toEqual(['app', 'clone']);
      clock.advance(GRACE_MS);
      expect(book.users).toEqual(['clone']);
      expect(book.rule('app')).toMatchObject({ known: false });
      // Their connections go on, and may need to be made anew.
      expect((await book.current('app')).reveal()).toBe('1');
      expect(book.passwords.get('app')?.reveal()).toBe('1');
    });

    test('does not take a user from another entry', async () => {
      value = { ...login('clone:1'), ...{ previous: login('app:0') } };
      const other = new DeclaredSecrets([declared('two', 'app', 'own')]);
      const both: SecretSource = {
        current: (name) => (name === 'one' ? read() : other.current(name)),
        refresh: (name) => (name === 'one' ? read() : other.refresh(name)),
      };
      for (const names of [
        ['one', 'two'],
        ['two', 'one'],
      ]) {
        const { book, troubles } = await open(
          both,
          names.map((name) => entry(name)),
        );
        expect(accepted(book, 'app')).toEqual(['own']);
        await book.renew();
        expect(accepted(book, 'app')).toEqual(['own']);
        expect(troubles).toEqual([]);
      }
    });
  });

  test('learns a new user, and keeps the old one for those who are signed in', async () => {
    const { book, write, remove } = await rotating();
    write('{"username": "app_clone", "password": "new"}');
    expect((await book.refresh('app')).reveal()).toBe('old');
    expect(book.users).toEqual(['app_clone']);
    expect(book.rule('app')).toMatchObject({ known: false });
    expect((await book.current('app')).reveal()).toBe('old');
    expect(await passwordOf(book, 'app_clone')).toBe('new');
    remove();
  });

  test('keeps what it has where the file is of no use, and never shows what is in it', async () => {
    const { book, write, remove, troubles } = await rotating();
    const contents = [
      '',
      '{"username": "app", "password": "hunter2"',
      '{"password": "hunter2"}',
      '[]',
    ];
    for (const content of contents) {
      write(content);
      expect((await book.refresh('app')).reveal()).toBe('old');
    }
    remove();
    expect((await book.refresh('app')).reveal()).toBe('old');
    await book.renew();
    expect(troubles.length).toBe(contents.length + 2);
    for (const trouble of troubles) {
      expect(trouble).toStartWith('the file of the secret "one" is of no use: ');
      expect(trouble).not.toContain('hunter2');
    }
    expect(troubles.at(-1)).toEndWith('there is no such file');
  });

  test('once for all who ask at the same time', async () => {
    let reads = 0;
    const gate = Promise.withResolvers<void>();
    const source = new DeclaredSecrets([declared('one', 'app', 'old', '/nowhere')], async () => {
      reads += 1;
      await gate.promise;
      return { username: 'app', password: new SecretText('new') };
    });
    const { book } = await open(source, [entry('one')]);
    const asked = Array.from({ length: 50 }, () => book.refresh('app'));
    gate.resolve();
    for (const password of await Promise.all(asked)) expect(password.reveal()).toBe('new');
    expect(reads).toBe(1);
  });
});

describe('users without a secret, where tokens are signed for the database', () => {
  const source = new DeclaredSecrets([declared('one', 'app', 'first')]);
  const input = { identifier: 'db', engine: 'postgres', host: 'h' };
  const database = databaseSettings(databaseSchema.parse(input), '');
  const signing = (watchUser?: string) => ({
    watchUser,
    async current(user: string, { identifier }: DatabaseSettings) {
      if (user === 'nobody') throw new Error('there are no credentials');
      return new SecretText(`token for ${user} at ${identifier}`);
    },
  });
  const withTokens = (auth: readonly AuthSettings[], watchUser?: string): CredentialBook =>
    new CredentialBook({
      ...{ source, auth, tokens: signing(watchUser), unknowable: new SecretText('?') },
      ...{ clock: new ManualClock(), graceMs: 0, troubled: () => {} },
    });

  test('sign in with tokens, here and there; others as before', async () => {
    const book = withTokens([entry('one')]);
    await book.load();
    expect(book.rule('app')).toMatchObject({ kind: 'password', known: true });
    expect(book.rule('other')).toEqual({ kind: 'token' });
    expect([book.admits('app'), book.admits('other')]).toEqual([true, true]);
    expect([book.isTokenUser('app'), book.isTokenUser('other')]).toEqual([false, true]);
    const there = book.at(database);
    expect((await there.current('app')).reveal()).toBe('first');
    expect((await there.current('other')).reveal()).toBe('token for other at db');
    expect((await there.refresh('other')).reveal()).toBe('token for other at db');
    expect(book.users).toEqual(['app']);
    expect([...book.passwords.keys()]).toEqual(['app']);
  });

  test('are told why there is no token', async () => {
    const refused: unknown = await withTokens([])
      .at(database)
      .current('nobody')
      .catch((reason: unknown) => reason);
    expect(refused).toBeInstanceOf(FaultError);
    expect(refused).toMatchObject({
      fault: { refusal: 'credentials', detail: 'there are no credentials' },
    });
  });

  test('watch the target where nobody else can', async () => {
    const book = withTokens([entry('one')], 'watch');
    expect(book.someUser).toBe('watch');
    await book.load();
    expect(book.someUser).toBe('app');
    expect(withTokens([], 'watch').trouble).toBeUndefined();
    expect(withTokens([]).trouble).toContain('`aws.watchUser`');
  });
});
