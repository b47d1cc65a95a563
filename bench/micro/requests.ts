import { bytesOf, frontend } from '../../test/support/messages.ts';

export const modes = ['simple', 'extended', 'prepared'] as const;
type Mode = (typeof modes)[number];

const STATEMENT = 'SELECT abalance FROM pgbench_accounts WHERE aid = ';
const ROWS = { from: 100_000, count: 900_000 } as const;
const DIGITS = 6;
const ZERO = '0'.charCodeAt(0);

/** What a client of `pgbench --select-only` says, by how often it has been answered before: each time about another row. */
export function requests(mode: Mode, seed: number): (answers: number) => Uint8Array {
  const prepare = bytesOf(frontend.parse('P_0', `${STATEMENT}$1;`), frontend.sync());
  const request = template(mode);
  const digits = Buffer.from(request).indexOf(String(ROWS.from));
  let row = seed;
  return (answers) => {
    if (mode === 'prepared' && answers === 0) return prepare;
    row = (Math.imul(row, 1_103_515_245) + 12_345) >>> 0;
    let number = ROWS.from + (row % ROWS.count);
    for (let at = digits + DIGITS - 1; at >= digits; at -= 1) {
      request[at] = ZERO + (number % 10);
      number = Math.floor(number / 10);
    }
    return request;
  };
}

function template(mode: Mode): Uint8Array {
  const row = String(ROWS.from);
  const run = [frontend.describe('P'), frontend.execute(), frontend.sync()];
  switch (mode) {
    case 'simple':
      return frontend.query(`${STATEMENT}${row};`);
    case 'extended':
      return bytesOf(frontend.parse('', `${STATEMENT}$1;`), frontend.bind('', '', [row]), ...run);
    case 'prepared':
      return bytesOf(frontend.bind('', 'P_0', [row]), ...run);
  }
}

const READY_BYTES = 6;
const [READY = 0] = Buffer.from('Z');

/** An answer may come in pieces; it ends with a ReadyForQuery, which comes whole. */
export function endsAnswer(bytes: Uint8Array): boolean {
  const at = bytes.length - READY_BYTES;
  return at >= 0 && bytes[at] === READY && bytes[at + 4] === READY_BYTES - 1;
}
