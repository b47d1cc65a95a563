import { describe, expect, test } from 'bun:test';
import { backend, bytesOf } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import {
  after,
  anybody,
  freshMemory,
  Rig,
  usualOptions,
  usualParameters,
} from '../../../test/transcripts/rig.ts';
import type { PostgresMemory } from './memory.ts';
import { SettingsState } from './state.ts';

const { answer, bind, bound, closed, complete, execute, failure, flush, oneRow } = say;
const { parse, parsed } = say;
const { query, ready, sync, steps } = say;

const forget = steps('DISCARD SEQUENCES');

/** A session that has set something, on its first connection; the value is one that had to be asked for. */
function withWorkMem(value = '8MB'): Rig {
  const rig = after(query(`set work_mem = '${value}'`), complete('SET'), ready());
  return rig.server(answer(value, JSON.stringify({ work_mem: value })));
}

function stateOf(values: Readonly<Record<string, string>>): SettingsState {
  return SettingsState.of(new Map(Object.entries(values)));
}

describe('a setting', () => {
  test('is asked for once, in the server’s own words, before the connection goes to anybody else (PG-50)', () => {
    const rig = after(query("set work_mem = '8 MB'"), complete('SET'), ready());
    expect([rig.passed(), rig.boundaries, rig.heard()]).toEqual(['QQ', 0, ['C SET', 'Z I']]);
    rig.server(answer('8MB', '{"work_mem":"8MB"}'));
    expect([rig.heard(), rig.boundaries, rig.pins]).toEqual([[], 1, []]);
    expect(rig.memory.state).toBe(stateOf({ work_mem: '8MB' }));
    // The same words mean the same from then on.
    rig.client(query("set work_mem = '8 MB'")).server(complete('SET'), ready());
    expect([rig.passed(), rig.boundaries]).toEqual(['Q', 2]);
  });

  test('is not taken for reset by EXECUTE of what was prepared beside a RESET', () => {
    const isSet = answer('8s', '{"lock_timeout":"8s"}');
    const rig = after(query('prepare a as select 1; reset all'));
    rig.server(complete('PREPARE'), complete('RESET'), ready());
    rig.client(query("set lock_timeout = '8s'")).server(complete('SET'), ready()).server(isSet);
    rig.client(query('execute a')).passed();
    // It has to be made once more, as settings were in doubt when it was made first.
    rig.server(steps('PREPARE', 'BEGIN', 'COMMIT'), oneRow, ready());
    expect([rig.passed(), rig.boundaries]).toEqual(['Q', 2]);
    rig.server(isSet);
    expect([rig.memory.state, rig.boundaries]).toEqual([stateOf({ lock_timeout: '8s' }), 3]);
  });

  test('that the server reports needs no question', () => {
    const rig = after(
      query("set timezone to 'asia/tokyo'"),
      complete('SET'),
      backend.parameterStatus('TimeZone', 'Asia/Tokyo'),
      ready(),
    );
    expect([rig.passed(), rig.boundaries]).toEqual(['Q', 1]);
    expect(rig.memory.state).toBe(stateOf({ timezone: 'Asia/Tokyo' }));
    expect(rig.heard()).toEqual(['C SET', 'S TimeZone=Asia/Tokyo', 'Z I']);
  });

  test('goes with its session to another connection, in the same write as the request (PG-61)', () => {
    const rig = withWorkMem();
    rig.passed();
    rig.free = false;
    rig.client(query('select 1')).grant(freshMemory());
    expect(rig.toServerBytes.length).toBe(3);
    expect(rig.passed()).toBe('PBEPBEPBEHQ');
    rig.heard();
    rig.server(steps('BEGIN', 'SET', 'COMMIT'), oneRow, ready());
    expect([rig.heard(), rig.boundaries]).toEqual([['D 1', 'C SELECT 1', 'Z I'], 2]);
  });

  test('costs nothing where the connection has it already (PG-61)', () => {
    const rig = withWorkMem();
    const other = freshMemory();
    other.state = stateOf({ work_mem: '8MB' });
    rig.passed();
    rig.free = false;
    rig.client(query('select 1')).grant(other);
    expect(rig.passed()).toBe('Q');
  });

  test('of another session is taken back first, and nobody hears of it', () => {
    const memory = freshMemory();
    withWorkMemOn(memory);
    const rig = new Rig(memory).client(query('select 1'));
    expect(Buffer.concat(rig.toServerBytes).toString('latin1')).toContain('RESET "work_mem"');
    rig.server(steps('BEGIN', 'RESET', 'COMMIT'), oneRow, ready());
    expect(rig.heard()).toEqual(['D 1', 'C SELECT 1', 'Z I']);
  });

  test('that could not be brought along: nothing runs, and the session ends with the server’s own words (PG-60)', () => {
    const rig = withWorkMem();
    rig.free = false;
    rig.client(query('delete from t')).grant(freshMemory());
    rig.heard();
    expect(() => rig.server(steps('BEGIN'), parsed, bound, failure('22023'))).toThrow(
      'a fault: restoreFailed',
    );
    expect(rig.heard()).toEqual([]);
  });

  test('in a transaction is asked for at its end, whatever became of it (PG-53, PG-68)', () => {
    for (const [value, sourced, expected] of [
      ['8MB', '8MB', { work_mem: '8MB' }],
      ['4MB', null, {}],
    ] as const) {
      const rig = after(query('begin'), complete('BEGIN'), ready('T'));
      rig.client(query("set work_mem = '8MB'")).server(complete('SET'), ready('T'));
      expect(rig.passed()).toBe('QQ');
      rig.client(query('commit')).server(complete('COMMIT'), ready());
      expect([rig.passed(), rig.boundaries]).toEqual(['QQ', 0]);
      rig.server(answer(value, JSON.stringify({ work_mem: sourced })));
      expect(rig.memory.state).toBe(stateOf(expected));
      expect(rig.boundaries).toBe(1);
    }
  });

  test('for the transaction only is nobody’s concern (PG-54, PG-55)', () => {
    for (const sql of [
      "begin; set local work_mem = '8MB'; commit",
      "select set_config('my.x', 'y', true)",
      'set transaction isolation level serializable',
    ]) {
      const rig = after(query(sql), complete('SET'), ready());
      expect([rig.passed(), rig.boundaries, rig.memory.state.values.size]).toEqual(['Q', 1, 0]);
    }
  });

  test('that was made up is asked for without the server’s list, once it is known to be none of its own', () => {
    const rig = after(query("select set_config('my.x', 'y', false)"), oneRow, ready());
    rig.server(answer('y', null));
    expect(rig.memory.state).toBe(stateOf({ 'my.x': 'y' }));
    rig.client(query("select set_config('my.x', 'z', false)")).server(oneRow, ready());
    const asked = Buffer.concat(rig.toServerBytes).toString('latin1').split('select ').at(-1);
    expect(asked).not.toContain('pg_settings');
    rig.server(answer('z'));
    expect(rig.memory.state).toBe(stateOf({ 'my.x': 'z' }));
  });

  test('of a statement that was bound counts where it is executed, and only there', () => {
    const prepared = bytesOf(parse('', "set timezone to 'Asia/Tokyo'"), bind('', ''));
    const rig = after(bytesOf(prepared, sync()), parsed, bound, ready());
    expect([rig.boundaries, rig.passed()]).toEqual([1, 'PBS']);
    rig.client(bytesOf(prepared, execute(), sync()));
    rig.server(parsed, bound, complete('SET'));
    rig.server(backend.parameterStatus('TimeZone', 'Asia/Tokyo'), ready());
    expect(rig.memory.state).toBe(stateOf({ timezone: 'Asia/Tokyo' }));
  });

  test('is reset: RESET, SET TO DEFAULT, RESET ALL, DISCARD ALL (PG-65)', () => {
    for (const sql of ['reset work_mem', 'set work_mem to default', 'reset all', 'discard all']) {
      const rig = withWorkMem();
      rig.passed();
      rig.client(query(sql)).server(complete('RESET'), ready());
      expect([sql, rig.passed(), rig.memory.state.values.size]).toEqual([sql, 'Q', 0]);
    }
  });

  test('whose words mean something else today is asked for again', () => {
    const rig = after(
      query("set default_text_search_config = 'english'"),
      complete('SET'),
      ready(),
    );
    rig.server(answer('pg_catalog.english', '{"default_text_search_config":"pg_catalog.english"}'));
    rig.passed();
    rig.client(query("set default_text_search_config = 'english'"));
    rig.server(complete('SET'), ready());
    expect(rig.passed()).toBe('QQ');
  });

  test('of which the server will not tell ties the session', () => {
    const rig = after(query("set work_mem = '8MB'"), complete('SET'), ready());
    rig.server(failure('42501'), ready());
    expect([rig.reasons, rig.boundaries, rig.attached]).toEqual([['hiddenState'], 1, true]);
  });

  test('is asked for again where a late cancel has hit the question (PG-42)', () => {
    const rig = after(query("set work_mem = '8MB'"), complete('SET'), ready());
    rig.passed();
    rig.server(failure('57014'), ready());
    expect([rig.passed(), rig.boundaries]).toEqual(['Q', 0]);
    rig.server(answer('8MB', '{"work_mem":"8MB"}'));
    expect([rig.boundaries, rig.pins]).toEqual([1, []]);
  });

  test('does not make the next request wait', () => {
    const rig = after(query("set work_mem = '8MB'"), complete('SET'), ready());
    rig.passed();
    rig.client(query('select 1'));
    expect(rig.passed()).toBe('Q');
    rig.heard();
    rig.server(answer('8MB', '{"work_mem":"8MB"}'), oneRow, ready());
    expect([rig.heard(), rig.boundaries]).toEqual([['D 1', 'C SELECT 1', 'Z I'], 1]);
  });

  function withWorkMemOn(memory: ReturnType<typeof freshMemory>): void {
    memory.state = stateOf({ work_mem: '8MB' });
  }
});

