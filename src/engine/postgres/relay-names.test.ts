import { describe, expect, test } from 'bun:test';
import { backend, bytesOf, message, parseMessages } from '../../../test/support/messages.ts';
import * as say from '../../../test/transcripts/conversations.ts';
import { prepared, realm, sent } from '../../../test/transcripts/realm.ts';
import type { Rig } from '../../../test/transcripts/rig.ts';

const { bind, bound, close, closed, complete, execute, failure, oneRow, parse, parsed } = say;
const { flush, query, ready, steps, sync } = say;

describe('what an earlier request has done is not built upon before it is answered', () => {
  const bad = [parse('', 'selec'), bind('', ''), execute()];

  test('a Close that may be skipped (PG-02)', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.client(...bad, close('S', 'a'), sync(), parse('a', 'select 2'), sync());
    expect(sent(rig)).toEqual(['P |selec', 'B |', 'E ', 'C Ssluice_0', 'S']);
    rig.server(failure(), ready());
    expect(sent(rig)).toEqual(['P sluice_1|select 2', 'S']);
  });

  test('a Parse that may be skipped, of a statement that is there already', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(...bad, parse('b', 'select 1'), sync());
    rig.client(bind('', 'b'), sync());
    expect(sent(rig)).toEqual(['P |selec', 'B |', 'E ', 'S']);
    rig.server(failure(), ready());
    expect(sent(rig)).toEqual(['B |b', 'S']);
  });

  test('a statement that would have been made on this connection', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.free = false;
    rig.client(...bad, bind('', 'a'), sync(), bind('', 'a'), sync()).grant(memory());
    expect(sent(rig).length).toBe(6);
    rig.server(failure(), ready());
    expect(sent(rig)).toEqual(['P sluice_1|select 1', 'B |sluice_1', 'S']);
  });

  test('a statement without a name that may be skipped', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('', 'select 1'), sync()).server(parsed, ready());
    rig.client(...bad, parse('', 'select 2'), sync(), bind('', ''), sync());
    sent(rig);
    rig.server(failure(), ready());
    expect(sent(rig)).toEqual(['B |', 'S']);
  });

  test('nor is a request ended for the client whose Sync is on its way', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.free = false;
    const said = bytesOf(bind('', 'a', ['1']), sync());
    rig.client(said.subarray(0, 12)).grant(memory());
    rig.server(failure('42P01'));
    rig.client(said.subarray(12));
    expect(sent(rig)).toEqual(['P sluice_1|select 1', 'B |sluice_1', 'S']);
    rig.server(ready());
    expect(rig.heard().map((line) => line[0])).toEqual(['E', 'Z']);
  });

  test('and a name of which an error speaks is the client’s, though it has it no longer', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    const taken = {
      S: 'ERROR',
      V: 'ERROR',
      C: '42P05',
      M: 'prepared statement "sluice_1" already exists',
    };
    rig.client(parse('a', 'select 2'), close('S', 'a'), sync());
    rig.server(backend.error(taken), ready());
    expect(rig.heard()[0]).toContain('"a" already exists');
  });

  test('and a second name for the text, given and taken away again behind the error, is not meant', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', 'select 1'), bind('', 'a', ['1']));
    rig.client(parse('b', 'select 1'), close('S', 'b'), sync());
    const wrong = 'prepared statement "sluice_1" requires 0';
    rig.server(parsed, backend.error({ S: 'ERROR', V: 'ERROR', C: '08P01', M: wrong }), ready());
    expect(rig.heard()[1]).toContain('"a" requires 0');
  });

  test('and with two names for one text it is the one that the message has', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory())).client(parse('b', 'select 1'), sync());
    rig
      .server(ready())
      .client(bind('', 'b', ['1']), sync())
      .heard();
    const wrong = {
      S: 'ERROR',
      V: 'ERROR',
      C: '08P01',
      M: 'prepared statement "sluice_1" requires 0',
    };
    rig.server(backend.error(wrong), ready());
    expect(rig.heard()[0]).toContain('"b" requires 0');
  });
});

test('a statement that is there already is told so at a Flush, behind what the database answers (PG-06)', () => {
  const { memory, rig: start } = realm();
  const rig = start(memory()).client(query('begin')).server(complete('BEGIN'), ready('T'));
  rig.client(parse('a', 'select 1'), parse('b', 'select 1'), flush());
  rig.server(parsed);
  expect(rig.heard()).toEqual(['C BEGIN', 'Z T', '1', '1']);
});

