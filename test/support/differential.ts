import { PeerGone } from './byte-queue.ts';
import { frontend } from './messages.ts';
import type { Message } from './messages.ts';
import { RawClient } from './raw-client.ts';
import type { ConnectOptions, Login } from './raw-client.ts';
import { transcript } from './transcript.ts';

/** SQL for one simple query, or messages with the number of ReadyForQuery that answer them. */
export type Exchange = string | { readonly send: readonly Uint8Array[]; readonly readies: number };

export interface Difference {
  /** Which exchange; -1 is the sign-in. */
  readonly exchange: number;
  readonly said: string;
  readonly direct: readonly string[];
  readonly proxied: readonly string[];
}

export interface Masks {
  /** Text that may differ, such as process ids in a result; replaced on both sides before comparing. */
  readonly masks?: readonly RegExp[];
}

/** What was answered to the sign-in and to each exchange, a line for each message. */
export type Performance = readonly (readonly string[])[];

export interface Telling extends Masks {
  /** How messages become lines. Default `transcript`. */
  readonly tell?: typeof transcript;
}

/**
 * Says the same to a database directly and through Sluice, exchange by exchange, and tells where the answers differ in
 * anything that a client could see. Not compared: process ids, what the cancel keys are, the order of parameters reported at a time;
 * and what `tell` leaves out.
 */
export async function differences(
  script: readonly Exchange[],
  direct: ConnectOptions & Login,
  proxied: ConnectOptions & Login,
  options: Masks = {},
): Promise<readonly Difference[]> {
  const [expected, actual] = await Promise.all([
    perform(script, direct, options),
    perform(script, proxied, options),
  ]);
  return compare(script, expected, actual);
}

/** Where two performances of a script differ. */
export function compare(
  script: readonly Exchange[],
  expected: Performance,
  actual: Performance,
): readonly Difference[] {
  const longer = expected.length >= actual.length ? expected : actual;
  return longer.flatMap((_, at): Difference[] => {
    const lines = expected[at] ?? [];
    const others = actual[at] ?? [];
    if (lines.join('\n') === others.join('\n')) return [];
    return [{ exchange: at - 1, said: saidBy(script[at - 1]), direct: lines, proxied: others }];
  });
}

/** Says a script, and keeps all that is answered. */
export async function perform(
  script: readonly Exchange[],
  options: ConnectOptions & Login,
  { masks = [], tell = transcript }: Telling = {},
): Promise<Performance> {
  const mask = (line: string): string => masks.reduce((text, one) => text.replace(one, '*'), line);
  const client = await RawClient.signIn(options);
  try {
    const greeting = tell(client.welcome.messages).filter((line) => !line.startsWith('R '));
    const answers: (readonly string[])[] = [greeting.map(mask).sort()];
    for (const exchange of script) {
      const { send, readies } = typeof exchange === 'string' ? simple(exchange) : exchange;
      client.send(...send);
      const answer = await answerOf(client, readies, tell);
      answers.push(inAnyOrder(answer).map(mask));
      if (answer.at(-1) === CLOSED) return answers;
    }
    await client.end();
    return answers;
  } finally {
    client.destroy();
  }
}

/** The order in which the server reports several parameters at a time has no meaning: it is that of their last changes. */
function inAnyOrder(lines: readonly string[]): readonly string[] {
  const sorted: string[] = [];
  let reports: string[] = [];
  for (const line of [...lines, '']) {
    if (line.startsWith('S ')) reports.push(line);
    else {
      sorted.push(...reports.sort(), line);
      reports = [];
    }
  }
  return sorted.slice(0, -1);
}

const CLOSED = 'closed';

/** Ends with `closed` where the server left in the middle of it. */
async function answerOf(
  client: RawClient,
  readies: number,
  tell: typeof transcript,
): Promise<readonly string[]> {
  const messages: Message[] = [];
  try {
    for (let left = readies; left > 0;) {
      const message = await client.read();
      messages.push(message);
      if (message.type === 'Z') left -= 1;
    }
    return tell(messages);
  } catch (problem) {
    if (!(problem instanceof PeerGone)) throw problem;
    return [...tell(messages), CLOSED];
  }
}

function simple(sql: string): Exclude<Exchange, string> {
  return { send: [frontend.query(sql)], readies: 1 };
}

function saidBy(exchange: Exchange | undefined): string {
  if (exchange === undefined) return 'sign-in';
  if (typeof exchange === 'string') return exchange;
  return exchange.send.map((bytes) => Buffer.from(bytes).toString('latin1')).join('');
}
