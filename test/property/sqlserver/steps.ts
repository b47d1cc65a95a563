import { concat, utf16 } from '../../../src/base/bytes.ts';
import { byte, int16, shortBytes } from '../../../src/wire/tds/build.ts';
import { writeHeaders } from '../../../src/wire/tds/headers.ts';
import { packetStatus, packetType } from '../../../src/wire/tds/packets.ts';
import { procedure, rpcCalls } from '../../../src/wire/tds/rpc.ts';
import type { RpcArgument, RpcCall } from '../../../src/wire/tds/rpc.ts';
import { sqlBatch } from '../../../src/wire/tds/sql-batch.ts';
import { isolationLevel, tmRequest } from '../../../src/wire/tds/transaction-manager.ts';
import { isWide } from '../../../src/wire/tds/versions.ts';
import type { Chance } from '../../support/chance.ts';

/** What a command must know of whoever says it. */
export interface Speaker {
  readonly transaction: bigint;
  readonly version: number;
  /** What a statement or a cursor is called there. */
  handle(name: string): number;
  /** Texts name databases and what all sessions of a server share with `$side` at the end. */
  text(sql: string): string;
}

/** One message: a request, and what answers it. */
export interface Command {
  /** For people. */
  readonly about: string;
  readonly type: number;
  readonly payload: (speaker: Speaker) => Uint8Array;
  /** Of its first packet. */
  readonly status?: number;
  /** What the first values that are given back are the handles of. */
  readonly names?: readonly string[];
  /** Left out where the one before has failed. */
  readonly isSequel?: boolean;
}

/** What a session does next. */
export type Step =
  /** Says something and reads the answers, one after the other. */
  | {
      readonly kind: 'say';
      readonly commands: readonly Command[];
      /** At which parts of it the bytes are cut, in thousandths; each piece is written on its own. */
      readonly cuts: readonly number[];
      /** The answer piles up before it is read. */
      readonly readsLate?: boolean;
      /** A documented difference that may show here, and only here. */
      readonly exception?: Exception;
    }
  /** A request that takes its time, and an attention, some turns of the event loop later. */
  | { readonly kind: 'stop'; readonly turns: number; readonly way: 'batch' | 'rpc' }
  /** An attention when nothing is under way. */
  | { readonly kind: 'attention' }
  /** A request of several packets that is called off in its last one. */
  | { readonly kind: 'call off'; readonly command: Command }
  /** Takes, where nobody else has it, a lock that all sessions want, and gives it back. */
  | { readonly kind: 'turnstile'; readonly requests: number }
  /** Begins to say something and is gone. The last step of a life. */
  | {
      readonly kind: 'leave';
      readonly commands: readonly Command[];
      /** How many thousandths of the bytes are still sent. */
      readonly part: number;
      readonly manner: 'at once' | 'while reading' | 'half closed';
    };

/**
 * Differences that random scripts run into. `remnant`: what a statement has left behind to be asked for is not there where nobody
 * has asked before, or somebody else had to have the connection.
 */
export type Exception = 'remnant';

export type User = 'app' | 'reader';

/** Who signs in, and how. */
export interface Login {
  readonly user: User;
  readonly database: 'home' | 'other' | 'none';
  readonly language: string;
  readonly appName: string;
  readonly packetBytes: number;
  readonly version: number;
  readonly isOdbc: boolean;
}

/** A client from its sign-in to its end. */
export interface Life {
  readonly login: Login;
  /** Of its own tables, in each database, and of its locks. */
  readonly name: string;
  /** A number that no other life has: its identities begin there. */
  readonly number: number;
  /** A text that nobody else may ever see. */
  readonly token: string;
  readonly steps: readonly Step[];
}

/** Messages in one piece or in some. */
export function say(chance: Chance, ...commands: readonly Command[]): Step & { kind: 'say' } {
  return { kind: 'say', commands, cuts: cutsOf(chance), readsLate: chance.percent(2) };
}

function cutsOf(chance: Chance): readonly number[] {
  if (chance.percent(75)) return [];
  const cuts = Array.from({ length: chance.between(1, 3) }, () => chance.below(1_000));
  return [...new Set(cuts)].sort((a, b) => a - b);
}

export function batch(sql: string): Command {
  return {
    about: sql,
    type: packetType.sqlBatch,
    payload: ({ text, transaction, version }) => sqlBatch(text(sql), transaction, version),
  };
}

/** With the bit that asks for a reset of the connection first. */
export function resetting(command: Command, keepsTransaction = false): Command {
  const { resetConnection, resetConnectionSkipTran } = packetStatus;
  const status = keepsTransaction ? resetConnectionSkipTran : resetConnection;
  return {
    ...command,
    about: `(reset${keepsTransaction ? ', transaction kept' : ''}) ${command.about}`,
    status,
  };
}

// ---- calls --------------------------------------------------------------------------------------------------------------

/** A call, which may go with others in one message. */
export interface Call {
  readonly about: string;
  readonly make: (speaker: Speaker) => RpcCall;
  readonly names?: readonly string[];
}

export function rpc(...calls: readonly Call[]): Command {
  return {
    about: calls.map(({ about }) => about).join(' & '),
    type: packetType.rpc,
    payload: (speaker) =>
      rpcCalls(
        calls.map(({ make }) => make(speaker)),
        speaker.transaction,
        speaker.version,
      ),
    names: calls.flatMap(({ names = [] }) => names),
  };
}

