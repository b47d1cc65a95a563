import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { seededRandom } from '../base/random.ts';
import { SecretText } from '../base/secret-text.ts';
import { AesSealer } from './sealed.ts';
import { MOST_DEPRECATED_VERSIONS, SecretStore, secretsSchema } from './secrets.ts';
import type { Secret } from './secrets.ts';
import { Store } from './store.ts';

const random = seededRandom(7);
const root = mkdtempSync(join(tmpdir(), 'sluice-secret-store-'));
afterAll(() => rmSync(root, { recursive: true }));

const DAY_MS = 86_400_000;
const where = { region: 'eu-west-1', account: '123456789012' };
const PREFIX = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:';

function open(store = Store.inMemory([secretsSchema])) {
  const sealer = new AesSealer({ key: seededRandom(1).bytes(32), random });
  return { store, secrets: new SecretStore({ store, sealer, random, ...where }) };
}

function make(secrets: SecretStore, name: string, more: Partial<Secret> = {}): Secret {
  const secret: Secret = {
    arn: secrets.newArn(name),
    name,
    isDeclared: false,
    createToken: 't',
    description: undefined,
    kmsKeyId: undefined,
    tags: undefined,
    policy: undefined,
    rotation: undefined,
    createdMs: 1,
    changedMs: 1,
    accessedMs: undefined,
    deletionMs: undefined,
    rotatedMs: undefined,
    nextRotationMs: undefined,
    ...more,
  };
  secrets.save(secret);
  return secret;
}

const value = (text: string) => ({ kind: 'string', text: new SecretText(text) }) as const;
const add = (secrets: SecretStore, arn: string, id: string, ...stages: string[]) =>
  secrets.addVersion(arn, { versionId: id, value: value(`value of ${id}`), stages, nowMs: 1 });
const stagesOf = (secrets: SecretStore, arn: string) =>
  Object.fromEntries(secrets.versions(arn).map((one) => [one.versionId, one.stages]));

describe('a secret', () => {
  test('is found by name, ARN, and ARN without its end', () => {
    const { secrets } = open();
    const { arn } = make(secrets, 'app/db');
    expect(arn).toMatch(/^arn:aws:secretsmanager:eu-west-1:123456789012:secret:app\/db-\w{6}$/);
    for (const id of ['app/db', arn, `${PREFIX}app/db`]) expect(secrets.find(id)?.arn).toBe(arn);
    for (const id of ['app', `${PREFIX}app`, `${arn}x`, arn.replace('eu-', 'us-'), ''])
      expect(secrets.find(id)).toBeUndefined();
  });

  test('is not found by the whole ARN of one that is gone, though it has that for a name', () => {
    const { secrets } = open();
    const { arn } = make(secrets, 'db-abcdef');
    expect(secrets.find(`${PREFIX}db-abcdef`)).toBeUndefined();
    expect(secrets.find('db-abcdef')?.arn).toBe(arn);
  });

  test('keeps all that is known of it', () => {
    const { secrets } = open();
    const secret = make(secrets, 'a', {
      description: 'd',
      kmsKeyId: 'k',
      tags: [{ key: 'a', value: 'b' }],
      policy: '{}',
      rotation: { isEnabled: true, schedule: 'rate(4 hours)' },
      deletionMs: 5,
      rotatedMs: 6,
      nextRotationMs: 7,
    });
    expect(secrets.find('a')).toEqual(secret);
    expect(secrets.all()).toEqual([secret]);
  });

  test('is gone with its versions when its window is over, and not before', () => {
    const { secrets, store } = open();
    const { arn } = make(secrets, 'a', { deletionMs: 5 });
    make(secrets, 'b');
    add(secrets, arn, 'v1');
    expect(secrets.purge(4)).toBe(0);
    expect(secrets.purge(5)).toBe(1);
    expect(secrets.all().map(({ name }) => name)).toEqual(['b']);
    expect(store.all('SELECT * FROM secret_versions')).toEqual([]);
    expect(store.all('SELECT * FROM secret_stages')).toEqual([]);
  });

  test('is due for rotation when it is enabled, its time has come and it is not to be deleted', () => {
    const { secrets } = open();
    const rotation = { isEnabled: true };
    make(secrets, 'due', { rotation, nextRotationMs: 10 });
    make(secrets, 'later', { rotation, nextRotationMs: 11 });
    make(secrets, 'off', { rotation: { isEnabled: false }, nextRotationMs: 1 });
    make(secrets, 'deleted', { rotation, nextRotationMs: 1, deletionMs: 100 });
    expect(secrets.due(10).map(({ name }) => name)).toEqual(['due']);
  });
});

