import { describe, expect, test } from 'bun:test';
import { must } from '../../base/assert.ts';
import { utf16 } from '../../base/bytes.ts';
import type { RelayOptions } from '../../core/engine.ts';
import { envChange } from '../../wire/tds/tokens.ts';
import type { SqlServerMemory } from './memory.ts';
import type { Question, Results } from './question.ts';
import { Inquiry } from './question.ts';
import { reset } from './reset.ts';
import type { SettingName } from './sql/effects.ts';
import { intern, SessionState } from './state.ts';
import { Target } from './target.ts';
import { Tracker } from './tracker.ts';
import { digestOf } from './sql/sql-digest.ts';

const beginning = intern(
  new Map<SettingName, string>([
    ['nocount', 'OFF'],
    ['implicit_transactions', 'OFF'],
    ['xact_abort', 'OFF'],
    ['language', 'us_english'],
    ['datefirst', '7'],
    ['dateformat', 'mdy'],
    ['lock_timeout', '-1'],
  ]),
);
const home = SessionState.fresh('d');

type Value = Results['sets'][number]['rows'][number][number];

/** What a server says of it. */
interface Ending {
  readonly isError?: boolean;
  readonly language?: string;
  readonly database?: string;
  /** Whether a transaction is open afterwards, as far as it tells. */
  readonly inTransaction?: boolean;
}

/** A session on one connection, and what it was told. */
class Bench {
  readonly said: string[] = [];
  readonly target = new Target();
  readonly memory: SqlServerMemory;
  readonly tracker: Tracker;

  constructor(options: Partial<RelayOptions> = {}) {
    this.memory = {
      target: this.target,
      beginning,
      state: home,
      transaction: 0n,
      inTransaction: false,
      suspected: [],
      doubted: new Set(),
    } as unknown as SqlServerMemory;
    this.tracker = new Tracker({
      party: {
        sink: {
          pin: (reason, digest) => this.said.push(`pin ${reason}: ${digest}`),
          unpin: (reason) => this.said.push(`unpin ${reason}`),
        },
        options: { pinning: 'minimal', ignoreSetsForPinning: false, ...options },
        home,
        wanted: home,
      },
    });
  }

  run(sql: string, ending: Ending = {}, by: 'batch' | 'executeSql' = 'batch'): void {
    const { memory, tracker } = this;
    const { isError = false, language, database, inTransaction } = ending;
    tracker.sent(this.target.classifier[by](sql), () => digestOf(sql));
    if (language !== undefined) this.#report(envChange.language, language);
    if (database !== undefined) this.#report(envChange.database, database);
    if (inTransaction !== undefined) memory.inTransaction = inTransaction;
    tracker.ended(memory, { isError });
  }

  #report(type: number, name: string): void {
    const bytes = Uint8Array.of(9, name.length, ...utf16(name), 0);
    this.tracker.envChanged(this.memory, type, bytes, 1, bytes.length);
  }

  /** The next question, which must be there. */
  question(): Question {
    const question = this.tracker.question(this.memory);
    if (question === undefined) throw new Error('nothing is asked');
    return question;
  }

  /** Answers the next question with one row. Returns it. */
  answer(...row: readonly Value[]): string {
    const question = this.question();
    const results = { sets: [{ rows: [row] }], errors: [] };
    expect(this.tracker.answered(this.memory, question, results)).toBeUndefined();
    return question.sql;
  }

  /** The value of a setting that the session wants, the same as the connection has. */
  value(name: SettingName): string | undefined {
    expect(this.memory.state).toBe(this.tracker.wanted);
    return this.tracker.wanted.values.get(name);
  }

  get isAsking(): boolean {
    return this.tracker.question(this.memory) !== undefined;
  }
}

const failed: Results = { sets: [], errors: ['no'] };

