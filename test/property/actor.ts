import { frontend } from '../support/messages.ts';
import { RawClient, ServerError } from '../support/raw-client.ts';
import { PeerGone } from '../support/byte-queue.ts';
import { countAnswer } from './counts.ts';
import { CutOff, Difference } from './outcome.ts';
import type { History } from './history.ts';
import { PRISTINE } from './pristine.ts';
import { seen } from './seen.ts';
import { Side } from './side.ts';
import type { Answer } from './side.ts';
import { query, sync, tellStep } from './steps.ts';
import type { Life, Need, Step } from './steps.ts';
import type { Stage } from './world.ts';
import type { Circumstances } from './verdict.ts';
import { codesIn, compare, explain, FAREWELLS, summary, valueIn } from './verdict.ts';
import { DRAW } from './world.ts';
import type { Way } from './world.ts';

/** The lock that all sessions want. */
const LOCK_OF_ALL = 424_242;
/** How much is read by one who leaves while reading. */
const LAST_BYTES = 40;

/** One client's life, through Sluice and, at the same time and word for word, directly with the twin of its database. */
export class Actor {
  readonly #stage: Stage;
  readonly #life: Life;
  readonly #history: History;
  readonly #direct: Side;
  readonly #proxied: Side;
  readonly #has = new Set<Need>();
  /**
   * Cancel requests that came too late for their statement: Sluice closes the connection on which it is asked before the
   * database has been, so each may yet stop one of this session's own statements, while it keeps its connection.
   */
  #cancelsAround = 0;

  private constructor(stage: Stage, life: Life, history: History, sides: readonly [Side, Side]) {
    this.#stage = stage;
    this.#life = life;
    this.#history = history;
    [this.#direct, this.#proxied] = sides;
  }

  /** Signs in both ways. Undefined where the connection was ended from outside before it was one. */
  static async enter(stage: Stage, life: Life, history: History): Promise<Actor | undefined> {
    const sides: Side[] = [];
    for (const way of [stage.world.direct(life.login), undefined]) {
      const client =
        way === undefined ? await throughProxy(stage, life) : await RawClient.signIn(way);
      if (client === undefined) return undefined;
      stage.opened(client);
      sides.push(new Side(client, life.name));
    }
    const [direct, proxied] = sides;
    if (direct === undefined || proxied === undefined) throw new Error('a side is missing');
    const actor = new Actor(stage, life, history, [direct, proxied]);
    actor.#compareGreetings();
    return actor;
  }

  /** Does all steps, each when it is its turn; then says goodbye, where no step has ended it. */
  async live(turn: () => Promise<void>): Promise<void> {
    try {
      await turn();
      const { user, database, parameters } = this.#life.login;
      this.#history.say(`signed in as ${user}, in ${database}, with ${JSON.stringify(parameters)}`);
      await this.#say([query(PRISTINE)]);
      for (const step of this.#life.steps) {
        await turn();
        const note = this.#history.begin(() => tellStep(step));
        const outcome = await this.#do(step);
        this.#history.end(note, outcome);
        if (step.kind === 'leave') return;
      }
      await turn();
      await this.#sayGoodbye();
    } catch (problem) {
      if (!(problem instanceof CutOff)) throw problem;
    } finally {
      for (const { client } of [this.#direct, this.#proxied]) this.#stage.closed(client);
    }
  }

  async #do(step: Step): Promise<string> {
    switch (step.kind) {
      case 'say':
        return await this.#saySomething(step);
      case 'dawdle':
        await this.#synchronise();
        return await this.#dawdle(step.send);
      case 'cancel':
        await this.#synchronise();
        return await this.#cancel(step.sql, step.turns);
      case 'hear':
        await this.#synchronise();
        return await this.#hear();
      case 'turnstile':
        await this.#synchronise();
        return await this.#turnstile(step.requests);
      case 'draw':
        await this.#synchronise();
        return await this.#draw();
      case 'leave':
        return await this.#leave(step);
    }
  }

  async #saySomething(step: Step & { kind: 'say' }): Promise<string> {
    const isQuery = step.send[0]?.[0] === QUERY || step.send[0]?.[0] === CALL;
    const apart = step.needs !== undefined || step.exception !== undefined;
    if (apart || (isQuery && this.#direct.dues.mustSync)) await this.#synchronise();
    if (step.needs !== undefined && !this.#meets(step.needs)) return 'left out';
    const answer = await this.#say(step.send, step);
    if (step.gives !== undefined && codesIn(answer).length === 0) this.#has.add(step.gives);
    return summary(answer);
  }

  #meets(need: Need): boolean {
    return need === 'no transaction' ? !this.#inTransaction : this.#has.has(need);
  }

  get #inTransaction(): boolean {
    return this.#direct.dues.status !== 'I';
  }

  /** Some steps make sense only where no request is open. */
  async #synchronise(): Promise<void> {
    if (this.#direct.dues.unsynced) await this.#say([sync()]);
  }

  /** Says the same both ways, and compares all that comes back. Returns what the database itself says. */
  async #say(
    send: readonly Uint8Array[],
    { cuts = [], exception }: Partial<Step & { kind: 'say' }> = {},
  ): Promise<Answer> {
    const before = this.#direct.dues.status;
    const [direct, proxied] = await Promise.all([
      this.#direct.exchange(send),
      this.#proxied.exchange(send, cuts),
    ]);
    this.#judge(direct, proxied, { before, exception });
    return direct;
  }

  #judge(direct: Answer, proxied: Answer, circumstances: Circumstances = {}): void {
    const { counts } = this.#stage;
    counts.add('requests compared');
    countAnswer(counts, direct);
    this.#history.heard(summary(direct), summary(proxied));
    if (this.#cancelsAround > 0 && codesIn(proxied).includes('57014')) {
      counts.add('cancels that came late');
      throw new CutOff();
    }
    const verdict = compare(direct, proxied, circumstances);
    if (verdict.kind === 'excepted') counts.add(`excepted: ${verdict.exception}`);
    if (verdict.kind === 'cut off') this.#cutOff();
    if (verdict.kind === 'different')
      throw new Difference(explain(verdict.direct, verdict.proxied));
    if (direct.ended) throw new CutOff(); // by itself, both ways: there are statements that PostgreSQL does not survive
  }