describe('what a start-up parameter sets', () => {
  const who = { ...anybody, wishes: new Map([['application_name', 'till']]) };
  const parameters = new Map([...usualParameters, ['application_name', '']]);

  test('is brought to every connection, and is what RESET returns to (PG-63)', () => {
    const rig = new Rig(freshMemory(parameters), { who }).client(query('select 1'));
    expect(rig.passed()).toBe('PBEPBEPBEHQ');
    rig.server(steps('BEGIN', 'SET', 'COMMIT'), oneRow);
    rig.server(backend.parameterStatus('application_name', 'till'), ready());
    expect(rig.heard()).toEqual(['D 1', 'C SELECT 1', 'Z I']);
    rig.client(query('reset application_name'), query('show application_name'));
    // What comes behind must not see the server's own default.
    expect(rig.passed()).toBe('Q');
    rig.server(complete('RESET'), backend.parameterStatus('application_name', ''), ready());
    expect(rig.heard()).toEqual(['C RESET', 'Z I']);
    expect(rig.passed()).toBe('PBEPBEPBEHSQ');
    rig.server(steps('BEGIN', 'SET', 'COMMIT'));
    rig.server(backend.parameterStatus('application_name', 'till'), ready(), oneRow, ready());
    expect(rig.heard()).toEqual(['D 1', 'C SELECT 1', 'Z I']);
  });

  test('is brought back in a transaction, too', () => {
    const memory = freshMemory(parameters);
    memory.state = stateOf({ application_name: 'till' });
    memory.report('application_name', 'till');
    const rig = new Rig(memory, { who }).client(query('begin'));
    rig.server(complete('BEGIN'), ready('T'));
    rig.client(query('reset application_name'));
    rig.passed();
    rig.server(complete('RESET'), backend.parameterStatus('application_name', ''), ready('T'));
    expect(rig.passed()).toBe('PBECS');
    const told = backend.parameterStatus('application_name', 'till');
    rig.server(steps('SET'), closed, told, ready('T'));
    rig.client(query('rollback')).server(complete('ROLLBACK'), ready());
    expect(rig.passed()).toBe('QQ');
    rig.server(answer('till', '{"application_name":"till"}'));
    expect(rig.memory.state).toBe(stateOf({ application_name: 'till' }));
  });
});

