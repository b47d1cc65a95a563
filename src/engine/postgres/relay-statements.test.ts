import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, i16, message } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import { cut, prepared, realm, sent } from '../../../test/transcripts/realm.ts';
import { after } from '../../../test/transcripts/rig.ts';
import type { Rig } from '../../../test/transcripts/rig.ts';
import { SettingsState } from './state.ts';

const { batch, batchReply, bind, bound, close, closed, complete, describe: tell, execute } = say;
const { failure, flush, oneRow, parse, parsed, query, ready, sync } = say;

describe('a prepared statement with a name', () => {
  test('has another name on the connection, and ties nothing', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', 'select 1'), sync());
    expect(sent(rig)).toEqual(['P sluice_1|select 1', 'S']);
    rig.server(parsed, ready());
    expect([rig.heard(), rig.boundaries, rig.attached, rig.pins]).toEqual([
      ['1', 'Z I'],
      1,
      false,
      [],
    ]);
    rig.client(bind('', 'a'), tell('P'), execute(), sync());
    expect(sent(rig)).toEqual(['B |sluice_1', 'D P', 'E ', 'S']);
    rig.server(bound, say.noData, complete('SELECT 1'), ready());
    expect(rig.heard()).toEqual(['2', 'n', 'C SELECT 1', 'Z I']);
  });

  test('is made on the next connection before it is used there, and nobody hears of it (PG-95)', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.free = false;
    rig.client(bind('', 'a'), execute(), sync()).grant(memory());
    expect(sent(rig)).toEqual(['P sluice_1|select 1', 'B |sluice_1', 'E ', 'S']);
    rig.server(parsed, bound, oneRow, ready());
    expect(rig.heard()).toEqual(['2', 'D 1', 'C SELECT 1', 'Z I']);
  });

  test('that is there already is not parsed again: the answer comes in its turn (PG-06)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(parse('b', 'select 1'), bind('', 'b'), execute(), sync());
    expect(sent(rig)).toEqual(['B |sluice_1', 'E ', 'S']);
    rig.server(bound, oneRow, ready());
    expect(rig.heard()).toEqual(['1', '2', 'D 1', 'C SELECT 1', 'Z I']);
    expect(rig.toClientBytes.length).toBe(1);
  });

  test('that reads a cursor is parsed each time: there may be another cursor of that name, or none', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', 'fetch all from c'), sync());
    rig.server(parsed, ready()).client(close('S', 'a'), parse('a', 'fetch all from c'), sync());
    expect(sent(rig).filter((line) => line.startsWith('P'))).toEqual([
      'P sluice_1|fetch all from c',
      'P sluice_2|fetch all from c',
    ]);
  });

  test('that is there already: Parse and Flush alone are answered by us', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(parse('b', 'select 1'), flush());
    expect([sent(rig), rig.heard(), rig.attached]).toEqual([['H'], ['1'], true]);
    rig.client(sync()).server(ready());
    expect([rig.heard(), rig.attached]).toEqual([['Z I'], false]);
  });

  test('that is there already is nothing to a batch that fails before it (PG-06)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection);
    rig.client(parse('', 'nonsense'), parse('b', 'select 1'), sync());
    rig.server(failure(), ready());
    expect(rig.heard().map((line) => line[0])).toEqual(['E', 'Z']);
    // The name is free: the database says so.
    sent(rig);
    rig.client(bind('', 'b'), sync());
    expect(sent(rig)).toEqual(['B |b', 'S']);
  });

  test('of the same text with other parameter types is another one (PG-80)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(parse('b', 'select 1', [23]), sync());
    expect(sent(rig)).toEqual(['P sluice_2|select 1', 'S']);
  });

  test('of the same text under other settings is another one (PG-81)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    connection.state = SettingsState.of(new Map([['application_name', 'x']]));
    const state = (values: Readonly<Record<string, string>>): SettingsState =>
      SettingsState.of(new Map(Object.entries(values)));
    expect(state({ application_name: 'x', 'my.y': 'z' }).planning).toBe(state({}).planning);
    expect(state({ search_path: 'x' }).planning).not.toBe(state({}).planning);
  });

  test('that was refused is none, here as there (PG-82)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = start(connection).client(parse('a', 'nonsense'), sync());
    rig.server(failure(), ready());
    expect(connection.prepared.size).toBe(0);
    sent(rig);
    rig.client(bind('', 'a'), sync());
    expect(sent(rig)).toEqual(['B |a', 'S']);
    rig.server(failure('26000'), ready());
    // The name may be given again, and no name of ours is ever used twice (PG-84).
    rig.client(parse('a', 'select 1'), sync());
    expect(sent(rig)).toEqual(['P sluice_2|select 1', 'S']);
  });

  test('whose name is taken is the database’s to refuse, with the client’s own name (PG-88)', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.client(parse('a', 'select 2'), sync());
    expect(sent(rig)).toEqual(['P sluice_1|select 2', 'S']);
    rig.server(
      backend.error({ S: 'ERROR', C: '42P05', M: 'prepared statement "sluice_1" already exists' }),
      ready(),
    );
    expect(rig.heard()[0]).toContain('prepared statement "a" already exists');
    rig.client(bind('', 'a'), sync());
    expect(sent(rig)).toEqual(['B |sluice_1', 'S']);
  });

  test('whose name may be taken waits until that is known (PG-84)', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory());
    rig.client(parse('a', 'nonsense'), sync(), parse('a', 'select 1'), sync());
    expect(sent(rig)).toEqual(['P sluice_1|nonsense', 'S']);
    rig.server(failure(), ready());
    expect(sent(rig)).toEqual(['P sluice_2|select 1', 'S']);
  });

  test('that is closed is forgotten by the session and kept for the others (PG-86, PG-87)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = prepared(start(connection));
    rig.client(close('P', 'a'), close('S', 'a'), close('S', 'unknown'), sync());
    expect(sent(rig)).toEqual(['C Pa', 'C Ssluice_0', 'C Sunknown', 'S']);
    rig.server(closed, closed, closed, ready());
    expect(connection.prepared.size).toBe(1);
    rig.client(bind('', 'a'), sync());
    expect(sent(rig)).toEqual(['B |a', 'S']);
  });

  test('that looks like one of ours is not one of ours', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(bind('', 'sluice_1'), sync());
    expect(sent(rig)).toEqual(['B |sluice_0', 'S']);
    rig.server(
      backend.error({ S: 'ERROR', C: '26000', M: 'prepared statement "sluice_0" does not exist' }),
      ready(),
    );
    expect(rig.heard()[0]).toContain('prepared statement "sluice_1" does not exist');
  });

  test('gives way to others, the least recently used first, even in the middle of a batch (PG-89)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = prepared(start(connection, 1));
    rig.client(parse('b', 'select 2'), bind('', 'a'), bind('', 'b'), sync());
    expect(sent(rig)).toEqual([
      'C Ssluice_1',
      'P sluice_2|select 2',
      'C Ssluice_2',
      'P sluice_1|select 1',
      'B |sluice_1',
      'C Ssluice_1',
      'P sluice_2|select 2',
      'B |sluice_2',
      'S',
    ]);
    rig.server(closed, parsed, closed, parsed, bound, closed, parsed, bound, ready());
    expect(rig.heard()).toEqual(['1', '2', '2', 'Z I']);
    expect(connection.prepared.size).toBe(1);
  });

  test('that could not give way because the batch failed is still there (PG-89)', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = prepared(start(connection, 1));
    rig.client(parse('', 'nonsense'), parse('b', 'select 2'), sync());
    rig.server(failure(), ready());
    sent(rig);
    rig.client(bind('', 'a'), sync());
    expect(sent(rig)).toEqual(['B |sluice_1', 'S']);
  });

  test('that cannot be made here is the client’s error', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.free = false;
    rig.client(bind('', 'a'), execute(), sync()).grant(memory());
    rig.server(failure('42P01'), ready());
    expect([rig.heard().map((line) => line[0]), rig.boundaries]).toEqual([['E', 'Z'], 2]);
  });

  test('in a failed transaction is the database’s to refuse', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(query('begin'), query('nonsense'));
    rig.server(complete('BEGIN'), ready('T'), failure(), ready('E'));
    sent(rig);
    rig.client(parse('b', 'select 1'), sync());
    expect(sent(rig)).toEqual(['P sluice_2|select 1', 'S']);
    rig.server(failure('25P02'), ready('E'));
    expect(rig.heard().at(-1)).toBe('Z E');
  });

  test('that is parsed while settings are in doubt is for nobody else', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(query("begin; set local timezone to 'Asia/Tokyo'"));
    rig.server(complete('BEGIN'), ready('T'));
    sent(rig);
    rig.client(parse('b', 'select 1'), sync());
    expect(sent(rig)).toEqual(['P sluice_2|select 1', 'S']);
    rig.server(parsed, ready('T')).client(query('commit')).server(complete('COMMIT'), ready());
    sent(rig);
    rig.client(bind('', 'b'), sync());
    expect(sent(rig)).toEqual(['B |sluice_1', 'S']);
  });

  describe('of which the database has changed its mind (PG-83)', () => {
    test('is made anew, and nobody hears of it: nothing has been run', () => {
      const { memory, rig: start } = realm();
      const rig = prepared(start(memory()));
      rig.client(bind('', 'a'), execute(), sync());
      sent(rig);
      rig.server(failure('0A000'));
      expect(sent(rig)).toEqual([]);
      rig.server(ready());
      expect(sent(rig)).toEqual(['P sluice_2|select 1', 'B |sluice_2', 'E ', 'S']);
      rig.server(parsed, bound, oneRow, ready());
      expect([rig.heard(), rig.boundaries]).toEqual([['2', 'D 1', 'C SELECT 1', 'Z I'], 2]);
    });

    test('and changes it again: then it is the client’s', () => {
      const { memory, rig: start } = realm();
      const rig = prepared(start(memory()));
      rig.client(bind('', 'a'), execute(), sync()).server(failure('0A000'), ready());
      rig.server(parsed, failure('0A000'), ready());
      expect(rig.heard().map((line) => line[0])).toEqual(['E', 'Z']);
    });

    /** A session in a transaction, on a connection where another one has prepared `select 1` before. */
    function late(): Rig {
      const { memory, rig: start } = realm();
      const connection = memory();
      prepared(start(connection));
      const rig = start(connection).client(query('begin')).server(complete('BEGIN'), ready('T'));
      sent(rig);
      rig.heard();
      return rig;
    }

    test('before the client prepared it, in a transaction, is none of the client’s affair', () => {
      const rig = late().client(parse('b', 'select 1'), bind('', 'b'), execute(), sync());
      expect(sent(rig)).toEqual(['C Ssluice_1', 'P sluice_1|select 1', 'B |sluice_1', 'E ', 'S']);
      rig.server(closed, parsed, bound, oneRow, ready('T'));
      expect(rig.heard()).toEqual(['1', '2', 'D 1', 'C SELECT 1', 'Z T']);
      rig.client(bind('', 'b'), execute(), sync());
      expect(sent(rig)).toEqual(['B |sluice_1', 'E ', 'S']);
    });

    test('in a transaction that is still to be opened by what is under way, likewise', () => {
      const { memory, rig: start } = realm();
      const connection = memory();
      prepared(start(connection));
      const rig = start(connection).client(parse('b', 'select 1'), sync()).server(ready());
      sent(rig);
      rig.client(query('begin'), bind('', 'b'), execute(), sync());
      expect(sent(rig)).toEqual([
        ...['Q', 'C Ssluice_1', 'P sluice_1|select 1', 'B |sluice_1', 'E ', 'S'],
      ]);
    });

    test('and is made anew in vain: the connection has what the database says', () => {
      const rig = late().client(parse('b', 'select 1'), bind('', 'b'), execute(), sync());
      sent(rig);
      rig.server(closed, failure('42P01'), ready('E'));
      expect(rig.heard().map((line) => line[0])).toEqual(['1', 'E', 'Z']);
      rig.client(query('rollback')).server(complete('ROLLBACK'), ready());
      sent(rig);
      rig.client(bind('', 'b'), sync());
      expect(sent(rig)[0]).toStartWith('P sluice_');
    });

    test('is the client’s affair in a transaction, behind something that has run, and with more to come', () => {
      const { memory, rig: start } = realm();
      const inTransaction = prepared(start(memory())).client(query('begin'));
      inTransaction.server(complete('BEGIN'), ready('T')).heard();
      inTransaction.client(bind('', 'a'), execute(), sync()).server(failure('0A000'), ready('E'));
      const behind = prepared(start(memory()));
      behind.client(parse('', 'x'), bind('', ''), execute(), bind('', 'a'), execute(), sync());
      behind.server(parsed, bound, oneRow).heard();
      behind.server(failure('0A000'), ready());
      const more = prepared(start(memory())).client(bind('', 'a'), execute(), sync(), sync());
      more.server(failure('0A000'), ready());
      for (const rig of [inTransaction, behind, more]) {
        expect(rig.heard().map((line) => line[0])).toEqual(['E', 'Z']);
        sent(rig);
      }
      more.server(ready()).client(bind('', 'a'), sync());
      expect(sent(more)[0]).toStartWith('P sluice_');
    });
  });

  test('that is too long to be kept ties its session (PG-94)', () => {
    const { memory, rig: start } = realm();
    const long = `select '${'x'.repeat(400_000)}'`;
    const rig = start(memory());
    for (const piece of cut(parse('a', long), 65_536)) rig.client(piece);
    rig.client(sync());
    expect(rig.reasons).toEqual(['preparedStatement']);
    expect(Buffer.concat(rig.toServerBytes).length).toBe(long.length + 5 + 5 + 5);
  });

  test('of middling length is shared by nobody, and carried along all the same (PG-94)', () => {
    const { memory, rig: start } = realm();
    const long = `select '${'x'.repeat(100_000)}'`;
    const rig = start(memory());
    for (const piece of cut(parse('a', long), 4_096)) rig.client(piece);
    rig.client(sync()).server(parsed, ready());
    sent(rig);
    rig.free = false;
    rig.client(bind('', 'a'), sync()).grant(memory());
    expect(sent(rig)).toEqual([`P sluice_1|${long}`, 'B |sluice_1', 'S']);
    expect(rig.pins).toEqual([]);
  });
});

