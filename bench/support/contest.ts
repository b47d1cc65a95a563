import type { Certificate } from '../../src/net/certificate.ts';
import { openFileLimit } from '../../src/server/open-files.ts';
import type { Stage } from '../stage.ts';
import type { Turns } from './rounds.ts';
import { inTurn } from './rounds.ts';
import type { IdleCase, LoadCase, ResultCase } from './cases.ts';
import { measureIdle } from './idle.ts';
import type { Line } from './line.ts';
import type { Options } from './options.ts';
import type { Pooler, RunningPooler } from './pooler.ts';
import type { Failure, IdleReport, LoadReport, ResultReport, Rounds } from './report.ts';
import { DIRECT, idleReport, loadReport, resultReport } from './report.ts';
import type { Download, ResultFigures } from './result.ts';
import { measureResult } from './result.ts';
import type { Figures, Measurement } from './span.ts';
import type { SignIn } from './visitor.ts';

const IDLE_CLIENTS = 5_000;
/** Of the files that may be open, for clients: a pooler keeps some for itself. */
const FOR_CLIENTS = 0.6;
/** Where memory is measured. */
const SHORT_WARM_UP_SECONDS = 1;

/** What is measured, and where. */
export interface Ground<Database extends Line> {
  readonly poolers: readonly Pooler<Database>[];
  readonly database: Database;
  /** For TLS between clients and poolers. */
  readonly certificate: Certificate;
  /** Which one has to be agreed on; undefined where no case has TLS. */
  readonly tlsVersion: string | undefined;
  readonly signIn: SignIn;
  /** Put on each pooler after its start, so that there are connections, and what is compiled while it runs has been compiled. */
  warmUp(line: Line, measurement: Measurement): Promise<unknown>;
  download(line: Line): Promise<Download>;
  /** The database itself; undefined where it has no TLS. */
  direct(tls: boolean): Line | undefined;
}

/** Who takes part in a case: a pooler, or none at all. */
interface Contender {
  readonly key: string;
  /** Of the pooler's process. */
  readonly pid: number | undefined;
  line(tls: boolean): Line;
  expectAlive(): void;
}

/** Measures the poolers in turn in front of one database. What fails is told in `failures`, and the others go on. */
export class Contest<Database extends Line> {
  readonly failures: Failure[] = [];
  readonly #ground: Ground<Database>;
  readonly #options: Options;
  readonly #stage: Stage;

  constructor(ground: Ground<Database>, options: Options, stage: Stage) {
    this.#ground = ground;
    this.#options = options;
    this.#stage = stage;
  }