test('RESET ALL waits until it is known what has been set before it', () => {
  const rig = after(query("set work_mem = '8MB'"), complete('SET'), ready());
  rig.client(query('reset all')).passed();
  expect(rig.passed()).toBe('');
  rig.server(answer('8MB', '{"work_mem":"8MB"}'));
  expect(rig.passed()).toBe('Q');
  rig.server(complete('RESET'), ready());
  expect(rig.memory.state).toBe(stateOf({}));
});

describe('a start-up parameter that was lost', () => {
  const who = { ...anybody, wishes: new Map([['application_name', 'till']]) };
  const lost = backend.parameterStatus('application_name', '');

  test('is brought back before the next request runs, whatever else is asked', () => {
    const memory = freshMemory(new Map([...usualParameters, ['application_name', 'till']]));
    memory.state = stateOf({ application_name: 'till' });
    const rig = new Rig(memory, { who }).client(query('create temp table t ()'));
    rig.server(complete('CREATE TABLE'), ready()).server(answer('t'));
    rig.client(query('discard all')).passed();
    rig.server(complete('DISCARD ALL'), lost, ready()).client(query('select 1'));
    expect(rig.passed()).toBe('QPBEPBEPBEHSQ');
  });

  test('and is empty since has been set so: a setting that was made up', () => {
    const memory = freshMemory(usualParameters);
    const settings = new Map([['my.x', 'from the start']]);
    memory.realm.outfits.set('my.x', { settings, reported: new Map() });
    memory.state = stateOf({ 'my.x': 'from the start' });
    const who = { ...anybody, questionsKey: 'my.x' };
    const rig = new Rig(memory, { who }).client(query("set my.x = ''"));
    rig.server(complete('SET'), ready()).server(answer('', null));
    expect(rig.memory.state).toBe(stateOf({ 'my.x': '' }));
  });

  test('is not brought back where the transaction that has lost it has failed', () => {
    const memory = freshMemory(usualParameters);
    memory.state = stateOf({ application_name: 'till' });
    const rig = new Rig(memory, { who }).client(query('begin; select 1/0'));
    rig.server(complete('BEGIN'), failure('22012'), ready('E')).client(query('reset all'));
    rig.server(failure('25P02'), ready('E')).client(query('commit and chain')).passed();
    rig.server(complete('ROLLBACK'), ready('T'));
    expect([rig.passed(), rig.heard().at(-1)]).toEqual(['', 'Z T']);
  });

  test('or may have been: the next request waits for the answer', () => {
    const memory = freshMemory(new Map([...usualParameters, ['application_name', 'till']]));
    memory.state = stateOf({ application_name: 'till' });
    const rig = new Rig(memory, { who }).client(query('reset application_name; select 1/0'));
    rig.server(complete('RESET'), failure('22012'), ready()).client(query('select 1'));
    expect(rig.passed()).toBe('QQ');
    rig.server(answer('till', '{"application_name":"till"}'));
    expect(rig.passed()).toBe('Q');
  });
});

