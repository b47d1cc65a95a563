import type { Exchange } from '../../support/differential.ts';
import { bytesOf, cstring, frontend, i16, i32, message } from '../../support/messages.ts';
import type { Part } from '../../support/messages.ts';

/** Messages, and as many ReadyForQuery as there are things that end in one. */
export function say(...send: readonly Uint8Array[]): Exchange {
  return {
    send,
    readies: send.filter(([type]) => type === SYNC || type === QUERY || type === CALL).length,
  };
}

const SYNC = 0x53;
const QUERY = 0x51;
const CALL = 0x46;

/** As `say`, where fewer or more come than were asked for: errors, and copies that swallow a Sync. */
export function sayFor(readies: number, ...send: readonly Uint8Array[]): Exchange {
  return { send, readies };
}

/** Parse, Bind, Describe, Execute, Sync of the unnamed statement. */
export function run(sql: string, values: readonly (string | null)[] = []): Exchange {
  return say(
    frontend.parse('', sql),
    frontend.bind('', '', values),
    frontend.describe('P'),
    frontend.execute(),
    frontend.sync(),
  );
}

/** All values and all results in binary. */
export function bindBinary(statement: string, values: readonly (Uint8Array | null)[]): Uint8Array {
  const cells = values.flatMap((value): Part[] =>
    value === null ? [i32(-1)] : [i32(value.length), value],
  );
  return message(
    'B',
    cstring(''),
    cstring(statement),
    ...[i16(1), i16(1), i16(values.length), ...cells, i16(1), i16(1)],
  );
}

export function runBinary(sql: string, values: readonly (Uint8Array | null)[] = []): Exchange {
  return say(
    frontend.parse('', sql),
    bindBinary('', values),
    frontend.describe('P'),
    frontend.execute(),
    frontend.sync(),
  );
}

/** A function call with binary arguments and result. */
export function call(oid: number, ...values: readonly Uint8Array[]): Uint8Array {
  const cells = values.flatMap((value) => [i32(value.length), value]);
  return message('F', i32(oid), i16(1), i16(1), i16(values.length), ...cells, i16(1));
}

/** COPY … WITH (FORMAT binary): signature, rows of int4 columns, trailer. */
export function binaryCopy(rows: readonly (readonly number[])[]): Uint8Array {
  const tuples = rows.map((row) =>
    bytesOf(i16(row.length), ...row.flatMap((value) => [i32(4), i32(value)])),
  );
  return bytesOf('PGCOPY\n', 0xff, '\r\n', 0, i32(0), i32(0), ...tuples, i16(-1));
}
