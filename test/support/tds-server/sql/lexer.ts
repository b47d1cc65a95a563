import { errors } from '../types/errors.ts';

export type TokenKind =
  | 'word'
  | 'quoted'
  | 'string'
  | 'number'
  | 'binary'
  | 'variable'
  | 'symbol'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written, without quotes and brackets; of variables with the at signs. */
  readonly text: string;
  /** Of words and symbols, for comparisons. */
  readonly upper: string;
  readonly isWide: boolean;
  readonly at: number;
  readonly end: number;
  readonly line: number;
}

const wordStart = /[\p{L}_#]/u;
const wordPart = /[\p{L}\p{N}_#$@]/u;
const symbols = ['<>', '!=', '<=', '>=', '!<', '!>', '+=', '-=', '*=', '/=', '%=', '||', '::'];

/** The words of a batch. `quotedIdentifiers`: what stands in double quotes is a name. */
export function tokens(text: string, quotedIdentifiers: boolean): readonly Token[] {
  const found: Token[] = [];
  let at = 0;
  let line = 1;
  const push = (kind: TokenKind, from: number, value: string, isWide = false): void => {
    const upper = kind === 'word' || kind === 'symbol' ? value.toUpperCase() : '';
    found.push({ kind, text: value, upper, isWide, at: from, end: at, line });
    for (let n = text.indexOf('\n', from); n !== -1 && n < at; n = text.indexOf('\n', n + 1))
      line += 1;
  };
  while (at < text.length) {
    const from = at;
    const character = text[at] ?? '';
    const two = text.slice(at, at + 2);
    if (/\s/.test(character)) {
      if (character === '\n') line += 1;
      at += 1;
    } else if (two === '--') {
      at = text.indexOf('\n', at);
      if (at === -1) at = text.length;
    } else if (two === '/*') {
      at = endOfComment(text, at);
      line += text.slice(from, at).split('\n').length - 1;
    } else if (character === "'" || two === "N'" || two === "n'") {
      const isWide = character !== "'";
      const [value, end] = quoted(text, isWide ? at + 2 : at + 1, "'");
      at = end;
      push('string', from, value, isWide);
    } else if (character === '"') {
      const [value, end] = quoted(text, at + 1, '"');
      at = end;
      push(quotedIdentifiers ? 'quoted' : 'string', from, value);
    } else if (character === '[') {
      const [value, end] = quoted(text, at + 1, ']');
      at = end;
      push('quoted', from, value);
    } else if (/^0x/i.test(two)) {
      at = ending(text, at + 2, /[\da-f]/i);
      push('binary', from, text.slice(from + 2, at));
    } else if (/\d/.test(character) || (character === '.' && /\d/.test(text[at + 1] ?? ''))) {
      const [whole = character] =
        /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/i.exec(text.slice(at, at + 400)) ?? [];
      at += whole.length;
      push('number', from, whole);
    } else if (character === '@') {
      at = ending(text, at + 1, /[\p{L}\p{N}_#$@]/u);
      push('variable', from, text.slice(from, at));
    } else if (wordStart.test(character)) {
      at = ending(text, at + 1, wordPart);
      push('word', from, text.slice(from, at));
    } else if (character === '$' && /[a-z]/i.test(text[at + 1] ?? '')) {
      at = ending(text, at + 1, wordPart);
      push('word', from, text.slice(from, at));
    } else {
      const symbol = symbols.includes(two) ? two : character;
      at += symbol.length;
      push('symbol', from, symbol);
    }
  }
  push('end', at, '');
  return found;
}

function ending(text: string, from: number, part: RegExp): number {
  let at = from;
  while (at < text.length && part.test(text[at] ?? '')) at += 1;
  return at;
}

/** Up to the quote, which stands for itself where it is doubled. */
function quoted(text: string, from: number, quote: string): [value: string, end: number] {
  let value = '';
  for (let at = from; ;) {
    const end = text.indexOf(quote, at);
    if (end === -1) throw errors.unclosedQuote(text.slice(from, from + 100));
    value += text.slice(at, end);
    // A line that ends with a backslash goes on with the next one.
    if (text[end + 1] !== quote) return [value.replaceAll(/\\\r?\n/g, ''), end + 1];
    value += quote;
    at = end + 2;
  }
}

/** Comments nest. */
function endOfComment(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/') depth -= 1;
    at += two === '/*' || two === '*/' ? 2 : 1;
    if (depth === 0) return at;
  }
  return text.length;
}