describe('stages', () => {
  test('move as in AWS', () => {
    const { secrets } = open();
    const { arn } = make(secrets, 'a');
    add(secrets, arn, 'v1');
    add(secrets, arn, 'v2', 'AWSPENDING', 'PUT1');
    expect(stagesOf(secrets, arn)).toEqual({ v1: ['AWSCURRENT'], v2: ['AWSPENDING', 'PUT1'] });
    secrets.attach(arn, 'AWSCURRENT', 'v2', 7);
    expect(secrets.valueOf(arn, 'AWSPREVIOUS')).toMatchObject({ versionId: 'v1', sinceMs: 7 });
    expect(stagesOf(secrets, arn)).toEqual({
      v1: ['AWSPREVIOUS'],
      v2: ['AWSCURRENT', 'AWSPENDING', 'PUT1'],
    });
    add(secrets, arn, 'v3', 'AWSCURRENT');
    expect(stagesOf(secrets, arn)).toEqual({
      v1: [],
      v2: ['AWSPREVIOUS', 'PUT1'],
      v3: ['AWSCURRENT'],
    });
  });

  test('belong to one version each, one is current, and few versions without any are kept', () => {
    const stage = fc.constantFrom('AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING', 'X');
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), stages: fc.array(stage) }),
      fc.record({ do: fc.constant('attach' as const), stage, to: fc.nat(200) }),
      fc.record({ do: fc.constant('detach' as const), stage }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { secrets } = open();
        const { arn } = make(secrets, 'a');
        add(secrets, arn, 'first');
        let former = 'first';
        for (const [number, one] of steps.entries()) {
          const ids = secrets.versions(arn).map(({ versionId }) => versionId);
          if (one.do === 'add') add(secrets, arn, `v${number}`, ...one.stages);
          else if (one.do === 'attach')
            secrets.attach(arn, one.stage, ids[one.to % ids.length]!, number);
          else if (one.stage !== 'AWSCURRENT') secrets.detach(arn, one.stage);
          const all = secrets.versions(arn).flatMap(({ stages }) => stages);
          expect(all).toHaveLength(new Set(all).size);
          const current = secrets.holder(arn, 'AWSCURRENT')!;
          expect(all).toContain('AWSCURRENT');
          const isMoved = current !== former && one.do === 'attach';
          if (isMoved) expect(secrets.holder(arn, 'AWSPREVIOUS')).toBe(former);
          expect(secrets.valueOf('a', 'AWSCURRENT')?.text.reveal()).toBe(`value of ${current}`);
          former = current;
        }
      }),
    );
  });

  test('keep versions; of the others the oldest go', () => {
    const { secrets } = open();
    const { arn } = make(secrets, 'a');
    add(secrets, arn, 'kept', 'MINE');
    for (let n = 0; n < MOST_DEPRECATED_VERSIONS + 10; n += 1)
      add(secrets, arn, `v${n}`, 'AWSCURRENT');
    const ids = secrets.versions(arn).map(({ versionId }) => versionId);
    expect(ids).toHaveLength(1 + MOST_DEPRECATED_VERSIONS + 2);
    expect(ids.slice(0, 2)).toEqual(['kept', 'v8']);
  });

  test('that cannot be given to a version that is not there, change nothing', () => {
    const { secrets } = open();
    const { arn } = make(secrets, 'a');
    add(secrets, arn, 'v1');
    expect(() => secrets.attach(arn, 'AWSCURRENT', 'v9', 1)).toThrow('FOREIGN KEY');
    expect(stagesOf(secrets, arn)).toEqual({ v1: ['AWSCURRENT'] });
  });
});