describe('a prepared statement without a name (PG-90)', () => {
  const twoSteps = bytesOf(parse('', 'select 1'), tell('S'), sync());

  test('that runs in its own request ties nothing', () => {
    const rig = after(bytesOf(batch, batch), batchReply, batchReply);
    expect([rig.pins, rig.attached]).toEqual([[], false]);
  });

  test('is prepared again where its session gets another connection, or another session was there', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = start(connection).client(twoSteps);
    rig.server(parsed, message('t', i16(0)), say.noData, ready());
    expect([rig.attached, rig.pins]).toEqual([false, []]);
    sent(rig);
    rig.client(bind('', ''), execute(), sync()).server(bound, oneRow, ready());
    expect(sent(rig)).toEqual(['B |', 'E ', 'S']);
    start(connection).client(parse('', 'select 2'), sync()).server(parsed, ready());
    rig.client(bind('', ''), execute(), sync());
    expect(sent(rig)).toEqual(['P |select 1', 'D S', 'H']);
    rig.heard();
    rig.server(parsed, message('t', i16(0)), say.noData);
    expect(sent(rig)).toEqual(['B |', 'E ', 'S']);
    rig.server(bound, oneRow, ready());
    expect(rig.heard()).toEqual(['2', 'D 1', 'C SELECT 1', 'Z I']);
  });

  test('that this session does not have is not another’s: the database says that there is none', () => {
    const { memory, rig: start } = realm();
    for (const [first, line] of [
      [bind('', ''), 'B |'],
      [tell('S'), 'D S'],
    ] as const) {
      const connection = memory();
      start(connection).client(parse('', 'select 2'), sync()).server(parsed, ready());
      const rig = start(connection).client(first, sync());
      expect(sent(rig)).toEqual(['C S', line, 'S']);
      rig.server(closed, failure('26000'), ready());
      expect(rig.heard().map((heard) => heard[0])).toEqual(['E', 'Z']);
    }
  });

  test('that is left of what brought the connection to the session’s state is nobody’s', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    connection.state = SettingsState.of(new Map([['work_mem', '1MB']]));
    const rig = start(connection).client(bind('', ''), execute(), sync());
    expect(sent(rig).slice(-5)).toEqual(['H', 'C S', 'B |', 'E ', 'S']);
  });

  test('is dropped by a query, and by a Parse that fails', () => {
    const { memory, rig: start } = realm();
    for (const dropping of [query('select 2'), bytesOf(parse('', 'nonsense'), sync())]) {
      const connection = memory();
      const rig = start(connection).client(twoSteps);
      rig.server(parsed, message('t', i16(0)), say.noData, ready());
      rig.client(dropping).server(...(dropping[0] === 0x51 ? [oneRow] : [failure()]), ready());
      start(connection).client(parse('', 'select 3'), sync()).server(parsed, ready());
      sent(rig);
      rig.client(bind('', ''), sync());
      expect(sent(rig)).toEqual(['C S', 'B |', 'S']);
    }
  });

  test('is still the one before where its successor was skipped', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = start(connection).client(twoSteps);
    rig.server(parsed, message('t', i16(0)), say.noData, ready());
    rig.client(execute('missing'), parse('', 'select 2'), sync()).server(failure(), ready());
    start(connection).client(parse('', 'select 3'), sync()).server(parsed, ready());
    sent(rig);
    rig.client(bind('', ''), sync());
    expect(sent(rig)).toEqual(['P |select 1', 'D S', 'H']);
    rig.server(parsed, message('t', i16(0)), say.noData);
    expect(sent(rig)).toEqual(['B |', 'S']);
  });
});
