const OPEN_PARENTHESIS = 0x28;
const CLOSE_PARENTHESIS = 0x29;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;

/** What a call of set_config changes: `start` and `end` are where its first argument stands. */
export type ConfigVerdict =
  | 'for its transaction'
  | { readonly start: number; readonly end: number };

/**
 * Follows a call of set_config token by token: only a third argument that is plainly `true` confines it to its transaction,
 * and only a first one that is a single string names the setting.
 */
export class ConfigCall {
  readonly #decide: (verdict: ConfigVerdict | 'unknown') => void;
  /** Undefined outside a call, 0 before its parenthesis. */
  #depth: number | undefined;
  #commas = 0;
  #argument: 'empty' | 'true' | 'string' | 'other' = 'empty';
  /** Where the first argument stands, if it is a single string. */
  #nameStart = -1;
  #nameEnd = -1;

  constructor(decide: (verdict: ConfigVerdict | 'unknown') => void) {
    this.#decide = decide;
  }

  /** The function's name was the last word. Calls within calls are not followed. */
  begin(): void {
    this.end();
    this.#depth = 0;
    this.#commas = 0;
    this.#nameStart = -1;
    this.#nameEnd = -1;
  }

  word(word: string, quoted: boolean): void {
    if (this.#depth === undefined) return;
    const isTrue = word === 'true' && !quoted && this.#argument === 'empty';
    this.#argue(isTrue ? 'true' : 'other');
  }

  value(start: number): void {
    if (this.#depth === undefined) return;
    const isFirst = this.#depth === 1 && this.#commas === 0 && this.#argument === 'empty';
    if (isFirst) this.#nameStart = start;
    this.#argue(isFirst ? 'string' : 'other');
  }

  mark(byte: number, at: number): void {
    if (this.#depth === undefined) return;
    if (byte === SEMICOLON) this.end();
    else if (byte === OPEN_PARENTHESIS) {
      this.#argument = this.#depth === 0 ? 'empty' : 'other';
      this.#depth += 1;
    } else if (byte === COMMA && this.#depth === 1) this.#nextArgument(at);
    else if (byte === CLOSE_PARENTHESIS && this.#depth === 1) this.#close();
    else {
      this.#argue('other');
      if (byte === CLOSE_PARENTHESIS && this.#depth !== undefined) this.#depth -= 1;
    }
  }

  /** The call is over and nobody knows what it does. */
  end(): void {
    if (this.#depth === undefined) return;
    this.#depth = undefined;
    this.#decide('unknown');
  }

  #nextArgument(at: number): void {
    if (this.#commas === 0 && this.#argument === 'string') this.#nameEnd = at;
    this.#commas += 1;
    this.#argument = 'empty';
  }

  #close(): void {
    if (this.#commas !== 2) {
      this.end();
      return;
    }
    this.#depth = undefined;
    if (this.#argument === 'true') this.#decide('for its transaction');
    else if (this.#nameEnd < 0) this.#decide('unknown');
    else this.#decide({ start: this.#nameStart, end: this.#nameEnd });
  }

  #argue(argument: 'true' | 'string' | 'other'): void {
    if (this.#depth === 0) this.end();
    else this.#argument = argument;
  }
}
