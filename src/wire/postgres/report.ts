/**
 * What an ErrorResponse or a NoticeResponse says. The severity is the untranslated one (FATAL, ERROR, WARNING …), empty
 * where a database sent none. A database may also leave out the code (trap PG-17).
 */
export interface Report extends Readonly<ReportDetails> {
  readonly severity: string;
  /** A five-character SQLSTATE. */
  readonly code?: string;
  readonly message: string;
}

export type ReportDetails = Partial<Record<(typeof reportDetails)[number][0], string>>;

/** The other fields and their letters. PostgreSQL documentation, "Error and Notice Message Fields". */
export const reportDetails = [
  ['detail', 'D'],
  ['hint', 'H'],
  ['position', 'P'],
  ['internalPosition', 'p'],
  ['internalQuery', 'q'],
  ['where', 'W'],
  ['schema', 's'],
  ['table', 't'],
  ['column', 'c'],
  ['dataType', 'd'],
  ['constraint', 'n'],
  ['file', 'F'],
  ['line', 'L'],
  ['routine', 'R'],
] as const;