describe('prepared statements by SQL (PG-85, PG-92)', () => {
  test('PREPARE and EXECUTE go by our names, on any connection, and tie nothing', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(query('prepare a (int) as select $1'));
    expect(textOf(rig)).toBe('prepare sluice_1 (int) as select $1');
    rig.server(complete('PREPARE'), ready());
    expect([rig.boundaries, rig.attached, rig.pins]).toEqual([1, false, []]);
    rig.client(query('execute a(1)'));
    expect(textOf(rig)).toBe('execute sluice_1(1)');
    rig.server(oneRow, ready());
    rig.free = false;
    sent(rig);
    rig.heard();
    rig.client(query('select 1; EXECUTE "a" (2)')).grant(memory());
    // What was executed without a Sync would make PostgreSQL take the query for a part of a block (ReadyForQuery: T).
    const ended = ['P |BEGIN', 'B |', 'E ', 'P |COMMIT', 'B |', 'E '];
    const made = ['P |prepare sluice_1 (int) as select $1', 'B |', 'E '];
    expect(sent(rig)).toEqual([...made, ...ended, 'Q']);
    rig.server(steps('PREPARE', 'BEGIN', 'COMMIT'), oneRow, oneRow, ready());
    expect(rig.heard()).toEqual(['D 1', 'C SELECT 1', 'D 1', 'C SELECT 1', 'Z I']);
  });

  test('a PREPARE of ours leaves the client’s portal without a name alone', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(query('prepare a as select 1'));
    rig.server(complete('PREPARE'), ready());
    rig.free = false;
    rig.client(parse('', 'select 2'), bind('', ''), bind('x', 'a'), execute(), sync());
    sent(rig);
    rig.heard();
    rig.grant(memory());
    const made = ['P |prepare sluice_1 as select 1', 'B sluice_0|', 'E sluice_0', 'C Psluice_0'];
    expect(sent(rig)).toEqual(['P |select 2', 'B |', ...made, 'B x|sluice_1', 'E ', 'S']);
    rig.server(parsed, bound, steps('PREPARE'), closed, bound, oneRow, ready());
    expect(rig.heard()).toEqual(['1', '2', '2', 'D 1', 'C SELECT 1', 'Z I']);
  });

  test('a text with names waits for what comes before it: it may end, or fail, in a transaction', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(query('begin'), query('prepare a as select 1'));
    expect(sent(rig)).toEqual(['Q']);
    rig.server(complete('BEGIN'), ready('T'));
    expect(sent(rig)).toEqual(['Q']);
  });

  test('nothing of ours that was executed is left for a query that comes where a Sync should', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(query('prepare a as select 1'));
    rig.server(complete('PREPARE'), ready());
    rig.free = false;
    rig.client(bind('', 'a'), query('select 2'));
    sent(rig);
    rig.grant(memory());
    const made = ['P |prepare sluice_1 as select 1', 'B sluice_0|', 'E sluice_0', 'C Psluice_0'];
    const ended = ['P |BEGIN', 'B |', 'E ', 'P |COMMIT', 'B |', 'E '];
    expect(sent(rig)).toEqual([...made, 'B |sluice_1', ...ended, 'Q']);
  });

  test('notices tell places, too', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(query('prepare a as select 1'));
    const notice = message('N', 'SWARNING\0C22P06\0Mno\0P22\0\0');
    rig.server(notice, complete('PREPARE'), ready());
    expect(rig.heard()[0]).toContain('P=15');
  });

  test('a statement of the protocol that prepares one when it is run', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', 'prepare b as select 1'), bind('', 'a'));
    rig.client(execute(), sync()).server(parsed, bound, complete('PREPARE'), ready());
    sent(rig);
    rig.client(bind('', 'b'), sync());
    expect(sent(rig)).toEqual(['B |sluice_1', 'S']);
  });

  test('one that is not ASCII is gone when the client encoding changes: its bytes would mean something else', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(parse('a', "select 'ü'"), parse('b', 'select 1'), sync());
    rig.server(parsed, parsed, ready()).client(query("set client_encoding = 'LATIN1'"));
    const told = backend.parameterStatus('client_encoding', 'LATIN1');
    rig.server(complete('SET'), told, ready());
    sent(rig);
    rig.client(bind('', 'a'), sync()).server(failure('26000'), ready());
    rig.client(bind('', 'b'), sync());
    expect(sent(rig).filter((line) => line.startsWith('B'))).toEqual(['B |a', 'B |sluice_3']);
  });

  test('names are compared by their first 63 bytes, whatever they are made of', () => {
    const { memory, rig: start } = realm();
    const long = 'ü'.repeat(40);
    const rig = start(memory()).client(query(`prepare "${long}" as select 1`));
    rig.server(complete('PREPARE'), ready());
    sent(rig);
    rig.client(query(`execute "${'ü'.repeat(31)}x"`), query(`execute "${'ü'.repeat(31)}"`));
    rig.server(failure('26000'), ready());
    expect(textOf(rig)).toBe('execute sluice_1');
  });

  test('errors tell names and places as they are in the client’s text', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(query('ROLLBACK; PREPARE "ü" AS SELECT nothing'));
    const error = (P: string): Uint8Array =>
      backend.error({ S: 'ERROR', V: 'ERROR', C: '42703', M: '"sluice_1"', P });
    expect(textOf(rig)).toBe('ROLLBACK; PREPARE sluice_1 AS SELECT nothing');
    rig.server(complete('ROLLBACK'), error('38'), ready());
    expect(rig.heard()[1]).toBe('E ERROR 42703 "ü" P=33');
  });

  test('EXECUTE of what the protocol has prepared, and Bind of what SQL has', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.client(query('execute a'));
    expect(textOf(rig)).toBe('execute sluice_1');
    rig.server(oneRow, ready()).client(query('prepare b as select 2'));
    rig.server(complete('PREPARE'), ready());
    sent(rig);
    rig.client(bind('', 'b'), sync());
    expect(sent(rig)).toEqual(['B |sluice_2', 'S']);
  });

  test('DEALLOCATE takes a name away from its session only', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = prepared(start(connection)).client(query('deallocate a'));
    expect(sent(rig)).toEqual(['P sluice_2|', 'Q']);
    rig.server(parsed, complete('DEALLOCATE'), ready());
    expect(rig.heard()).toEqual(['C DEALLOCATE', 'Z I']);
    expect(connection.prepared.size).toBe(1);
    rig.client(query('deallocate a'));
    expect(textOf(rig)).toBe('deallocate a');
  });

  test('DEALLOCATE of several names in one text, and again after one that never came to run', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    const rig = prepared(start(connection)).client(parse('b', 'select 2'), sync());
    rig.server(parsed, ready()).client(query('select 1/0; deallocate a; deallocate b'));
    expect(sent(rig)).toEqual(['P sluice_2|select 2', 'S', 'P sluice_3|', 'P sluice_4|', 'Q']);
    rig.server(parsed, parsed, failure('22012'), ready());
    // They are there, and go when there is need of room, or nobody's statements are to be seen.
    expect(connection.prepared.size).toBe(4);
    rig.client(query('deallocate a; deallocate b'));
    expect(sent(rig)).toEqual(['P sluice_5|', 'P sluice_6|', 'Q']);
    rig.server(parsed, parsed, complete('DEALLOCATE'), complete('DEALLOCATE'), ready());
    expect(connection.prepared.size).toBe(4);
    rig.client(query('select * from pg_prepared_statements'));
    expect(
      sent(rig)
        .filter((line) => line.startsWith('C'))
        .toSorted(),
    ).toEqual(['C Ssluice_1', 'C Ssluice_2', 'C Ssluice_3', 'C Ssluice_4']);
  });

  test('DEALLOCATE ALL and DISCARD ALL clear the connection, too', () => {
    for (const sql of ['deallocate all', 'discard all']) {
      const { memory, rig: start } = realm();
      const connection = memory();
      const rig = prepared(start(connection)).client(query(sql));
      rig.server(complete(sql.toUpperCase()), ready());
      expect(connection.prepared.size).toBe(0);
      sent(rig);
      rig.client(bind('', 'a'), sync());
      expect(sent(rig)).toEqual(['B |a', 'S']);
    }
  });

  test('what failed has changed nothing, what came before it in its text has', () => {
    const { memory, rig: start } = realm();
    const rig = prepared(start(memory()));
    rig.client(query('prepare b as select 2; deallocate a; select 1/0; prepare c as select 3'));
    rig.server(parsed, complete('PREPARE'), failure('22012'), ready());
    sent(rig);
    rig.client(bind('', 'a'), bind('', 'b'), bind('', 'c'), sync());
    expect(sent(rig)).toEqual(['B |sluice_1', 'B |sluice_2', 'B |c', 'S']);
  });

  test('a PREPARE that cannot be made on another connection is the client’s error', () => {
    const { memory, rig: start } = realm();
    const rig = start(memory()).client(query('prepare a as select 1'));
    rig.server(complete('PREPARE'), ready());
    rig.free = false;
    rig.client(query('execute a'), query('select 2')).grant(memory());
    sent(rig);
    rig.heard();
    rig.server(parsed, bound, failure('42P01'));
    expect(sent(rig)).toEqual(['S']);
    rig.server(ready());
    expect(rig.heard().map((line) => line[0])).toEqual(['E', 'Z']);
    // The next request is a request of its own.
    expect([rig.boundaries, rig.waiting]).toEqual([2, true]);
  });

  test('a list of prepared statements shows no other session’s', () => {
    const { memory, rig: start } = realm();
    const connection = memory();
    prepared(start(connection));
    const rig = start(connection).client(query('select * from pg_prepared_statements'));
    expect(sent(rig)).toEqual(['C Ssluice_1', 'Q']);
  });
});

function textOf(rig: Rig): string {
  const { body } = parseMessages(Buffer.concat(rig.toServerBytes)).at(-1)!;
  rig.toServerBytes.length = 0;
  rig.passed();
  return Buffer.from(body).toString().replace('\0', '');
}