describe('who asks for the last value of a sequence on a connection of somebody else', () => {
  const forgetting = steps('BEGIN', 'DISCARD SEQUENCES', 'COMMIT');

  /** A connection on which somebody has inserted. */
  function used(): PostgresMemory {
    const memory = freshMemory();
    const rig = new Rig(memory).client(query('insert into t default values'));
    rig.server(complete('INSERT 0 1'), ready());
    return memory;
  }

  test('has it forgotten first, in a transaction of its own where a query asks', () => {
    const rig = new Rig(used()).client(query("select currval('s')"));
    expect(rig.passed()).toBe('PBEPBEPBEHQ');
  });

  test('also where it had the connection before, for something else', () => {
    const rig = new Rig(used()).client(query('select 1')).server(oneRow, ready());
    rig.passed();
    rig.client(query('select lastval()'));
    expect(rig.passed()).toBe('PBEPBEPBEHQ');
  });

  test('has it forgotten as soon as it gets such a connection, once somebody has asked', () => {
    const memory = used();
    memory.realm.asksForLast = true;
    const rig = new Rig(memory).client(query('select hidden_nextval()'));
    expect(rig.passed()).toBe('PBEPBEPBEHQ');
    rig.server(forgetting, oneRow, ready()).client(query('select lastval()'));
    expect(rig.passed()).toBe('Q');
  });

  test('is expected to ask after an INSERT, and not after what has a name like COPY', () => {
    for (const [tag, isKept] of [
      ['INSERT 0 1', true],
      ['COPY 3', true],
      ['COMMIT', false],
      ['DO', false],
    ] as const) {
      const rig = new Rig();
      rig.memory.realm.readsSequences = true;
      rig.client(query('values (1)')).server(complete(tag), ready());
      expect([tag, rig.attached, rig.rests]).toEqual([tag, isKept, isKept ? 1 : 0]);
    }
  });

  test('is asked of the database as it is where nobody else has had the connection', () => {
    const rig = new Rig().client(query('select lastval()'));
    expect(rig.passed()).toBe('Q');
  });

  test('keeps the connection once it has used a sequence itself, whatever it asked before', () => {
    const rig = new Rig(used()).client(query('select lastval()'));
    rig.server(forgetting, failure('55000'), ready());
    rig.client(query('select lastval()')).server(failure('55000'), ready());
    rig.client(query("select nextval('s')")).server(oneRow, ready());
    rig.client(query('select 1')).server(oneRow, ready());
    expect(rig.attached).toBe(true);
  });

  test('and with its portals left alone where one of them asks, also in a request that is not over', () => {
    const rig = new Rig(used()).client(parse('', 'select lastval()'), bind('', ''), flush());
    rig.server(parsed, bound).client(execute(), sync());
    expect(rig.passed()).toBe('PBHPBECES');
    rig.server(forget, closed, failure('55000'), ready());
    expect(rig.heard().map((line) => line[0])).toEqual(['1', '2', 'E', 'Z']);
  });
});

