import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, i16, message } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import { prepared, realm, sent } from '../../../test/transcripts/realm.ts';
import { after, freshMemory } from '../../../test/transcripts/rig.ts';
import type { Rig } from '../../../test/transcripts/rig.ts';
import type { PostgresMemory } from './memory.ts';
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

describe('a statement of which its client has been told what it returns (PG-83)', () => {
  const nothing = bytesOf(message('t', i16(0)), say.noData);
  const aColumn = bytesOf(message('t', i16(0)), say.rowDescription('a'));

  /** A session that has prepared and described a statement, and then gets `next`, where somebody else's has been. */
  function told(name: string, next: PostgresMemory, start: (memory: PostgresMemory) => Rig): Rig {
    const rig = start(freshMemory(undefined, next.realm)).client(
      parse(name, 'select 1'),
      describeIt(name),
      sync(),
    );
    rig.server(parsed, nothing, ready());
    rig.free = false;
    rig.client(bind('', name), execute(), sync()).grant(next);
    sent(rig);
    rig.heard();
    return rig;
  }

  const describeIt = (name: string): Uint8Array => message('D', `S${name}\0`);

  test('is asked about once on each connection, and used as soon as the answer is the same', () => {
    const { memory, rig: start } = realm();
    const next = memory();
    const rig = told('a', next, start);
    rig.server(parsed, nothing);
    expect(sent(rig)).toEqual(['B |sluice_1', 'E ', 'S']);
    rig.server(bound, oneRow, ready());
    expect(rig.heard()).toEqual(['2', 'D 1', 'C SELECT 1', 'Z I']);
    rig.free = false;
    rig.client(bind('', 'a'), execute(), sync()).grant(next);
    expect(sent(rig)).toEqual(['B |sluice_1', 'E ', 'S']);
  });

  test('is asked about in the same write in which it is made', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', 'select 1'), describeIt('a'), sync());
    rig.server(parsed, nothing, ready());
    sent(rig);
    rig.free = false;
    rig.client(bind('', 'a'), execute(), sync()).grant(memory());
    expect(sent(rig)).toEqual(['P sluice_1|select 1', 'D Ssluice_1', 'H']);
  });

  for (const name of ['a', '']) {
    test(`fails as it would without us where the answer differs, ${name === '' ? 'without a' : 'with a'} name`, () => {
      const { memory, rig: start } = realm();
      const rig = told(name, memory(), start);
      rig.server(parsed, aColumn);
      expect(sent(rig)).toEqual(['B |sluice_0', 'E ', 'S']);
      rig.server(failure('26000'), ready());
      expect(rig.heard()).toEqual(['E ERROR 0A000 cached plan must not change result type', 'Z I']);
      expect([rig.attached, rig.pins]).toEqual([false, []]);
    });
  }

  test('may be used again once the client has asked anew', () => {
    const { memory, rig: start } = realm();
    const next = memory();
    const rig = told('a', next, start);
    rig.server(parsed, aColumn).server(failure('26000'), ready());
    sent(rig);
    rig.client(describeIt('a'), sync()).grant(next).server(parsed, aColumn, ready());
    sent(rig);
    rig.client(bind('', 'a'), sync()).grant(next);
    expect(sent(rig)).toEqual(['B |sluice_2', 'S']);
  });

  test('whose description is too long to be read is used as it is', () => {
    const { memory, rig: start } = realm();
    const long = bytesOf(message('t', i16(0)), message('T', new Uint8Array(300_000)));
    const rig = start(memory()).client(parse('a', 'select 1'), describeIt('a'), sync());
    for (const piece of cut(bytesOf(parsed, long, ready()), 65_536)) rig.server(piece);
    sent(rig);
    rig.free = false;
    rig.client(bind('', 'a'), sync()).grant(memory());
    expect(sent(rig)).toEqual(['P sluice_1|select 1', 'B |sluice_1', 'S']);
  });

  test('is not sent again where a plan has changed: its client would take the rows for others', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', 'select 1'), describeIt('a'), sync());
    rig.server(parsed, nothing, ready()).heard();
    rig.client(bind('', 'a'), execute(), sync()).server(failure('0A000'), ready());
    expect(rig.heard().map((heard) => heard[0])).toEqual(['E', 'Z']);
  });
});

function cut(bytes: Uint8Array, pieceBytes: number): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    pieces.push(bytes.slice(at, at + pieceBytes));
  return pieces;
}
