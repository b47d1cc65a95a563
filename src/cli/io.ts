/** How a command speaks to whoever started it. */
export interface Io {
  /** What was asked for, to standard output: one line or several; the last line break may be left out. */
  out(text: string): void;
  /** What went wrong, to standard error; likewise. */
  err(text: string): void;
  /** Standard output is a terminal. */
  readonly isTty: boolean;
  /** How many characters fit in one line. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}