describe('settings', () => {
  test('TD-23: what a text shows for sure is known when it has ended, and nobody is asked', () => {
    const bench = new Bench();
    bench.run('SET NOCOUNT ON SET DATEFIRST 3 SET LOCK_TIMEOUT -1 SET ROWCOUNT 5');
    expect(bench.tracker.hasWork).toBe(false);
    expect([...bench.tracker.wanted.values]).toEqual([
      ['nocount', 'ON'],
      ['datefirst', '3'],
      ['rowcount', '5'],
    ]);
    bench.run('SET NOCOUNT OFF SET DATEFIRST 7 SET ROWCOUNT 0');
    expect(bench.tracker.wanted).toBe(home);
    expect(bench.memory.state).toBe(home);
    expect(bench.said).toEqual([]);
  });

  test('for the rest the server is asked, once it is over', () => {
    const bench = new Bench();
    bench.run('IF 1 = 1 SET NOCOUNT ON');
    expect(bench.tracker.hasWork).toBe(true);
    expect(bench.answer(512)).toBe('SELECT @@OPTIONS & 512');
    expect(bench.value('nocount')).toBe('ON');
    bench.run('SET NOCOUNT OFF', { isError: true });
    bench.answer(0);
    expect(bench.value('nocount')).toBeUndefined();
    bench.run('SET LOCK_TIMEOUT @x');
    bench.run('SET LOCK_TIMEOUT 7');
    expect(bench.tracker.hasWork).toBe(false);
    expect(bench.value('lock_timeout')).toBe('7');
    expect(bench.said).toEqual([]);
  });

  test('in a transaction that can wait', () => {
    const bench = new Bench();
    bench.run('BEGIN TRAN IF 1 = 1 SET NOCOUNT ON', { inTransaction: true });
    expect(bench.isAsking).toBe(false);
    expect(bench.tracker.hasWork).toBe(true);
    bench.run('COMMIT', { inTransaction: false });
    expect(bench.question().settings).toEqual(['nocount']);
  });

  test('what nothing tells pins until a text shows it', () => {
    const bench = new Bench();
    bench.run('SET ROWCOUNT @n');
    expect(bench.said).toEqual(['pin setting: set rowcount @n']);
    expect(bench.tracker.hasWork).toBe(false);
    bench.run('SET ROWCOUNT 0');
    expect(bench.said.at(-1)).toBe('unpin setting');
    expect(bench.tracker.isPinned).toBe(false);
  });

  test('what the server does not answer pins', () => {
    const bench = new Bench();
    bench.run('SET DATEFIRST @d SET TEXTSIZE @t');
    const question = bench.question();
    const first = bench.tracker.answered(bench.memory, question, failed);
    expect(first?.settings).toEqual(['datefirst']);
    expect(bench.tracker.hasWork).toBe(true);
    if (first !== undefined)
      bench.tracker.answered(bench.memory, first, { sets: [{ rows: [[3]] }], errors: [] });
    const second = bench.question();
    expect(second.settings).toEqual(['textsize']);
    bench.tracker.answered(bench.memory, second, failed);
    expect(bench.value('datefirst')).toBe('3');
    expect(bench.said).toEqual(['pin setting: textsize']);
    expect(bench.tracker.hasWork).toBe(false);
  });

  test('CONTEXT_INFO goes along, and may be none', () => {
    const bench = new Bench();
    bench.run('SET CONTEXT_INFO 0x0100');
    expect(bench.value('context_info')).toBe('0x01');
    bench.run('SET CONTEXT_INFO @c');
    bench.answer(Uint8Array.of(2, 0, 0));
    expect(bench.value('context_info')).toBe('0x02');
    bench.run('SET CONTEXT_INFO @c');
    bench.answer(undefined);
    expect(bench.tracker.wanted).toBe(home);
    expect(bench.said).toEqual([]);
  });

  test('a connection that is pinned is asked, too: to prepare a statement it may be brought elsewhere, and back', () => {
    const bench = new Bench();
    bench.run('CREATE TABLE #t (a int)');
    bench.run('IF 1 = 1 SET NOCOUNT ON');
    expect(bench.question().settings).toEqual(['nocount']);
    bench.run('DROP TABLE #t');
    expect(bench.said).toEqual([
      'pin temporaryObject: create table #t (a int)',
      'unpin temporaryObject',
    ]);
  });

  test('in a transaction they are asked about where a statement is to be prepared', () => {
    const bench = new Bench();
    expect(bench.tracker.unsettled(bench.memory)).toBeUndefined();
    bench.run('BEGIN TRAN SET LANGUAGE Deutsch', { inTransaction: true, language: 'Deutsch' });
    expect(bench.isAsking).toBe(false);
    const question = must(bench.tracker.unsettled(bench.memory), 'nothing is asked');
    expect(question.settings).toEqual(['datefirst', 'dateformat']);
    const results = { sets: [{ rows: [[1, 'dmy']] }], errors: [] };
    expect(bench.tracker.answered(bench.memory, question, results)).toBeUndefined();
    expect(bench.value('datefirst')).toBe('1');
    expect(bench.tracker.unsettled(bench.memory)).toBeUndefined();
  });
});