describe('a value', () => {
  test('is what the data plane signs in with', () => {
    const { secrets } = open();
    const secret = make(secrets, 'a');
    const { arn } = secret;
    expect(secrets.valueOf('a', 'AWSCURRENT')).toBeUndefined();
    add(secrets, arn, 'v1');
    add(secrets, arn, 'v2', 'AWSCURRENT');
    expect(secrets.valueOf('a', 'AWSCURRENT')).toMatchObject({ arn, versionId: 'v2' });
    expect(secrets.valueOf(arn, 'AWSPREVIOUS')?.text.reveal()).toBe('value of v1');
    secrets.save({ ...secret, deletionMs: 9 });
    expect(secrets.valueOf('a', 'AWSCURRENT')).toBeUndefined();
    expect(secrets.valueOf('b', 'AWSCURRENT')).toBeUndefined();
  });

  test('that is bytes signs nobody in', () => {
    const { secrets } = open();
    const { arn } = make(secrets, 'a');
    const bytes = { kind: 'binary', text: new SecretText('AAAA') } as const;
    secrets.addVersion(arn, { versionId: 'v1', value: bytes, stages: [], nowMs: 1 });
    expect(secrets.value(arn, 'v1')?.text.reveal()).toBe('AAAA');
    expect(secrets.valueOf('a', 'AWSCURRENT')).toBeUndefined();
  });

  test.each([
    [
      'moved to another version',
      "UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE version_id = 'v1')",
    ],
    ['renamed', 'UPDATE secret_versions SET version_id = version_id || number'],
    ['called bytes', "UPDATE secret_versions SET kind = 'binary'"],
    ['changed', 'UPDATE secret_versions SET sealed = zeroblob(60)'],
  ])('that was %s is not opened', (_what, tampering) => {
    const { secrets, store } = open();
    const { arn } = make(secrets, 'a');
    add(secrets, arn, 'v1', 'X');
    add(secrets, arn, 'v2');
    store.run('DELETE FROM secret_stages');
    store.run(tampering);
    const last = secrets.versions(arn).at(-1)!.versionId;
    expect(() => secrets.value(arn, last)).toThrow(Error);
  });

  test('stands nowhere in the files in the clear', () => {
    const store = Store.open(root, [secretsSchema]);
    const { secrets } = open(store);
    const { arn } = make(secrets, 'visible-name');
    secrets.addVersion(arn, {
      versionId: 'v1',
      value: value('hunter2-plain'),
      stages: [],
      nowMs: 1,
    });
    const files = ['sluice.db', 'sluice.db-wal'].map((name) => readFileSync(join(root, name)));
    expect(files.some((bytes) => bytes.includes('visible-name'))).toBe(true);
    for (const bytes of files) {
      expect(bytes.includes('hunter2')).toBe(false);
      expect(bytes.includes(Buffer.from('hunter2').toString('base64').slice(0, 8))).toBe(false);
    }
    store.close();
  });

  test('that is read is noted once a day', () => {
    const { secrets, store } = open();
    const { arn } = make(secrets, 'a');
    add(secrets, arn, 'v1');
    let writes = 0;
    store.onWrite(() => (writes += 1));
    for (const nowMs of [DAY_MS + 5, DAY_MS + 6, 2 * DAY_MS])
      secrets.noteRead(secrets.find('a')!, secrets.version(arn, 'v1')!, nowMs);
    expect(writes).toBe(2);
    expect(secrets.find('a')?.accessedMs).toBe(2 * DAY_MS);
    expect(secrets.version(arn, 'v1')?.accessedMs).toBe(2 * DAY_MS);
  });
});
