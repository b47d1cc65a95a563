import type { Clock } from '../../src/base/clock.ts';
import { paint } from '../../src/cli/demo/progress.ts';
import type { Io } from '../../src/cli/io.ts';

/** Wider lines are cut. */
const WIDEST = 100;

type Figures = Readonly<Record<string, number | string>>;

/** What a step has to show. */
export interface Seen<Value> {
  readonly value: Value;
  /** What was seen, in one line. */
  readonly detail: string;
  readonly figures?: Figures;
}

/** What was expected of a step has not come about, or it could not go on. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

interface TellerParts {
  readonly io: Io;
  readonly clock: Clock;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Tells people what happens, or keeps it for the end. */
export class Teller {
  readonly #io: Io;
  readonly #clock: Clock;
  readonly #json: boolean;
  readonly #signal: AbortSignal;
  readonly #steps: (Readonly<Record<string, unknown>> & { readonly ok: boolean })[] = [];

  /** Says nothing any more once `signal` is aborted. */
  constructor({ io, clock, json, signal }: TellerParts) {
    this.#io = io;
    this.#clock = clock;
    this.#json = json;
    this.#signal = signal;
  }

  /** A line of its own. */
  say(text: string): void {
    if (!this.#json && !this.#signal.aborted) this.#io.out(cut(text));
  }

  /** A call that is made. */
  call = (line: string): void => this.say(`   $ ${line}`);

  /** How far it is. */
  progress(text: string): void {
    this.say(`   … ${text}`);
  }

  /** Does the step and tells how it went. Throws `StepFailed` where it did not go well. */
  async step<Value>(name: string, title: string, work: () => Promise<Seen<Value>>): Promise<Value> {
    const began = this.#clock.nowMs();
    this.say('');
    this.say(paint(this.#io, 'bold', `${this.#steps.length + 1}  ${title}`));
    try {
      const { value, detail, figures } = await work();
      const seconds = Math.round(this.#clock.nowMs() - began) / 1000;
      this.#steps.push({ name, ok: true, detail, seconds, ...figures });
      this.say(`   ${paint(this.#io, 'green', '✓')} ${detail}`);
      return value;
    } catch (problem) {
      const detail = problem instanceof Error ? problem.message : String(problem);
      this.#steps.push({ name, ok: false, detail });
      for (const line of detail.split('\n')) this.say(`   ${paint(this.#io, 'red', '✗')} ${line}`);
      throw new StepFailed(detail, { cause: problem });
    }
  }

  /** The end of the story. */
  end(): void {
    if (this.#json && !this.#signal.aborted) this.#io.out(JSON.stringify({ steps: this.#steps }));
  }
}

/** A line of text as wide as can be. Colours are not counted, so that one with colours may be cut a little early. */
function cut(text: string): string {
  return text.length <= WIDEST ? text : `${text.slice(0, WIDEST - 1)}…`;
}