describe('languages', () => {
  test('bring along what the server is asked about once', () => {
    const bench = new Bench();
    bench.run('SET LANGUAGE German', { language: 'Deutsch' });
    expect(bench.question().settings).toEqual(['datefirst', 'dateformat']);
    const again = new Bench();
    again.run('SET LANGUAGE German', { language: 'Deutsch' });
    again.answer(1, 'dmy');
    expect(again.value('language')).toBe('Deutsch');
    expect(again.value('datefirst')).toBe('1');
    again.run('SET LANGUAGE us_english', { language: 'us_english' });
    again.answer(7, 'mdy');
    expect(again.tracker.wanted).toBe(home);
    again.run('SET LANGUAGE Deutsch SET DATEFIRST 2', { language: 'Deutsch' });
    expect(again.tracker.hasWork).toBe(false);
    expect(again.value('datefirst')).toBe('2');
    expect(again.value('dateformat')).toBe('dmy');
  });

  test('are not learnt from what is set behind them', () => {
    const bench = new Bench();
    bench.run('SET LANGUAGE Deutsch SET DATEFIRST 2', { language: 'Deutsch' });
    expect(bench.answer('dmy')).toContain('date_format');
    bench.run('SET LANGUAGE Deutsch', { language: 'Deutsch' });
    expect(bench.question().settings).toEqual(['datefirst', 'dateformat']);
  });

  test('that are not reported, or that no text has set, are asked about', () => {
    const bench = new Bench();
    bench.run('SET LANGUAGE Deutsch');
    expect(bench.answer('Deutsch', 1, 'dmy')).toStartWith('SELECT @@LANGUAGE, @@DATEFIRST');
    expect(bench.value('language')).toBe('Deutsch');
    bench.run('EXEC p', { language: 'Deutsch' });
    bench.answer('Deutsch', 1, 'dmy');
    expect(bench.tracker.hasWork).toBe(false);
  });
});

describe('the database in use', () => {
  test('TD-26: is what the server reports', () => {
    const bench = new Bench();
    bench.run('USE e', { database: 'E' });
    expect(bench.tracker.wanted.database).toBe('E');
    expect(bench.memory.state).toBe(bench.tracker.wanted);
    expect(bench.tracker.hasWork).toBe(false);
  });

  test('is asked for where the text and the report do not agree', () => {
    const bench = new Bench();
    bench.run('USE e');
    bench.answer('d');
    expect(bench.tracker.wanted).toBe(home);
    bench.run("EXEC ('USE e')", { database: 'e' });
    expect(bench.answer('d')).toBe('SELECT DB_NAME()');
    expect(bench.tracker.wanted).toBe(home);
  });
});