describe('a parameter that changed though no statement said so', () => {
  const tokyo = backend.parameterStatus('TimeZone', 'Asia/Tokyo');

  test('is found also where the session has said who it is in the same transaction', () => {
    const rig = after(query('begin'), complete('BEGIN'), ready('T')).client(query('set role ann'));
    rig.server(complete('SET'), ready('T')).client(query('select change()'));
    rig.server(tokyo, oneRow, ready('T')).client(query('commit'));
    rig.server(complete('COMMIT'), ready());
    rig.server(answer('ann', 'Asia/Tokyo', '{"timezone":"Asia/Tokyo"}'));
    expect(rig.memory.state).toBe(stateOf({ role: 'ann', timezone: 'Asia/Tokyo' }));
  });

  test('is found though the server reports nothing: we had set it otherwise just ahead of the request', () => {
    const memory = freshMemory(new Map([...usualParameters, ['TimeZone', 'UTC']]));
    const rig = new Rig(memory).client(query("set timezone = 'Asia/Tokyo'"));
    rig.server(complete('SET'), tokyo, ready());
    const next = freshMemory(new Map([...usualParameters, ['TimeZone', 'UTC']]));
    rig.free = false;
    rig.client(query('select change()')).grant(next).heard();
    rig.server(steps('BEGIN', 'SET', 'COMMIT'), oneRow, ready());
    expect(rig.heard()).toEqual(['D 1', 'C SELECT 1', 'S TimeZone=UTC', 'Z I']);
    rig.server(answer('UTC', '{"timezone":"UTC"}'));
    expect(next.state).toBe(stateOf({ timezone: 'UTC' }));
  });

  test('is nobody’s configuration where it tells who is a superuser: a function has changed the role', () => {
    const memory = freshMemory(new Map([...usualParameters, ['is_superuser', 'on']]));
    const rig = new Rig(memory).client(query('select change()'));
    rig.server(oneRow, backend.parameterStatus('is_superuser', 'off'), ready());
    rig.server(answer('ann', 'ann'));
    expect([memory.initial.get('is_superuser'), memory.greeting.get('is_superuser')]).toEqual([
      'on',
      'on',
    ]);
  });

  test('is the session’s own where the server says so: a function has set it', () => {
    const rig = after(query('select change()'), tokyo, oneRow, ready());
    rig.server(answer('Asia/Tokyo', '{"timezone":"Asia/Tokyo"}'));
    expect([rig.pins, rig.boundaries]).toEqual([[], 1]);
    expect(rig.memory.state).toBe(stateOf({ timezone: 'Asia/Tokyo' }));
  });

  test('is a new configuration otherwise, and nobody’s state (PG-13)', () => {
    const rig = after(query('select 1'), tokyo, oneRow, ready());
    rig.server(answer('Asia/Tokyo', '{"timezone":null}'));
    expect([rig.memory.state.values.size, rig.memory.initial.get('TimeZone')]).toEqual([
      0,
      'Asia/Tokyo',
    ]);
  });

  test('and changed back before the request was over', () => {
    const rig = after(query('select change()'), tokyo, backend.parameterStatus('TimeZone', 'UTC'));
    rig.server(oneRow, ready()).server(answer('UTC', '{"timezone":null}'));
    expect([rig.pins, rig.attached, rig.memory.state.values.size]).toEqual([[], false, 0]);
  });
});

