import { capability } from '../../../src/wire/mysql/capabilities.ts';
import { command } from '../../../src/wire/mysql/commands.ts';
import { PeerGone } from '../../support/byte-queue.ts';
import { MysqlClient, MysqlError } from '../../support/mysql-client.ts';
import { greeting } from '../../support/mysql-differential.ts';
import { passwordOf } from '../../support/sluice.ts';
import type { History } from '../history.ts';
import { CutOff, Difference } from '../outcome.ts';
import { codeOf, codesIn, summary, valueIn } from './answers.ts';
import type { Answer } from './answers.ts';
import { Side } from './side.ts';
import { query, tellStep } from './steps.ts';
import type { Command, Exception, Life, Step, User } from './steps.ts';
import { compare, explain, FAREWELLS } from './verdict.ts';
import type { Stage, World } from './world.ts';

const INTERRUPTED = 1317;
/** How much is read by one who leaves while reading. */
const LAST_BYTES = 40;

/** One client's life, through Sluice and, at the same time and word for word, directly with the twin of its server. */
export class Actor {
  readonly #stage: Stage;
  readonly #life: Life;
  readonly #history: History;
  readonly #direct: Side;
  readonly #proxied: Side;
  /** Who it is by now. */
  #user: User;
  /** Requests to stop a statement that came too late for it: each may yet stop another one of this session. */
  #cancelsAround = 0;

