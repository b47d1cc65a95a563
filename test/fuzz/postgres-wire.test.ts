import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { latin1, text } from '../../src/base/bytes.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import * as backend from '../../src/wire/postgres/backend.ts';
import * as backendRead from '../../src/wire/postgres/backend-read.ts';
import { HEADER_BYTES } from '../../src/wire/postgres/framing.ts';
import * as frontend from '../../src/wire/postgres/frontend.ts';
import * as frontendRead from '../../src/wire/postgres/frontend-read.ts';
import { reportDetails } from '../../src/wire/postgres/report.ts';
import type { Report } from '../../src/wire/postgres/report.ts';
import { cancelRequest, readStartup, startupMessage } from '../../src/wire/postgres/startup.ts';
import { outcomes, ranged } from '../support/wire-readers.ts';
import type { RangeReader } from '../support/wire-readers.ts';

const ranges: readonly RangeReader[] = [
  frontendRead.readQuery,
  frontendRead.readParse,
  frontendRead.readBind,
  frontendRead.readNamedThing,
  frontendRead.readExecute,
];
const bodies: readonly ((body: Uint8Array) => unknown)[] = [
  readStartup,
  frontendRead.readPasswordMessage,
  frontendRead.readSaslInitialResponse,
  backendRead.readAuthentication,
  backendRead.readParameterStatus,
  backendRead.readBackendKeyData,
  backendRead.readReadyForQuery,
  backendRead.readReport,
  backendRead.readNegotiateProtocolVersion,
  backendRead.readCommandComplete,
  backendRead.readRowDescription,
  backendRead.readDataRow,
];
const readers = [...ranges, ...bodies.map(ranged)];

// Bodies that begin like the real ones, so that chance gets further than the first field.
const body = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(
      fc.constantFrom([0, 0, 0, 10], [0, 0, 0, 5], [0, 3, 0, 0], [4, 210, 22, 46], [0, 1], [0x53]),
      fc.array(fc.constantFrom(0, 0, 1, 4, 0x41, 0x4d, 0xff), { maxLength: 48 }),
    )
    .map(([head, tail]) => Uint8Array.from([...head, ...tail])),
);
const word = fc.string({ unit: 'grapheme', maxLength: 12 }).map((it) => it.replaceAll('\0', ''));
const name = word.filter((it) => it !== '');

describe('PostgreSQL wire', () => {
  test('PG-16, PG-17, PG-106: arbitrary bytes give a result or a violation, and never look outside', () => {
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

  test('start-up messages: round trip', () => {
    const parameters = fc.uniqueArray(
      fc.tuple(
        name.filter((it) => it !== 'user'),
        word,
      ),
      {
        selector: ([key]) => key,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(parameters, name, fc.nat(65_535), (others, user, minor) => {
        const all = [...others, ['user', user] as const];
        const body = startupMessage(all, minor).slice(4);
        const read = readStartup(body);
        const isOption = ([key]: readonly [string, string]) => key.startsWith('_pq_.');
        expect(read).toEqual({
          kind: 'startup',
          key: latin1(body),
          minor,
          user,
          parameters: new Map(all.filter((it) => !isOption(it))),
          protocolOptions: all.filter(isOption).map(([key]) => key),
        });
      }),
    );
  });

  test('PG-27: cancel keys: round trip', () => {
    const secrets = fc.uint8Array({ minLength: 4, maxLength: 256 });
    fc.assert(
      fc.property(fc.nat(0xffffffff), secrets, (pid, secret) => {
        const request = readStartup(cancelRequest(pid, secret).subarray(4));
        expect(request).toEqual({ kind: 'cancelRequest', pid, secret });
        const told = backend.backendKeyData(pid, secret).subarray(HEADER_BYTES);
        expect(backendRead.readBackendKeyData(told)).toEqual({ pid, secret });
      }),
    );
  });

  test('errors: round trip', () => {
    const report: fc.Arbitrary<Report> = fc.record(
      {
        severity: word,
        code: word,
        message: word,
        ...Object.fromEntries(reportDetails.map(([key]) => [key, word])),
      },
      { requiredKeys: ['severity', 'message'] },
    );
    fc.assert(
      fc.property(report, (said) => {
        const bytes = backend.errorResponse(said).subarray(HEADER_BYTES);
        expect(backendRead.readReport(bytes)).toEqual({ ...said });
      }),
    );
  });

  test('login messages: round trip', () => {
    fc.assert(
      fc.property(name, fc.option(word, { nil: undefined }), (mechanism, response) => {
        const initial = frontend.saslInitialResponse(mechanism, response).subarray(HEADER_BYTES);
        const read = frontendRead.readSaslInitialResponse(initial);
        expect(read.mechanism).toBe(mechanism);
        expect(read.response && text(read.response)).toBe(response);
        const password = frontend.passwordMessage(new SecretText(mechanism)).subarray(HEADER_BYTES);
        expect(frontendRead.readPasswordMessage(password).reveal()).toBe(mechanism);
        const offer = backend.authenticationSasl([mechanism, 'X']).subarray(HEADER_BYTES);
        expect(backendRead.readAuthentication(offer)).toEqual({
          kind: 'sasl',
          mechanisms: [mechanism, 'X'],
        });
        const query = frontend.query(mechanism);
        expect(frontendRead.readQuery(query, HEADER_BYTES, query.length)).toBe(query.length - 1);
      }),
    );
  });
});
