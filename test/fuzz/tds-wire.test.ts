import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { readFedAuth, readFedAuthToken } from '../../src/wire/tds/fed-auth.ts';
import { readFeatureExtAck } from '../../src/wire/tds/features.ts';
import { bodyAt, headersBytes, transactionAt } from '../../src/wire/tds/headers.ts';
import { readLogin7 } from '../../src/wire/tds/login7.ts';
import { packetType } from '../../src/wire/tds/packets.ts';
import { readPrelogin } from '../../src/wire/tds/prelogin.ts';
import { readResults } from '../../src/wire/tds/results.ts';
import { RpcParameters } from '../../src/wire/tds/rpc-parameters.ts';
import { readCall, readRpcHead } from '../../src/wire/tds/rpc.ts';
import { TokenWalker } from '../../src/wire/tds/token-walker.ts';
import * as tokens from '../../src/wire/tds/tokens.ts';
import { readTransactionRequest } from '../../src/wire/tds/transaction-manager.ts';
import { tdsVersion } from '../../src/wire/tds/versions.ts';
import { Violation } from '../../src/base/assert.ts';
import { recordedConversations, tdsMessages, tdsPayloads } from '../support/tds-recordings.ts';
import {
  altMetadata,
  altRow,
  colMetadata,
  dataClassification,
  Heard,
  nbcRow,
  returnValue,
  row,
  testTypes,
} from '../support/tds-tokens.ts';
import { outcomes, ranged } from '../support/wire-readers.ts';
import type { RangeReader } from '../support/wire-readers.ts';

const { v71, v74 } = tdsVersion;
const versions = [v71, v74];

/** Where parameters and what is in them stand, counted from where they begin. */
function parametersIn(version: number, isLast: boolean): RangeReader {
  return (bytes, start, end) => {
    const parameters = new RpcParameters(bytes, start, end, version, isLast);
    const found: unknown[] = [];
    for (let next = parameters.next(); ; next = parameters.next()) {
      if (typeof next === 'string') return [...found, next, parameters.nextCallAt];
      found.push([
        next.name,
        next.status,
        next.at,
        next.end,
        next.valueAt,
        next.int(),
        next.text(),
      ]);
    }
  };
}

/** What a walker says, and whether it waits for more. */
function walked(version: number, columnEncryption: boolean): RangeReader {
  return (bytes, start, end) => {
    const heard = new Heard();
    const walker = new TokenWalker(version, heard, { columnEncryption });
    walker.expectHandle(1);
    walker.feed(bytes, start, end);
    return [...heard.lines, walker.isBetween];
  };
}

const ranges: readonly RangeReader[] = [
  headersBytes,
  transactionAt,
  readCall,
  ...versions.flatMap((version): readonly RangeReader[] => [
    (bytes, start, end) => bodyAt(bytes, start, end, version),
    (bytes, start, end) => readRpcHead(bytes, start, end, version),
    (bytes, start, end) => readTransactionRequest(bytes, start, end, version),
    (bytes, start, end) => tokens.readError(bytes, start, end, version),
    parametersIn(version, true),
    parametersIn(version, false),
    walked(version, false),
    walked(version, true),
  ]),
  tokens.readEnvChangeText,
  (bytes, start, end) => tokens.readEnvChangeBytes(bytes, start, end),
  tokens.readTransaction,
  (bytes, start, end) => tokens.readRouting(tokens.envChange.routing, bytes, start, end),
  (bytes, start, end) => tokens.readRouting(tokens.envChange.enhancedRouting, bytes, start, end),
  tokens.readLoginAck,
  tokens.readReturnStatus,
  readFeatureExtAck,
];
const bodies: readonly ((body: Uint8Array) => unknown)[] = [
  readPrelogin,
  readLogin7,
  readFedAuth,
  readFedAuthToken,
  (body) => readResults(body, v74),
  (body) => readResults(body, v71),
];
const readers = [...ranges, ...bodies.map(ranged)];

const values = testTypes.map(({ value }) => value);
const made: readonly Uint8Array[] = [
  Buffer.concat([
    ...[colMetadata(v74, testTypes), row(values), nbcRow(values), row(values)],
    ...[altMetadata(v74, 1, testTypes.slice(0, 9)), altRow(1, values.slice(0, 9))],
    ...[dataClassification(2), ...testTypes.map((type) => returnValue(v74, type))],
  ]),
].map((bytes) => Uint8Array.from(bytes));
const recorded = [
  ...[packetType.prelogin, packetType.login, packetType.rpc].flatMap((type) =>
    tdsPayloads('client', type),
  ),
  ...tdsPayloads('client', packetType.transactionManager),
  ...tdsPayloads('server', packetType.result),
];

/** Real messages, from somewhere on, with a few bytes changed and an end somewhere get further than chance does. */
const damaged = fc
  .tuple(
    fc.constantFrom(...recorded, ...made),
    fc.array(
      fc.tuple(fc.nat(600), fc.constantFrom(0, 1, 8, 0x26, 0x7f, 0xa7, 0xd1, 0xf0, 0xfe, 0xff)),
      { maxLength: 3 },
    ),
    fc.oneof(fc.constant(0), fc.nat(200)),
    fc.nat(3_000),
  )
  .map(([payload, changes, start, end]) => {
    const bytes = payload.slice(start % payload.length).slice(0, Math.max(1, end));
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes;
  });
const body = fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged);

describe('TDS wire', () => {
  test('arbitrary bytes give a result or a violation, and never look outside', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...readers),
        body,
        fc.uint8Array({ maxLength: 8 }),
        (reader, bytes, other) => {
          const { alone, surrounded } = outcomes(reader, bytes, other);
          expect(surrounded).toEqual(alone);
        },
      ),
      { numRuns: 20_000 },
    );
  });

  test('a walker says the same of arbitrary bytes, however they are cut', () => {
    fc.assert(
      fc.property(
        damaged,
        fc.array(fc.nat(3_000), { maxLength: 6 }),
        fc.boolean(),
        (bytes, cuts, columnEncryption) => {
          const whole = feed([bytes.slice()], columnEncryption);
          const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)];
          const pieces = [...ends, bytes.length].map((end, at) =>
            bytes.slice(ends[at - 1] ?? 0, end),
          );
          expect(feed(pieces, columnEncryption)).toEqual(whole);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('whole conversations are walked and read to their ends', () => {
    for (const name of recordedConversations) {
      const version = name === 'tds-7_1' ? tdsVersion.v71rev1 : v74;
      for (const { from, payload } of tdsMessages(name)) {
        if (from === 'client' || payload[0] === 0) continue;
        const { errors, sets } = readResults(payload, version);
        expect(errors.length + sets.length).toBeGreaterThanOrEqual(0);
      }
    }
  });
});

/** What is said of pieces, up to a violation; what the bytes have become. */
function feed(pieces: readonly Uint8Array[], columnEncryption: boolean): readonly unknown[] {
  const heard = new Heard();
  const walker = new TokenWalker(v74, heard, { columnEncryption });
  walker.expectHandle(1);
  try {
    for (const piece of pieces) walker.feed(piece, 0, piece.length);
  } catch (problem) {
    if (!(problem instanceof Violation)) throw problem;
    return [heard.lines, problem.message.replaceAll(/\d+/g, '')];
  }
  return [heard.lines, walker.isBetween, Buffer.concat(pieces).toString('hex')];
}
