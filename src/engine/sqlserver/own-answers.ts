import { concat } from '../../base/bytes.ts';
import { done, doneStatus, error, returnStatus, token } from '../../wire/tds/tokens.ts';
import { procedure } from '../../wire/tds/rpc.ts';
import { OWN_SERVER } from './faults.ts';
import type { Call, Request } from './requests.ts';
import { onlyCloses } from './requests.ts';
import type { Statements } from './statements.ts';

interface Manner {
  readonly version: number;
  /** A transaction is open, which an error may end: that is the database's to say. */
  readonly inTransaction: boolean;
  /** What a DONE says of it: a bit of its status, or none. */
  readonly transactionBit: number;
}

/**
 * The tokens that answer a request which closes statements, or wants one that there is not and nothing else; undefined for all
 * others. A statement stays on its connection when a client closes it: others may use it.
 */
export function answerCalls(
  request: Request,
  statements: Pick<Statements, 'at' | 'close'>,
  manner: Manner,
): Uint8Array | undefined {
  const { calls } = request;
  const [first] = calls;
  if (first === undefined || (calls.length === 1 && !mustAnswer(first))) return undefined;
  const isLost = (call: Call): boolean => statements.at(call.handle ?? 0) === undefined;
  const named = calls.filter((call) => naming.includes(call.procedure));
  const unclear = named.find((call) => call.handleAt === undefined);
  if (unclear !== undefined) return concat(unknown(unclear, true, manner));
  // The database refuses what is lost itself, when it is its turn: in place of its handle goes one that nobody has.
  if (manner.inTransaction && named.some(isLost)) return undefined;
  if (onlyCloses(request)) {
    return concat(
      calls.flatMap((call, at) => {
        const isLast = at === calls.length - 1;
        const isThere = call.handle !== undefined && statements.close(call.handle);
        return isThere ? closed(isLast, manner) : unknown(call, isLast, manner);
      }),
    );
  }
  const [call] = named;
  const isAlone = call !== undefined && calls.length === 1;
  return isAlone && isLost(call) ? concat(unknown(call, true, manner)) : undefined;
}

/** Whether a call is to be looked at: most are neither of what is there nor of what is not. */
function mustAnswer({ procedure: called, handleAt, template }: Call): boolean {
  if (called === procedure.unprepare) return true;
  return called === procedure.execute && (handleAt === undefined || template === undefined);
}

/** What takes a handle that must have been given. */
const naming: readonly (number | string)[] = [procedure.execute, procedure.unprepare];

function closed(isLast: boolean, { version, transactionBit }: Manner): readonly Uint8Array[] {
  const status = transactionBit | (isLast ? 0 : doneStatus.more);
  return [returnStatus(0), done(token.doneProc, status, PROCEDURE, 0n, version)];
}

/** Of the DONEPROC behind a procedure. */
const PROCEDURE = 0xe0;

/** As SQL Server says it (traps TD-05, TD-06). */
function unknown(
  { handle = 0 }: Call,
  isLast: boolean,
  { version, transactionBit }: Manner,
): readonly Uint8Array[] {
  const message = `Could not find prepared statement with handle ${handle}.`;
  const words = {
    number: 8179,
    state: 2,
    severity: 16,
    message,
    server: OWN_SERVER,
    procedure: '',
    line: 1,
  };
  const status = doneStatus.error | transactionBit | (isLast ? 0 : doneStatus.more);
  return [error(words, version), done(token.doneProc, status, PROCEDURE, 0n, version)];
}