  private constructor(stage: Stage, life: Life, history: History, sides: readonly [Side, Side]) {
    this.#stage = stage;
    this.#life = life;
    this.#history = history;
    this.#user = life.login.user;
    [this.#direct, this.#proxied] = sides;
  }

  /** Signs in both ways. Undefined where the connection was ended from outside before it was one. */
  static async enter(stage: Stage, life: Life, history: History): Promise<Actor | undefined> {
    const { login, name } = life;
    const { isMariadb } = stage.world;
    const direct = await MysqlClient.signIn(stage.world.direct(name, login));
    stage.opened(direct);
    const proxied = await throughProxy(stage, life);
    if (proxied === undefined) return undefined;
    stage.opened(proxied);
    for (const client of [direct, proxied]) client.files.set('file', FILE);
    const actor = new Actor(stage, life, history, [
      new Side(direct, name, isMariadb),
      new Side(proxied, name, isMariadb),
    ]);
    const [expected, actual] = [direct, proxied].map((client) => told(client, stage.world)) as [
      string[],
      string[],
    ];
    if (expected.join('\n') !== actual.join('\n'))
      throw new Difference(`at sign-in ${explain(expected, actual)}`);
    return actor;
  }

  /** Does all steps, each when it is its turn; then says goodbye, where no step has ended it. */
  async live(turn: () => Promise<void>): Promise<void> {
    try {
      await turn();
      this.#history.say(`signed in: ${JSON.stringify(this.#life.login)}`);
      await this.#say([query(this.#stage.world.pristine)]);
      for (const step of this.#life.steps) {
        await turn();
        const note = this.#history.begin(() => tellStep(step));
        const outcome = await this.#do(step);
        this.#history.end(note, outcome);
        if (step.kind === 'leave') return;
      }
      await turn();
      await Promise.all([this.#direct, this.#proxied].map(({ client }) => client.end()));
    } catch (problem) {
      if (!(problem instanceof CutOff)) throw problem;
    } finally {
      for (const { client } of [this.#direct, this.#proxied]) this.#stage.closed(client);
    }
  }

  async #do(step: Step): Promise<string> {
    switch (step.kind) {
      case 'say': {
        const { needs, commands, exception, cuts } = step;
        if (needs === 'no transaction' && this.#direct.inTransaction) return 'left out';
        if (step.readsLate === true) return summary(await this.#dawdle(commands, exception));
        return summary(await this.#say(commands, exception, cuts));
      }
      case 'change user':
        return await this.#changeUser(step);
      case 'cancel':
        return await this.#cancel(step.turns);
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
    this.#judge(direct, proxied, exception);
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
    this.#judge(await direct, await proxied, exception);
    return await direct;
  }

  #judge(direct: Answer, proxied: Answer, exception?: Exception): void {
    const { counts } = this.#stage;
    counts.add('requests compared');
    counts.add('errors', codesIn(direct).length);
    counts.add('packets', direct.payloads.length);
    this.#history.heard(summary(direct), summary(proxied));
    if (this.#cancelsAround > 0 && codesIn(proxied).includes(INTERRUPTED)) {
      counts.add('cancels that came late');
      throw new CutOff();
    }
    const verdict = compare(direct, proxied, exception);
    if (verdict.kind === 'cut off') this.#cutOff();
    if (verdict.kind === 'excepted') counts.add(`excepted: ${verdict.exception}`);
    if (verdict.kind === 'different')
      throw new Difference(explain(verdict.direct, verdict.proxied));
    if (direct.ended) throw new CutOff(); // by itself, both ways
  }

  /** One termination may end one session. */
  #cutOff(): never {
    if (!this.#stage.excuse())
      throw new Difference('it was sent away, and no connection was ended');
    this.#history.say('its connection was ended from outside');
    throw new CutOff();
  }

  async #changeUser({ user, schema }: Step & { kind: 'change user' }): Promise<string> {
    const { collation } = this.#life.login;
    const attempt = async (side: Side, password: string): Promise<Answer> => {
      const become = {
        user,
        password,
        collation,
        ...(schema === undefined ? {} : { database: schema }),
      };
      try {
        const payload = await side.client.changeUser(become);
        return { lines: [`ok ${payload.length}`], payloads: [payload], ended: false };
      } catch (problem) {
        if (problem instanceof PeerGone) return { lines: [], payloads: [], ended: true };
        if (!(problem instanceof MysqlError)) throw problem;
        return { lines: [problem.message], payloads: [problem.payload], ended: false };
      }
    };
    const [direct, proxied] = await Promise.all([
      attempt(this.#direct, passwordOf(user)),
      this.#stage.proxy.gate.through(async () =>
        attempt(this.#proxied, this.#stage.proxy.passwordOf(user)),
      ),
    ]);
    for (const side of [this.#direct, this.#proxied]) side.forget();
    this.#judge(direct, proxied);
    this.#user = user;
    await this.#say([query(this.#stage.world.pristine)]);
    return 'did so';
  }

  /**
   * Whether a KILL QUERY comes in time nobody can say. If it does, the statement has failed, and its twin has to fail
   * as well; if not, it must have done what its twin does.
   */
  async #cancel(turns: number): Promise<string> {
    const { counts } = this.#stage;
    // Another one may not, and has to wait for a connection to sign in, which this session may have.
    if (this.#user !== this.#life.login.user) return 'left out';
    // It would begin a transaction, and what takes its place in the twin would not.
    if (!this.#direct.isAutocommit) return 'left out';
    const slow = [query(SLOW.replaceAll('SCHEMA', this.#life.name))];
    const running = this.#proxied.exchange(slow);
    const asking = this.#askToCancel(turns);
    const proxied = await running;
    await asking;
    counts.add('cancel requests');
    if (!codesIn(proxied).includes(INTERRUPTED)) {
      this.#judge(await this.#direct.exchange(slow), proxied);
      this.#cancelsAround += 1;
      return 'was not cancelled';
    }
    counts.add('requests cancelled');
    const direct = await this.#direct.exchange([query(INTERRUPTION)]);
    // Column definitions may have been on their way.
    const [expected, actual] = [direct, proxied].map((answer) =>
      answer.lines.slice(-1).map(unnumbered),
    );
    if (expected?.join() !== actual?.join())
      throw new Difference(explain(expected ?? [], actual ?? []));
    return 'was cancelled';
  }

  async #askToCancel(turns: number): Promise<void> {
    for (let left = turns; left > 0; left -= 1) await new Promise(setImmediate);
    const { world, proxy } = this.#stage;
    const id = this.#proxied.client.handshake?.connectionId ?? 0;
    await proxy.gate.through(async () => {
      const { name, login } = this.#life;
      const canceller = await MysqlClient.signIn(world.proxied(proxy, name, login));
      try {
        await canceller.query(`KILL QUERY ${id}`);
      } finally {
        canceller.destroy();
      }
    });
  }

  /** Nobody else may get what this session asks for, and two cannot have the lock. */
  async #turnstile(requests: number): Promise<string> {
    const { turnstile, counts } = this.#stage;
    const ask = async (sql: string): Promise<string | null | undefined> => {
      await this.#direct.exchange([query('SELECT 1')]);
      const answer = await this.#proxied.exchange([query(sql)]);
      const code = codeOf(answer.payloads.at(-1));
      if (answer.ended || FAREWELLS.includes(code ?? 0)) {
        turnstile.leave(PLACE);
        this.#cutOff();
      }
      if (this.#cancelsAround > 0 && code === INTERRUPTED) {
        turnstile.leave(PLACE);
        throw new CutOff();
      }
      return valueIn(answer, this.#proxied.client.capabilities);
    };
    if ((await ask(`SELECT GET_LOCK('all', 0)`)) !== '1') return 'somebody else has it';
    if (!turnstile.enter(PLACE)) throw new Difference('two sessions have the same lock');
    for (let left = requests; left > 0; left -= 1) {
      const { token } = this.#life;
      const echo = await ask(`SELECT '${token}'`);
      if (echo !== token) throw new Difference(`it asked for ${token} and got ${echo}`);
    }
    turnstile.leave(PLACE);
    const freed = await ask(`SELECT RELEASE_LOCK('all')`);
    if (freed !== '1') throw new Difference('the lock that it had was not its own');
    counts.add('turns at the lock of all');
    return 'had it';
  }

  async #leave({ commands, part, manner }: Step & { kind: 'leave' }): Promise<string> {
    const { socket } = this.#proxied.client;
    this.#stage.counts.add('clients that left in the middle');
    const bytes = this.#proxied.bytesOf(commands);
    socket.send(bytes.subarray(0, Math.ceil((bytes.length * part) / 1_000)));
    if (manner === 'goodbye unread') {
      socket.send(Uint8Array.of(1, 0, 0, 0, command.quit));
      socket.end();
    } else if (manner === 'while reading') {
      const answered = socket.peek(LAST_BYTES).catch(() => new Uint8Array(0));
      const other = this.#stage.proxy.sluice.admin('/healthz').then(() => new Uint8Array(0));
      this.#proxied.watch(await Promise.race([answered, other]));
    }
    return manner;
  }
}

const PLACE = 'the server';
const FILE = Buffer.from('71\tfrom a file\n72\tand more\n');

/** Some tenths of a second, and an error that says what an interruption says. */
const SLOW = `SELECT COUNT(*) FROM SCHEMA.many a, SCHEMA.many b, SCHEMA.many c, SCHEMA.many d, SCHEMA.many e, SCHEMA.many f
  WHERE a.a + b.a + c.a + d.a + e.a + f.a = -1`;
const INTERRUPTION = `SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317, MESSAGE_TEXT = 'Query execution was interrupted'`;

function unnumbered(line: string): string {
  return line.replace(/^[\d ]+: /, '');
}

/** MariaDB leaves out, in the OK of the sign-in, the empty text that stands before what has changed in the session. */
function told(client: MysqlClient, { isMariadb }: World): readonly string[] {
  const lines = greeting(client);
  const isTracking = (client.capabilities.flags & capability.sessionTrack) !== 0;
  return isMariadb && isTracking ? lines.slice(0, -1) : lines;
}

/** Undefined where the connection to the database was ended before it was one. */
async function throughProxy(stage: Stage, { name, login }: Life): Promise<MysqlClient | undefined> {
  return await stage.proxy.gate.through(async () => {
    try {
      return await MysqlClient.signIn(stage.world.proxied(stage.proxy, name, login));
    } catch (problem) {
      const isEnd =
        problem instanceof PeerGone ||
        (problem instanceof MysqlError && FAREWELLS.includes(problem.code));
      if (isEnd && stage.excuse()) return undefined;
      throw problem;
    }
  });
}
