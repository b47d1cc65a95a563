import { concat, EMPTY, utf16 } from '../../src/base/bytes.ts';
import { seededRandom } from '../../src/base/random.ts';
import { SecretText } from '../../src/base/secret-text.ts';
import type { Gate } from '../../src/core/engine.ts';
import type { SqlServerPrincipal } from '../../src/engine/sqlserver/principal.ts';
import { watcher } from '../../src/engine/sqlserver/principal.ts';
import { byte, int16, int32, shortText } from '../../src/wire/tds/build.ts';
import type { Feature } from '../../src/wire/tds/features.ts';
import { featureExtAck } from '../../src/wire/tds/features.ts';
import { message, packetType } from '../../src/wire/tds/packets.ts';
import { encryption, prelogin } from '../../src/wire/tds/prelogin.ts';
import { sqlAt } from '../../src/wire/tds/sql-batch.ts';
import type { ServerError } from '../../src/wire/tds/tokens.ts';
import {
  done,
  doneStatus,
  envChange,
  envChangeBytes,
  envChangeText,
  error,
  info,
  loginAck,
  token,
} from '../../src/wire/tds/tokens.ts';
import { tdsVersion } from '../../src/wire/tds/versions.ts';
import type { Peer } from '../support/rehearse.ts';
import { ucs2 } from '../../src/base/bytes.ts';
import { messagesIn } from './tds-rig.ts';

// A database of SQL Server's kind that logs us in, and answers questions as it has been told to.

/** What a batch is answered with: rows of text, as one result each, or tokens. */
export type Said = Uint8Array | undefined;

export interface DatabaseScript {
  /** What is said of encryption, whatever is asked for. */
  readonly encryption?: number;
  /** The tokens that a LOGIN7 is answered with, up to DONE. */
  readonly login?: Uint8Array;
  readonly version?: number;
  /** The tokens that a batch is answered with, up to the end; undefined for what a usual database says. */
  readonly answer?: (sql: string) => Said;
  /** Columns are described with a table of keys, of none, as where their encryption has been agreed on. */
  readonly tellsKeys?: boolean;
}

export interface ScriptedDatabase {
  readonly peer: Peer;
  /** What it has been told, a line for each message: a batch by its text, the others by their type. */
  readonly heard: string[];
  /** The payloads, in the same order. */
  readonly payloads: Uint8Array[];
}

export function database(script: DatabaseScript = {}): ScriptedDatabase {
  const heard: string[] = [];
  const payloads: Uint8Array[] = [];
  const { version = tdsVersion.v74, answer = () => undefined } = script;
  const replyTo = (type: number, status: number, payload: Uint8Array): Uint8Array => {
    payloads.push(payload);
    switch (type) {
      case packetType.prelogin:
        heard.push('PRELOGIN');
        return ours(script.encryption ?? encryption.notSupported);
      case packetType.login:
        heard.push('LOGIN7');
        return concat([script.login ?? welcome({ version }), end(version)]);
      default: {
        const sql = ucs2(payload, sqlAt(payload, 0, payload.length, version));
        heard.push(status === 0 ? sql : `${sql} [${status}]`);
        return keyed(answer(sql) ?? usual(sql, version), script.tellsKeys === true);
      }
    }
  };
  const peer: Peer = (bytes) => {
    const replies = messagesIn(bytes).map(({ type, status, payload }) => {
      const packets = message(packetType.result, replyTo(type, status, payload), 4_096);
      packets[5] = 53;
      return packets;
    });
    return replies.length === 0 ? undefined : concat(replies);
  };
  return { peer, heard, payloads };
}

/** An answer that begins with its columns. */
function keyed(said: Uint8Array, tellsKeys: boolean): Uint8Array {
  if (!tellsKeys || said[0] !== token.colMetadata) return said;
  return concat([said.subarray(0, 3), int16(0), said.subarray(3)]);
}

function ours(wanted: number): Uint8Array {
  return prelogin({
    version: Uint8Array.of(15, 0, 16, 165, 0, 0),
    encryption: wanted,
    instance: '',
    threadId: EMPTY,
    mars: false,
    traceId: undefined,
    fedAuthRequired: undefined,
    nonce: undefined,
  });
}

