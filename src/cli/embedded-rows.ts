export type Row = Readonly<Record<string, unknown>>;

/** The rows of the last statement: several of them have several answers, which are arrays in an array. */
export function lastTable(answer: readonly (Row | readonly Row[])[]): readonly Row[] {
  const last = answer.at(-1);
  if (last !== undefined && isTable(last)) return last;
  return answer.flatMap((row) => row);
}

function isTable(answer: Row | readonly Row[]): answer is readonly Row[] {
  return Array.isArray(answer);
}
