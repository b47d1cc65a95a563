import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../base/random.ts';
import { iamSchema, IamState } from './iam.ts';
import { AesSealer, KEY_BYTES } from './sealed.ts';
import { Store } from './store.ts';

const account = '123456789012';
const trust = '{"Statement":[]}';

function open(store = Store.inMemory([iamSchema])) {
  const random = seededRandom(1);
  const sealer = new AesSealer({ key: new Uint8Array(KEY_BYTES), random });
  return { store, state: new IamState(store, { account, sealer, random }) };
}

const user = (name: string) => ({ name, path: '/', nowMs: 1_000 });
const role = (name: string) => ({
  name,
  path: '/team/',
  trust,
  maxSessionSeconds: 3_600,
  nowMs: 1_000,
});

describe('users and roles', () => {
  test('are found as they were made', () => {
    const { state } = open();
    const { identities } = state;
    const alice = identities.addUser(user('alice'));
    expect(alice).toEqual({
      kind: 'user',
      id: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
      name: 'alice',
      path: '/',
      arn: 'arn:aws:iam::123456789012:user/alice',
      createdMs: 1_000,
    });
    expect(identities.user('alice')).toEqual(alice);
    expect(identities.byId(alice.id)).toEqual(alice);
    expect(identities.byArn(alice.arn)).toEqual(alice);
    const reader = identities.addRole({ ...role('reader'), description: 'reads' });
    expect(reader.arn).toBe('arn:aws:iam::123456789012:role/team/reader');
    expect(reader).toMatchObject({ trust, description: 'reads', maxSessionSeconds: 3_600 });
    expect(identities.role('reader')).toEqual(reader);
    expect(identities.byArn(reader.arn)).toEqual(reader);
  });

  test('are not found by half a name, or by another path or account', () => {
    const { state } = open();
    state.identities.addRole(role('reader'));
    for (const arn of [
      '',
      'reader',
      'arn:aws:iam::123456789012:role/reader',
      'arn:aws:iam::123456789012:user/team/reader',
      'arn:aws:iam::210987654321:role/team/reader',
      'arn:aws:iam::123456789012:role/team/Reader',
    ])
      expect(state.identities.byArn(arn)).toBeUndefined();
  });

  test('have names that differ by more than case', () => {
    const { state } = open();
    state.identities.addUser(user('alice'));
    expect(state.identities.isTaken('user', 'ALICE')).toBe(true);
    expect(state.identities.isTaken('role', 'alice')).toBe(false);
    expect(state.identities.user('ALICE')).toBeUndefined();
    expect(() => state.identities.addUser(user('Alice'))).toThrow();
  });

  test('take with them all that is theirs', () => {
    const { state, store } = open();
    const { id } = state.identities.addUser(user('alice'));
    const { id: roleId } = state.identities.addRole(role('reader'));
    state.keys.add(id, 1_000);
    state.sessions.add({ identityId: roleId, name: 's', expiresMs: 9_000, nowMs: 1_000 });
    state.tags.put(id, [{ key: 'k', value: 'v' }]);
    state.policies.putInline(id, { name: 'p', document: '{}' });
    const policy = state.managed.add({ name: 'm', path: '/', document: '{}', nowMs: 1_000 });
    state.policies.attach(id, policy.id);
    state.identities.remove(id);
    state.identities.remove(roleId);
    for (const table of ['access_keys', 'sessions', 'tags', 'inline_policies', 'attachments'])
      expect(store.all(`SELECT * FROM iam_${table}`)).toEqual([]);
    expect(state.managed.find(policy.arn)?.attachments).toBe(0);
  });
});

