import { latin1, utf8 } from '../../src/base/bytes.ts';
import { MemoryLink } from './memory-link.ts';
import type { World } from './world.ts';

/** The database's side of one connection. It does nothing by itself: the test says when it answers, and how. */
export class Backend {
  readonly world: World;
  readonly number: number;
  readonly link: MemoryLink;
  /** Whom it lets in: the principal's letter. */
  key = '';
  password = '';
  /** How it was spoken to. */
  dialect = '';
  /** What it has been asked and has not dealt with, in order: `enter`, `ping`, `q1` … */
  readonly todo: string[] = [];
  /** When it was called. */
  readonly era: number;
  saidGoodbye = false;
  /** Data that came with requests. */
  heardBytes = 0;
  /** With a cancel request: the connection that it is about. */
  target: Backend | undefined;
  #targetTag = '';
  #isDealtWith = false;
  /** The session whose request was the last, whose transaction is open, and whose state would show to others. */
  #lastTag = '';
  #transaction = '';
  #pin = '';

  constructor(world: World, number: number) {
    this.world = world;
    this.number = number;
    this.era = world.era;
    this.link = new MemoryLink(`backend:${number}`);
    this.link.ear = { hear: (bytes) => this.#hear(latin1(bytes)), ended() {} };
  }

  /** All that its future depends on. */
  get state(): string {
    const { link, key, todo, saidGoodbye, target } = this;
    const shape = `${link.isOpen ? '' : 'ending'}${saidGoodbye ? 'bye' : ''}${target?.number ?? ''}`;
    return [
      key,
      shape,
      this.world.era - this.era,
      ...todo,
      this.#lastTag,
      this.#transaction,
      this.#pin,
    ].join(',');
  }

  /** Deals with what it was asked first, and closes in the same breath. */
  answerAndClose(): void {
    this.#answer();
    this.link.hangUp();
    this.world.settle();
  }

  /** Deals with what it was asked first, as asked. */
  answer(): void {
    this.#answer();
    this.world.settle();
  }

  #answer(): void {
    const task = this.todo.shift() ?? '';
    if (task === 'enter') this.link.send(Uint8Array.of(43, this.number));
    else if (task === 'measure') this.link.send(Uint8Array.of(43, this.world.measured));
    else if (task === 'cancel') this.#carryOut();
    else if (isRequest(task)) this.#reply(task.charAt(0).toUpperCase(), task.charAt(1));
    else {
      if (task === 'reset') this.#transaction = this.#pin = '';
      this.link.send(utf8('+'));
    }
  }

  /** Deals with what it was asked first, but says no: a login with one of the letters of `refusals`. */
  refuse(letter = '-'): void {
    this.todo.shift();
    this.say(letter);
  }

  /** Sends so much data ahead of the answer to its current request. */
  pour(bytes: number): void {
    this.say(`d${this.#lastTag}`.repeat(bytes));
  }

  say(letters: string): void {
    this.link.send(utf8(letters));
    this.world.settle();
  }

  close(problem?: string): void {
    this.link.hangUp(problem);
    this.world.settle();
  }

  #hear(said: string): void {
    if (said === 'goodbye') this.saidGoodbye = true;
    else if (said.startsWith('enter ')) this.#enter(said);
    else if (said.startsWith('cancel ')) this.#hearCancel(Number(said.slice(7)));
    else if (isRequest(said)) this.#hearRequest(said);
    else if (said.startsWith('w')) this.heardBytes += said.length;
    else this.todo.push(said);
  }

  #enter(said: string): void {
    [, this.key = '', this.password = '', this.dialect = ''] = said.split(' ');
    this.todo.push('enter');
  }

  #hearRequest(request: string): void {
    const tag = request.charAt(1);
    const { breaches, backends } = this.world;
    for (const holder of [this.#transaction, this.#pin]) {
      if (holder !== '' && holder !== tag) breaches.push(`session ${tag} met ${holder}'s state`);
    }
    for (const other of backends) {
      if (other.target === this && !other.#isDealtWith && other.#targetTag !== tag) {
        breaches.push(`session ${tag} may be hit by a cancel request for ${other.#targetTag}`);
      }
    }
    this.#lastTag = tag;
    this.todo.push(request);
  }

  #hearCancel(number: number): void {
    this.target = this.world.backends[number - 1];
    this.#targetTag = this.target === undefined ? '' : this.target.#lastTag;
    this.todo.push('cancel');
  }

  /** Stops the target's request, if there is one, and closes: only then has the proxy heard that it is done. */
  #carryOut(): void {
    this.#isDealtWith = true;
    const { target } = this;
    const running = target?.todo[0];
    if (target !== undefined && running !== undefined && isRequest(running)) {
      target.todo.shift();
      target.#reply('K', running.charAt(1));
    }
    this.link.hangUp();
  }

  #reply(letter: string, tag: string): void {
    if (letter === 'B') this.#transaction = tag;
    if (letter === 'C') this.#transaction = '';
    if (letter === 'P') this.#pin = tag;
    if (letter === 'U') this.#pin = '';
    this.link.send(utf8(letter + tag));
  }
}

function isRequest(said: string): boolean {
  return /^[qbcpur].$/.test(said);
}
