import { frontend } from '../../test/support/messages.ts';
import type { Line } from '../support/line.ts';
import type { Download } from '../support/result.ts';
import { RESULT_ROW_BYTES, RESULT_ROWS } from '../support/result.ts';
import { signIn } from './client.ts';

const SQL = `SELECT repeat('x', ${RESULT_ROW_BYTES}) FROM generate_series(1, ${RESULT_ROWS})`;
/** Their description, each with its head, how many they were: all but the ReadyForQuery at the end. */
const RESULT_BYTES =
  32 + RESULT_ROWS * (11 + RESULT_ROW_BYTES) + `12345SELECT ${RESULT_ROWS}\0`.length;

export async function download(line: Line): Promise<Download> {
  const client = await signIn(line);
  await client.query('SELECT 1');
  return {
    bytes: RESULT_BYTES,
    start: () => client.send(frontend.query(SQL)),
    read: (count) => client.socket.read(count),
    pause: () => client.socket.pause(),
    resume: () => client.socket.resume(),
    async finish() {
      const { type } = await client.read();
      if (type !== 'Z') throw new Error(`the result was followed by a message ${type}`);
    },
    destroy: () => client.destroy(),
  };
}