describe('ties', () => {
  test('a lock ties if the server says that it is there, until it says otherwise', () => {
    const bench = new Bench();
    bench.run("EXEC sp_getapplock 'a', 'Exclusive', 'Session'");
    expect(bench.said).toEqual([]);
    expect(bench.answer('NoLock')).toContain('APPLOCK_MODE');
    expect(bench.tracker.isPinned).toBe(false);
    bench.run("EXEC sp_getapplock 'a', 'Exclusive', 'Session'");
    bench.answer('Exclusive');
    expect(bench.said).toEqual(['pin sessionLock: exec sp_getapplock ?, ?, ?']);
    bench.run("EXEC sp_releaseapplock 'a', 'Session'");
    bench.answer('NoLock');
    expect(bench.said.at(-1)).toBe('unpin sessionLock');
  });

  test('a lock stays where it is once the session is in another database', () => {
    const bench = new Bench();
    bench.run("EXEC sp_getapplock 'a', 'Exclusive', 'Session'");
    bench.answer('Exclusive');
    bench.run('USE e', { database: 'e' });
    bench.run("EXEC sp_releaseapplock 'a', 'Session'");
    expect(bench.isAsking).toBe(false);
    expect(bench.tracker.isPinned).toBe(true);
  });

  test('what a transaction has made is asked about when that is over', () => {
    const bench = new Bench();
    bench.run('BEGIN TRAN CREATE TABLE #t (a int)', { inTransaction: true });
    expect(bench.isAsking).toBe(false);
    bench.run('ROLLBACK', { inTransaction: false });
    bench.answer(undefined);
    expect(bench.said).toEqual([]);
    expect(bench.tracker.hasWork).toBe(false);
  });

  test('what the server cannot be asked about is there', () => {
    const bench = new Bench();
    bench.run("EXEC sp_getapplock 'a', 'Exclusive', 'Session'");
    expect(bench.tracker.answered(bench.memory, bench.question(), failed)).toBeUndefined();
    expect(bench.tracker.isPinned).toBe(true);
  });

  test('EXECUTE AS ties until REVERT', () => {
    const bench = new Bench();
    bench.run("EXECUTE AS USER = 'u'");
    bench.run('REVERT', { isError: true });
    expect(bench.tracker.isPinned).toBe(true);
    bench.run('REVERT');
    expect(bench.said).toEqual(['pin hiddenState: execute as user = ?', 'unpin hiddenState']);
  });

  test('TD-31: a distributed transaction ties until it is over', () => {
    const bench = new Bench();
    bench.run('BEGIN DISTRIBUTED TRAN', { inTransaction: true });
    bench.run('SELECT 1');
    expect(bench.said).toEqual(['pin globalTransaction: begin distributed tran']);
    bench.run('COMMIT', { inTransaction: false });
    expect(bench.said.at(-1)).toBe('unpin globalTransaction');
  });

  test('a session that has nothing run is asked nothing', () => {
    const bench = new Bench();
    bench.run('SET NOEXEC ON');
    bench.run('SET NOCOUNT ON');
    expect(bench.isAsking).toBe(false);
    expect(bench.value('nocount')).toBeUndefined();
    bench.run('SET NOEXEC OFF');
    bench.answer(0);
    expect(bench.value('nocount')).toBeUndefined();
    bench.run('SET FMTONLY ON SET NOCOUNT ON SET FMTONLY OFF');
    expect(bench.question().settings).toEqual(['nocount']);
  });

  test('what cannot be read pins for good', () => {
    const bench = new Bench();
    bench.run('SELECT 1 -- a\rSELECT 2');
    bench.run('SELECT 1');
    expect(bench.said).toEqual(['pin hiddenState: select ? select ?']);
  });

  test('TD-04: a session that begins anew has nothing, and is tied by nothing', () => {
    const bench = new Bench();
    bench.run('SET NOCOUNT ON CREATE TABLE #t (a int)');
    bench.run("EXEC sp_setapprole 'a', 'b' IF 1 = 1 SET DATEFIRST 1");
    bench.tracker.begin(bench.target);
    expect(bench.tracker.wanted).toBe(home);
    expect(bench.tracker.isPinned).toBe(false);
    expect(bench.tracker.hasWork).toBe(false);
    expect(bench.said.slice(2)).toEqual(['unpin temporaryObject', 'unpin hiddenState']);
  });

  test('Babelfish, whose resets leave the context of the session, is asked about that', () => {
    const bench = new Bench();
    bench.target.tellsTransactions = false;
    bench.run("CREATE TABLE #t (a int) EXEC sp_set_session_context N'k', 1");
    bench.answer(1);
    for (const isThere of [true, false]) {
      bench.tracker.begin(bench.target);
      expect(bench.tracker.isPinned).toBe(true);
      expect(bench.answer(isThere ? 1 : undefined)).toContain("SESSION_CONTEXT(N'k')");
      expect(bench.tracker.isPinned).toBe(isThere);
    }
    expect(bench.said).toEqual([
      expect.stringContaining('pin temporaryObject'),
      expect.stringContaining('pin sessionContext'),
      'unpin temporaryObject',
      'unpin sessionContext',
    ]);
  });

  test('what a transaction may have left is suspected on the connection until somebody has been asked', () => {
    const bench = new Bench();
    bench.target.tellsTransactions = false;
    const text = "BEGIN TRAN EXEC sp_set_session_context N'k', 1";
    bench.run(text, { inTransaction: true });
    expect(bench.memory.suspected).toEqual(['sessionContext']);
    expect(reset(bench.memory, new Set())).toBeUndefined();
    bench.run('ROLLBACK', { inTransaction: false });
    bench.answer(0);
    bench.answer(undefined);
    expect(bench.memory.suspected).toEqual([]);
    expect(reset(bench.memory, new Set())).toBeDefined();
  });

  test('of CONTEXT_INFO that was set in a transaction is not known what it is, until somebody has been asked', () => {
    const bench = new Bench();
    bench.target.tellsTransactions = false;
    bench.run('BEGIN TRAN SET CONTEXT_INFO @c', { inTransaction: true });
    bench.answer(1);
    expect([...bench.memory.doubted]).toEqual(['context_info']);
    bench.run('ROLLBACK', { inTransaction: false });
    bench.answer(0);
    bench.answer('0x07');
    expect([...bench.memory.doubted]).toEqual([]);
  });

  test('and CONTEXT_INFO goes along behind them', () => {
    const bench = new Bench();
    bench.target.tellsTransactions = false;
    bench.run('SET CONTEXT_INFO 0x01 SET NOCOUNT ON');
    bench.tracker.begin(bench.target);
    expect([...bench.tracker.wanted.values]).toEqual([['context_info', '0x01']]);
    bench.run('SET CONTEXT_INFO @c');
    bench.tracker.begin(bench.target);
    expect(bench.question().settings).toEqual(['context_info']);
  });

  test('pins of the protocol’s own and those of texts do not end each other', () => {
    const bench = new Bench();
    bench.run('DECLARE c CURSOR FOR SELECT 1');
    bench.answer(-1);
    bench.tracker.pin('cursor', 'again');
    bench.tracker.unpin('cursor');
    expect(bench.tracker.isPinned).toBe(true);
    bench.run('DEALLOCATE c');
    bench.answer(-3);
    expect(bench.said).toEqual(['pin cursor: declare c cursor for select ?', 'unpin cursor']);
  });
});