describe('access keys', () => {
  test('are kept, and their secrets stand nowhere in the clear', () => {
    const { state, store } = open();
    const { id: userId } = state.identities.addUser(user('alice'));
    const made = state.keys.add(userId, 1_000);
    expect(made.id).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(made.secretAccessKey.reveal()).toHaveLength(40);
    const found = state.keys.find(made.id);
    expect(found?.secretAccessKey.reveal()).toBe(made.secretAccessKey.reveal());
    expect(found).toMatchObject({ userId, isActive: true, createdMs: 1_000 });
    const row = store.one('SELECT * FROM iam_access_keys');
    expect(Buffer.from(row?.['secret'] as Uint8Array).toString('latin1')).not.toContain(
      made.secretAccessKey.reveal(),
    );
    expect(JSON.stringify(found)).not.toContain(made.secretAccessKey.reveal());
  });

  test('cannot be moved to another row', () => {
    const { state, store } = open();
    const { id } = state.identities.addUser(user('alice'));
    const [one, two] = [state.keys.add(id, 1), state.keys.add(id, 2)];
    store.run(
      'UPDATE iam_access_keys SET secret = (SELECT secret FROM iam_access_keys WHERE id = ?)',
      one.id,
    );
    expect(state.keys.find(one.id)).toBeDefined();
    expect(() => state.keys.find(two.id)).toThrow('altered');
  });

  test('have their use written down every quarter of an hour', () => {
    const { state, store } = open();
    const { id: userId } = state.identities.addUser(user('alice'));
    const { id } = state.keys.add(userId, 1);
    let writes = 0;
    store.onWrite(() => (writes += 1));
    const use = (atMs: number) => state.keys.noteUse(id, { atMs, service: 'rds', region: 'r' });
    for (const atMs of [1_000, 2_000, 900_999]) use(atMs);
    state.keys.noteUse('AKIAUNKNOWN', { atMs: 1, service: 'rds', region: 'r' });
    expect(writes).toBe(1);
    use(901_000);
    expect(state.keys.find(id)?.lastUse).toEqual({ atMs: 901_000, service: 'rds', region: 'r' });
  });

  test('of sessions are forgotten an hour after they have expired', () => {
    const { state } = open();
    const { id: roleId } = state.identities.addRole(role('reader'));
    const session = { identityId: roleId, name: 's', nowMs: 0 };
    const first = state.sessions.add({ ...session, expiresMs: 1_000 });
    expect(first.sessionToken.reveal()).toHaveLength(320);
    state.sessions.add({ ...session, expiresMs: 9e9, nowMs: 3_601_000 });
    const found = state.sessions.find(first.accessKeyId);
    expect(found?.sessionToken.reveal()).toBe(first.sessionToken.reveal());
    expect(found?.secretAccessKey.reveal()).toBe(first.secretAccessKey.reveal());
    state.sessions.add({ ...session, expiresMs: 9e9, nowMs: 3_601_001 });
    expect(state.sessions.find(first.accessKeyId)).toBeUndefined();
  });
});

describe('policies', () => {
  test('count by their default version, once they are attached', () => {
    const { state } = open();
    const { id } = state.identities.addUser(user('alice'));
    state.policies.putInline(id, { name: 'b', document: '"old"' });
    state.policies.putInline(id, { name: 'b', document: '"inline"' });
    const policy = state.managed.add({ name: 'm', path: '/', document: '"one"', nowMs: 1 });
    expect(state.policies.documents(id)).toEqual(['"inline"']);
    state.policies.attach(id, policy.id);
    state.policies.attach(id, policy.id);
    expect(state.policies.documents(id).toSorted()).toEqual(['"inline"', '"one"']);
    const { version } = state.managed.addVersion(policy.id, '"two"', 2);
    expect(state.policies.documents(id)).toContain('"one"');
    state.managed.setDefaultVersion(policy.id, version, 3);
    expect(state.policies.documents(id).toSorted()).toEqual(['"inline"', '"two"']);
    expect(state.policies.detach(id, policy.id)).toBe(true);
    expect(state.policies.detach(id, policy.id)).toBe(false);
    expect(state.policies.documents(id)).toEqual(['"inline"']);
  });

  test('use no version number twice', () => {
    const { state } = open();
    const { id, arn } = state.managed.add({ name: 'm', path: '/a/', document: '1', nowMs: 1 });
    expect(arn).toBe('arn:aws:iam::123456789012:policy/a/m');
    state.managed.addVersion(id, '2', 2);
    state.managed.removeVersion(id, 2);
    expect(state.managed.addVersion(id, '3', 3)).toEqual({
      version: 3,
      document: '3',
      createdMs: 3,
    });
    expect(state.managed.versions(id).map(({ version }) => version)).toEqual([3, 1]);
  });

  test('that are attached cannot be removed', () => {
    const { state } = open();
    const { id } = state.identities.addUser(user('alice'));
    const policy = state.managed.add({ name: 'm', path: '/', document: '{}', nowMs: 1 });
    state.policies.attach(id, policy.id);
    expect(() => state.managed.remove(policy.id)).toThrow();
    expect(state.managed.find(policy.arn)).toBeDefined();
  });
});

test('tags have keys that differ by more than case', () => {
  const { state } = open();
  state.tags.put('x', [
    { key: 'Team', value: '1' },
    { key: 'a', value: '' },
  ]);
  state.tags.put('x', [{ key: 'team', value: '2' }]);
  expect(state.tags.of('x')).toEqual([
    { key: 'a', value: '' },
    { key: 'team', value: '2' },
  ]);
  state.tags.remove('x', ['TEAM', 'none']);
  expect(state.tags.of('x')).toEqual([{ key: 'a', value: '' }]);
});
