import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openService } from '../../api/secretsmanager/fixture.test-support.ts';
import { systemClock } from '../../base/clock.ts';
import { SecretText } from '../../base/secret-text.ts';
import { DeclarationConflict } from '../../state/rds-declaring.ts';
import { ToldSecrets } from './told-secrets.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-told-'));
afterAll(() => rmSync(directory, { recursive: true }));

const login = { username: 'app', password: new SecretText('hunter2') };
const path = join(directory, 'app.json');

test('what a file says is told as it is now, and what it said last where it is of no use', async () => {
  const { ask, secrets } = openService();
  const told = new ToldSecrets(secrets, systemClock);
  told.declare([{ name: 'app', value: { ...login, dbname: 'orders' }, file: path }]);
  const value = async (): Promise<unknown> =>
    JSON.parse(String((await ask('GetSecretValue', { SecretId: 'app' }))['SecretString']));
  expect(await value()).toEqual({ username: 'app', password: 'hunter2', dbname: 'orders' });
  writeFileSync(path, '{"username":"app","password":"changed","host":"h"}');
  await told.renew();
  expect(await value()).toEqual({ username: 'app', password: 'changed' });
  writeFileSync(path, 'half a fi');
  await told.renew();
  expect(await value()).toEqual({ username: 'app', password: 'changed' });
});

test('one that has the name of one that the API has made is refused', async () => {
  const { ask, secrets } = openService();
  const told = new ToldSecrets(secrets, systemClock);
  await ask('CreateSecret', { Name: 'taken', SecretString: 'x' });
  const declared = ['free', 'taken'].map((name) => ({ name, value: login, file: undefined }));
  expect(() => told.check(declared)).toThrow(DeclarationConflict);
  told.check(declared.slice(0, 1));
  expect(secrets.all().map(({ name }) => name)).toEqual(['taken']);
});