  /** One termination may end one session. */
  #cutOff(): never {
    if (!this.#stage.excuse())
      throw new Difference('it was sent away, and no connection was ended');
    this.#history.say('its connection was ended from outside');
    throw new CutOff();
  }

  /** Lets the answer pile up before it is read. */
  async #dawdle(send: readonly Uint8Array[]): Promise<string> {
    const { socket } = this.#proxied.client;
    const before = this.#direct.dues.status;
    const direct = this.#direct.exchange(send);
    socket.pause();
    const proxied = this.#proxied.exchange(send);
    try {
      await this.#stage.proxy.sluice.admin('/healthz');
    } finally {
      socket.resume();
    }
    const answer = await direct;
    this.#judge(answer, await proxied, { before });
    return summary(answer);
  }

  /**
   * Whether a cancel request comes in time nobody can say. If it does, the statement has failed, and its twin has to fail
   * as well; if not, it must have done what its twin does.
   */
  async #cancel(sql: string, turns: number): Promise<string> {
    const { counts } = this.#stage;
    const running = this.#proxied.exchange([query(sql)]);
    const asking = this.#askToCancel(turns);
    const proxied = await running;
    await asking;
    counts.add('cancel requests');
    if (!codesIn(proxied).includes('57014')) {
      const direct = await this.#direct.exchange([query(sql)]);
      this.#judge(direct, proxied);
      this.#cancelsAround += 1;
      return 'was not cancelled';
    }
    counts.add('requests cancelled');
    const direct = await this.#direct.exchange([query('SELECT 1/0')]);
    // A part of the result may have been on its way.
    const lines = proxied.messages.filter(({ type }) => type !== 'T' && type !== 'D').map(seen);
    const expected = direct.messages.slice(1).map(seen);
    const isTold = lines[0]?.startsWith('E ERROR 57014 ') === true;
    if (!isTold || lines.slice(1).join() !== expected.join())
      throw new Difference(explain(['E ERROR 57014 …', ...expected], lines));
    return 'was cancelled';
  }

  async #askToCancel(turns: number): Promise<void> {
    for (let left = turns; left > 0; left -= 1) await new Promise(setImmediate);
    const { client } = this.#proxied;
    const canceller = await RawClient.connect(
      this.#stage.world.proxied(this.#stage.proxy, this.#life.login),
    );
    try {
      canceller.send(frontend.cancelRequest(client.welcome.pid, client.welcome.secret));
      await canceller.readEnd();
    } finally {
      canceller.destroy();
    }
  }

  async #hear(): Promise<string> {
    const channel = `ear_${this.#life.name}`;
    const listening = `SELECT count(*) FROM pg_listening_channels() AS c WHERE c = '${channel}'`;
    const asked = await this.#say([query(listening)]);
    if (this.#inTransaction || valueIn(asked) !== '1') return 'does not listen';
    const hearing = [this.#direct.read('A'), this.#proxied.read('A')] as const;
    await this.#stage.world.notify(this.#life);
    const [direct, proxied] = await Promise.all(hearing);
    this.#judge(direct, proxied);
    this.#stage.counts.add('notifications from outside');
    return 'was notified';
  }

  /** Locks by Sluice alone, as the twin's are others; the twin only has its statement without a name dropped, too. */
  async #turnstile(requests: number): Promise<string> {
    if (this.#inTransaction) return 'left out';
    const { turnstile, counts } = this.#stage;
    const where = this.#life.login.database;
    const ask = async (sql: string): Promise<string | null | undefined> => {
      await this.#direct.exchange([query('SELECT 1')]);
      const answer = await this.#proxied.exchange([query(sql)]);
      if (answer.ended) {
        turnstile.leave(where);
        this.#cutOff();
      }
      if (this.#cancelsAround > 0 && codesIn(answer).includes('57014')) {
        turnstile.leave(where);
        throw new CutOff();
      }
      return valueIn(answer);
    };
    const got = await ask(`SELECT pg_try_advisory_lock(${LOCK_OF_ALL})`);
    if (got !== 't') return 'somebody else has it';
    if (!turnstile.enter(where)) throw new Difference('two sessions have the same lock');
    for (let left = requests; left > 0; left -= 1) {
      const { token } = this.#life;
      const echo = await ask(`SELECT '${token}'`);
      if (echo !== token) throw new Difference(`it asked for ${token} and got ${echo}`);
    }
    turnstile.leave(where);
    const freed = await ask(`SELECT pg_advisory_unlock(${LOCK_OF_ALL})`);
    if (freed !== 't') throw new Difference('the lock that it had was not its own');
    counts.add('turns at the lock of all');
    return 'had it';
  }

  async #draw(): Promise<string> {
    if (this.#has.has('random seed')) return summary(await this.#say([query(DRAW)]));
    const [direct, proxied] = await Promise.all([
      this.#direct.exchange([query(DRAW)]),
      this.#proxied.exchange([query(DRAW)]),
    ]);
    if (proxied.ended) this.#cutOff();
    const [number, expected] = [valueIn(proxied), valueIn(direct)];
    // Two numbers, or none in a transaction that has failed.
    if (typeof number !== typeof expected && this.#cancelsAround === 0)
      throw new Difference(explain(direct.messages.map(seen), proxied.messages.map(seen)));
    if (typeof number === 'string' && this.#stage.world.sown.has(number))
      throw new Difference(
        `it has sown nothing, and drew ${number}, which another one's seed gives`,
      );
    return 'drew a number';
  }

  async #leave({ send, bytes, manner }: Step & { kind: 'leave' }): Promise<string> {
    const { client } = this.#proxied;
    this.#stage.counts.add('clients that left in the middle');
    const said = Buffer.concat(send).subarray(0, bytes);
    client.send(said);
    if (manner === 'goodbye unread') {
      client.send(frontend.terminate());
      client.socket.end();
      return manner;
    }
    if (manner === 'while reading') {
      const answered = client.socket.peek(LAST_BYTES).catch(() => new Uint8Array(0));
      const other = this.#stage.proxy.sluice.admin('/healthz').then(() => new Uint8Array(0));
      this.#proxied.watch(await Promise.race([answered, other]));
    }
    return manner;
  }

  async #sayGoodbye(): Promise<void> {
    const sides = [this.#direct, this.#proxied];
    const ends = sides.map(async ({ client }) => {
      client.send(frontend.terminate());
      return await client.readEnd();
    });
    const [direct = [], proxied = []] = await Promise.all(ends);
    for (const { body } of proxied) this.#proxied.watch(body);
    const wasSentAway = proxied.length > 0;
    this.#judge({ messages: direct, ended: false }, { messages: proxied, ended: wasSentAway });
  }

  /** All but how they proved who they are, and their process ids; reported parameters come in any order. */
  #compareGreetings(): void {
    const told = (side: Side): string =>
      side.client.welcome.messages
        .filter(({ type }) => type !== 'R' && type !== 'K')
        .map(seen)
        .sort()
        .join('\n');
    const [direct, proxied] = [told(this.#direct), told(this.#proxied)];
    if (direct !== proxied)
      throw new Difference(`at sign-in\n${explain(direct.split('\n'), proxied.split('\n'))}`);
  }
}

const QUERY = 0x51;
const CALL = 0x46;

/** Undefined where the connection to the database was ended before it was one. */
async function throughProxy(stage: Stage, { login }: Life): Promise<RawClient | undefined> {
  return await stage.proxy.gate.through(async () => {
    const way: Way = stage.world.proxied(stage.proxy, login);
    try {
      return await RawClient.signIn(way);
    } catch (problem) {
      const isEnd =
        problem instanceof PeerGone ||
        (problem instanceof ServerError && FAREWELLS.includes(problem.code ?? ''));
      if (isEnd && stage.excuse()) return undefined;
      throw problem;
    }
  });
}
