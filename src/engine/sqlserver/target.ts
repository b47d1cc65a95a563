import type { LoginAck } from '../../wire/tds/tokens.ts';
import { Lessons } from './learned.ts';
import { Templates } from './prepared.ts';
import { Classifier } from './sql/classifier.ts';

/** What is known of the target of one proxy, beyond single connections. */
export class Target {
  /**
   * Whether the server tells, by ENVCHANGE or DONE_INXACT, of transactions that statements begin and end (SQL Server does); undefined
   * where that has not been seen.
   */
  tellsTransactions: boolean | undefined;
  /** What the server is, for people: its name and version. Empty where it has not been asked. */
  product = '';
  /** The version in its PRELOGIN, six bytes, which clients are shown; undefined where none has been seen. */
  version: Uint8Array | undefined;
  #seen = '';
  /** What texts of SQL do. */
  readonly classifier = new Classifier();
  /** What languages have brought along. */
  readonly lessons = new Lessons();
  /** The statements that clients have prepared. */
  readonly templates = new Templates();

  /** A server of this kind has let us in. If it is another one than before, nothing of that one holds. */
  meet({ program, productVersion }: LoginAck): void {
    const seen = JSON.stringify([...(this.version ?? []), program, ...productVersion]);
    if (seen !== this.#seen) this.tellsTransactions = undefined;
    this.#seen = seen;
  }
}

/** What `@@VERSION` says, in short: `Microsoft SQL Server 2019 15.0.4261.1`. */
export function productOf(text: string): string {
  const [name = ''] = /^[^\n(]*?(?=\s+-\s|\s*\(|\n|$)/.exec(text) ?? [];
  const [, version = ''] = /(?:^|\s-\s)(\d+(?:\.\d+)+)/.exec(text) ?? [];
  return `${name} ${version}`.trim() || 'SQL Server';
}
