import { describe, expect, test } from 'bun:test';
import {
  recordedConversations,
  tdsMessages,
  versionOf,
} from '../../../test/support/tds-recordings.ts';
import { Violation } from '../../base/assert.ts';
import { concat, EMPTY } from '../../base/bytes.ts';
import { byte, int16, longText } from './build.ts';
import { TokenWalker } from './token-walker.ts';
import {
  done,
  envChange,
  envChangeBytes,
  envChangeText,
  error,
  info,
  loginAck,
  readEnvChangeBytes,
  readEnvChangeText,
  readError,
  readLoginAck,
  readReturnStatus,
  readRouting,
  readTransaction,
  returnStatus,
  routing,
  token,
} from './tokens.ts';
import { isWide, tdsVersion } from './versions.ts';

const { v70, v71, v71rev1, v72, v74, v80 } = tdsVersion;
const said = {
  ...{ number: 208, state: 1, severity: 16, message: "Invalid object name 'naïve'." },
  ...{ server: 'DB', procedure: 'dbo.p', line: 3 },
};

describe('an ERROR', () => {
  test.each([v70, v71, v72, v74, v80])('in version %d, every byte of it', (version) => {
    const bytes = error(said, version);
    expect(bytes[0]).toBe(token.error);
    expect(info(said, version)).toEqual(concat([byte(token.info), bytes.subarray(1)]));
    expect(readError(bytes, 3, bytes.length, version)).toEqual(said);
    for (let cut = 3; cut < bytes.length; cut += 1) {
      expect(() => readError(bytes, 3, cut, version)).toThrow(Violation);
    }
    const more = concat([bytes, byte(0)]);
    expect(() => readError(more, 3, more.length, version)).toThrow('too many');
  });

  test('has lines beyond 65,535 from 7.2 on', () => {
    const bytes = error({ ...said, line: 70_000 }, v72);
    expect(readError(bytes, 3, bytes.length, v72).line).toBe(70_000);
    const old = error({ ...said, line: 70_000 }, v71);
    expect(readError(old, 3, old.length, v71).line).toBe(70_000 - 65_536);
  });
});

describe('recorded replies', () => {
  test.each(recordedConversations)(
    '%s: their tokens read, and said again byte for byte',
    (name) => {
      const version = versionOf(name);
      const again: Uint8Array[] = [];
      const texts: readonly number[] = [
        envChange.database,
        envChange.language,
        envChange.packetSize,
      ];
      const walker = new TokenWalker(version, {
        envChange: (type, bytes, start, end) => {
          const from = start - 4;
          if (texts.includes(type)) {
            const { now, before } = readEnvChangeText(bytes, start, end);
            again.push(bytes.slice(from, end), envChangeText(type, now, before));
          } else {
            const { now, before } = readEnvChangeBytes(bytes, start, end);
            again.push(bytes.slice(from, end), envChangeBytes(type, now, before));
          }
        },
        done: () => undefined,
        error: (bytes, start, end) => {
          again.push(
            bytes.slice(start - 3, end),
            error(readError(bytes, start, end, version), version),
          );
        },
        info: (bytes, start, end) => {
          again.push(
            bytes.slice(start - 3, end),
            info(readError(bytes, start, end, version), version),
          );
        },
        other: (kind, bytes, start, end) => {
          if (kind === token.loginAck) {
            again.push(bytes.slice(start - 3, end), loginAck(readLoginAck(bytes, start, end)));
          } else if (kind === token.returnStatus) {
            again.push(
              bytes.slice(start - 1, end),
              returnStatus(readReturnStatus(bytes, start, end)),
            );
          }
        },
        handle: () => undefined,
      });
      for (const { from, payload } of tdsMessages(name)) {
        if (from === 'client' || payload[0] === 0) continue;
        walker.feed(payload, 0, payload.length);
      }
      expect(again.length).toBeGreaterThan(1);
      for (let at = 0; at < again.length; at += 2) expect(again[at + 1]).toEqual(again[at]);
    },
  );
});

describe('an ENVCHANGE', () => {
  test('with a transaction, in either of its values', () => {
    const descriptor = Uint8Array.of(1, 0, 0, 0, 0x23, 0, 0, 0x80);
    const begun = envChangeBytes(envChange.beginTransaction, descriptor, EMPTY);
    expect(readTransaction(begun, 4, begun.length)).toBe(0x80000023_00000001n);
    const ended = envChangeBytes(envChange.commitTransaction, EMPTY, descriptor);
    expect(readTransaction(ended, 4, ended.length)).toBe(0x80000023_00000001n);
    const neither = envChangeBytes(envChange.transactionEnded, EMPTY, EMPTY);
    expect(readTransaction(neither, 4, neither.length)).toBe(0n);
    const short = envChangeBytes(envChange.beginTransaction, byte(1), EMPTY);
    expect(() => readTransaction(short, 4, short.length)).toThrow(Violation);
  });

  test('TD-02: that acknowledges a reset', () => {
    expect(envChangeBytes(envChange.resetDone, EMPTY, EMPTY)).toEqual(
      Uint8Array.of(0xe3, 3, 0, 18, 0, 0),
    );
  });

  test.each([
    { host: 'db-2.example.com', port: 14_330, database: undefined },
    { host: 'db-2.example.com', port: 1_433, database: 'shop' },
  ])('TD-27: a routing to %p', (target) => {
    const bytes = routing(target);
    const type = target.database === undefined ? envChange.routing : envChange.enhancedRouting;
    expect(bytes[3]).toBe(type);
    expect(readRouting(type, bytes, 4, bytes.length)).toEqual(target);
    // The old value, of nothing, may be missing.
    for (let cut = 4; cut < bytes.length - 2; cut += 1) {
      expect(() => readRouting(type, bytes, 4, cut)).toThrow(Violation);
    }
  });

  test('a routing to nowhere, or by pipes, is a violation', () => {
    const nowhere = routing({ host: '', port: 1, database: undefined });
    expect(() => readRouting(envChange.routing, nowhere, 4, nowhere.length)).toThrow('nowhere');
    const pipes = concat([int16(5), byte(1), int16(1), longText('')]);
    expect(() => readRouting(envChange.routing, pipes, 0, pipes.length)).toThrow('TCP');
  });
});

describe('a LOGINACK', () => {
  test.each([v70, v71, v71rev1, v72, v74, v80])('of version %d', (version) => {
    const ack = {
      version,
      program: 'Microsoft SQL Server',
      productVersion: Uint8Array.of(16, 0, 3, 4),
    };
    const bytes = loginAck(ack);
    expect(readLoginAck(bytes, 3, bytes.length)).toEqual(ack);
  });

  test('has the version the other way round, and an own one for the oldest', () => {
    const ack = { program: '', productVersion: new Uint8Array(4) };
    expect(loginAck({ ...ack, version: v74 }).slice(4, 8)).toEqual(Uint8Array.of(0x74, 0, 0, 4));
    expect(loginAck({ ...ack, version: v71 }).slice(4, 8)).toEqual(Uint8Array.of(7, 1, 0, 0));
  });
});

test('a DONE has a count of 8 bytes from 7.2 on', () => {
  for (const version of [v70, v71rev1, v72, v74, v80]) {
    const bytes = done(token.doneProc, 0x11, 0xc1, 5n, version);
    expect(bytes.length).toBe(isWide(version) ? 13 : 9);
    expect(bytes.subarray(0, 6)).toEqual(Uint8Array.of(0xfe, 0x11, 0, 0xc1, 0, 5));
  }
});
