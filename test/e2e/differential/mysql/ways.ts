import type { Script, Step } from '../../../support/mysql-differential.ts';
import type { MysqlParagraph } from '../../../support/mysql-file.ts';
import { close, execute, fetchMore, prepare } from './steps.ts';

/** How a client says the statements of a file. */
type WayToSay = (paragraphs: readonly MysqlParagraph[]) => Script;

export const ways = {
  'statement by statement': (paragraphs) => paragraphs.flat().map(({ sql }) => sql),

  /** An error ends the text, and with it whatever it would have tidied up. */
  'a paragraph in one text': (paragraphs) =>
    paragraphs.flatMap((paragraph): Script => {
      const texts = paragraph.map(({ sql }) => sql);
      return texts.some((text) => ALONE.test(text)) ? texts : [texts.join(';\n')];
    }),

  /** Each is prepared, run twice and closed. */
  'by the binary protocol': (paragraphs) =>
    paragraphs
      .flat()
      .flatMap(({ sql }): readonly Step[] => [prepare(sql), careful, careful, close()]),

  /** What returns rows is read by a cursor, two rows at a time. */
  'by cursors': (paragraphs) =>
    paragraphs
      .flat()
      .flatMap(({ sql }): readonly Step[] =>
        READS.test(sql)
          ? [prepare(sql), byCursor, fetchMore(2), fetchMore(2), fetchMore(200), close()]
          : [sql],
      ),
} as const satisfies Readonly<Record<string, WayToSay>>;

const byCursor = execute([], { flags: 1, isCareful: true });
const careful = execute([], { isCareful: true });

/** Bodies have semicolons of their own, which is no matter; but their texts do not end where they seem to. */
const ALONE = /^create\b.*\b(?:procedure|function|trigger|event|package)\b|^begin not atomic/is;
// EXPLAIN is not among them: MySQL 9.7 ends itself where rows of one are fetched.
const READS = /^\s*(?:\(|select|show|with|table|values)\b/i;
