/**
 * What is heard of a statement, in order. Comments are silence, but for those that are executed. Places are in bytes from the
 * beginning of the text.
 */
export interface WordVisitor {
  /** Whitespace or a comment came before what is told next. */
  space(): void;
  /**
   * As it is written. Bare words may be keywords, others are names: in quotes, behind a dot, or beginning with a digit. At most
   * `MAX_WORD_BYTES` of it are told: no name is longer than 64 characters.
   */
  word(word: string, isBare: boolean, start: number, end: number): void;
  /** What a string says, its escapes undone; undefined of more than `MAX_STRING_BYTES`. */
  string(said: Uint8Array | undefined, start: number): void;
  /** A number, or a literal of bits (`x'1f'`). Of a whole number its digits, otherwise empty. */
  number(digits: string, start: number): void;
  /** A user variable, or the host of an account: `@a`, `@'a'`. */
  variable(name: string, start: number): void;
  /** A system variable up to the first dot, in lower case: `@@a`, `@@session`. */
  system(name: string, start: number): void;
  /** One byte of punctuation or of an operator. */
  mark(byte: number, at: number): void;
  /** A comment begins whose text is executed. */
  executable(): void;
  /** What follows may be read in more than one way. */
  riddle(): void;
}

export const MAX_WORD_BYTES = 256;
