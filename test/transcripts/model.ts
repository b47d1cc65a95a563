import {
  backend,
  bytesOf,
  frontend,
  i16,
  i32,
  message,
  parseMessages,
} from '../support/messages.ts';
import type { Message } from '../support/messages.ts';

/** Decides by given numbers, so that a failing run can be played again and made smaller. */
export class Draw {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get exhausted(): boolean {
    return this.#at >= this.#numbers.length;
  }

  /** A number below `count`; 0 once all have been used up. */
  below(count: number): number {
    return (this.#numbers[this.#at++] ?? 0) % count;
  }

  of<T>(options: readonly [T, ...T[]]): T {
    return options[this.below(options.length)] ?? options[0];
  }
}

const error = (severity = 'ERROR'): Uint8Array =>
  backend.error({ S: severity, V: severity, C: '22000', M: 'chance' });

export const functionCall = (): Uint8Array => message('F', i32(1), i16(0), i16(0), i16(0));
export const functionResult = (): Uint8Array => message('V', i32(-1));
export const copyIn = (): Uint8Array => message('G', 0, i16(1), i16(0));
export const copyOut = (): Uint8Array => message('H', 0, i16(1), i16(0));

/** A message that a client might send, whether it makes sense now or not. */
export function anyRequest(draw: Draw): Uint8Array {
  return draw.of([
    frontend.query('select 1'),
    frontend.sync(),
    frontend.parse('', 'select 1'),
    frontend.bind('', ''),
    frontend.execute(),
    frontend.describe('S'),
    frontend.describe('P'),
    frontend.close('S', 'x'),
    frontend.flush(),
    functionCall(),
    frontend.query(';'),
    frontend.copyData('1\n'),
    frontend.copyDone(),
  ]);
}

/** What makes sense while a copy is under way. A Sync does, as it is passed over. */
export function anyCopyMessage(draw: Draw): Uint8Array {
  return draw.of([
    frontend.copyData('1\n'),
    frontend.copyDone(),
    frontend.sync(),
    frontend.copyData('a longer line of a copy\n'),
    frontend.copyFail('no more'),
    frontend.flush(),
  ]);
}

/**
 * The reply rules of a PostgreSQL server (`postgres.c`, `copyfromparse.c`) as a list machine: takes messages one by one,
 * lets chance say what becomes of each, and makes the replies. A query without any text is Sluice's own.
 */
export class ModelServer {
  mode: 'ready' | 'skipping' | 'copying' | 'dead' = 'ready';
  /** Messages of the extended protocol came, and no end of them. */
  unsynced = false;
  /** A copy in the extended protocol is over, and what has passed for the end of its request was swallowed. */
  awaitsSync = false;
  status: 'I' | 'T' | 'E' = 'I';
  /** A copy has failed: from then on a ledger may find that it cannot tell what is owed. */
  copyFailed = false;
  readonly #inbox: Message[] = [];
  #partial: Uint8Array = bytesOf();
  #outbox: Uint8Array = bytesOf();
  /** The replies so far that are the client's. */
  readonly #forClient: Uint8Array[] = [];
  #ours = false;
  /** The copy belongs to an Execute. */
  #extended = false;

  get hasWork(): boolean {
    return this.#inbox.length > 0 && this.mode !== 'dead';
  }

  get outboxBytes(): number {
    return this.#outbox.length;
  }

  get forClient(): Uint8Array {
    return bytesOf(...this.#forClient);
  }

  receive(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#partial, bytes]);
    let end = 0;
    while (all.length - end >= 5 && all.length - end > all.readInt32BE(end + 1)) {
      end += 1 + all.readInt32BE(end + 1);
    }
    this.#inbox.push(...parseMessages(all.subarray(0, end)));
    this.#partial = all.subarray(end);
  }

  /** The next `count` bytes of the replies. */
  take(count = this.#outbox.length): Uint8Array {
    const taken = this.#outbox.subarray(0, count);
    this.#outbox = this.#outbox.subarray(count);
    return taken;
  }

  /** Deals with one message, or lets a copy fail before the next one is read. */
  step(draw: Draw): void {
    if (this.mode === 'copying' && draw.below(12) === 11) {
      this.#failCopy();
      return;
    }
    const next = this.#inbox.shift();
    if (next === undefined || this.mode === 'dead') return;
    if (this.mode === 'copying') this.#copy(next.type, draw);
    else this.#handle(next, draw);
  }

  #handle({ type, body }: Message, draw: Draw): void {
    if ('PBDEC'.includes(type)) this.unsynced = true;
    if (type === 'S') {
      this.#end();
      this.mode = 'ready';
      // What was deferred to the end of the transaction may fail.
      if (draw.below(16) === 15) this.#say(error());
      this.#ready(draw);
    } else if (this.mode === 'ready') {
      this.#obey(type, body, draw);
    }
  }

