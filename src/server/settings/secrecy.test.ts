import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadSettings, SettingsError } from './load.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-secrecy-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What makes YAML read a value differently, and what people forget to quote. `${` is left out: a variable's name is shown. */
const marks = [
  '',
  '*',
  '&',
  '!',
  '|',
  '>',
  '@',
  '`',
  '%',
  '{',
  '[',
  '"',
  "'",
  '- ',
  '? ',
  ': ',
  'x: ',
  '#',
  ',',
];
/** Nothing else that is printed looks like this. */
const secretText = fc.stringMatching(/^(?:[0-9][A-Z]){6,10}$/);
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.integer({ min: 0, max: 3 }),
  put: fc.constantFrom('', ' ', '\n', '\t', ':', '-', '[', '{', '"', "'", '&', '*', '!', '#', '$'),
});

function settingsWith(values: readonly string[]): string {
  const [password, key, token] = values;
  return `region: eu-central-1
account: '123456789012'
principals:
  - accessKeyId: AKIA
    secretAccessKey: ${key}
    sessionToken: ${token}
    policy: { Statement: { Effect: Allow, Action: 'rds-db:connect', Resource: '*' } }
secrets:
  - name: app
    value:
      username: app
      password: ${password}
  - name: other
    file: other.json
databases:
  - { identifier: db, engine: postgres, host: h }
proxies:
  - name: one
    engineFamily: POSTGRESQL
    listen: 127.0.0.1:6432
    auth: [{ secret: app }, { secret: other }]
    target: db
`;
}

function spoil(text: string, { at, drop, put }: { at: number; drop: number; put: string }): string {
  const offset = Math.floor(at * text.length);
  return text.slice(0, offset) + put + text.slice(offset + drop);
}

test('whatever is wrong with the settings, no problem and no warning shows a secret', () => {
  let refused = 0;
  const path = join(directory, 'sluice.yaml');
  fc.assert(
    fc.property(
      fc.array(secretText, { minLength: 4, maxLength: 4 }),
      fc.array(fc.constantFrom(...marks), { minLength: 4, maxLength: 4 }),
      fc.array(damage, { maxLength: 2 }),
      (secrets, prefixes, damages) => {
        const values = secrets.map((secret, index) => `${prefixes[index]}${secret}`);
        writeFileSync(path, damages.reduce(spoil, settingsWith(values)));
        writeFileSync(join(directory, 'other.json'), `{"username":"o","password":${values[3]}}`);
        let said = '';
        try {
          const settings = loadSettings(path, {});
          said = Bun.inspect(settings, { depth: 9 }) + JSON.stringify(settings);
        } catch (error) {
          if (!(error instanceof SettingsError)) throw error;
          refused += 1;
          said = `${error.problems.join('\n')}\n${Bun.inspect(error)}`;
        }
        // Damage may cut a secret: its larger part must not be shown either.
        for (const secret of secrets) {
          expect(said).not.toContain(secret.slice(0, 8));
          expect(said).not.toContain(secret.slice(-8));
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(refused).toBeGreaterThan(100);
});

test('a variable that holds a secret is never shown, wherever it is used', () => {
  fc.assert(
    fc.property(secretText, fc.integer({ min: 0, max: 13 }), (secret, which) => {
      // Instead of one of the values, wherever it stands.
      let index = 0;
      const text = settingsWith(['p', 'k', 't']).replaceAll(
        /(?<=: )'?[\w.:-]+'?(?=\n|,| })/g,
        (value) => (index++ === which ? "'${SECRET}'" : value),
      );
      const path = join(directory, 'variable.yaml');
      writeFileSync(path, text);
      writeFileSync(join(directory, 'other.json'), '{"username":"o","password":"p"}');
      try {
        loadSettings(path, { SECRET: secret });
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error;
        // The names of secrets and databases are no secrets, and hints list them.
        const hinted = error.problems.some((problem) =>
          /no secret has|no database has/.test(problem),
        );
        if (!hinted) expect(error.problems.join('\n')).not.toContain(secret);
      }
    }),
  );
});
