import { describe, expect, test } from 'bun:test';
import { EMPTY, utf8 } from '../../base/bytes.ts';
import { capability } from '../../wire/mysql/capabilities.ts';
import { columnDefinition, ownColumn } from '../../wire/mysql/column-definition.ts';
import { columnFlag, columnType } from '../../wire/mysql/column-types.ts';
import { EOF_HEADER, eof } from '../../wire/mysql/eof.ts';
import { ok } from '../../wire/mysql/ok.ts';
import { columnCount, textRow } from '../../wire/mysql/result-set.ts';
import { serverStatus } from '../../wire/mysql/status-flags.ts';
import { lacksMetadata, readOnlyRow } from './own.ts';

const TRACKING = capability.sessionTrack;
const WITHOUT_EOF = TRACKING | capability.deprecateEof;
const columns = [
  { type: columnType.longlong, flags: columnFlag.unsigned },
  { type: columnType.varString, flags: 0 },
].map((facts) => ownColumn({ name: '@a', collation: 255, length: 20, decimals: 0, ...facts }));

/** The packets of a result of ours: a row or none, and an end that tells what has changed in the session. */
function packets(flags: number, row?: Uint8Array): Uint8Array[] {
  const agreed = { flags, extensions: 0 };
  const status = serverStatus.autocommit | serverStatus.sessionStateChanged;
  const said = { affectedRows: 0n, lastInsertId: 0n, status, warnings: 0, info: '' };
  // A transaction's state: eight letters.
  const sessionState = Uint8Array.of(5, 9, 8, ...utf8('________'));
  const hasEof = (flags & capability.deprecateEof) === 0;
  return [
    columnCount(columns.length, agreed),
    ...columns.map((column) => columnDefinition(column, 0)),
    ...(hasEof ? [eof({ warnings: 0, status })] : []),
    ...(row === undefined ? [] : [row]),
    hasEof ? eof({ warnings: 0, status }) : ok({ ...said, sessionState }, flags, EOF_HEADER),
  ];
}

describe('an answer of one row at most', () => {
  for (const flags of [TRACKING, WITHOUT_EOF]) {
    test(`is read, with EOF packets or without: ${flags}`, () => {
      const row = textRow(['18446744073709551615', null]);
      expect(readOnlyRow(packets(flags, row), { flags, extensions: 0 })).toMatchObject([
        { text: utf8('18446744073709551615'), isNumber: true, isUnsigned: true },
        { text: undefined, isNumber: false, isUnsigned: false, collation: 255 },
      ]);
    });

    test(`has no row where its end tells of a change in the session: ${flags}`, () => {
      expect(readOnlyRow(packets(flags), { flags, extensions: 0 })).toBeUndefined();
    });
  }

  test('may come without a word of what its values are', () => {
    const flags = capability.optionalResultsetMetadata;
    expect(lacksMetadata([Uint8Array.of(2, 0)], { flags, extensions: 0 })).toBe(true);
    expect(lacksMetadata([Uint8Array.of(2, 1)], { flags, extensions: 0 })).toBe(false);
    expect(lacksMetadata([Uint8Array.of(2)], { flags: 0, extensions: 0 })).toBe(false);
    expect(lacksMetadata([EMPTY].slice(1), { flags, extensions: 0 })).toBe(false);
  });
});