describe('parameters', () => {
  const rome = new Map([...usualParameters, ['TimeZone', 'Europe/Rome']]);

  test('under which statements cannot be read tie the session', () => {
    for (const [name, value] of [
      ['client_encoding', 'SJIS'],
      ['standard_conforming_strings', 'off'],
    ] as const) {
      const memory = freshMemory(new Map([...usualParameters, [name, value]]));
      const rig = new Rig(memory).client(query('select 1'));
      expect(rig.pins).toEqual([{ reason: 'hiddenState', digest: `${name} is ${value}` }]);
    }
  });

  test('PG-13: are told to the client that gets the connection, as far as they differ, and once', () => {
    const rig = new Rig(freshMemory(rome), { welcome: freshMemory() }).client(query('select 1'));
    expect(rig.heard()).toEqual(['S TimeZone=Europe/Rome']);
    rig.server(oneRow, ready());
    rig.heard();
    rig.client(query('select 1'));
    expect([rig.heard(), rig.pins]).toEqual([[], []]);
  });

  test('PG-13: told by the database to one client, they are news to the next', () => {
    const memory = freshMemory();
    const first = new Rig(memory);
    const second = new Rig(memory);
    const third = new Rig(freshMemory());
    // A new configuration reaches the idle connection: it is nobody's state.
    first.server(backend.parameterStatus('TimeZone', 'Asia/Tokyo'));
    first.client(query('select 1')).server(oneRow, ready());
    second.client(query('select 1')).server(oneRow, ready());
    third.client(query('select 1')).server(oneRow, ready());
    expect(first.heard()[0]).toBe('S TimeZone=Asia/Tokyo');
    expect(second.heard()[0]).toBe('S TimeZone=Asia/Tokyo');
    expect(third.heard()[0]).toBe('D 1');
    expect([first.pins, second.pins]).toEqual([[], []]);
  });

  test('PG-13: what a client was told by its connection is compared with the next one', () => {
    const rig = new Rig();
    rig.client(query('select 1')).server(oneRow, ready());
    rig.free = false;
    rig.client(query('select 2')).grant(freshMemory(rome));
    expect(rig.heard().at(-1)).toBe('S TimeZone=Europe/Rome');
  });
});

