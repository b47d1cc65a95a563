import { utf8 } from '../../src/base/bytes.ts';
import { beginStreaming, Classifier } from '../../src/engine/mysql/sql/classifier.ts';
import type { Dialect } from '../../src/engine/mysql/sql/dialect.ts';
import { dialectOf, serverTraits } from '../../src/engine/mysql/sql/dialect.ts';
import type { Effects, Tie, TieName } from '../../src/engine/mysql/sql/effects.ts';

// What statements of MySQL and MariaDB do, as tests say it.

export const classifier = new Classifier();
export const mysql = dialectOf(serverTraits('9.7.4', false), 'STRICT_TRANS_TABLES', 'utf8mb4');
export const mariadb = dialectOf(serverTraits('11.8.9-MariaDB', false), '', 'utf8mb4');

export function classify(sql: string, dialect: Dialect = mysql): Effects | undefined {
  const bytes = utf8(`xx${sql}\0`);
  return classifier.classify(bytes, 2, bytes.length - 1, dialect);
}

export function stream(sql: string, pieceBytes: number, dialect: Dialect): Effects | undefined {
  const bytes = utf8(sql);
  const streaming = beginStreaming(dialect);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    streaming.feed(bytes, at, Math.min(bytes.length, at + pieceBytes));
  }
  return streaming.finish();
}

function named(name: TieName | undefined): string {
  if (name === undefined) return '?';
  return name.schema === undefined || name.schema === ''
    ? name.name
    : `${name.schema}.${name.name}`;
}

function tied(tie: Tie): string {
  switch (tie.does) {
    case 'dropsAll':
      return `drops all ${tie.reason}`;
    case 'renames':
      return `renames ${tie.reason} ${named(tie.name)} to ${named(tie.to)}`;
    default:
      return `${tie.does} ${tie.reason} ${named(tie.name)}`;
  }
}

/** Effects in words. */
export function told(effects: Effects | undefined): readonly string[] {
  if (effects === undefined) return [];
  if (effects.isUnsure) return ['unsure'];
  const { kill } = effects;
  return [
    ...effects.pins.map((reason) => `pins ${reason}`),
    ...effects.ties.map(tied),
    ...effects.sets.map((name) => `sets ${name}`),
    ...(effects.assigns === 'any' ? ['assigns any'] : effects.assigns.map((a) => `assigns ${a}`)),
    ...(effects.usesUserVariables ? ['uses variables'] : []),
    ...[...effects.asksFor].map((leftover) => `asks for ${leftover}`),
    ...(effects.setsLastInsertId ? ['sets last insert id'] : []),
    ...(effects.calculatesFoundRows ? ['calculates found rows'] : []),
    ...(effects.shapesNextTransaction ? ['next transaction'] : []),
    ...(effects.endsSession ? ['ends session'] : []),
    ...(effects.mayRunRoutines ? ['routines'] : []),
    ...(effects.loadsLocalFile ? ['local file'] : []),
    ...(kill ? [`kills ${kill.isSoft ? 'softly ' : ''}${kill.what} ${kill.id ?? '?'}`] : []),
  ];
}
