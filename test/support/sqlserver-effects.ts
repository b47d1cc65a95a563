import type { Effects } from '../../src/engine/sqlserver/sql/effects.ts';

/** What a text does, in words that tables can hold; a `?` where it may not come to that. */
export function told(effects: Effects | undefined): readonly string[] {
  if (effects === undefined) return [];
  if (effects.isUnsure) return ['unsure'];
  return [
    ...effects.sets.map(
      ({ name, value = '', isCertain, isWithin }) =>
        `sets ${name} = ${value}${isCertain ? '' : '?'}${isWithin ? ' within' : ''}`,
    ),
    ...(effects.uses === undefined ? [] : [`uses ${effects.uses}`]),
    ...effects.ties.map(
      ({ does, reason, name = '', isCertain, isWithin }) =>
        `${does} ${reason} ${name}${isCertain ? '' : '?'}`.trimEnd() + (isWithin ? ' within' : ''),
    ),
    ...effects.pins.map((reason) => `pins ${reason}`),
    ...(effects.asksForPrevious ? ['asks'] : []),
    ...(effects.mayInsert ? ['inserts'] : []),
    ...(effects.mayChangeTransaction ? ['transaction'] : []),
    ...(effects.startsBulkLoad ? ['bulk'] : []),
  ];
}