export type Value = number | string | undefined;

/** A parameter that a text declares as `@p0`, `@p1`, … */
function argumentsOf(values: readonly Value[]): readonly RpcArgument[] {
  return values.map((value, at) => {
    const name = `@p${at}`;
    return typeof value === 'string' ? { name, text: value } : { name, int: value };
  });
}

/** How a text declares them. */
export function declarations(values: readonly Value[]): string {
  return values
    .map((value, at) => `@p${at} ${typeof value === 'string' ? 'nvarchar(4000)' : 'int'}`)
    .join(', ');
}

export function executeSql(sql: string, values: readonly Value[] = []): Call {
  return {
    about: `sp_executesql ${sql} ${JSON.stringify(values)}`,
    make: ({ text }) => ({
      procedure: procedure.executeSql,
      arguments: [
        { text: text(sql) },
        ...(values.length === 0 ? [] : [{ text: declarations(values) }]),
        ...argumentsOf(values),
      ],
    }),
  };
}

export function prepare(name: string, sql: string, values: readonly Value[] = []): Call {
  return {
    about: `sp_prepare ${name}: ${sql}`,
    make: ({ text }) => ({
      procedure: procedure.prepare,
      arguments: [OUT, { text: declarations(values) }, { text: text(sql) }, { int: 1 }],
    }),
    names: [name],
  };
}

const OUT: RpcArgument = { int: undefined, isOutput: true };

/** @param replaced the statement that is closed first, as JDBC has it */
export function prepareAndRun(
  name: string,
  sql: string,
  values: readonly Value[] = [],
  replaced?: string,
): Call {
  return {
    about: `sp_prepexec ${name}: ${sql} ${JSON.stringify(values)}${replaced === undefined ? '' : ` in place of ${replaced}`}`,
    make: ({ text, handle }) => ({
      procedure: procedure.prepExec,
      arguments: [
        replaced === undefined ? OUT : { int: handle(replaced), isOutput: true },
        { text: declarations(values) },
        { text: text(sql) },
        ...argumentsOf(values),
      ],
    }),
    names: [name],
  };
}

export function run(name: string, values: readonly Value[] = []): Call {
  return {
    about: `sp_execute ${name} ${JSON.stringify(values)}`,
    make: ({ handle }) => ({
      procedure: procedure.execute,
      arguments: [{ int: handle(name) }, ...argumentsOf(values)],
    }),
  };
}

export function unprepare(name: string): Call {
  return {
    about: `sp_unprepare ${name}`,
    make: ({ handle }) => ({ procedure: procedure.unprepare, arguments: [{ int: handle(name) }] }),
  };
}

/** A procedure by its name, or its number, whose arguments may be handles. */
export function call(
  called: string | number,
  about: string,
  given: (speaker: Speaker) => readonly RpcArgument[],
  names: readonly string[] = [],
): Call {
  return { about, make: (speaker) => ({ procedure: called, arguments: given(speaker) }), names };
}

// ---- the transaction manager ----------------------------------------------------------------------------------------------

type Isolation = keyof typeof isolationLevel;

/** A request to the transaction manager; `next` is the level of the transaction that begins behind what ends one. */
export function transact(
  what: 'begin' | 'commit' | 'rollback' | 'save',
  parts: { readonly isolation?: Isolation; readonly name?: string; readonly next?: Isolation } = {},
): Command {
  const { isolation = 'current', name = '', next } = parts;
  const called = shortBytes(utf16(name));
  const begun = (level: Isolation): Uint8Array => byte(isolationLevel[level]);
  const rest = {
    begin: () => concat([begun(isolation), called]),
    commit: () => concat([called, byte(next === undefined ? 0 : 1), again()]),
    rollback: () => concat([called, byte(next === undefined ? 0 : 1), again()]),
    save: () => called,
  };
  const again = (): Uint8Array =>
    next === undefined ? new Uint8Array(0) : concat([begun(next), shortBytes(new Uint8Array(0))]);
  return {
    about: `${what} by the transaction manager ${JSON.stringify(parts)}`,
    type: packetType.transactionManager,
    payload: ({ transaction, version }) =>
      concat([
        isWide(version) ? writeHeaders(transaction) : new Uint8Array(0),
        int16(tmRequest[what]),
        rest[what](),
      ]),
  };
}

// ---- for people -----------------------------------------------------------------------------------------------------------

const LONGEST = 200;

/** One line for people. */
export function tellStep(step: Step): string {
  switch (step.kind) {
    case 'say': {
      const cut = step.cuts.length === 0 ? '' : ` (cut at ${step.cuts.join()})`;
      return `${tellCommands(step.commands)}${cut}${step.readsLate === true ? ' (read late)' : ''}`;
    }
    case 'stop':
      return `a slow ${step.way} (attention after ${step.turns} turns)`;
    case 'attention':
      return 'an attention, out of the blue';
    case 'call off':
      return `${tellCommands([step.command])} (called off)`;
    case 'turnstile':
      return `tries the lock of all, for ${step.requests} requests`;
    case 'leave':
      return `${tellCommands(step.commands)} (leaves ${step.manner}, after ${step.part / 10} %)`;
  }
}

function tellCommands(commands: readonly Command[]): string {
  return commands
    .map(({ about }) =>
      about.length > LONGEST ? `${about.slice(0, LONGEST)}… (${about.length})` : about,
    )
    .join(' · ');
}
