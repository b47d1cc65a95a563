import type { Exchange } from '../../support/differential.ts';
import { frontend } from '../../support/messages.ts';
import type { Paragraph, Statement } from '../../support/sql-file.ts';
import { bindBinary, say, sayFor } from './messages.ts';

const { parse, bind, describe, execute, close, sync, query, copyData, copyDone } = frontend;

/** How a client says the statements of a file. */
type WayToSay = (paragraphs: readonly Paragraph[]) => readonly Exchange[];

export const waysAlone: Readonly<Record<string, WayToSay>> = {
  'a paragraph in one query': (paragraphs) =>
    paragraphs.flatMap((paragraph) => {
      const sql = paragraph.map((one) => one.sql).join(';\n');
      return [sayFor(1, query(sql), ...paragraph.flatMap(copied)), ...ended(paragraph)];
    }),

  'by the extended protocol': (paragraphs) =>
    paragraphs.flat().map((one) => sayFor(1, ...unnamed(one), sync())),

  'a paragraph before one Sync': (paragraphs) =>
    paragraphs.flatMap((paragraph) => [
      sayFor(1, ...paragraph.flatMap(unnamed), sync()),
      ...ended(paragraph),
    ]),
};

export const statementByStatement: WayToSay = (paragraphs) =>
  paragraphs.flat().map((one) => sayFor(1, query(one.sql), ...copied(one)));

/** Each is prepared, run and closed. */
export const preparedInBinary: WayToSay = (paragraphs) =>
  paragraphs.flat().flatMap((one, at): Exchange[] => {
    const name = `statement ${at}`;
    return [
      say(parse(name, one.sql), describe('S', name), sync()),
      sayFor(1, bindBinary(name, []), execute(), ...copied(one), sync()),
      say(close('S', name), sync()),
    ];
  });

/** An error skips the rest of its paragraph, and with it the end of a transaction that stands there. */
function ended(paragraph: readonly Statement[]): readonly Exchange[] {
  const begins = paragraph.some(({ sql }) => /^(?:begin|start)\b/i.test(sql));
  const ends = /^(?:abort|commit|end|prepare|rollback)\b/i.test(paragraph.at(-1)?.sql ?? '');
  return begins && ends ? ['ROLLBACK'] : [];
}

function unnamed(one: Statement): readonly Uint8Array[] {
  return [parse('', one.sql), bind('', ''), describe('P'), execute(), ...copied(one)];
}

/** The data of a COPY, in two pieces. That of a binary one is written in hexadecimal digits. */
function copied({ sql, data }: Statement): readonly Uint8Array[] {
  if (data === undefined) return [];
  const isBinary = /\bbinary\b/i.test(sql);
  const bytes = isBinary ? Buffer.from(data.replaceAll(/\s/g, ''), 'hex') : Buffer.from(data);
  const middle = bytes.length >> 1;
  return [copyData(bytes.subarray(0, middle)), copyData(bytes.subarray(middle)), copyDone()];
}