  #obey(type: string, body: Uint8Array, draw: Draw): void {
    const fails = draw.below(8) === 7;
    switch (type) {
      case 'Q':
        this.#end();
        this.#ours = body.length === 1;
        this.#query(draw);
        return;
      case 'F':
        this.#say(fails ? error() : functionResult());
        this.#ready(draw);
        return;
      case 'P':
      case 'B':
      case 'D':
      case 'C':
      case 'E':
        if (draw.below(6) === 5)
          this.#say(backend.notice({ S: 'NOTICE', V: 'NOTICE', M: 'by the way' }));
        if (fails) this.#fail();
        else if (type === 'E') this.#execute(draw);
        else this.#say(this.#simpleReply(type, String.fromCharCode(body[0] ?? 0), draw));
    }
  }

  #simpleReply(type: string, kind: string, draw: Draw): Uint8Array {
    if (type === 'P') return message('1');
    if (type === 'B') return message('2');
    if (type === 'C') return message('3');
    const parameters = kind === 'S' ? message('t', i16(0)) : '';
    return bytesOf(parameters, draw.of([message('n'), backend.rowDescription('a')]));
  }

  #query(draw: Draw): void {
    const outcome = this.#ours ? 0 : draw.below(8);
    const row = bytesOf(
      backend.rowDescription('a'),
      backend.dataRow('1'),
      backend.complete('SELECT 1'),
    );
    if (outcome === 0) this.#say(message('I'));
    else if (outcome === 1) this.#say(error());
    else if (outcome === 2) this.#say(row, row);
    else if (outcome === 3)
      this.#say(copyOut(), message('d', '1\n'), message('c'), backend.complete('COPY 1'));
    else if (outcome === 4) this.#say(row, error());
    else if (outcome === 5) return this.#beginCopy(false);
    else this.#say(row);
    this.#ready(draw);
  }

  #execute(draw: Draw): void {
    const outcome = draw.below(8);
    const row = backend.dataRow('1');
    if (outcome === 0) this.#say(message('I'));
    else if (outcome === 1) this.#say(row, row, message('s'));
    else if (outcome === 2)
      this.#say(copyOut(), message('d', '1\n'), message('c'), backend.complete('COPY 1'));
    else if (outcome === 3) return this.#beginCopy(true);
    else if (outcome === 4) {
      this.#say(row);
      this.#fail();
    } else this.#say(row, backend.complete('SELECT 1'));
  }

  #beginCopy(extended: boolean): void {
    this.mode = 'copying';
    this.#extended = extended;
    this.#say(copyIn());
  }

  #copy(type: string, draw: Draw): void {
    if ('HS'.includes(type)) return;
    const fails = draw.below(6) === 5;
    if (type === 'd') {
      if (fails) this.#failCopy();
    } else if (type === 'c' && !fails) {
      this.mode = 'ready';
      this.#say(backend.complete('COPY 1'));
      this.awaitsSync = this.#extended;
      if (!this.#extended) this.#ready(draw);
    } else if (type === 'c' || type === 'f') {
      this.#failCopy();
    } else {
      // Half a message has been read: nobody knows where the next one begins.
      this.#say(error(), error('FATAL'));
      this.mode = 'dead';
    }
  }

  #failCopy(): void {
    this.copyFailed = true;
    this.#fail();
    if (this.#extended) return;
    this.mode = 'ready';
    this.#ready(undefined);
  }

  #end(): void {
    this.unsynced = false;
    this.awaitsSync = false;
  }

  /** An error in the extended protocol. */
  #fail(): void {
    this.mode = 'skipping';
    this.#say(error());
  }

  #ready(draw: Draw | undefined): void {
    if (!this.#ours) this.status = draw?.of(['I', 'I', 'T', 'E'] as const) ?? 'I';
    this.#say(backend.ready(this.status));
    this.#ours = false;
  }

  #say(...messages: readonly Uint8Array[]): void {
    this.#outbox = bytesOf(this.#outbox, ...messages);
    if (!this.#ours) this.#forClient.push(...messages);
  }
}
