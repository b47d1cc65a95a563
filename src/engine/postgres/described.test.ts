import { describe, expect, test } from 'bun:test';
import { bytesOf, i16, i32, message } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import type { Rig } from '../../../test/transcripts/rig.ts';
import { freshMemory } from '../../../test/transcripts/rig.ts';
import { cut, prepared, realm, sent } from '../../../test/transcripts/realm.ts';
import type { PostgresMemory } from './memory.ts';

const { bind, bound, closed, describe: tell, execute } = say;
const { failure, flush, oneRow, parse, parsed, ready, sync } = say;

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

  test('that was there from before it was parsed is made anew for a client that asks', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(parse('b', 'select 1'), describeIt('b'), flush());
    expect(sent(rig)).toEqual(['C Ssluice_1', 'P sluice_1|select 1', 'D Ssluice_1', 'H']);
    rig.server(closed, parsed, aColumn);
    expect(rig.heard().map((line) => line[0])).toEqual(['1', 't', 'T']);
  });

  test('and that is known on the next connection from before it was parsed is asked about anew', () => {
    const { memory, rig: start } = realm();
    const [one, next] = [memory(), memory()];
    const old = start(next).client(parse('a', 'select 1'), describeIt('a'), sync());
    old.server(parsed, nothing, ready());
    const rig = start(one).client(parse('b', 'select 1'), describeIt('b'), sync());
    rig.server(parsed, aColumn, ready());
    sent(rig);
    rig.heard();
    rig.free = false;
    rig.client(bind('', 'b'), execute(), sync()).grant(next);
    expect(sent(rig)).toEqual(['C Ssluice_1', 'P sluice_1|select 1', 'D Ssluice_1', 'H']);
    rig.server(closed, parsed, aColumn);
    expect(sent(rig)).toEqual(['B |sluice_1', 'E ', 'S']);
  });

  describe('by a portal, which it asks about but once (pgjdbc)', () => {
    /** A column of this type, from this table, as text or in binary. */
    const column = (type: number, table: number, format: number): Uint8Array =>
      message('T', i16(1), 'a\0', i32(table), i16(1), i32(type), i16(4), i32(-1), i16(format));

    /** Has run it once, and runs it on the next connection now. */
    function again(...more: readonly Uint8Array[]): Rig {
      const { memory, rig: start } = realm();
      const rig = start(memory()).client(
        ...[parse('a', 'select 1'), bind('', 'a'), tell('P'), execute(), sync()],
      );
      rig.server(parsed, bound, column(23, 1, 1), oneRow, ready());
      sent(rig);
      rig.heard();
      rig.free = false;
      return rig.client(bind('', 'a'), ...more, execute(), sync()).grant(memory());
    }

    test('is asked about, and used where the columns are the same, wherever they come from', () => {
      const rig = again();
      expect(sent(rig)).toEqual(['P sluice_1|select 1', 'D Ssluice_1', 'H']);
      rig.server(parsed, message('t', i16(0)), column(23, 2, 0));
      expect(sent(rig)).toEqual(['B |sluice_1', 'E ', 'S']);
    });

    test('fails as it would without us where one has another type', () => {
      const rig = again();
      sent(rig);
      rig.server(parsed, message('t', i16(0)), column(25, 1, 0));
      expect(sent(rig)).toEqual(['B |sluice_0', 'E ', 'S']);
    });

    test('is not asked about where the client asks again', () => {
      expect(sent(again(tell('P')))).toEqual([
        ...['P sluice_1|select 1', 'B |sluice_1', 'D P', 'E ', 'S'],
      ]);
    });

    test('is not taken for described by another portal', () => {
      const rig = again(message('D', 'Pother\0'));
      expect(sent(rig)).toEqual(['P sluice_1|select 1', 'D Ssluice_1', 'H']);
    });
  });

  test('is asked about although its client asks about each portal too: it chose formats by what it was told (pgx)', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', 'select 1'), describeIt('a'), sync());
    rig.server(parsed, nothing, ready());
    sent(rig);
    rig.free = false;
    rig.client(bind('', 'a'), tell('P'), execute(), sync()).grant(memory());
    expect(sent(rig)).toEqual(['P sluice_1|select 1', 'D Ssluice_1', 'H']);
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
      // Drivers know it by its routine.
      const said = Buffer.concat(rig.toClientBytes).toString('latin1');
      expect(said).toContain('\0RRevalidateCachedQuery\0');
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
