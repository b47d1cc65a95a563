import { limits } from '../../../base/limits.ts';
import { endings, openings } from './openings.ts';
import type { Token } from './sql-words.ts';
import { SqlWords } from './sql-words.ts';
import { isMark, isNaming } from './tokens.ts';

const LIMIT_BYTES = limits.statementDigestBytes.value;
const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;
/** What a digest can hold is in the first part of a text. */
const LOOKED_AT = 8_192;

/**
 * A text as a log may show it: `?` for literals, no comments, single spaces, bare words in lower case, at most
 * `limits.statementDigestBytes`.
 */
export function digestOf(text: string): string {
  const words = new SqlWords(text.slice(0, LOOKED_AT));
  const reader = new Reader();
  let said = '';
  let bytes = 0;
  for (let token = words.next(); token !== undefined; token = words.next()) {
    const shown = reader.show(token);
    const piece = token.isSpaced && said !== '' ? ` ${shown}` : shown;
    bytes += Buffer.byteLength(piece);
    if (bytes > LIMIT_BYTES - ELLIPSIS_BYTES) return said + ELLIPSIS;
    said += piece;
  }
  return text.length > LOOKED_AT ? said + ELLIPSIS : said;
}

/** In the parameters of a call, a bare word is a text, but for these. */
const parameterWords: readonly string[] = ['output', 'out', 'null', 'default'];

class Reader {
  #before: Token | undefined;
  /** In a call: before its procedure's name, in it, or behind it. */
  #call: 'head' | 'name' | 'parameters' | undefined;

  show(token: Token): string {
    this.#follow(token);
    const shown = this.#shown(token);
    this.#before = token;
    return shown;
  }

  #shown({ kind, text, raw }: Token): string {
    switch (kind) {
      case 'string':
      case 'number':
        return '?';
      case 'quoted':
        // Whether it is a text or a name depends on the session; behind a dot it is a name.
        return isMark(this.#before, '.') ? `"${raw.replaceAll('"', '""')}"` : '?';
      case 'name':
        return `[${raw.replaceAll(']', ']]')}]`;
      case 'word': {
        const isText = this.#call === 'parameters' && !endings.has(text);
        return (isText && !parameterWords.includes(text)) || this.#before?.text === 'language'
          ? '?'
          : text;
      }
      default:
        return text;
    }
  }

  #follow(token: Token): void {
    const { kind, text } = token;
    const isNew = this.#before === undefined && isNaming(token) && !openings.has(text);
    if (kind === 'word' && (text === 'exec' || text === 'execute')) this.#call = 'head';
    else if (isMark(token, ';') || (kind === 'word' && endings.has(text))) this.#call = undefined;
    else if (isNew || this.#call === 'head') {
      if (isNaming(token)) this.#call = 'name';
      else if (kind !== 'variable' && !isMark(token, '=')) this.#call = 'parameters';
    } else if (this.#call === 'name') {
      const isPart = isMark(token, '.') || (isNaming(token) && isMark(this.#before, '.'));
      if (!isPart) this.#call = 'parameters';
    }
  }
}
