import { describe, expect, test } from 'bun:test';
import type { Question, Results } from './question.ts';
import { ask, askSingly, Inquiry, isTold, readAnswer } from './question.ts';

type Row = Results['sets'][number]['rows'][number];

function rows(...sets: readonly Row[]): Results {
  return { sets: sets.map((row) => ({ rows: [row] })), errors: [] };
}

const failed: Results = { sets: [], errors: ['no such column'] };
const ROW = 'FROM sys.dm_exec_sessions WHERE session_id = @@SPID';

describe('a question', () => {
  test('asks for all in one batch, and is read from one row', () => {
    const question = ask({
      settings: ['isolation level', 'nocount', 'database', 'context_info'],
      probes: [
        { reason: 'temporaryObject', name: '#a]b' },
        { reason: 'cursor', name: "c'd" },
        { reason: 'sessionLock', name: 'e' },
        { reason: 'sessionContext', name: 'f' },
      ],
      isImplicit: false,
    });
    expect(question.sql).toBe(
      'SELECT @@OPTIONS & 512, DB_NAME(), CONTEXT_INFO(), ' +
        "OBJECT_ID(N'tempdb..[#a]]b]'), CURSOR_STATUS('global', N'c''d'), " +
        "APPLOCK_MODE('public', N'e', 'Session'), " +
        "CASE WHEN SESSION_CONTEXT(N'f') IS NULL THEN NULL ELSE 1 END, " +
        `(SELECT transaction_isolation_level ${ROW})`,
    );
    const context = Uint8Array.of(1, 2, 0, 0);
    const answer = readAnswer(question, rows([512, 'd', context, undefined, -3, 'NoLock', 1, 5]));
    expect(answer?.settings).toEqual([
      ['nocount', 'ON'],
      ['database', 'd'],
      ['context_info', '0x0102'],
      ['isolation level', 'SNAPSHOT'],
    ]);
    expect(answer?.probes.map(({ isThere }) => isThere)).toEqual([false, false, false, true]);
    expect(
      readAnswer(question, rows([0, 'd', undefined, 7, -1, 'Shared', undefined, 0]))?.probes.map(
        ({ isThere }) => isThere,
      ),
    ).toEqual([true, true, true, false]);
  });

  test('TD-20: looks into no table where that would begin a transaction', () => {
    const question = ask({ settings: ['dateformat', 'datefirst'], isImplicit: true });
    expect(question.sql).toBe(
      `SELECT @@DATEFIRST; EXEC sp_executesql N'SET IMPLICIT_TRANSACTIONS OFF; SELECT (SELECT date_format ${ROW})'`,
    );
    expect(readAnswer(question, rows([7], ['mdy']))?.settings).toEqual([
      ['datefirst', '7'],
      ['dateformat', 'mdy'],
    ]);
    expect(ask({ settings: ['datefirst'], isImplicit: true }).sql).toBe('SELECT @@DATEFIRST');
    expect(ask({ settings: ['textsize'], isImplicit: true }).sql).toStartWith('EXEC sp_executesql');
  });

  test('asks whether a transaction is open', () => {
    const question = ask({ asksForTransaction: true, isImplicit: true });
    expect(question.sql).toBe('SELECT @@TRANCOUNT');
    expect(readAnswer(question, rows([2]))).toEqual({ transactions: 2, settings: [], probes: [] });
  });

  test('has no answer where that is an error, or something else', () => {
    const question = ask({ settings: ['nocount'], isImplicit: false });
    expect(readAnswer(question, failed)).toBeUndefined();
    expect(readAnswer(question, rows())).toBeUndefined();
    expect(readAnswer(question, rows([1, 2]))).toBeUndefined();
    expect(readAnswer(question, { sets: [{ rows: [] }], errors: [] })).toBeUndefined();
  });

  test('is asked in parts where it cannot be answered as a whole', () => {
    const question = ask({
      asksForTransaction: true,
      settings: ['nocount', 'textsize'],
      probes: [{ reason: 'cursor', name: 'c' }],
      isImplicit: false,
    });
    expect(askSingly(question, false).map(({ sql }) => sql)).toEqual([
      'SELECT @@TRANCOUNT',
      'SELECT @@OPTIONS & 512',
      `SELECT (SELECT text_size ${ROW})`,
      "SELECT CURSOR_STATUS('global', N'c')",
    ]);
    expect(askSingly(ask({ settings: ['nocount'], isImplicit: false }), false)).toEqual([]);
  });
});

test('what nothing tells is known', () => {
  expect(isTold('rowcount')).toBe(false);
  expect(isTold('query_governor_cost_limit')).toBe(false);
  expect(isTold('nocount')).toBe(true);
  expect(isTold('textsize')).toBe(true);
});

describe('what sessions begin with', () => {
  function answerTo({ sql, settings }: Question, unknown: string): Results {
    if (sql.includes(unknown)) return failed;
    const value = (name: string): string | number => {
      if (name === 'database') return 'd';
      if (name === 'isolation level') return 2;
      return name.includes('_') && name !== 'lock_timeout' ? 1 : '7';
    };
    return rows(settings.map(value));
  }

  test('is asked for at once', () => {
    const inquiry = new Inquiry();
    const question = inquiry.next();
    expect(question?.settings).toContain('implicit_transactions');
    if (question !== undefined) inquiry.answered(question, answerTo(question, 'nothing'));
    expect(inquiry.next()).toBeUndefined();
    expect(inquiry.database).toBe('d');
    expect(inquiry.values.get('isolation level')).toBe('READ COMMITTED');
    expect(inquiry.values.get('nocount')).toBe('ON');
  });

  test('is asked for one by one where the server does not know all of it', () => {
    const inquiry = new Inquiry();
    let count = 0;
    for (let next = inquiry.next(); next !== undefined; next = inquiry.next()) {
      inquiry.answered(next, answerTo(next, 'text_size'));
      count += 1;
    }
    expect(count).toBe(23);
    expect(inquiry.values.has('textsize')).toBe(false);
    expect(inquiry.values.get('datefirst')).toBe('7');
    expect(inquiry.database).toBe('d');
  });
});

test('Babelfish tells the isolation level by a setting, and is not asked for its row', () => {
  const question = ask({ settings: ['isolation level'], isImplicit: true, isBabelfish: true });
  expect(question.sql).toStartWith("SELECT CASE current_setting('default_transaction_isolation')");
  expect(readAnswer(question, { sets: [{ rows: [[4]] }], errors: [] })?.settings).toEqual([
    ['isolation level', 'SERIALIZABLE'],
  ]);
});
