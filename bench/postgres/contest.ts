import type { Certificate } from '../../src/net/certificate.ts';
import { generateCertificate } from '../../src/net/certificate.ts';
import { openFileLimit } from '../../src/server/open-files.ts';
import type { Stage } from '../stage.ts';
import type { Turns } from '../support/rounds.ts';
import { inTurn } from '../support/rounds.ts';
import type { IdleCase, LoadCase, ResultCase } from './cases.ts';
import type { BenchDatabase } from './database.ts';
import { measureIdle } from './idle.ts';
import type { Line } from './line.ts';
import type { Options } from './options.ts';
import type { Load } from './pgbench.ts';
import { measureLoad } from './pgbench.ts';
import type { Pooler, RunningPooler } from './poolers/pooler.ts';
import type { Failure, IdleReport, LoadReport, ResultReport, Rounds } from './report.ts';
import { idleReport, loadReport, resultReport } from './report.ts';
import type { ResultFigures } from './result.ts';
import { measureResult } from './result.ts';
import { measureSignIns } from './sign-ins.ts';
import type { Figures, Measurement } from './span.ts';

const IDLE_CLIENTS = 5_000;
/** Of the files that may be open, for clients: a pooler keeps some for itself. */
const FOR_CLIENTS = 0.6;
/** After each start, so that there are connections, and what is compiled while it runs has been compiled. */
const WARM_UP: Load = { mode: 'extended', clients: 32, reconnect: false };
/** Before each case, which may be the first of its kind, and where memory is measured. */
const SHORT_WARM_UP_SECONDS = 1;

/** Measures the poolers in turn in front of one database. What fails is told in `failures`, and the others go on. */
export class Contest {
  readonly failures: Failure[] = [];
  readonly #poolers: readonly Pooler[];
  readonly #database: BenchDatabase;
  readonly #certificate: Certificate;
  readonly #options: Options;
  readonly #stage: Stage;

  constructor(poolers: readonly Pooler[], database: BenchDatabase, options: Options, stage: Stage) {
    this.#poolers = poolers;
    this.#database = database;
    this.#certificate = generateCertificate([database.host, 'localhost']);
    this.#options = options;
    this.#stage = stage;
  }

  /** All with the same processes: compiled and filled as after a while of service. */
  async load(cases: readonly LoadCase[]): Promise<readonly LoadReport[]> {
    if (cases.length === 0) return [];
    await using cleanup = new AsyncDisposableStack();
    const running: RunningPooler[] = [];
    const { warmUpSeconds } = this.#options;
    for (const pooler of this.#poolers)
      running.push(cleanup.use(await this.#start(pooler, warmUpSeconds)));
    const reports: LoadReport[] = [];
    for (const one of cases) reports.push(await this.#loadCase(one, running));
    return reports;
  }

  /** Each time with a new process: in memory that one crowd has left behind the next would find room. */
  async idle(one: IdleCase): Promise<IdleReport> {
    const clients = Math.min(IDLE_CLIENTS, Math.floor((openFileLimit() ?? 1024) * FOR_CLIENTS));
    const { signal } = this.#stage;
    const rounds = await this.#inTurn(one.name, this.#options.idleRounds, this.#poolers, {
      measure: async (pooler) => {
        await using running = await this.#start(pooler, SHORT_WARM_UP_SECONDS);
        return await measureIdle(clients, running.line(one.tls), { pid: running.pid, signal });
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
    for (const pooler of this.#poolers)
      running.push(cleanup.use(await this.#start(pooler, SHORT_WARM_UP_SECONDS)));
    const read = (pooler: RunningPooler): Promise<ResultFigures> =>
      measureResult(one.reader, pooler.line(one.tls), { pid: pooler.pid, signal });
    const rounds = await this.#inTurn(one.name, this.#options.rounds, running, {
      warmUp: read,
      measure: read,
      show: ({ cpuMicrosPerMegabyte }) => `${cpuMicrosPerMegabyte.toFixed(0)} µs/MB`,
    });
    return resultReport(one, rounds);
  }

  async #loadCase(one: LoadCase, running: readonly RunningPooler[]): Promise<LoadReport> {
    const { name, load, tls, by } = one;
    const { rounds, seconds } = this.#options;
    const { signal } = this.#stage;
    const along = (line: Line, measurement: Measurement): Promise<Figures> =>
      by === 'pgbench'
        ? measureLoad(load, line, measurement)
        : measureSignIns(load.clients, line, measurement);
    const run = (pooler: RunningPooler, seconds: number): Promise<Figures> => {
      pooler.expectAlive();
      return along(pooler.line(tls), { seconds, pid: pooler.pid, signal });
    };
    const figures = await this.#inTurn(name, rounds, running, {
      warmUp: (pooler) => run(pooler, SHORT_WARM_UP_SECONDS),
      measure: (pooler) => run(pooler, seconds),
      show: ({ perSecond, cpuMicros }) => `${perSecond.toFixed(0)}/s ${cpuMicros.toFixed(1)} µs`,
    });
    // The database's own connections have no TLS here.
    const straight = await this.#inTurn(name, 1, tls ? [] : [{ key: 'direct' }], {
      measure: () => along(this.#database, { seconds, pid: undefined, signal }),
    });
    return loadReport(one, figures, straight.get('direct')?.[0]);
  }

  async #start(pooler: Pooler, seconds: number): Promise<RunningPooler> {
    const { signal } = this.#stage;
    const surroundings = { database: this.#database, certificate: this.#certificate, signal };
    const running = await pooler.start(surroundings);
    try {
      await measureLoad(WARM_UP, running.line(false), { seconds, pid: running.pid, signal });
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
