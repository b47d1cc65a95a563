import { packetStatus, packetType } from '../../../src/wire/tds/packets.ts';
import { doneStatus } from '../../../src/wire/tds/tokens.ts';
import { PeerGone } from '../../support/byte-queue.ts';
import type { History } from '../history.ts';
import { CutOff, Difference } from '../outcome.ts';
import { Refused, TdsTalker } from './client.ts';
import type { Reply } from './reply.ts';
import { Side } from './side.ts';
import type { Answer } from './side.ts';
import { batch, executeSql, rpc, tellStep } from './steps.ts';
import type { Command, Exception, Life, Step } from './steps.ts';
import { compare, differsInRows, explain, FAREWELLS } from './verdict.ts';
import type { Stage } from './world.ts';

/** How much is read by one who leaves while reading. */
const LAST_BYTES = 40;

/** One client's life, through Sluice and, at the same time and word for word, directly with the same server. */
export class Actor {
  readonly #stage: Stage;
  readonly #life: Life;
  readonly #history: History;
  readonly #direct: Side;
  readonly #proxied: Side;

  private constructor(stage: Stage, life: Life, history: History, sides: readonly [Side, Side]) {
    this.#stage = stage;
    this.#life = life;
    this.#history = history;
    [this.#direct, this.#proxied] = sides;
  }

  /** Signs in both ways. Undefined where the connection was ended from outside before it was one. */
  static async enter(stage: Stage, life: Life, history: History): Promise<Actor | undefined> {
    const { login, name } = life;
    const { world, proxy } = stage;
    const clients = await proxy.gate.through(async () => {
      const direct = await TdsTalker.signIn(world.direct(proxy, login));
      stage.opened(direct);
      const proxied = await throughProxy(stage, life);
      return proxied === undefined ? undefined : ([direct, proxied] as const);
    });
    if (clients === undefined) return undefined;
    const [direct, proxied] = clients;
    stage.opened(proxied);
    const sides = [new Side(direct, 'sided', name), new Side(proxied, 'sidep', name)] as const;
    const [expected = [], actual = []] = sides.map(greeting);
    if (expected.join('\n') !== actual.join('\n'))
      throw new Difference(`at sign-in ${explain(expected, actual)}`);
    return new Actor(stage, life, history, sides);
  }

  /** Does all steps, each when it is its turn; then goes, where no step has ended it. */
  async live(turn: () => Promise<void>): Promise<void> {
    try {
      await turn();
      this.#history.say(`signed in: ${JSON.stringify(this.#life.login)}`);
      await this.#say([batch(this.#stage.world.pristine)]);
      for (const step of this.#life.steps) {
        await turn();
        const note = this.#history.begin(() => tellStep(step));
        const outcome = await this.#do(step);
        this.#history.end(note, outcome);
        if (step.kind === 'leave') return;
      }
      await turn();
      for (const { client } of [this.#direct, this.#proxied]) client.socket.end();
    } catch (problem) {
      if (!(problem instanceof CutOff)) throw problem;
    } finally {
      for (const { client } of [this.#direct, this.#proxied]) this.#stage.closed(client);
    }
  }

  async #do(step: Step): Promise<string> {
    switch (step.kind) {
      case 'say': {
        const { commands, exception, cuts } = step;
        if (step.readsLate === true) return summary(await this.#dawdle(commands, exception));
        return summary(await this.#say(commands, exception, cuts));
      }
      case 'stop':
        return await this.#stop(step);
      case 'attention':
        return await this.#raw((side) => side.client.packets(packetType.attention, NOTHING));
      case 'call off':
        return await this.#raw((side) => calledOff(side, step.command));
      case 'turnstile':
        return await this.#turnstile(step.requests);
      case 'leave':
        return await this.#leave(step);
    }
  }

  /** Says the same both ways, and compares all that comes back. Returns what the database itself says. */
  async #say(
    commands: readonly Command[],
    exception?: Exception,
    cuts: readonly number[] = [],
  ): Promise<Answer> {
    const [direct, proxied] = await Promise.all([
      this.#direct.exchange(commands),
      this.#proxied.exchange(commands, cuts),
    ]);
    await this.#judge(direct, proxied, exception);
    return direct;
  }

  /** Lets the answer pile up before it is read. */
  async #dawdle(commands: readonly Command[], exception: Exception | undefined): Promise<Answer> {
    const { socket } = this.#proxied.client;
    const direct = this.#direct.exchange(commands);
    socket.pause();
    const proxied = this.#proxied.exchange(commands);
    try {
      await this.#stage.proxy.sluice.admin('/healthz');
    } finally {
      socket.resume();
    }
    await this.#judge(await direct, await proxied, exception);
    return await direct;
  }

  async #judge(direct: Answer, proxied: Answer, exception?: Exception): Promise<void> {
    const { counts } = this.#stage;
    counts.add('requests compared');
    counts.add('errors', direct.errors.length);
    counts.add('tokens', direct.lines.length);
    this.#history.heard(summary(direct), summary(proxied));
    const { isBabelfish } = this.#stage.world;
    const [expected, actual] = isBabelfish
      ? [emptied(direct), emptied(proxied)]
      : [direct, proxied];
    const verdict = compare(expected, actual, exception);
    if (verdict.kind === 'cut off') this.#cutOff();
    if (verdict.kind === 'excepted') counts.add(`excepted: ${verdict.exception}`);
    if (verdict.kind === 'different') {
      const isRemnant = exception === 'remnant' && differsInRows(direct, proxied);
      if (!isRemnant || !(await this.#isHeld()))
        throw new Difference(explain(verdict.direct, verdict.proxied));
      counts.add('excepted: remnant of another one on a connection that is held');
    }
    if (direct.ended) throw new CutOff(); // by itself, both ways
  }

  /** What its connection has it cannot be rid of. */
  async #isHeld(): Promise<boolean> {
    const { lines } = await this.#direct.exchange([batch('SELECT @@TRANCOUNT')]);
    if (!lines.includes('row 0')) return true;
    const { proxy } = this.#stage;
    return (await proxy.metric('database_connections_currently_session_pinned')) > 0;
  }

  /** One termination may end one session. */
  #cutOff(): never {
    if (!this.#stage.excuse())
      throw new Difference('it was sent away, and no connection was ended');
    this.#history.say('its connection was ended from outside');
    throw new CutOff();
  }

  /** Something that is answered by one message, and is no request. */
  async #raw(bytesOf: (side: Side) => Uint8Array): Promise<string> {
    const ask = async (side: Side): Promise<Answer> => {
      side.client.socket.send(bytesOf(side));
      return await read(side);
    };
    const [direct, proxied] = await Promise.all([ask(this.#direct), ask(this.#proxied)]);
    await this.#judge(withoutCommands(direct), withoutCommands(proxied));
    return summary(direct);
  }

  /**
   * Whether an attention comes in time nobody can say. If it does, what is under way has been stopped, and its twin has to be
   * stopped as well; if not, it must have done what its twin does. It is acknowledged in any case (trap TD-08).
   */
  async #stop({ turns, way }: Step & { kind: 'stop' }): Promise<string> {
    const { counts } = this.#stage;
    counts.add('attentions');
    const slow = (delay: string): Command => {
      const sql = `SELECT '${this.#life.token}'; WAITFOR DELAY '00:00:${delay}'; SELECT ${LAST_ROW}`;
      return way === 'batch' ? batch(sql) : rpc(executeSql(sql));
    };
    const proxied = await stopped(this.#proxied, slow('00.100'), turns);
    if (proxied.ended) this.#cutOff();
    const hasRun = proxied.errors.length > 0 || proxied.lines.includes(`row ${LAST_ROW}`);
    const wasStopped = !hasRun && proxied.lines.some((line) => !line.startsWith('done '));
    counts.add(hasRun ? 'attentions that came late' : 'requests stopped');
    // What has not been run, or was stopped without a transaction, has done nothing.
    const isMirrored = hasRun || wasStopped || this.#direct.client.inTransaction;
    const direct = isMirrored
      ? await stopped(this.#direct, slow(hasRun ? '00.000' : '20.000'), hasRun ? undefined : 0)
      : await stopped(this.#direct, batch('SELECT 1'), undefined);
    const [expected, actual] = [direct, proxied].map(whatRemains);
    this.#history.heard(summary(direct), summary(proxied));
    if (expected?.join('\n') !== actual?.join('\n'))
      throw new Difference(explain(expected ?? [], actual ?? []));
    return hasRun ? 'was not stopped' : 'was stopped';
  }

  /** Nobody else may get what this session asks for, and two cannot have the lock. */
  async #turnstile(requests: number): Promise<string> {
    const { turnstile, counts } = this.#stage;
    const ask = async (sql: string): Promise<string | undefined> => {
      await this.#direct.exchange([batch('SELECT 1')]);
      const answer = await this.#proxied.exchange([batch(sql)]);
      if (answer.ended || answer.errors.some((number) => FAREWELLS.includes(number))) {
        turnstile.leave(PLACE);
        this.#cutOff();
      }
      return answer.lines.find((line) => line.startsWith('row '))?.slice('row '.length);
    };
    // The lock is the database's that is in use.
    await this.#say([batch('USE home_$side')]);
    if ((await ask(TAKE)) !== '0') return 'somebody else has it';
    if (!turnstile.enter(PLACE)) throw new Difference('two sessions have the same lock');
    for (let left = requests; left > 0; left -= 1) {
      const { token } = this.#life;
      const echo = await ask(`SELECT '${token}'`);
      if (echo !== token) throw new Difference(`it asked for ${token} and got ${echo}`);
    }
    turnstile.leave(PLACE);
    const freed = await ask(GIVE_BACK);
    if (freed !== '0') throw new Difference(`the lock that it had was not its own: ${freed}`);
    counts.add('turns at the lock of all');
    return 'had it';
  }

  async #leave({ commands, part, manner }: Step & { kind: 'leave' }): Promise<string> {
    const { socket } = this.#proxied.client;
    this.#stage.counts.add('clients that left in the middle');
    const bytes = Buffer.concat(commands.map((command) => this.#proxied.bytesOf(command)));
    socket.send(bytes.subarray(0, Math.ceil((bytes.length * part) / 1_000)));
    if (manner === 'half closed') socket.end();
    else if (manner === 'while reading') {
      const answered = socket.peek(LAST_BYTES).catch(() => NOTHING);
      const other = this.#stage.proxy.sluice.admin('/healthz').then(() => NOTHING);
      const heard = await Promise.race([answered, other]);
      this.#proxied.watch(Buffer.from(heard).toString('utf16le'));
    }
    return manner;
  }
}

const NOTHING = new Uint8Array(0);
const PLACE = 'home';
const LAST_ROW = 4711;
const TAKE = `DECLARE @r int; EXEC @r = sp_getapplock 'all', 'Exclusive', 'Session', 0; SELECT @r`;
const GIVE_BACK = `DECLARE @r int; EXEC @r = sp_releaseapplock 'all', 'Session'; SELECT @r`;
const SUMMED_UP = 5;

/**
 * The order of what is told at login has no meaning; nor has what kind of statement a login is. That the packets are as long as
 * they were not all servers say.
 */
function greeting(side: Side): readonly string[] {
  const { welcome } = side.client;
  if (welcome === undefined) return [];
  return side
    .told(welcome)
    .filter((line) => !/^change 4 (\d+) · \1$/.test(line))
    .map((line) => (line.startsWith('done ') ? 'done' : line))
    .toSorted();
}

/** Sends it, and then an attention, some turns of the event loop later; undefined: when all of the reply is there. */
async function stopped(side: Side, command: Command, turns: number | undefined): Promise<Answer> {
  side.client.socket.send(side.bytesOf(command));
  const attention = side.client.packets(packetType.attention, NOTHING);
  const lines: string[] = [];
  const errors: number[] = [];
  const note = (reply: Reply): void => {
    lines.push(...side.told(reply));
    errors.push(...reply.errors);
  };
  try {
    if (turns === undefined) note(await side.hear());
    for (let left = turns ?? 0; left > 0; left -= 1) await new Promise(setImmediate);
    side.client.socket.send(attention);
    for (;;) {
      const reply = await side.hear();
      note(reply);
      if ((reply.lastDone & doneStatus.attention) !== 0) return { lines, errors, ended: false };
    }
  } catch (problem) {
    if (!(problem instanceof PeerGone)) throw problem;
    return { lines, errors, ended: true };
  }
}

/** What became of the transaction, and the last word. */
function whatRemains({ lines }: Answer): readonly string[] {
  const changes = lines.filter((line) => line.startsWith('change '));
  const last = lines.at(-1)?.split(' ').slice(0, 3).join(' ') ?? '';
  return [...changes, last];
}

async function read(side: Side): Promise<Answer> {
  try {
    const reply = await side.hear();
    return { lines: side.told(reply), errors: reply.errors, ended: false };
  } catch (problem) {
    if (!(problem instanceof PeerGone)) throw problem;
    return { lines: [], errors: [], ended: true };
  }
}

/** What kind of statement it was that there was none of. */
function withoutCommands(answer: Answer): Answer {
  const lines = answer.lines.map((line) => line.replace(/^(done \w+ \w+) \d+/, '$1'));
  return { ...answer, lines };
}

/** The last packet says that all is to be forgotten (trap TD-09). */
function calledOff(side: Side, command: Command): Uint8Array {
  const bytes = side.bytesOf(command);
  let at = 0;
  for (let next = 0; next < bytes.length; next += Buffer.from(bytes).readUInt16BE(next + 2))
    at = next;
  bytes[at + 1] = (bytes[at + 1] ?? 0) | packetStatus.ignore;
  return bytes;
}

/** In one short line. */
function summary({ lines, ended }: Answer): string {
  const told = lines.map((line) => line.slice(0, 80));
  const middle = told.length > 2 * SUMMED_UP ? [`… ${told.length} tokens …`] : [];
  const first = told.slice(0, middle.length === 0 ? 2 * SUMMED_UP : SUMMED_UP);
  const last = middle.length === 0 ? [] : told.slice(-SUMMED_UP);
  return [...first, ...middle, ...last, ...(ended ? ['closed'] : [])].join(' ; ');
}

/** Undefined where the connection to the database was ended before it was one. */
async function throughProxy(stage: Stage, { login }: Life): Promise<TdsTalker | undefined> {
  try {
    return await TdsTalker.signIn(stage.world.proxied(stage.proxy, login));
  } catch (problem) {
    const isEnd =
      problem instanceof PeerGone ||
      (problem instanceof Refused && problem.numbers.some((one) => FAREWELLS.includes(one)));
    if (isEnd && stage.excuse()) return undefined;
    throw problem;
  }
}

/** Nothing in CONTEXT_INFO is as good as no value. */
function emptied(answer: Answer): Answer {
  return { ...answer, lines: answer.lines.map((line) => line.replaceAll(NO_CONTEXT, 'NULL')) };
}

const NO_CONTEXT = `0x${'00'.repeat(128)}`;