describe('what ties a session', () => {
  test('is confirmed by the database before it counts, and unties when it is gone (PG-66, PG-67, PG-69)', () => {
    for (const [ties, unties, reason] of [
      ['create temp table t (a int)', 'drop table t', 'temporaryObject'],
      ['listen news', 'unlisten news', 'listen'],
      ['select pg_advisory_lock(1)', 'select pg_advisory_unlock(1)', 'sessionLock'],
      ['declare c cursor with hold for select 1', 'close c', 'heldCursor'],
    ] as const) {
      const rig = after(query(ties), complete('X'), ready());
      expect([rig.boundaries, rig.pins]).toEqual([0, []]);
      rig.server(answer('t'));
      expect([rig.boundaries, rig.attached, rig.reasons]).toEqual([1, true, [reason]]);
      rig.client(query('select 1')).server(oneRow, ready());
      rig.client(query(unties)).server(complete('X'), ready()).server(answer('t'));
      expect([rig.boundaries, rig.attached]).toEqual([3, true]);
      rig.client(query(unties)).server(complete('X'), ready()).server(answer('f'));
      expect([rig.boundaries, rig.attached, rig.pinned.size]).toEqual([4, false, 0]);
    }
  });

  test('is not taken for gone because something else of its kind is', () => {
    const rig = after(query('declare a cursor with hold for select 1'), complete('X'), ready());
    rig.server(answer('t')).client(query('close a')).server(complete('X'), ready());
    // The question about the first is under way as the second comes.
    rig.client(query('declare b cursor with hold for select 1'));
    rig.server(answer('f'), complete('X'), ready()).server(answer('t'));
    expect([rig.attached, rig.pinned.size]).toEqual([true, 1]);
  });

  test('unties although what took it away came while the question was under way', () => {
    const rig = after(query('listen news'), complete('LISTEN'), ready());
    rig.client(query('unlisten news')).server(answer('t'), complete('UNLISTEN'), ready());
    rig.server(answer('f'));
    expect([rig.attached, rig.pinned.size]).toEqual([false, 0]);
  });

  test('does not where the database knows of nothing: undone, refused, or never meant', () => {
    for (const sql of [
      'begin; listen news; rollback',
      'select pg_try_advisory_lock(1)',
      'create temp table t (a int) on commit drop',
    ]) {
      const rig = after(query(sql), complete('X'), ready()).server(answer('f'));
      expect([rig.boundaries, rig.attached, rig.pins]).toEqual([1, false, []]);
    }
  });

  test('for good: a library, a seed; until DISCARD: sequences', () => {
    for (const [sql, reason] of [
      ["load 'auto_explain'", 'library'],
      ['select setseed(0.5)', 'hiddenState'],
      ["select nextval('s')", 'sequence'],
    ] as const) {
      const rig = after(query(sql), complete('X'), ready());
      expect([rig.boundaries, rig.attached, rig.reasons]).toEqual([1, true, [reason]]);
      rig.client(query('discard all')).server(complete('DISCARD ALL'), ready());
      expect([sql, rig.attached]).toEqual([sql, reason !== 'sequence']);
    }
  });

  test('as in Amazon RDS Proxy: a SET does, and nothing unties', () => {
    const options = { ...usualOptions, pinning: 'aws' } as const;
    const rig = new Rig(freshMemory(), { options }).client(query("set timezone = 'UTC'"));
    expect(rig.reasons).toEqual(['setting']);
    rig.server(complete('SET'), ready());
    expect(rig.attached).toBe(true);
    rig.client(query('reset all')).server(complete('RESET'), ready());
    rig.client(query('discard all')).server(complete('DISCARD ALL'), ready());
    expect(rig.attached).toBe(true);
    const long = new Rig(freshMemory(), { options }).client(
      query(`select '${'x'.repeat(16_384)}'`),
    );
    expect(long.reasons).toEqual(['longStatement']);
  });
});

describe('PG-42: a cancel', () => {
  test('that comes while the connection is brought to the session’s state waits until it is', () => {
    const rig = withWorkMem();
    rig.free = false;
    rig.client(query('select pg_sleep(9)')).grant(freshMemory());
    expect(rig.relay.cancel()).toBe(false);
    rig.server(steps('BEGIN', 'SET'));
    expect(rig.cancels).toBe(0);
    rig.server(steps('COMMIT'));
    expect(rig.cancels).toBe(1);
  });

  test('has nothing to stop where only we have asked something', () => {
    const rig = after(query("set work_mem = '8MB'"), complete('SET'), ready());
    expect([rig.relay.quiet, rig.relay.cancel(), rig.relay.tidy]).toEqual([true, false, false]);
    rig.server(answer('8MB', '{"work_mem":"8MB"}'));
    expect([rig.cancels, rig.relay.tidy]).toEqual([0, true]);
  });
});
