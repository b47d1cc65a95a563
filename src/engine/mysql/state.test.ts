import { describe, expect, test } from 'bun:test';
import { intern, SessionState, SEVERAL_STATEMENTS } from './state.ts';
import { PreparedOnServer, Template } from './template.ts';

const beginning = intern(new Map([['time_zone', "'SYSTEM'"]]));
const stateOf = (values: Readonly<Record<string, string>>, schema = 'app'): SessionState =>
  SessionState.of(schema, new Map(Object.entries(values)));
const way = (from: SessionState, to: SessionState) => to.wayFrom(from, beginning);

describe('a state', () => {
  test('that is equal to another one is the same', () => {
    const state = stateOf({ b: '1', a: '2' });
    expect(stateOf({ a: '2', b: '1' })).toBe(state);
    expect(SessionState.fresh('app').with(state.values)).toBe(state);
    expect(state.in('other').in('app')).toBe(state);
    const names = ['a', 'b'].map((name) => [name, undefined] as const);
    expect(state.with(names)).toBe(SessionState.fresh('app'));
    expect([state.isFresh, SessionState.fresh(undefined).isFresh]).toEqual([false, true]);
  });

  test('is told from one of the same names in another schema, or in none', () => {
    expect(stateOf({ a: '1' }, 'other')).not.toBe(stateOf({ a: '1' }));
    expect(SessionState.fresh(undefined)).not.toBe(SessionState.fresh(''));
  });

  test('has a part that decides what a text means (MY-52, MY-65)', () => {
    const state = stateOf({ sql_mode: "''", time_zone: "'+01:00'", '@a': '1' });
    expect(state.parsing).toBe(stateOf({ sql_mode: "''" }));
    const other = stateOf({ sql_mode: "'ANSI'" }, 'other');
    expect(state.parsingAs(other)).toBe(
      stateOf({ sql_mode: "'ANSI'", time_zone: "'+01:00'", '@a': '1' }, 'other'),
    );
  });
});

describe('the way from one to another', () => {
  test('is none where they are the same', () => {
    expect(way(stateOf({ a: '1' }), stateOf({ a: '1' }))).toBeUndefined();
  });

  test('sets what differs, and what is not set any more to what it was, or to the default', () => {
    expect(
      way(stateOf({ a: '1', time_zone: "'x'", same: '1' }), stateOf({ b: '2', same: '1' })),
    ).toEqual({
      several: undefined,
      schema: undefined,
      sql: "SET @@session.`a` = DEFAULT, @@session.`time_zone` = 'SYSTEM', @@session.`b` = 2",
    });
  });

  test('goes to another schema, and there is none back to none', () => {
    expect(way(SessionState.fresh('app'), SessionState.fresh('other'))).toEqual({
      several: undefined,
      schema: 'other',
      sql: undefined,
    });
    expect(way(SessionState.fresh('app'), SessionState.fresh(undefined))).toBeUndefined();
  });

  test('says whether a text may hold several statements, and no reset forgets that', () => {
    const fresh = SessionState.fresh('app');
    const allowed = fresh.with([[SEVERAL_STATEMENTS, 'ON']]);
    expect(way(fresh, allowed)).toEqual({ several: 'ON', schema: undefined, sql: undefined });
    expect(way(allowed, fresh)).toEqual({ several: '', schema: undefined, sql: undefined });
    expect(allowed.with([['a', '1']]).anew('other')).toBe(allowed.in('other'));
    expect(fresh.with([['a', '1']]).anew('app')).toBe(fresh);
  });

  test('of MariaDB sets a collation that does not show by SET NAMES, and what that sets with it', () => {
    const german = "'latin1' COLLATE 'latin1_german2_ci'";
    const handshake = intern(
      new Map([
        ['character_set_results', german],
        ['character_set_client', german],
        ['character_set_connection', "'latin1'"],
        ['collation_connection', "'latin1_german2_ci'"],
      ]),
    );
    const fresh = stateOf({});
    const connection = `@@session.\`character_set_connection\` = 'latin1', @@session.\`collation_connection\` = 'latin1_german2_ci'`;
    for (const name of ['character_set_results', 'character_set_client'])
      expect(fresh.wayFrom(stateOf({ [name]: "'utf8mb4'" }), handshake)?.sql).toBe(
        `SET NAMES ${german}, ${connection}`,
      );
    const bin = "'latin1' COLLATE 'latin1_bin'";
    const client = stateOf({ character_set_client: bin });
    expect(client.wayFrom(fresh, handshake)?.sql).toBe(
      `SET NAMES ${bin}, @@session.\`character_set_results\` = 'latin1', ${connection}`,
    );
    const results = stateOf({ character_set_results: "'latin1'" });
    expect(results.wayFrom(stateOf({ character_set_client: "'cp1251'" }), handshake)?.sql).toBe(
      `SET NAMES ${german}, @@session.\`character_set_results\` = 'latin1', ${connection}`,
    );
  });

  test('says sql_big_selects again behind max_join_size, which sets it, too', () => {
    const flags = intern(new Map([['sql_big_selects', '1']]));
    const from = stateOf({ sql_big_selects: '0' });
    const to = stateOf({ max_join_size: '5' });
    const all = '@@session.`max_join_size` = 5, @@session.`sql_big_selects` = 1';
    expect(to.wayFrom(from, flags)?.sql).toBe(`SET ${all}`);
    expect(to.wayFrom(stateOf({}), flags)?.sql).toBe(`SET ${all}`);
    expect(stateOf({}).wayFrom(to, flags)?.sql).toBe(`SET ${all.replace('5', 'DEFAULT')}`);
  });

  test('quotes names that are whatever they like', () => {
    const { sql } = way(stateOf({}), stateOf({ '@a`b': '1' })) ?? {};
    expect(sql).toBe('SET @`a``b` = 1');
  });
});

describe('what is prepared on a connection (MY-66)', () => {
  const template = (sql: string): Template =>
    Template.of(Buffer.from(sql), SessionState.fresh('app'), undefined);

  test('is known by its text and by what decides what that means', () => {
    expect(template('select 1')).toBe(template('select 1'));
    const elsewhere = Template.of(Buffer.from('select 1'), SessionState.fresh('other'), undefined);
    expect(elsewhere).not.toBe(template('select 1'));
    expect(template('select 1').apart()).not.toBe(template('select 1'));
  });

  test('goes in the order of its last use, but for what is needed', () => {
    const [a, b, c] = [template('a'), template('b'), template('c')];
    const prepared = new PreparedOnServer();
    expect([prepared.add(a, 1), prepared.add(b, 2), prepared.add(c, 3)]).toEqual([
      ...[undefined, undefined, undefined],
    ]);
    expect([prepared.add(a, 4), prepared.size]).toEqual([1, 3]);
    expect(prepared.use(b)?.id).toBe(2);
    expect(prepared.shift((one) => one === c)).toBe(4);
    expect(prepared.shift(() => false)).toBe(3);
    expect(prepared.shift(() => true)).toBeUndefined();
    prepared.clear();
    expect([prepared.size, prepared.use(b)]).toEqual([0, undefined]);
  });
});
