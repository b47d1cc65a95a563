// Files of SQL as psql reads them, cut into statements. Written apart from `src`, so that neither is tested against itself.

export interface Statement {
  /** Without the semicolon, and without comments before it. */
  readonly sql: string;
  /** The lines between a COPY … FROM STDIN and its `\.`, newlines included. */
  readonly data: string | undefined;
  /** The oldest major version of PostgreSQL that knows it: `-- since 15` on a line before it. */
  readonly since: number;
}

/** Statements that belong together: no empty line is between them. */
export type Paragraph = readonly Statement[];

export interface SqlFile {
  readonly paragraphs: readonly Paragraph[];
  /** Notes of the form `-- word: text` before the first statement. */
  readonly notes: ReadonlyMap<string, string>;
}

/** What a statement may be made of; in this order, each from where the one before has ended. */
const pieces = {
  space: /\s+/y,
  lineComment: /--[^\n]*/y,
  dollarQuoted: /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[^]*?\$\1\$/y,
  escapeString: /[eE]'(?:[^'\\]|''|\\[^])*'/y,
  string: /'(?:[^']|'')*'/y,
  identifier: /"(?:[^"]|"")*"/y,
  word: /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y,
  number: /\d[\w.]*/y,
  other: /[^]/y,
} as const;

type Kind = keyof typeof pieces | 'blockComment';

interface Piece {
  readonly kind: Kind;
  readonly text: string;
}

const COPY_DATA = /\n((?:(?!\\\.\n).*\n)*?)\\\.\n/y;

export function readSqlFile(text: string): SqlFile {
  const paragraphs: Statement[][] = [[]];
  const notes = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const lead = leadAt(text, at);
    at += lead.text.length;
    if (lead.isApart && (paragraphs.at(-1)?.length ?? 0) > 0) paragraphs.push([]);
    if (paragraphs.length === 1 && paragraphs[0]?.length === 0)
      for (const [, word = '', rest = ''] of lead.text.matchAll(/^-- (\w+): (.*)$/gm))
        notes.set(word, rest);
    if (at >= text.length) break;
    const sql = statementAt(text, at);
    at += sql.length + 1;
    const data = /^copy\b.*\bfrom\s+stdin\b/is.test(sql) ? dataAt(text, at) : undefined;
    at += data?.length ?? 0;
    paragraphs.at(-1)?.push({
      sql,
      data: data === undefined ? undefined : data.slice(1, -'\\.\n'.length),
      since: Number(/^-- since (\d+)$/m.exec(lead.text)?.[1] ?? 0),
    });
  }
  return { paragraphs: paragraphs.filter(({ length }) => length > 0), notes };
}

/** Space and comments before a statement. */
function leadAt(text: string, from: number): { readonly text: string; readonly isApart: boolean } {
  let at = from;
  for (;;) {
    const piece = pieceAt(text, at);
    if (piece === undefined || !/^(?:space|lineComment|blockComment)$/.test(piece.kind)) break;
    at += piece.text.length;
  }
  // After the data of a COPY, the end of its last line counts as well.
  const isApart = /\n[ \t]*\n/.test(text.slice(Math.max(0, from - 1), at));
  return { text: text.slice(from, at), isApart };
}

/** Up to the semicolon that ends it: one outside of everything, such as a rule's parentheses and BEGIN ATOMIC … END. */
function statementAt(text: string, from: number): string {
  let parentheses = 0;
  let blocks = 0;
  let previous = '';
  for (let at = from; ;) {
    const piece = pieceAt(text, at);
    if (piece === undefined) throw new Error(`no end of the statement: ${text.slice(from)}`);
    const word = piece.text.toLowerCase();
    if (word === ';' && parentheses === 0 && blocks === 0) return text.slice(from, at);
    if (word === '(') parentheses += 1;
    if (word === ')') parentheses -= 1;
    if (word === 'atomic' && previous === 'begin') blocks += 1;
    if (word === 'case' && blocks > 0) blocks += 1;
    if (word === 'end' && blocks > 0) blocks -= 1;
    if (piece.kind === 'word') previous = word;
    at += piece.text.length;
  }
}

function dataAt(text: string, from: number): string {
  COPY_DATA.lastIndex = from;
  const [found] = COPY_DATA.exec(text) ?? [];
  if (found === undefined) throw new Error(`no end of the data: ${text.slice(from)}`);
  return found;
}

function pieceAt(text: string, at: number): Piece | undefined {
  if (text.startsWith('/*', at)) return { kind: 'blockComment', text: blockCommentAt(text, at) };
  for (const [kind, pattern] of Object.entries(pieces)) {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    if (found !== undefined) return { kind: kind as Kind, text: found };
  }
  return undefined;
}

/** They nest. */
function blockCommentAt(text: string, from: number): string {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  let depth = 0;
  for (;;) {
    const mark = marks.exec(text);
    if (mark === null) throw new Error(`no end of the comment: ${text.slice(from)}`);
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return text.slice(from, marks.lastIndex);
  }
}
