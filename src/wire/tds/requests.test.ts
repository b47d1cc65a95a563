import { describe, expect, test } from 'bun:test';
import {
  recordedConversations,
  tdsMessages,
  tdsPayloads,
  versionOf,
} from '../../../test/support/tds-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY, ucs2 } from '../../base/bytes.ts';
import { byte, int16, int32 } from './build.ts';
import { bodyAt, headersBytes, headerType, transactionAt, writeHeaders } from './headers.ts';
import { packetType } from './packets.ts';
import { sqlAt, sqlBatch } from './sql-batch.ts';
import {
  isolationLevel,
  readTransactionRequest,
  tmRequest,
  transactionRequest,
} from './transaction-manager.ts';
import { tdsVersion } from './versions.ts';

const { v71, v74 } = tdsVersion;
const HEADERS = 22;
const DESCRIPTOR = 0x80000023_00000001n;

describe('headers', () => {
  const headers = writeHeaders(DESCRIPTOR);

  test('TD-18: say where the descriptor of the transaction is', () => {
    const payload = concat([EMPTY, headers, byte(0)]);
    expect(headersBytes(payload, 0, payload.length)).toBe(HEADERS);
    const at = transactionAt(payload, 0, payload.length);
    expect(Buffer.from(payload).readBigUInt64LE(at)).toBe(DESCRIPTOR);
    for (let cut = 0; cut < HEADERS; cut += 1)
      expect(transactionAt(headers, 0, cut)).toBeUndefined();
  });

  test('may have others before it, or not have it', () => {
    const other = concat([int32(10), int16(headerType.traceActivity), int32(7)]);
    const both = concat([int32(HEADERS + 10), other, headers.subarray(4)]);
    expect(transactionAt(both, 0, both.length)).toBe(4 + 10 + 6);
    const without = concat([int32(14), other]);
    expect(transactionAt(without, 0, without.length)).toBeUndefined();
    expect(bodyAt(without, 0, without.length, v74)).toBe(14);
    expect(bodyAt(without, 0, 13, v74)).toBeUndefined();
    expect(bodyAt(without, 0, 3, v74)).toBeUndefined();
  });

  test.each([
    ['a total shorter than itself', concat([int32(3), byte(0)])],
    ['a total that no request has', int32(0x7fffffff)],
    ['a header shorter than its head', concat([int32(10), int32(5), int16(9)])],
    ['a header longer than all', concat([int32(10), int32(7), int16(9)])],
    ['a transaction of another length', concat([int32(14), int32(10), int16(2), int32(0)])],
  ])('%s is a violation', (_what, bytes) => {
    expect(() => transactionAt(bytes, 0, bytes.length)).toThrow(Violation);
  });
});

describe('a batch', () => {
  test.each(recordedConversations)('%s: recorded ones are as we would write them', (name) => {
    const version = versionOf(name);
    for (const { type, from, payload } of tdsMessages(name)) {
      if (from === 'server' || type !== packetType.sqlBatch) continue;
      const at = sqlAt(payload, 0, payload.length, version)!;
      const inHeaders = at === 0 ? undefined : transactionAt(payload, 0, payload.length);
      const transaction =
        inHeaders === undefined ? 0n : Buffer.from(payload).readBigUInt64LE(inHeaders);
      expect(sqlBatch(ucs2(payload, at), transaction, version)).toEqual(payload);
    }
  });

  test('has no headers before 7.2', () => {
    const payload = sqlBatch('select 1', DESCRIPTOR, v71);
    expect(sqlAt(payload, 0, payload.length, v71)).toBe(0);
    expect(ucs2(payload)).toBe('select 1');
  });
});

describe('a request to the transaction manager', () => {
  test('recorded ones', () => {
    const requests = tdsPayloads('client', packetType.transactionManager).map((payload) =>
      readTransactionRequest(payload, 0, payload.length, v74),
    );
    expect(requests).toContainEqual({
      request: tmRequest.begin,
      isolation: isolationLevel.readCommitted,
    });
    expect(requests).toContainEqual({ request: tmRequest.commit, isolation: undefined });
    expect(requests).toContainEqual({ request: tmRequest.rollback, isolation: undefined });
  });

  test.each([
    { request: tmRequest.begin, isolation: isolationLevel.serializable },
    { request: tmRequest.commit, isolation: undefined },
    { request: tmRequest.commit, isolation: isolationLevel.snapshot },
    { request: tmRequest.rollback, isolation: isolationLevel.current },
  ])('%p: written and read', (said) => {
    for (const version of [v71, v74]) {
      const payload = transactionRequest(said, DESCRIPTOR, version);
      expect(readTransactionRequest(payload, 0, payload.length, version)).toEqual(said);
      expect(() => readTransactionRequest(payload, 0, 1, version)).toThrow(Violation);
    }
  });

  test('TD-31: those of distributed transactions are told by their number', () => {
    const payload = concat([writeHeaders(0n), int16(tmRequest.propagate), int16(0)]);
    expect(readTransactionRequest(payload, 0, payload.length, v74).request).toBe(
      tmRequest.propagate,
    );
  });
});