  /** All with the same processes: compiled and filled as after a while of service. */
  async load(cases: readonly LoadCase[]): Promise<readonly LoadReport[]> {
    if (cases.length === 0) return [];
    await using cleanup = new AsyncDisposableStack();
    const running: RunningPooler[] = [];
    const { warmUpSeconds } = this.#options;
    for (const pooler of this.#ground.poolers)
      running.push(cleanup.use(await this.#start(pooler, warmUpSeconds)));
    const reports: LoadReport[] = [];
    for (const one of cases) reports.push(await this.#loadCase(one, running));
    return reports;
  }

  /** Each time with a new process: in memory that one crowd has left behind the next would find room. */
  async idle(one: IdleCase): Promise<IdleReport> {
    const clients = Math.min(IDLE_CLIENTS, Math.floor((openFileLimit() ?? 1024) * FOR_CLIENTS));
    const { signal } = this.#stage;
    const rounds = await this.#inTurn(one.name, this.#options.idleRounds, this.#ground.poolers, {
      measure: async (pooler) => {
        await using running = await this.#start(pooler, SHORT_WARM_UP_SECONDS);
        const enter = () => this.#ground.signIn(running.line(one.tls));
        return await measureIdle(clients, enter, { pid: running.pid, signal });
      },
      show: ({ bytesPerClient }) => `${bytesPerClient.toFixed(0)} bytes`,
    });
    return idleReport(one, clients, rounds);
  }

  /** With new processes, whose memory is as they need it and not as something else has needed it. */
  async result(one: ResultCase): Promise<ResultReport> {
    const { signal } = this.#stage;
    await using cleanup = new AsyncDisposableStack();
    const running: RunningPooler[] = [];
    for (const pooler of this.#ground.poolers)
      running.push(cleanup.use(await this.#start(pooler, SHORT_WARM_UP_SECONDS)));
    const read = (pooler: RunningPooler): Promise<ResultFigures> => {
      const enter = () => this.#ground.download(pooler.line(one.tls));
      return measureResult(one.reader, enter, { pid: pooler.pid, signal });
    };
    const rounds = await this.#inTurn(one.name, this.#options.rounds, running, {
      warmUp: read,
      measure: read,
      show: ({ cpuMicrosPerMegabyte }) => `${cpuMicrosPerMegabyte.toFixed(0)} µs/MB`,
    });
    return resultReport(one, rounds);
  }

  async #loadCase(one: LoadCase, running: readonly RunningPooler[]): Promise<LoadReport> {
    const { name, load, tls } = one;
    const { rounds, seconds, caseWarmUpSeconds } = this.#options;
    const { signal } = this.#stage;
    const run = (contender: Contender, seconds: number): Promise<Figures> => {
      contender.expectAlive();
      return one.measure(contender.line(tls), { seconds, pid: contender.pid, signal });
    };
    const work = {
      warmUp: (contender: Contender) => run(contender, caseWarmUpSeconds),
      measure: (contender: Contender) => run(contender, seconds),
    };
    const line = this.#ground.direct(tls);
    const direct: readonly Contender[] =
      line === undefined
        ? []
        : [{ key: DIRECT, pid: undefined, line: () => line, expectAlive() {} }];
    // What counts there is how much later the answer comes than without a pooler.
    const isAlone = load.clients === 1;
    const contenders = isAlone ? [...direct, ...running] : running;
    const figures = await this.#inTurn(name, rounds, contenders, {
      ...work,
      show: ({ perSecond, cpuMicros }) => `${perSecond.toFixed(0)}/s ${cpuMicros.toFixed(1)} µs`,
    });
    const straight = isAlone ? [] : await this.#inTurn(name, 1, direct, work);
    return loadReport(one, new Map([...figures, ...straight]));
  }

  async #start(pooler: Pooler<Database>, seconds: number): Promise<RunningPooler> {
    const { signal } = this.#stage;
    const running = await pooler.start({ ...this.#ground, signal });
    try {
      await this.#ground.warmUp(running.line(false), { seconds, pid: running.pid, signal });
      return running;
    } catch (problem) {
      await running[Symbol.asyncDispose]();
      throw problem;
    }
  }

  async #inTurn<Contender extends { readonly key: string }, T>(
    name: string,
    rounds: number,
    contenders: readonly Contender[],
    work: Pick<Turns<Contender, T>, 'warmUp' | 'measure'> & {
      /** For the line that tells how far it has come; without it there is none. */
      show?(figures: T): string;
    },
  ): Promise<Rounds<T>> {
    const { signal, say } = this.#stage;
    const figures = await inTurn(contenders, {
      ...{ rounds, signal },
      ...work,
      finished: (round, measured) => {
        const shown = [...measured].map(([{ key }, one]) => `${key} ${work.show?.(one) ?? ''}`);
        if (work.show !== undefined) say(`${name}, ${round} of ${rounds}: ${shown.join(', ')}`);
      },
      failed: ({ key }, problem) => {
        const text = problem instanceof Error ? problem.message : String(problem);
        this.failures.push({ case: name, pooler: key, problem: text });
        say(`${name}: ${key} failed: ${text}`);
      },
    });
    return new Map([...figures].map(([{ key }, one]) => [key, one]));
  }
}