describe('a server that does not tell of transactions', () => {
  function silent(): Bench {
    const bench = new Bench();
    bench.target.tellsTransactions = false;
    return bench;
  }

  test('TD-19: is asked when one may have begun, and as long as one is open', () => {
    const bench = silent();
    bench.run('SELECT 1');
    expect(bench.tracker.hasWork).toBe(false);
    bench.run('EXEC p');
    expect(bench.tracker.doubtsTransaction).toBe(true);
    expect(bench.answer(1)).toBe('SELECT @@TRANCOUNT');
    expect(bench.memory.inTransaction).toBe(true);
    bench.memory.transaction = 5n;
    bench.run('SELECT 1');
    bench.answer(0);
    expect(bench.memory.inTransaction).toBe(false);
    expect(bench.memory.transaction).toBe(0n);
    bench.run('SELECT 1');
    expect(bench.tracker.hasWork).toBe(false);
  });

  test('TD-23: is Babelfish, whose languages leave DATEFIRST as it is', () => {
    const bench = silent();
    bench.run('SET DATEFIRST 3 SET LANGUAGE us_english', { language: 'us_english' });
    expect(bench.tracker.wanted.values.get('datefirst')).toBe('3');
    expect(bench.tracker.hasWork).toBe(false);
  });

  test('TD-03: is asked for the isolation level that was set in a transaction, which a rollback undoes', () => {
    const bench = silent();
    bench.run('BEGIN TRAN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
    bench.answer(1);
    bench.run('ROLLBACK');
    bench.answer(0);
    expect(bench.answer(2)).toContain("current_setting('default_transaction_isolation')");
    expect(bench.tracker.wanted.values.get('isolation level')).toBeUndefined();
    // As drivers say when they connect: there is nothing to ask about but the transaction.
    bench.run('SET IMPLICIT_TRANSACTIONS OFF SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
    expect(bench.answer(0)).toBe('SELECT @@TRANCOUNT');
    expect([bench.tracker.hasWork, bench.value('isolation level')]).toEqual([
      false,
      'SERIALIZABLE',
    ]);
  });

  test('TD-20: is asked after everything where transactions begin by themselves', () => {
    const bench = silent();
    bench.run('SET IMPLICIT_TRANSACTIONS ON');
    bench.answer(0);
    bench.run('SELECT 1');
    bench.answer(1);
    bench.run('IF 1 = 1 SET TEXTSIZE 5');
    bench.answer(0);
    expect(bench.question().sql).toContain('SET IMPLICIT_TRANSACTIONS OFF');
  });

  test('TD-25: is Babelfish, which keeps what sp_executesql has set', () => {
    const bench = silent();
    bench.run('SET NOCOUNT ON', {}, 'executeSql');
    expect(bench.tracker.hasWork).toBe(false);
    expect(bench.value('nocount')).toBe('ON');
    bench.run('SELECT 1 SET STATISTICS IO ON', {}, 'executeSql');
    expect(bench.said).toEqual(['pin setting: select ? set statistics io on']);
    const other = new Bench();
    other.run('SET NOCOUNT ON SET LANGUAGE Deutsch', {}, 'executeSql');
    other.run('SELECT 1 SET STATISTICS IO ON', {}, 'executeSql');
    expect(other.tracker.wanted).toBe(home);
    expect(other.said).toEqual([]);
    expect(other.tracker.hasWork).toBe(false);
  });

  test('TD-25: is asked about tables of texts within, which Babelfish keeps', () => {
    const sql = "EXEC ('CREATE TABLE #t (a int)')";
    const bench = silent();
    bench.run(sql);
    expect(bench.answer(77)).toContain('OBJECT_ID');
    expect(bench.said).toEqual(['pin temporaryObject: exec (?)']);
    const other = new Bench();
    other.run(sql);
    expect(other.tracker.hasWork).toBe(false);
  });

  test('is asked about what a transaction may have undone when it is over', () => {
    const bench = silent();
    bench.run('BEGIN TRAN CREATE TABLE #t (a int)');
    bench.answer(1);
    expect(bench.isAsking).toBe(false);
    bench.run('COMMIT');
    bench.answer(0);
    bench.answer(77);
    expect(bench.said.map((line) => line.split(':')[0])).toEqual(['pin temporaryObject']);
  });
});

describe('pins as in Amazon RDS Proxy', () => {
  test('are there at once, and stay', () => {
    const bench = new Bench({ pinning: 'aws' });
    bench.run('SET ANSI_NULLS ON');
    expect(bench.said).toEqual([]);
    bench.run('SET NOCOUNT ON');
    bench.run('SET NOCOUNT OFF');
    bench.run('CREATE TABLE #t (a int)');
    bench.run('DROP TABLE #t');
    bench.run('BEGIN TRAN', { inTransaction: true });
    bench.run('COMMIT', { inTransaction: false });
    bench.tracker.measure(16_384);
    bench.tracker.measure(16_385);
    bench.tracker.prepares(() => 'select ?');
    expect(bench.said).toEqual([
      'pin setting: set nocount on',
      'pin temporaryObject: create table #t (a int)',
      'pin explicitTransaction: begin tran',
      'pin longStatement: ',
      'pin preparedStatement: select ?',
    ]);
    expect(bench.isAsking).toBe(false);
    bench.tracker.begin(bench.target);
    expect(bench.tracker.isPinned).toBe(false);
  });

  test('are none for settings with EXCLUDE_VARIABLE_SETS, unless there is no other way', () => {
    const bench = new Bench({ pinning: 'aws', ignoreSetsForPinning: true });
    bench.run('SET NOCOUNT ON');
    expect(bench.said).toEqual([]);
    expect(bench.value('nocount')).toBe('ON');
    bench.run('SET STATISTICS IO ON');
    bench.run('SET STATISTICS IO OFF');
    expect(bench.said).toEqual(['pin setting: set statistics io on']);
  });

  test('nothing but them is for texts and statements', () => {
    const bench = new Bench();
    bench.tracker.measure(100_000);
    bench.tracker.prepares(() => 'select ?');
    bench.run('BEGIN TRAN', { inTransaction: true });
    expect(bench.said).toEqual([]);
  });
});

test('TD-18: a level that the transaction manager is asked for is the session’s', () => {
  const bench = new Bench();
  bench.tracker.sent(bench.target.classifier.transaction(4), () => '');
  bench.memory.inTransaction = true;
  bench.tracker.ended(bench.memory, { isError: false });
  expect(bench.value('isolation level')).toBe('SERIALIZABLE');
  expect(bench.target.classifier.transaction(undefined)).toBeUndefined();
  expect(bench.target.classifier.transaction(0)?.sets).toEqual([]);
  expect(new Inquiry().next()?.settings).toContain('isolation level');
});
