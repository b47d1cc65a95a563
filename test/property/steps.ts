import type { Chance } from '../support/chance.ts';
import { cstring, frontend, i16, i32, message } from '../support/messages.ts';
import type { Part } from '../support/messages.ts';
import { said } from './said.ts';

/** What a session does next. */
export type Step =
  /** Says something and reads the answer. */
  | {
      readonly kind: 'say';
      readonly send: readonly Uint8Array[];
      /** Where the bytes are cut; each piece is written on its own. */
      readonly cuts: readonly number[];
      /** A documented difference that may show here, and only here. */
      readonly exception?: Exception;
      /** Without it this makes no sense, and is left out. */
      readonly needs?: Need;
      readonly gives?: Need;
    }
  /** As `say`, without reading for a while. */
  | { readonly kind: 'dawdle'; readonly send: readonly Uint8Array[] }
  /** A statement that takes its time, and a request to stop it, some turns of the event loop later. */
  | { readonly kind: 'cancel'; readonly sql: string; readonly turns: number }
  /** Is notified by somebody else, where it listens. */
  | { readonly kind: 'hear' }
  /** Takes, where nobody else has it, a lock that all sessions want, and gives it back. */
  | { readonly kind: 'turnstile'; readonly requests: number }
  /** Asks for a random number, which is known where the session has sown, and must be new where it has not. */
  | { readonly kind: 'draw' }
  /** Begins to say something and is gone. The last step of a life. */
  | {
      readonly kind: 'leave';
      readonly send: readonly Uint8Array[];
      /** How many of the bytes are still sent. */
      readonly bytes: number;
      readonly manner: 'at once' | 'while reading' | 'goodbye unread';
    };

/** Differences in docs/differences.md that random scripts run into. */
export type Exception = 'made-up setting' | 'temporary schema';

/**
 * - `no transaction`: none is open.
 * - `random seed`: the session has set one, so that its random numbers are no surprise.
 */
export type Need = 'no transaction' | 'random seed';

/** Who signs in, and how. */
export interface Login {
  readonly user: 'app' | 'reader' | 'chief';
  readonly database: 'east' | 'west';
  readonly parameters: Readonly<Record<string, string>>;
  readonly tls: boolean;
}

/** A client from its sign-in to its end. */
export interface Life {
  readonly login: Login;
  /** Names of its own: of its schema, its channel, its lock. */
  readonly name: string;
  readonly lock: number;
  /** A text that nobody else may ever see. */
  readonly token: string;
  readonly steps: readonly Step[];
}

/** Messages in one piece or in some. */
export function say(chance: Chance, ...send: readonly Uint8Array[]): Step & { kind: 'say' } {
  return { kind: 'say', send, cuts: cutsOf(chance, send) };
}

const DRIBBLE_BYTES = 120;

function cutsOf(chance: Chance, send: readonly Uint8Array[]): readonly number[] {
  const length = send.reduce((sum, { length: one }) => sum + one, 0);
  const way = chance.below(100);
  if (way < 70) return [];
  if (way < 75 && length < DRIBBLE_BYTES)
    return Array.from({ length: length - 1 }, (_, at) => at + 1);
  const cuts = Array.from({ length: chance.between(1, 3) }, () => chance.between(1, length - 1));
  return [...new Set(cuts)].sort((a, b) => a - b);
}

/** A Bind with values as text and results as text or in binary. */
export function bind(
  portal: string,
  statement: string,
  values: readonly (string | null)[],
  binary = false,
): Uint8Array {
  const cells = values.flatMap((value): Part[] =>
    value === null ? [i32(-1)] : [i32(Buffer.byteLength(value)), value],
  );
  const results = binary ? [i16(1), i16(1)] : [i16(0)];
  const names = [cstring(portal), cstring(statement)];
  return message('B', ...names, i16(0), i16(values.length), ...cells, ...results);
}

/** One line for people. */
export function tellStep(step: Step): string {
  switch (step.kind) {
    case 'say': {
      const cut = step.cuts.length === 0 ? '' : ` (cut at ${step.cuts.slice(0, 5).join()})`;
      return `${said(step.send)}${cut}`;
    }
    case 'dawdle':
      return `${said(step.send)} (read late)`;
    case 'cancel':
      return `${step.sql} (cancelled after ${step.turns} turns)`;
    case 'hear':
      return 'is notified';
    case 'turnstile':
      return `tries the lock of all, for ${step.requests} requests`;
    case 'draw':
      return 'draws a random number';
    case 'leave':
      return `${said(step.send)} (leaves ${step.manner}, after ${step.bytes} bytes)`;
  }
}

export const { query, parse, describe, execute, close, flush, sync } = frontend;
