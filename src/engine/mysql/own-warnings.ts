import { int16 } from '../../wire/mysql/build.ts';
import { isEof } from '../../wire/mysql/eof.ts';
import { isError } from '../../wire/mysql/err.ts';
import type { Rewrite } from './replies.ts';
import type { Reply } from './reply.ts';
import type { TargetGreeting } from './target.ts';

/** Behind the header: in an OK without rows or numbers, and in an EOF. */
const WARNINGS_IN_OK = 5;
const WARNINGS_IN_EOF = 1;

/**
 * MySQL answers COM_PING, COM_INIT_DB and COM_SET_OPTION with the number of warnings that the connection's last statement had. That
 * may have been another session's, or ours: the client is told of its own. MariaDB tells of none.
 */
export class OwnWarnings {
  /** Of the session's last statement. */
  #count = 0;
  #isTold = false;
  /** For the reply to a command that is no statement; undefined where that is as it shall be. */
  readonly tell: Rewrite | undefined;

  constructor({ isMariaDb }: TargetGreeting) {
    this.tell = isMariaDb ? undefined : (bytes, start, end) => this.#tell(bytes, start, end);
  }

  #tell(bytes: Uint8Array, start: number, end: number): undefined {
    this.#isTold = true;
    if (isError(bytes, start, end)) return;
    const at = start + (isEof(bytes, start, end) ? WARNINGS_IN_EOF : WARNINGS_IN_OK);
    if (at + 2 <= end) bytes.set(int16(this.#count), at);
  }

  /** The reply to the client's command is over. */
  ended({ error, warnings }: Reply): void {
    // A statement begins with none; what is no statement adds its error to those that there are.
    if (error !== 0) this.#count = this.#isTold ? this.#count + 1 : 1;
    else if (!this.#isTold) this.#count = warnings;
    this.#isTold = false;
  }
}
