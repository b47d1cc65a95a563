import { writeInt16 } from '../../wire/mysql/build.ts';
import { isEof } from '../../wire/mysql/eof.ts';
import { isError } from '../../wire/mysql/err.ts';
import type { Party } from './party.ts';
import type { Rewrite } from './replies.ts';
import type { Reply } from './reply.ts';

/** Behind the header: in an OK without rows or numbers, and in an EOF. */
const WARNINGS_IN_OK = 5;
const WARNINGS_IN_EOF = 1;

interface Parts {
  readonly party: Pick<Party, 'warnings' | 'welcome'>;
}

/**
 * MySQL answers COM_PING, COM_INIT_DB and COM_SET_OPTION with the number of warnings that the connection's last statement had. That
 * may have been another session's, or ours: the client is told of its own. MariaDB tells of none.
 */
export class OwnWarnings {
  readonly #parts: Parts;
  #isTold = false;
  readonly #tell: Rewrite = (bytes, start, end) => {
    this.#isTold = true;
    if (isError(bytes, start, end)) return;
    const at = start + (isEof(bytes, start, end) ? WARNINGS_IN_EOF : WARNINGS_IN_OK);
    if (at + 2 <= end) writeInt16(bytes, at, this.#parts.party.warnings);
  };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** For the reply to a command that is no statement; undefined where that is as it shall be. */
  get tell(): Rewrite | undefined {
    return this.#parts.party.welcome.target.isMariaDb ? undefined : this.#tell;
  }

  /** The reply to the client's command is over. */
  ended({ error, warnings }: Reply): void {
    const { party } = this.#parts;
    // A statement begins with none; what is no statement adds its error to those that there are.
    if (error !== 0) party.warnings = this.#isTold ? party.warnings + 1 : 1;
    else if (!this.#isTold) party.warnings = warnings;
    this.#isTold = false;
  }
}