export function end(version: number = tdsVersion.v74, status = 0): Uint8Array {
  return done(token.done, status, 0, 0n, version);
}

export const COLLATION = Uint8Array.of(9, 4, 208, 0, 52);

/** What a database says to whom it lets in. */
export function welcome(
  parts: {
    version?: number;
    packetBytes?: number;
    features?: readonly Feature[];
    more?: Uint8Array;
  } = {},
): Uint8Array {
  const { version = tdsVersion.v74, packetBytes, features = [], more = EMPTY } = parts;
  return concat([
    envChangeText(envChange.database, 'app', 'master'),
    info(errorOf(5701, "Changed database context to 'app'.", 0), version),
    envChangeBytes(envChange.collation, COLLATION, EMPTY),
    envChangeText(envChange.language, 'us_english', ''),
    info(errorOf(5703, 'Changed language setting to us_english.', 0), version),
    more,
    loginAck({
      version,
      program: 'Microsoft SQL Server',
      productVersion: Uint8Array.of(15, 0, 16, 165),
    }),
    packetBytes === undefined
      ? EMPTY
      : envChangeText(envChange.packetSize, String(packetBytes), '4096'),
    features.length === 0 ? EMPTY : featureExtAck(features),
  ]);
}

export function errorOf(number: number, text: string, severity = 14): ServerError {
  return { number, state: 1, severity, message: text, server: 'db', procedure: '', line: 1 };
}

/** The tokens of a refusal, or of a batch that fails. */
export function refusal(
  errors: readonly (readonly [number: number, text: string])[],
  version: number = tdsVersion.v74,
): Uint8Array {
  return concat([
    ...errors.map(([number, text]) => error(errorOf(number, text), version)),
    end(version, doneStatus.error),
  ]);
}

/** One result of one row, whose values are texts or NULL. */
export function rowOf(...values: readonly (string | undefined)[]): Uint8Array {
  const column = concat([int32(0), int16(9), byte(0xe7), int16(8_000), COLLATION, shortText('')]);
  return concat([
    byte(token.colMetadata),
    int16(values.length),
    ...values.map(() => column),
    byte(token.row),
    ...values.map((value) =>
      value === undefined ? int16(0xffff) : concat([int16(2 * value.length), utf16(value)]),
    ),
    end(tdsVersion.v74, doneStatus.count),
  ]);
}

const BEGUN = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 7);

/** A database that says what its version is, tells of transactions, and knows every setting. */
function usual(sql: string, version: number): Uint8Array {
  if (sql.includes('@@VERSION'))
    return concat([
      rowOf('Microsoft SQL Server 2019 (RTM-CU18) (KB5017593) - 15.0.4261.1 (X64) \n\tSep 2022'),
      envChangeBytes(envChange.beginTransaction, BEGUN, EMPTY),
      envChangeBytes(envChange.commitTransaction, EMPTY, BEGUN),
      end(version),
    ]);
  if (sql.includes('@@MAX_CONNECTIONS')) return rowOf('32767');
  if (sql.includes('@@OPTIONS') || sql.includes('DB_NAME')) return rowOf(...valuesFor(sql));
  return end(version);
}

/** As many values as the question has columns, each fit for most. */
function valuesFor(sql: string): readonly string[] {
  const parts = sql.replace(/\([^()]*\)/g, '').split(', ');
  return parts.map((part) =>
    part.includes('DB_NAME') ? 'app' : part.includes('@@OPTIONS') ? '0' : '1',
  );
}

/** As whom we come. */
export function gateOf(parts: Partial<Gate<SqlServerPrincipal>> = {}): Gate<SqlServerPrincipal> {
  return {
    who: watcher('app', 'app'),
    password: new SecretText('pässword'),
    tlsMode: 'disable',
    channelBinding: 'disable',
    lessons: new Set(),
    allowCleartext: false,
    random: (count) => seededRandom(1).bytes(count),
    ...parts,
  };
}
