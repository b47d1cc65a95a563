import { concat } from '../../../../src/base/bytes.ts';
import { capability } from '../../../../src/wire/mysql/capabilities.ts';
import { command } from '../../../../src/wire/mysql/commands.ts';
import type { Prepared, Step } from '../../../support/mysql-differential.ts';
import type { ReplyShape } from '../../../support/mysql-client.ts';

type Told = Exclude<Step, string>;

/** A statement that is not there has this number, directly as through Sluice. */
const NOBODY = 0x7ffffff0;

export function say(
  about: string,
  reply: ReplyShape,
  ...parts: readonly (Uint8Array | string | number)[]
): Told {
  const bytes = parts.map((part) =>
    typeof part === 'number' ? Uint8Array.of(part) : Buffer.from(part),
  );
  return { about, reply, say: () => concat(bytes) };
}

export function prepare(sql: string | Uint8Array, names = 'it'): Told {
  return {
    ...say(`prepare ${names}: ${sql.toString()}`, 'prepared', command.stmtPrepare, sql),
    names,
  };
}

/** A parameter of a prepared statement: its type, and its value as the binary protocol writes it; null for NULL. */
export interface Parameter {
  readonly type: number;
  readonly value: Uint8Array | null;
  /** It goes ahead of the execution (COM_STMT_SEND_LONG_DATA). */
  readonly isLong?: boolean;
}

export interface Executing {
  readonly name?: string;
  /** `CURSOR_TYPE_…` */
  readonly flags?: number;
  /** Says nothing where the statement could not be prepared. */
  readonly isCareful?: boolean;
  /** Leaves the types out: the server knows them. */
  readonly withoutTypes?: boolean;
}

export function execute(parameters: readonly Parameter[] = [], options: Executing = {}): Told {
  const { name = 'it', flags = 0, withoutTypes = false, isCareful = false } = options;
  return {
    about: `execute ${name} (${parameters.length})`,
    reply: 'results',
    say: (client, prepared) => {
      if (isCareful && !prepared.has(name)) return undefined;
      const hasNames = (client.capabilities.flags & capability.queryAttributes) !== 0;
      return concat([
        Uint8Array.of(command.stmtExecute),
        idOf(prepared, name),
        Uint8Array.of(flags, 1, 0, 0, 0),
        ...(parameters.length === 0 ? [] : bound(parameters, hasNames, withoutTypes)),
      ]);
    },
  };
}

function bound(
  parameters: readonly Parameter[],
  hasNames: boolean,
  withoutTypes: boolean,
): readonly Uint8Array[] {
  const nulls = new Uint8Array((parameters.length + 7) >> 3);
  for (const [at, { value }] of parameters.entries())
    if (value === null) nulls[at >> 3] = (nulls[at >> 3] ?? 0) | (1 << (at & 7));
  const types = parameters.map(({ type }) =>
    Uint8Array.of(type & 0xff, type >> 8, ...(hasNames ? [0] : [])),
  );
  const values = parameters.map(({ value, isLong }) =>
    isLong === true ? NOTHING : (value ?? NOTHING),
  );
  return [nulls, Uint8Array.of(withoutTypes ? 0 : 1), ...(withoutTypes ? [] : types), ...values];
}

const NOTHING = new Uint8Array(0);

export function longData(at: number, data: Uint8Array, name = 'it'): Told {
  return onStatement(command.stmtSendLongData, 'nothing', name, Uint8Array.of(at, 0), data);
}

export function fetch(rows: number, name = 'it'): Told {
  return onStatement(command.stmtFetch, 'rows', name, Uint8Array.of(rows, 0, 0, 0));
}

/** Says nothing where there is no cursor. */
export function fetchMore(rows: number): Told {
  const { about, reply, say: saying } = fetch(rows);
  return {
    about,
    reply,
    say: (client, prepared) => (client.hasCursor ? saying(client, prepared) : undefined),
  };
}

export function reset(name = 'it'): Told {
  return onStatement(command.stmtReset, 'one', name);
}

export function close(name = 'it'): Told {
  return onStatement(command.stmtClose, 'nothing', name);
}

function onStatement(
  type: number,
  reply: ReplyShape,
  name: string,
  ...more: readonly Uint8Array[]
): Told {
  return {
    about: `command ${type} on ${name}`,
    reply,
    say: (_, prepared) => concat([Uint8Array.of(type), idOf(prepared, name), ...more]),
  };
}

function idOf(prepared: Prepared, name: string): Uint8Array {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(prepared.get(name) ?? NOBODY);
  return id;
}

export const initDb = (schema: string): Told =>
  say(`COM_INIT_DB ${schema}`, 'one', command.initDb, schema);
export const ping: Told = say('COM_PING', 'one', command.ping);
export const resetConnection: Told = say('COM_RESET_CONNECTION', 'one', command.resetConnection);
